/* SPDX-License-Identifier: MIT
 *
 * cmd_verify.c: comparing rows with definitions, and putting right what differs: verify, then a refresh of all rows of
 * those that differ, then verify these again.
 */
#include "ctl/call/handlers.h"

#include "base/err.h"
#include "ctl/answer/json.h"

#include <talloc.h>

/* A call with --repair. */
struct repair {
	struct call *call;
	json_t *items; /* of those that were equal from the beginning, or could not be compared */
	size_t n_bad;
};

static int repair_free(struct repair *repair)
{
	json_decref(repair->items);
	return 0;
}

static bool compared(const struct engine_item *item)
{
	return (item->error == NULL || item->error->cls == VIEWD_ERR_OK) && item->verdict != NULL;
}

static bool equal(const struct engine_item *item)
{
	return compared(item) && item->verdict->missing == 0 && item->verdict->unexpected == 0;
}

/* Takes the list over. */
static void reply(struct call *call, json_t *items, size_t n_bad)
{
	json_t *body = json_reply();
	json_object_set_new(body, "ok", json_boolean(n_bad == 0));
	json_object_set_new(body, "failed", json_integer((json_int_t)n_bad));
	json_object_set_new(body, "items", items);
	call_reply(call, body);
}

static void verify_done(void *ctx, const struct engine_report *report)
{
	json_t *items = json_array();
	size_t n_bad = 0;
	for (size_t i = 0; i < report->n; i++) {
		json_array_append_new(items, json_verdict(&report->items[i]));
		n_bad += !equal(&report->items[i]);
	}
	reply(ctx, items, n_bad);
}

static void verified_again(void *ctx, const struct engine_report *report)
{
	struct repair *repair = ctx;
	for (size_t i = 0; i < report->n; i++) {
		json_t *item = json_verdict(&report->items[i]);
		json_object_set_new(item, "repaired", json_boolean(equal(&report->items[i])));
		json_array_append_new(repair->items, item);
		repair->n_bad += !equal(&report->items[i]);
	}
	reply(repair->call, json_incref(repair->items), repair->n_bad);
}

/* The views of a report that are still there and, with `differing`, differ. talloc'ed on the call. */
static struct view **views_of(struct call *call, const struct engine_report *report, bool differing, size_t *n_r)
{
	struct view **views = talloc_zero_array(call, struct view *, (unsigned)report->n + 1);
	*n_r = 0;
	for (size_t i = 0; i < report->n; i++) {
		const struct engine_item *item = &report->items[i];
		if (item->view != NULL && (!differing || (compared(item) && !equal(item))))
			views[(*n_r)++] = (struct view *)(uintptr_t)item->view;
	}
	return views;
}

static void refreshed(void *ctx, const struct engine_report *report)
{
	struct repair *repair = ctx;
	size_t n;
	struct view **views = views_of(repair->call, report, false, &n);
	if (n == 0)
		reply(repair->call, json_incref(repair->items), repair->n_bad + report->n);
	else
		engine_verify(call_ctl(repair->call)->engine, views, n, verified_again, repair);
}

static void verified_first(void *ctx, const struct engine_report *report)
{
	struct repair *repair = ctx;
	size_t n;
	struct view **views = views_of(repair->call, report, true, &n);
	for (size_t i = 0; i < report->n; i++) {
		if (report->items[i].view != NULL && compared(&report->items[i]) && !equal(&report->items[i]))
			continue;
		json_array_append_new(repair->items, json_verdict(&report->items[i]));
		repair->n_bad += !equal(&report->items[i]);
	}
	if (n == 0)
		reply(repair->call, json_incref(repair->items), repair->n_bad);
	else
		engine_refresh(call_ctl(repair->call)->engine, views, n, (struct engine_refresh_flags){.full = true},
		               VIEW_TRIGGER_MANUAL, refreshed, repair);
}

void cmd_verify(struct call *call)
{
	struct view **views;
	size_t n;
	if (!call_views_to_work_on(call, &views, &n))
		return;
	if (!args_flag(call_args(call), "repair")) {
		engine_verify(call_ctl(call)->engine, views, n, verify_done, call);
		return;
	}
	struct repair *repair = talloc_zero(call, struct repair);
	repair->call = call;
	repair->items = json_array();
	talloc_set_destructor(repair, repair_free);
	engine_verify(call_ctl(call)->engine, views, n, verified_first, repair);
}
