/* SPDX-License-Identifier: MIT
 *
 * plan.c: viewctl plan -c FILE: what a daemon would do, asked of the databases from here.
 */
#include "core/offline/plan.h"
#include "base/err.h"
#include "base/words.h"
#include "client/client.h"
#include "client/offline.h"
#include "core/offline/doctor.h"
#include "ctl/answer/json_planned.h"

#include <string.h>

struct planned_list {
	json_t *items;
	bool good;
	bool changes; /* something is to be done */
};

static void take_planned(void *ctx, const struct offline_planned *planned)
{
	struct planned_list *list = ctx;
	json_array_append_new(list->items, json_planned(planned));
	list->good = list->good && planned->error == NULL;
	list->changes |= planned->error == NULL && strcmp(planned->change, word_change(VIEWD_CHANGE_NOTHING)) != 0;
}

static void take_finding(void *ctx, const char *database UNUSED, const struct viewd_finding *finding)
{
	*(bool *)ctx |= finding->missing;
}

/* An engine does not say before it is tried that the account may not do it. */
static bool lacks_rights(const struct client *client, const struct conf *conf, struct registry *registry)
{
	bool lacks = false;
	struct viewd_err err;
	offline_doctor(conf, registry, (struct offline_finding_sink){take_finding, &lacks});
	if (!lacks)
		return false;
	err_set(&err, VIEWD_ERR_DENIED, "the account lacks what this needs");
	err_hint(&err, "viewctl doctor prints what mends it");
	client_complain(client, &err);
	return true;
}

static enum client_exit plan(const struct client *client, const struct args *args, const struct conf *conf,
                             struct registry *registry)
{
	const char *const *views;
	size_t n = args_list(args, "view", &views);
	struct planned_list list = {.items = json_array(), .good = true};
	struct viewd_err err;
	json_t *body = NULL;
	if (offline_plan(conf, registry, views, n, (struct offline_planned_sink){take_planned, &list}, &err)) {
		if (list.good && list.changes && n == 0)
			list.good = !lacks_rights(client, conf, registry);
		body = json_pack("{s:i, s:b, s:O}", "schema", 1, "ok", list.good ? 1 : 0, "items", list.items);
	}
	json_decref(list.items);
	return client_answer(client, args, body, &err);
}

enum client_exit client_plan(const struct client *client, const struct args *args)
{
	return client_with_conf(client, args, plan);
}
