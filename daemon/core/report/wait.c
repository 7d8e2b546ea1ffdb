/* SPDX-License-Identifier: MIT
 *
 * wait.c: whoever waits for one instance's data to be that new.
 */
#include "core/report/wait.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/exec/watch.h"
#include "core/flow/wave.h"
#include "core/model/edges.h"
#include "core/model/events.h"
#include "core/plan/disabled.h"
#include "core/plan/due.h"
#include "core/plan/freshness.h"

/* All who wait; in the engine's talloc tree. */
struct waiting {
	struct event_listener listener;
	struct waiter_list woken;  /* to be looked at when the turn ends */
	struct waiter_list looked; /* for whom a watch has looked: fresh as soon as nothing is pending, by whatever end */
};

struct waiter {
	struct engine *eng;
	struct view *view; /* NULL: gone */
	int64_t newer_than, since;
	int64_t since_run;       /* number of the last run that had begun */
	struct ask {             /* one for each database that its view reads from */
		struct database *db; /* NULL: it has gone */
		uint64_t number;     /* of the question to its watch; 0: not put yet */
		bool answered;
	} * asks;
	size_t n_asks;
	bool looked; /* all have been answered: what was committed before the call is known */
	bool failed;
	struct viewd_err err;
	engine_wait_fn *done;
	void *ctx;
	LIST_ENTRY(waiter) link; /* of the instance's list, or of the engine's woken ones */
	LIST_ENTRY(waiter) looked_link;
};

/* ---- waiters ---------------------------------------------------------------------------------------------------- */

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
	LIST_INSERT_HEAD(&w->eng->waiting->woken, w, link);
	turn_soon(w->eng);
}

static void wake_all(struct view *view, const struct viewd_err *err)
{
	struct waiter *w;
	LIST_FOREACH(w, &view->eng->waiting->woken, link) /* woken by something else, and not yet looked at */
		if (w->view == view)
			fail(w, err);
	while (!LIST_EMPTY(&view->waiters))
		wake(LIST_FIRST(&view->waiters), err);
}

/* err is never NULL: nothing is left to wait for. */
static void forget_view(struct view *view, const struct viewd_err *err)
{
	struct waiter *w;
	wake_all(view, err);
	LIST_FOREACH(w, &view->eng->waiting->woken, link)
		if (w->view == view)
			w->view = NULL;
}

/* ---- how new is the data? ---- */

static bool is_busy(const struct view *v)
{
	return v->members != NULL || (v->job != NULL && v->job->kind != JOB_VERIFY && v->job->kind != JOB_PLAN);
}

/* Is the instance busy, or anything that it reads? */
static bool any_busy(struct view *v, uint64_t walk)
{
	if (v->walk.visit == walk)
		return false;
	v->walk.visit = walk;
	if (v->relation.method != VIEWD_METHOD_SIMPLE && is_busy(v))
		return true;
	for (size_t i = 0; i < v->graph.n_up; i++)
		if (any_busy(v->graph.up[i], walk))
			return true;
	return false;
}

/* Nothing has changed under it up to the call, so its data is as new as that. */
static bool is_current(const struct waiter *w)
{
	struct view *v = w->view;
	return v != NULL && w->looked && freshness_of(v).word == VIEW_FRESHNESS_FRESH && !any_busy(v, ++v->eng->visit);
}

/* Was it, and all that it reads, read after the call, or is it known that nothing has changed there? A view that is
 * read may have been refreshed later than the one that reads it. */
static bool is_read_since(const struct waiter *w, struct view *v, uint64_t walk)
{
	if (v->walk.visit == walk)
		return true;
	v->walk.visit = walk;
	bool read = v->last.success_run > w->since_run && (v->graph.n_up == 0 || !freshness_lacks_a_change(v));
	bool own = v->relation.method == VIEWD_METHOD_SIMPLE || read ||
	           (w->looked && freshness_is_known(v) && !freshness_lacks_a_change(v));
	for (size_t i = 0; own && i < v->graph.n_up; i++)
		own = is_read_since(w, v->graph.up[i], walk);
	return own;
}

static bool is_fresh(const struct waiter *w)
{
	struct view *v = w->view;
	if (v == NULL)
		return false;
	if (v->relation.method == VIEWD_METHOD_SIMPLE && v->graph.n_up == 0)
		return v->relation.reconciled && v->conf->enabled;
	if (w->newer_than != 0 && v->last.data_timestamp_us / 1000 > w->newer_than / 1000)
		return true;
	if (w->since >= w->newer_than && is_current(w))
		return true;
	/* Data that nobody can hear about is as new as the refresh that was made for the caller. */
	return w->newer_than <= w->since && v->relation.reconciled && is_read_since(w, v, ++v->eng->visit);
}

