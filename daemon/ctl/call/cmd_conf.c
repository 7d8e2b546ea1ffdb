/* SPDX-License-Identifier: MIT
 *
 * cmd_conf.c: commands about the configuration: plan, render, reload.
 */
#include "ctl/call/handlers.h"

#include "core/offline/offline.h"
#include "ctl/answer/json.h"
#include "reload.h"

static void plan_done(void *ctx, const struct engine_report *report)
{
	json_t *list = json_array();
	bool good = true;
	for (size_t i = 0; i < report->n; i++) {
		json_array_append_new(list, json_change(&report->items[i]));
		good = good && !call_item_failed(&report->items[i]);
	}
	json_t *body = json_reply();
	json_object_set_new(body, "ok", json_boolean(good));
	json_object_set_new(body, "items", list);
	call_reply(ctx, body);
}

static void reload_done(void *ctx, const struct reload_report *report)
{
	json_t *body = json_reload(report);
	bool good = report->outcome != RELOAD_REFUSED;
	for (size_t i = 0; i < report->n_planned; i++)
		good = good && report->planned[i].error == NULL;
	json_object_set_new(body, "ok", json_boolean(good));
	call_reply(ctx, body);
}

void cmd_plan(struct call *call)
{
	struct view **views;
	size_t n;
	if (args_flag(call_args(call), "reload"))
		reload_request_plan(call_ctl(call)->reload, reload_done, call);
	else if (call_views(call, true, &views, &n))
		engine_plan(call_ctl(call)->engine, views, n, plan_done, call);
}

void cmd_reload(struct call *call)
{
	reload_request(call_ctl(call)->reload, args_flag(call_args(call), "dry-run"), reload_done, call);
}

static bool add_statement(void *ctx, const char *text)
{
	json_array_append_new(ctx, json_text(text));
	return true;
}

void cmd_render(struct call *call)
{
	const struct args *args = call_args(call);
	struct offline_render what = {
		.view = args_text(args, "view"),
		.dialect = args_text(args, "dialect"),
		.database = args_text(args, "database"),
		.flags =
			{
				.or_replace = args_flag(args, "or-replace"),
				.if_not_exists = args_flag(args, "if-not-exists"),
				.if_exists = args_flag(args, "if-exists"),
				.cascade = args_flag(args, "cascade"),
			},
	};
	bool known = offline_render_kind(args_text(args, "what"), &what.kind);
	assert(known); /* the parameter's row lists the words */
	json_t *list = json_array();
	struct viewd_text_sink sink = {.fn = add_statement, .ctx = list};
	const struct ctl *ctl = call_ctl(call);
	const char *dialect = NULL;
	struct viewd_err err;
	if (!offline_render(engine_conf(ctl->engine), ctl->registry, &what, sink, &dialect, &err)) {
		json_decref(list);
		call_fail(call, &err);
		return;
	}
	json_t *body = json_reply();
	json_object_set_new(body, "view", json_text(what.view));
	json_object_set_new(body, "dialect", json_text(dialect));
	json_object_set_new(body, "statements", list);
	call_reply(call, body);
}
