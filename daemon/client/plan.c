/* SPDX-License-Identifier: MIT
 *
 * plan.c: viewctl plan -c FILE: what a daemon would do, asked of the databases from here.
 */
#include "core/offline/plan.h"
#include "client/client.h"
#include "client/offline.h"
#include "ctl/answer/json_planned.h"

struct planned_list {
	json_t *items;
	bool good;
};

static void take_planned(void *ctx, const struct offline_planned *planned)
{
	struct planned_list *list = ctx;
	json_array_append_new(list->items, json_planned(planned));
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
