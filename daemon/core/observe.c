/* SPDX-License-Identifier: MIT */
#include "core/observe.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/capture.h"
#include "core/dispatch.h"
#include "core/edges.h"
#include "core/job.h"
#include "core/state.h"
#include "core/watch.h"

struct waiter {
	struct engine *eng;
	struct view *view; /* NULL: gone */
	int64_t newer_than, since;
	uint64_t ask; /* the watch was asked to look; 0: not yet */
	bool looked;  /* and it has: what was committed before the call is known */
	bool failed;
	struct viewd_err err;
	engine_wait_fn *done;
	void *ctx;
	LIST_ENTRY(waiter) link; /* of the instance's list, or of the engine's woken ones */
	LIST_ENTRY(waiter) looked_link;
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

static void fail(struct waiter *w, const struct viewd_err *err)
{
	if (err == NULL || w->failed)
		return;
	w->failed = true;
	w->err = *err;
}

static void wake(struct waiter *w, const struct viewd_err *err)
{
	fail(w, err);
	LIST_REMOVE(w, link);
	LIST_INSERT_HEAD(&w->eng->woken, w, link);
	dispatch_soon(w->eng);
}

void observe_wake(struct view *view, const struct viewd_err *err)
{
	struct waiter *w;
	LIST_FOREACH(w, &view->eng->woken, link) /* woken by something else, and not yet looked at */
		if (w->view == view)
			fail(w, err);
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

/* A base relation of a view whose changes are not noticed: nothing is known of it. */
static bool follows_all(const struct view *v)
{
	if (!v->conf->on_change || !v->captured || v->capture_failed || v->reads_clock)
		return false;
	for (size_t i = 0; i < v->n_sources && v->capture_mode == VIEWD_CAPTURE_NONE; i++)
		if (v->sources[i].base)
			return false;
	return true;
}

static bool is_pending(const struct view *v)
{
	const struct change *c = &v->change;
	bool changed = v->conf->on_change && (c->first != 0 || c->run.first != 0 || c->seen_seq > c->settled_seq);
	return changed || capture_is_blind(v) || v->members != NULL || (v->job != NULL && v->job->kind != JOB_VERIFY && v->job->kind != JOB_PLAN);
}

/* Nor anything that it reads. */
static bool any_pending(struct view *v, uint64_t walk)
{
	if (v->mark == walk)
		return false;
	v->mark = walk;
	if (v->method != VIEWD_METHOD_SIMPLE && is_pending(v))
		return true;
	for (size_t i = 0; i < v->n_up; i++)
		if (any_pending(v->up[i], walk))
			return true;
	return false;
}

/* Nothing has changed under it up to the call, so its data is as new as that. */
static bool is_current(const struct waiter *w)
{
	struct view *v = w->view;
	if (v == NULL)
		return false;
	bool kept = v->reconciled && v->db->state == DB_UP && v->last_success_us != 0 && v->rank != GRAPH_CYCLIC;
	return w->looked && kept && follows_all(v) && !any_pending(v, ++v->eng->mark);
}

static bool is_fresh(const struct waiter *w)
{
	const struct view *v = w->view;
	if (v == NULL)
		return false;
	if (v->method == VIEWD_METHOD_SIMPLE)
		return v->reconciled;
	if (w->newer_than != 0 && v->data_timestamp_us / 1000 > w->newer_than / 1000)
		return true;
	if (w->since >= w->newer_than && is_current(w))
		return true;
	bool pending = v->conf->on_change && (v->change.first != 0 || v->change.seen_seq > v->change.settled_seq);
	return w->newer_than == 0 && v->data_timestamp_us >= w->since && !pending;
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

static void forget(struct waiter *w)
{
	LIST_REMOVE(w, link);
	if (w->looked)
		LIST_REMOVE(w, looked_link);
}

void engine_wait_cancel(struct waiter **waiter)
{
	if (*waiter == NULL)
		return;
	forget(*waiter);
	TALLOC_FREE(*waiter);
}

static int64_t fresh_as_of(const struct waiter *w)
{
	const struct view *v = w->view;
	if (v->method == VIEWD_METHOD_SIMPLE)
		return engine_wall(w->eng);
	return is_current(w) && v->data_timestamp_us < w->since ? w->since : v->data_timestamp_us;
}

static void look(struct waiter *w)
{
	bool fresh = is_fresh(w);
	if (!fresh && !w->failed) {
		LIST_REMOVE(w, link);
		LIST_INSERT_HEAD(&w->view->waiters, w, link);
		if (w->ask == 0)
			w->ask = watch_ask(w->view->db);
		return;
	}
	forget(w);
	w->done(w->ctx, fresh ? fresh_as_of(w) : 0, fresh ? NULL : &w->err);
	talloc_free(w);
}

void observe_looked(struct db *db, uint64_t answered)
{
	struct waiter *w, *next;
	for (size_t i = 0; i < db->n_views; i++)
		for (w = LIST_FIRST(&db->views[i]->waiters); w != NULL; w = next) {
			next = LIST_NEXT(w, link);
			if (w->ask == 0 || w->ask > answered || w->looked)
				continue;
			w->looked = true;
			LIST_INSERT_HEAD(&db->eng->looked, w, looked_link);
			wake(w, NULL);
		}
}

void observe_run_woken(struct engine *eng)
{
	struct waiter *w, *next;
	for (w = LIST_FIRST(&eng->looked); w != NULL; w = next) {
		next = LIST_NEXT(w, looked_link);
		if (is_current(w))
			wake(w, NULL);
	}
	while (!LIST_EMPTY(&eng->woken))
		look(LIST_FIRST(&eng->woken));
}
