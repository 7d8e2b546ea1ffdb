/* SPDX-License-Identifier: MIT
 *
 * cmd_verify.c: comparing rows with definitions, and putting right what differs: verify, then a refresh of all rows of
 * those that differ and of those that read them, then verify all of them again.
 */
#include "ctl/call/handlers.h"

#include "base/err.h"
#include "ctl/answer/json.h"

#include <string.h>
#include <talloc.h>

/* One view of a call with --repair. Its name is kept and not the view: a reload may remove it between the steps. */
struct asked {
	const char *label, *name, *database;
	bool refreshed;
	struct viewd_err error; /* why its refresh failed; class OK: it did not */
};

/* A call with --repair. */
struct repair {
	struct call *call;
	struct asked *asked;
	size_t n;
	size_t cursor; /* where the one found last is */
};

struct view_list {
	struct view **views;
	size_t n;
};

static bool compared(const struct engine_item *item)
{
	return !call_item_failed(item) && item->verdict != NULL;
}

static bool equal(const struct engine_item *item)
{
	return compared(item) && item->verdict->missing == 0 && item->verdict->unexpected == 0;
}

static void list_add(struct view_list *list, void *mem_ctx, struct view *view)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->views[i] == view)
			return;
	list->views = talloc_realloc(mem_ctx, list->views, struct view *, (unsigned)list->n + 1);
	assert(list->views != NULL);
	list->views[list->n++] = view;
}

static void verify_done(void *ctx, const struct engine_report *report)
{
	call_reply_report(ctx, report, json_verdict, equal);
}

/* ---- the reply ------------------------------------------------------------------------------------------------- */

/* A report's label is "name" or "database:name". */
static const char *name_in(const struct engine_item *item)
{
	size_t len = strlen(item->database);
	bool is_long = strncmp(item->label, item->database, len) == 0 && item->label[len] == ':';
	return is_long ? item->label + len + 1 : item->label;
}

/* The one that an item is about; NULL: it was not asked for. Reports mostly keep the order, so the search goes on from
 * the last one. */
static struct asked *asked_of(struct repair *repair, const struct engine_item *item)
{
	for (size_t k = 0; k < repair->n; k++) {
		struct asked *a = &repair->asked[(repair->cursor + k) % repair->n];
		if (strcmp(a->name, name_in(item)) != 0 || strcmp(a->database, item->database) != 0)
			continue;
		repair->cursor = (size_t)(a - repair->asked) + 1;
		return a;
	}
	return NULL;
}

/* One item of the reply: the last comparison, and why the refresh before it failed. */
static json_t *item_json(const struct asked *a, const struct engine_item *verdict)
{
	struct engine_item item = *verdict;
	if (!call_item_failed(&item) && !equal(&item) && a->error.cls != VIEWD_ERR_OK)
		item.error = &a->error;
	json_t *out = json_verdict(&item);
	if (a->refreshed)
		json_object_set_new(out, "repaired", json_boolean(equal(&item)));
	return out;
}

static json_t *vanished_json(const struct asked *a)
{
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_MISSING, "view '%s' has been removed meanwhile", a->label);
	return json_verdict(&(struct engine_item){.label = a->label, .database = a->database, .error = &err});
}

/* Ends the call. Those that no comparison tells of are the vanished. */
static void reply(struct repair *repair, const struct engine_report *report)
{
	json_t *items = json_array();
	const struct engine_item **told = talloc_zero_array(repair, const struct engine_item *, (unsigned)repair->n + 1);
	size_t n_bad = 0;
	for (size_t i = 0; i < report->n; i++) {
		const struct asked *a = asked_of(repair, &report->items[i]);
		if (a != NULL)
			told[a - repair->asked] = &report->items[i];
	}
	for (size_t i = 0; i < repair->n; i++) {
		const struct asked *a = &repair->asked[i];
		bool vanished = told[i] == NULL || told[i]->view == NULL;
		json_array_append_new(items, vanished ? vanished_json(a) : item_json(a, told[i]));
		n_bad += vanished || !equal(told[i]);
	}
	call_reply_list(repair->call, items, n_bad);
}

/* ---- the steps ------------------------------------------------------------------------------------------------- */

static void verified_again(void *ctx, const struct engine_report *report)
{
	reply(ctx, report);
}

static void keep_error(struct asked *a, const struct engine_item *item)
{
	if (item->result == VIEW_RESULT_SUCCEEDED)
		return;
	if (call_item_failed(item))
		a->error = *item->error;
	else
		err_set(&a->error, VIEWD_ERR_CONFLICT, "its refresh ended as %s", view_result_word(item->result));
}

/* All are compared again, also those that were equal: rows that others read have changed. */
static void refreshed(void *ctx, const struct engine_report *report)
{
	struct repair *repair = ctx;
	struct engine *eng = call_ctl(repair->call)->engine;
	struct view_list all = {0};
	for (size_t i = 0; i < report->n; i++) {
		struct asked *a = asked_of(repair, &report->items[i]);
		if (a != NULL)
			keep_error(a, &report->items[i]);
	}
	for (size_t i = 0; i < repair->n; i++) {
		struct view *view = engine_view(eng, repair->asked[i].name, repair->asked[i].database);
		if (view != NULL)
			list_add(&all, repair, view);
	}
	if (all.n == 0)
		reply(repair, &(struct engine_report){0});
	else
		engine_verify(eng, all.views, all.n, verified_again, repair);
}

static void note_asked(struct repair *repair, const struct engine_report *report)
{
	repair->asked = talloc_zero_array(repair, struct asked, (unsigned)report->n + 1);
	assert(repair->asked != NULL);
	repair->n = report->n;
	for (size_t i = 0; i < report->n; i++) {
		const struct engine_item *item = &report->items[i];
		repair->asked[i] = (struct asked){.label = talloc_strdup(repair, item->label),
		                                  .name = talloc_strdup(repair, name_in(item)),
		                                  .database = talloc_strdup(repair, item->database)};
	}
}

/* Views that differ, and views that read them. */
static struct view_list touched(struct repair *repair, const struct engine_report *report)
{
	struct view_list list = {0};
	for (size_t i = 0; i < report->n; i++) {
		const struct engine_item *item = &report->items[i];
		if (item->view != NULL && compared(item) && !equal(item))
			list_add(&list, repair, (struct view *)(uintptr_t)item->view);
	}
	for (size_t i = 0; i < list.n; i++) {
		struct view *const *down;
		size_t n = view_downstream(list.views[i], &down);
		for (size_t k = 0; k < n; k++)
			list_add(&list, repair, down[k]);
	}
	return list;
}

static void verified_first(void *ctx, const struct engine_report *report)
{
	struct repair *repair = ctx;
	struct view_list work = {0};
	note_asked(repair, report);
	const struct view_list list = touched(repair, report);
	for (size_t i = 0; i < report->n; i++)
		for (size_t k = 0; k < list.n; k++) {
			if (report->items[i].view != list.views[k])
				continue;
			list_add(&work, repair, list.views[k]);
			repair->asked[i].refreshed = true;
		}
	if (work.n == 0)
		reply(repair, report);
	else
		engine_refresh(call_ctl(repair->call)->engine, work.views, work.n, (struct engine_refresh_flags){.full = true},
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
	assert(repair != NULL);
	repair->call = call;
	engine_verify(call_ctl(call)->engine, views, n, verified_first, repair);
}