/* ---- refreshing for those who wait ---- */

/* The views, of this one and all that it reads, whose data nothing but a refresh makes newer, and that have had none
 * since the call. */
static void add_unheard(const struct waiter *w, struct view *v, uint64_t walk, struct view ***list, size_t *n)
{
	if (v->walk.visit == walk)
		return;
	v->walk.visit = walk;
	for (size_t i = 0; i < v->graph.n_up; i++)
		add_unheard(w, v->graph.up[i], walk, list, n);
	bool retried = v->timing.due_at[DUE_RETRY] != 0; /* that is waited for */
	bool read = v->last.success_run > w->since_run;
	if (v->relation.method == VIEWD_METHOD_SIMPLE || !v->relation.reconciled || retried || read ||
	    !freshness_unheard(v))
		return;
	*list = mem_grow(NULL, *list, struct view *, *n + 1);
	(*list)[(*n)++] = v;
}

/* The time that the caller waits for may lie in the future. A refresh that fails ends the wait. */
static void refresh_unheard(struct waiter *w)
{
	const struct wave_spec spec = {.kind = JOB_REFRESH,
	                               .order = WAVE_UPSTREAM_FIRST,
	                               .trigger = VIEW_TRIGGER_MANUAL,
	                               .by_hand = true,
	                               .propagate = true};
	struct view **list = NULL;
	size_t n = 0;
	if (w->newer_than > w->since || any_busy(w->view, ++w->eng->visit))
		return;
	add_unheard(w, w->view, ++w->eng->visit, &list, &n);
	if (n > 0)
		wave_start(w->eng, &spec, list, n);
	talloc_free(list);
}

/* Nothing that viewd does by itself will make it any fresher. */
static bool is_hopeless(const struct view *v, struct viewd_err *err)
{
	bool bad = v->state == VIEW_STATE_FAILED || v->state == VIEW_STATE_SUSPENDED || v->state == VIEW_STATE_MISSING;
	bool coming = v->job != NULL || v->members != NULL || due_mono(v) != 0;
	if (v->db->state == DB_UNUSABLE)
		*err = *v->db->err;
	else if (bad && !coming && v->failure.err != NULL)
		*err = *v->failure.err;
	else if (bad && !coming)
		err_set(err, VIEWD_ERR_MISSING, "view '%s' is %s and nothing is scheduled", v->label,
		        view_state_word(v->state));
	else
		return false;
	return true;
}

static void forget(struct waiter *w)
{
	LIST_REMOVE(w, link);
	if (w->looked)
		LIST_REMOVE(w, looked_link);
}

static int64_t fresh_as_of(const struct waiter *w)
{
	const struct view *v = w->view;
	if (v->relation.method == VIEWD_METHOD_SIMPLE)
		return engine_wall(w->eng);
	return is_current(w) && v->last.data_timestamp_us < w->since ? w->since : v->last.data_timestamp_us;
}

/* ---- asking the watches ---- */

static void add_ask(struct waiter *w, struct database *db)
{
	for (size_t i = 0; i < w->n_asks; i++)
		if (w->asks[i].db == db)
			return;
	w->asks = mem_grow(w, w->asks, struct ask, w->n_asks + 1);
	w->asks[w->n_asks++] = (struct ask){.db = db};
}

static void add_asks(struct waiter *w, struct view *v, uint64_t walk)
{
	if (v->walk.visit == walk)
		return;
	v->walk.visit = walk;
	add_ask(w, v->db);
	for (size_t i = 0; i < v->graph.n_up; i++)
		add_asks(w, v->graph.up[i], walk);
}

/* A watch that is not there yet is asked later: its first look is as good, and until then nothing of its database is
 * fresh. */
static void ask(struct waiter *w)
{
	if (w->looked)
		return;
	edges_update(w->eng);
	add_asks(w, w->view, ++w->eng->visit);
	for (size_t i = 0; i < w->n_asks; i++)
		if (w->asks[i].number == 0 && w->asks[i].db != NULL)
			w->asks[i].number = watch_ask_now(w->asks[i].db);
}

static bool take_answer(struct waiter *w, const struct database *db, uint64_t answered)
{
	bool all = w->n_asks > 0, news = false;
	for (size_t i = 0; i < w->n_asks; i++) {
		struct ask *a = &w->asks[i];
		if (a->db == db && a->number != 0 && a->number <= answered)
			a->answered = news = true;
		all &= a->answered || a->db == NULL;
	}
	return all && news;
}

