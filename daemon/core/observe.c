/* SPDX-License-Identifier: MIT */
#include "core/observe.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/dispatch.h"
#include "core/edges.h"
#include "core/state.h"

struct waiter {
	struct engine *eng;
	struct view *view; /* NULL: gone */
	int64_t newer_than, since;
	bool failed;
	struct viewd_err err;
	engine_wait_fn *done;
	void *ctx;
	LIST_ENTRY(waiter) link; /* of the instance's list, or of the engine's woken ones */
};

/* ---- observers ------------------------------------------------------------------------------------------------------- */

void engine_observe(struct engine *eng, struct engine_observer *observer)
{
	LIST_INSERT_HEAD(&eng->observers, observer, link);
}

void engine_unobserve(struct engine_observer *observer)
{
	LIST_REMOVE(observer, link);
}

static void tell(struct engine *eng, const struct engine_event *event)
{
	struct engine_observer *observer;
	LIST_FOREACH(observer, &eng->observers, link)
		observer->fn(observer->ctx, event);
}

void observe_run(struct view *view, const struct engine_event *event)
{
	struct engine_event full = *event;
	full.kind = ENGINE_EVENT_RUN;
	full.view = view;
	full.state = full.before = view->state;
	tell(view->eng, &full);
}

void observe_state(struct view *view, enum view_state before)
{
	const struct engine_event event = {
		.kind = ENGINE_EVENT_STATE,
		.view = view,
		.trigger = view->trigger,
		.result = view->result,
		.action = -1,
		.rows = view->rows,
		.rows_written = -1,
		.duration_us = -1,
		.error = view->err,
		.state = view->state,
		.before = before,
	};
	tell(view->eng, &event);
}

/* ---- waiters ----------------------------------------------------------------------------------------------------------- */

static void wake(struct waiter *w, const struct viewd_err *err)
{
	if (err != NULL && !w->failed) {
		w->failed = true;
		w->err = *err;
	}
	LIST_REMOVE(w, link);
	LIST_INSERT_HEAD(&w->eng->woken, w, link);
	dispatch_soon(w->eng);
}

void observe_wake(struct view *view, const struct viewd_err *err)
{
	while (!LIST_EMPTY(&view->waiters))
		wake(LIST_FIRST(&view->waiters), err);
}

void observe_gone(struct view *view, const struct viewd_err *err)
{
	struct waiter *w;
	observe_wake(view, err);
	LIST_FOREACH(w, &view->eng->woken, link)
		if (w->view == view) {
			w->view = NULL;
			if (!w->failed)
				w->err = *err;
			w->failed = true;
		}
}

static bool is_fresh(const struct waiter *w)
{
	const struct view *v = w->view;
	if (v == NULL)
		return false;
	if (v->method == VIEWD_METHOD_SIMPLE)
		return v->reconciled;
	if (w->newer_than != 0)
		return v->data_timestamp_us / 1000 > w->newer_than / 1000;
	bool pending = v->conf->on_change && (v->change.first != 0 || v->change.seen_seq > v->change.settled_seq);
	return v->data_timestamp_us >= w->since && !pending;
}

/* Nothing that viewd does by itself will make it any fresher. */
static bool is_hopeless(const struct view *v, struct viewd_err *err)
{
	bool bad = v->state == VIEW_STATE_FAILED || v->state == VIEW_STATE_SUSPENDED || v->state == VIEW_STATE_MISSING;
	bool coming = v->job != NULL || v->members != NULL || v->due_mono != 0;
	if (v->db->state == DB_UNUSABLE)
		*err = *v->db->err;
	else if (bad && !coming && v->err != NULL)
		*err = *v->err;
	else if (bad && !coming)
		err_set(err, VIEWD_ERR_MISSING, "view '%s' is %s and nothing is scheduled", v->label, view_state_word(v->state));
	else
		return false;
	return true;
}

struct waiter *engine_wait(struct engine *eng, struct view *view, int64_t newer_than_us, engine_wait_fn *done, void *ctx)
{
	struct waiter *w = mem_new(eng, struct waiter);
	w->eng = eng;
	w->view = view;
	w->newer_than = newer_than_us;
	w->since = engine_wall(eng);
	w->done = done;
	w->ctx = ctx;
	w->failed = is_hopeless(view, &w->err);
	LIST_INSERT_HEAD(&eng->woken, w, link);
	dispatch_soon(eng);
	return w;
}

void engine_wait_cancel(struct waiter **waiter)
{
	if (*waiter == NULL)
		return;
	LIST_REMOVE(*waiter, link);
	TALLOC_FREE(*waiter);
}

static void look(struct waiter *w)
{
	bool fresh = is_fresh(w);
	LIST_REMOVE(w, link);
	if (!fresh && !w->failed) {
		LIST_INSERT_HEAD(&w->view->waiters, w, link);
		return;
	}
	int64_t as_of = fresh && w->view->method == VIEWD_METHOD_SIMPLE ? engine_wall(w->eng) : fresh ? w->view->data_timestamp_us : 0;
	w->done(w->ctx, as_of, fresh ? NULL : &w->err);
	talloc_free(w);
}

void observe_run_woken(struct engine *eng)
{
	while (!LIST_EMPTY(&eng->woken))
		look(LIST_FIRST(&eng->woken));
}
