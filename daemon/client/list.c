/* SPDX-License-Identifier: MIT
 *
 * list.c: viewctl list: what viewd once made and no section names any more.
 */
#include "client/client.h"
#include "client/offline.h"
#include "core/offline/orphans.h"
#include "ctl/text/json_err.h"
#include "ctl/text/json_text.h"

struct listed {
	const struct client *client;
	json_t *orphans, *errors;
};

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
	json_object_set_new(out, "created_time", json_time(orphan->created_us));
	json_object_set_new(out, "last_success_time", json_time(orphan->last_success_us));
	json_object_set_new(out, "remove", json_text(orphan->remove));
	json_array_append_new(l->orphans, out);
}

static enum client_exit list(const struct client *client, const struct args *args, const struct conf *conf,
                             struct registry *registry)
{
	struct listed l = {client, json_array(), json_array()};
	offline_orphans(conf, registry, (struct offline_orphan_sink){take_orphan, &l});
	int good = json_array_size(l.errors) == 0;
	json_t *body = json_pack("{s:i, s:b, s:o, s:o}", "schema", 1, "ok", good, "orphans", l.orphans, "errors", l.errors);
	return client_answer(client, args, body, NULL);
}

enum client_exit client_list(const struct client *client, const struct args *args)
{
	return client_with_conf(client, args, list);
}