static void look(struct waiter *w)
{
	bool fresh = is_fresh(w);
	if (!fresh && !w->failed) {
		LIST_REMOVE(w, link);
		LIST_INSERT_HEAD(&w->view->waiters, w, link);
		ask(w);
		refresh_unheard(w);
		return;
	}
	forget(w);
	w->done(w->ctx, fresh ? fresh_as_of(w) : 0, fresh ? NULL : &w->err);
	talloc_free(w);
}

/* Callers who wait for what has been disabled, or for what reads it, have waited long enough. */
static void fail_disabled(struct engine *eng)
{
	struct viewd_err err;
	struct waiter *w;
	edges_update(eng);
	LIST_FOREACH(w, &eng->waiting->woken, link)
		if (w->view != NULL && disabled_below(w->view, &err))
			fail(w, &err);
	for (size_t i = 0; i < eng->n_views; i++)
		if (!LIST_EMPTY(&eng->views[i]->waiters) && disabled_below(eng->views[i], &err))
			wake_all(eng->views[i], &err);
}

static void take_look(struct database *db, uint64_t answered)
{
	struct engine *eng = db->eng;
	struct waiter *w, *next;
	for (size_t i = 0; i < eng->n_views; i++)
		for (w = LIST_FIRST(&eng->views[i]->waiters); w != NULL; w = next) {
			next = LIST_NEXT(w, link);
			if (w->looked || !take_answer(w, db, answered))
				continue;
			w->looked = true;
			LIST_INSERT_HEAD(&eng->waiting->looked, w, looked_link);
			wake(w, NULL);
		}
}

static void forget_database(struct database *db)
{
	struct engine *eng = db->eng;
	struct waiter *w;
	for (size_t i = 0; i < eng->n_views; i++)
		LIST_FOREACH(w, &eng->views[i]->waiters, link)
			for (size_t k = 0; k < w->n_asks; k++)
				if (w->asks[k].db == db)
					w->asks[k].db = NULL;
	LIST_FOREACH(w, &eng->waiting->woken, link)
		for (size_t k = 0; k < w->n_asks; k++)
			if (w->asks[k].db == db)
				w->asks[k].db = NULL;
}

static void look_at_woken(struct engine *eng)
{
	struct waiter *w, *next;
	for (w = LIST_FIRST(&eng->waiting->looked); w != NULL; w = next) {
		next = LIST_NEXT(w, looked_link);
		if (is_current(w))
			wake(w, NULL);
	}
	while (!LIST_EMPTY(&eng->waiting->woken))
		look(LIST_FIRST(&eng->waiting->woken));
}

/* ---- asked from outside ----------------------------------------------------------------------------------------- */

static void on_event(void *ctx, const struct event *event)
{
	struct engine *eng = ctx;
	switch (event->kind) {
	case EVENT_NEWS:
		wake_all(event->view, event->err);
		break;
	case EVENT_GONE:
		forget_view(event->view, event->err);
		break;
	case EVENT_DISABLED:
		fail_disabled(eng);
		break;
	case EVENT_LOOKED:
		take_look(event->db, event->answered);
		break;
	case EVENT_DATABASE_GONE:
		forget_database(event->db);
		break;
	case EVENT_TURN:
		look_at_woken(eng);
		break;
	case EVENT_RUN:
	case EVENT_STATE:
	case EVENT_BEGUN:
	case EVENT_CHANGED:
		break;
	}
}

static void begin(struct engine *eng)
{
	eng->waiting = mem_new(eng, struct waiting);
	eng->waiting->listener = (struct event_listener){.fn = on_event, .ctx = eng};
	event_listen(eng, &eng->waiting->listener);
}

struct waiter *engine_wait(struct engine *eng, struct view *view, int64_t newer_than_us, engine_wait_fn *done,
                           void *ctx)
{
	struct waiter *w = mem_new(eng, struct waiter);
	if (eng->waiting == NULL)
		begin(eng);
	edges_update(eng);
	w->eng = eng;
	w->view = view;
	w->newer_than = newer_than_us;
	w->since = engine_wall(eng);
	w->since_run = eng->count.run_id;
	w->done = done;
	w->ctx = ctx;
	w->failed = disabled_below(view, &w->err) || is_hopeless(view, &w->err);
	LIST_INSERT_HEAD(&eng->waiting->woken, w, link);
	turn_soon(eng);
	return w;
}

void engine_wait_cancel(struct waiter **waiter)
{
	if (*waiter == NULL)
		return;
	forget(*waiter);
	TALLOC_FREE(*waiter);
}

bool wait_is_quiet(const struct engine *eng)
{
	return eng->waiting == NULL || LIST_EMPTY(&eng->waiting->woken);
}
