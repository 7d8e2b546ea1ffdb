/* SPDX-License-Identifier: MIT
 *
 * plan.c: viewctl plan -c FILE: what a daemon would do, asked of the databases from here.
 */
#include "core/offline/plan.h"
#include "client/client.h"
#include "client/offline.h"
#include "ctl/text/json_err.h"
#include "ctl/text/json_text.h"

struct planned_list {
	json_t *items;
	bool good;
};

static void take_planned(void *ctx, const struct offline_planned *planned)
{
	struct planned_list *list = ctx;
	json_t *item = json_object();
	json_object_set_new(item, "view", json_text(planned->view));
	json_object_set_new(item, "database", json_text(planned->database));
	json_object_set_new(item, "change", json_text(planned->change));
	json_object_set_new(item, "reason", json_text(planned->reason));
	json_object_set_new(item, "locks", json_text(planned->locks));
	json_object_set_new(item, "refresh_group", json_text(planned->group));
	json_object_set_new(item, "duration_ms",
	                    planned->duration_us > 0 ? json_integer((planned->duration_us + 500) / 1000) : json_null());
	json_object_set_new(item, "error", json_err(planned->error));
	json_array_append_new(list->items, item);
	list->good = list->good && planned->error == NULL;
}

static enum client_exit plan(const struct client *client, const struct args *args, const struct conf *conf,
                             struct registry *registry)
{
	const char *const *views;
	size_t n = args_list(args, "view", &views);
	struct planned_list list = {.items = json_array(), .good = true};
	struct viewd_err err;
	json_t *body = NULL;
	if (offline_plan(conf, registry, views, n, (struct offline_planned_sink){take_planned, &list}, &err))
		body = json_pack("{s:i, s:b, s:O}", "schema", 1, "ok", list.good ? 1 : 0, "items", list.items);
	json_decref(list.items);
	return client_answer(client, args, body, &err);
}

enum client_exit client_plan(const struct client *client, const struct args *args)
{
	return client_with_conf(client, args, plan);
}
