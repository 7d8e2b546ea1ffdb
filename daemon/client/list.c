/* SPDX-License-Identifier: MIT
 *
 * list.c: viewctl list: what viewd once made and no section names any more.
 */
#include "base/clock.h"
#include "client/client.h"
#include "client/offline.h"
#include "client/print/table.h"
#include "core/offline/orphans.h"
#include "ctl/text/json_err.h"
#include "ctl/text/json_text.h"

struct listed {
	const struct client *client;
	json_t *orphans, *errors;
};

static json_t *time_of(int64_t wall_us)
{
	char buf[32];
	return wall_us == 0 ? json_null() : json_text(clock_format(wall_us, buf, sizeof buf));
}

static void take_error(const struct listed *l, const struct offline_orphan *orphan)
{
	json_t *out = json_object();
	json_object_set_new(out, "database", json_text(orphan->database));
	json_object_set_new(out, "error", json_err(orphan->error));
	json_array_append_new(l->errors, out);
	if (l->client->json)
		return;
	fprintf(l->client->err, "viewctl: database '%s' cannot be asked\n", orphan->database);
	client_complain(l->client, orphan->error);
}

static void take_orphan(void *ctx, const struct offline_orphan *orphan)
{
	const struct listed *l = ctx;
	if (orphan->error != NULL) {
		take_error(l, orphan);
		return;
	}
	json_t *out = json_object();
	json_object_set_new(out, "database", json_text(orphan->database));
	json_object_set_new(out, "view", json_text(orphan->name));
	json_object_set_new(out, "relation", json_text(orphan->relation));
	json_object_set_new(out, "kind", json_text(orphan->kind));
	json_object_set_new(out, "created_time", time_of(orphan->created_us));
	json_object_set_new(out, "last_success_time", time_of(orphan->last_success_us));
	json_object_set_new(out, "remove", json_text(orphan->remove));
	json_array_append_new(l->orphans, out);
}

static const char *text_in(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void print_orphans(const struct client *client, const json_t *orphans)
{
	static const char *const headings[] = {"DATABASE", "VIEW", "RELATION", "KIND", "LAST REFRESH", "TO REMOVE IT"};
	static const char *const keys[] = {"database", "view", "relation", "kind", "last_success_time", "remove"};
	const size_t n = sizeof keys / sizeof keys[0];
	struct table *table = table_new(client->mem_ctx, headings, n, client->colours);
	size_t i;
	json_t *one;
	json_array_foreach(orphans, i, one) {
		table_row(table);
		for (size_t k = 0; k < n; k++)
			table_cell(table, text_in(one, keys[k]), k == 1 ? TABLE_BOLD : TABLE_PLAIN);
	}
	table_print(table, client->out);
}

static enum client_exit list(const struct client *client, const struct args *args, const struct conf *conf,
                             struct registry *registry)
{
	(void)args;
	struct listed l = {client, json_array(), json_array()};
	offline_orphans(conf, registry, (struct offline_orphan_sink){take_orphan, &l});
	bool good = json_array_size(l.errors) == 0;
	json_t *body =
		json_pack("{s:i, s:b, s:O, s:O}", "schema", 1, "ok", good ? 1 : 0, "orphans", l.orphans, "errors", l.errors);
	if (client->json) {
		json_dumpf(body, client->out, JSON_INDENT(2));
		fputc('\n', client->out);
	} else {
		print_orphans(client, l.orphans);
	}
	json_decref(body);
	json_decref(l.orphans);
	json_decref(l.errors);
	return good ? CLIENT_DONE : CLIENT_FAILED;
}

enum client_exit client_list(const struct client *client, const struct args *args)
{
	return client_with_conf(client, args, list);
}
