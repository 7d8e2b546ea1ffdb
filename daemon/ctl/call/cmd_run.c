/* SPDX-License-Identifier: MIT
 *
 * cmd_run.c: commands that do something: refresh, create, adopt, drop, pause, resume, cancel.
 */
#include "ctl/call/handlers.h"

#include "base/err.h"
#include "ctl/answer/json.h"

static json_t *view_labels(struct view *const *views, size_t n)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_text(view_label(views[i])));
	return list;
}

static bool refresh_good(const struct engine_item *item)
{
	return item->result == VIEW_RESULT_SUCCEEDED;
}

static bool change_good(const struct engine_item *item)
{
	return !call_item_failed(item) && item->change != VIEWD_CHANGE_REFUSE && item->result != VIEW_RESULT_FAILED &&
	       item->result != VIEW_RESULT_CANCELLED && item->result != VIEW_RESULT_UPSTREAM_FAILED;
}

static void refresh_done(void *ctx, const struct engine_report *report)
{
	call_reply_report(ctx, report, json_item, refresh_good);
}

static void change_done(void *ctx, const struct engine_report *report)
{
	call_reply_report(ctx, report, json_change, change_good);
}

void cmd_refresh(struct call *call)
{
	struct view **views;
	size_t n;
	if (!call_views_to_work_on(call, &views, &n))
		return;
	const struct args *args = call_args(call);
	struct engine_refresh_flags flags = {
		.full = args_flag(args, "full"),
		.upstream = args_flag(args, "upstream"),
		.downstream = args_flag(args, "downstream"),
	};
	bool wait = args_flag(args, "wait");
	struct engine *eng = call_ctl(call)->engine;
	engine_refresh(eng, views, n, flags, VIEW_TRIGGER_MANUAL, wait ? refresh_done : NULL, wait ? call : NULL);
	if (wait)
		return;
	json_t *body = json_reply();
	json_object_set_new(body, "ok", json_true());
	json_object_set_new(body, "accepted", view_labels(views, n));
	call_reply(call, body);
}

void cmd_create(struct call *call)
{
	struct view **views;
	size_t n;
	if (call_views_to_work_on(call, &views, &n))
		(args_flag(call_args(call), "replace") ? engine_replace : engine_create)(call_ctl(call)->engine, views, n,
		                                                                         change_done, call);
}

void cmd_adopt(struct call *call)
{
	struct view **views;
	size_t n;
	if (call_views_to_work_on(call, &views, &n))
		engine_adopt(call_ctl(call)->engine, views, n, change_done, call);
}

void cmd_drop(struct call *call)
{
	struct view **views;
	size_t n;
	if (call_views_to_work_on(call, &views, &n))
		(args_flag(call_args(call), "cascade") ? engine_drop_cascading : engine_drop)(call_ctl(call)->engine, views, n,
		                                                                              change_done, call);
}

static void pause_or_resume(struct call *call,
                            bool (*act)(struct engine *, struct view *const *, size_t, struct viewd_err *))
{
	struct view **views;
	size_t n;
	struct viewd_err err;
	if (!call_views(call, false, &views, &n))
		return;
	if (!act(call_ctl(call)->engine, views, n, &err)) {
		call_fail(call, &err);
		return;
	}
	json_t *body = json_reply();
	json_object_set_new(body, "ok", json_true());
	json_object_set_new(body, "accepted", view_labels(views, n));
	call_reply(call, body);
}

void cmd_pause(struct call *call)
{
	pause_or_resume(call, engine_pause);
}

void cmd_resume(struct call *call)
{
	pause_or_resume(call, engine_resume);
}

void cmd_cancel(struct call *call)
{
	struct view **views;
	size_t n;
	if (!call_views(call, false, &views, &n))
		return;
	size_t stopped = engine_cancel(call_ctl(call)->engine, views, n);
	json_t *body = json_reply();
	json_object_set_new(body, "ok", json_true());
	json_object_set_new(body, "cancelled", json_integer((json_int_t)stopped));
	call_reply(call, body);
}
