/* SPDX-License-Identifier: MIT
 *
 * commands.c: the commands of people and of ctl/ to an engine. Stands on top of all rooms.
 */
#include "core/runtime.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/engine/database.h"
#include "core/engine/outcome.h"
#include "core/engine/side_jobs.h"
#include "core/flow/ready.h"
#include "core/model/edges.h"
#include "core/model/group.h"
#include "core/model/pause.h"
#include "core/model/queue.h"
#include "core/model/record.h"
#include "core/plan/change.h"
#include "core/plan/due.h"
#include "core/plan/group_due.h"
#include "core/report/planned.h"

/* ---- looking ---------------------------------------------------------------------------------------------------- */

void engine_each_view(struct engine *eng, bool (*fn)(void *ctx, struct view *view), void *ctx)
{
	for (size_t i = 0; i < eng->n_views && fn(ctx, eng->views[i]); i++)
		continue;
}

const struct conf *engine_conf(const struct engine *eng)
{
	return eng->conf;
}

struct conf *engine_conf_ref(struct engine *eng)
{
	return conf_ref(eng->conf);
}

void engine_counts(const struct engine *eng, struct engine_counts *out)
{
	*out = (struct engine_counts){
		.views = eng->n_views,
		.databases = eng->n_dbs,
		.running = eng->count.running,
		.stuck_workers = eng->count.stuck,
		.sessions = eng->count.sessions,
		.runs = eng->count.runs,
		.failures = eng->count.failures,
		.generation = eng->count.generation,
		.started_us = eng->count.started_us,
	};
	for (size_t i = 0; i < eng->n_dbs; i++)
		out->databases_down += eng->dbs[i]->state != DB_UP;
	for (size_t i = 0; i < eng->n_views; i++)
		out->waiting += eng->views[i]->members != NULL;
}

/* ---- acting ----------------------------------------------------------------------------------------------------- */

/* A request by hand is a reason to look again at once whether a database is back. */
static void probe_for(struct view *const *views, size_t n)
{
	for (size_t i = 0; i < n; i++)
		database_probe(views[i]->db);
}

static void start_by_hand(struct engine *eng, struct wave_spec *spec, struct view *const *views, size_t n)
{
	spec->by_hand = true;
	wave_start(eng, spec, views, n);
	probe_for(views, n);
}

/* Grows the list by everything reachable along one direction. */
struct closure {
	struct view **views;
	size_t n, room;
	uint64_t visit;
};

static void closure_add(struct closure *c, struct view *v)
{
	if (v->walk.visit == c->visit)
		return;
	v->walk.visit = c->visit;
	if (c->n == c->room)
		c->views = mem_grow(NULL, c->views, struct view *, (c->room = c->room * 2 + 16));
	c->views[c->n++] = v;
}

/* A view that was not named, and is disabled, is left out rather than refused. */
static void closure_add_enabled(struct closure *c, struct view *v)
{
	if (v->conf->enabled)
		closure_add(c, v);
}

static void closure_walk(struct closure *c, bool upstream)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct view *v = c->views[i];
		size_t n = upstream ? v->graph.n_up : v->graph.n_down;
		for (size_t k = 0; k < n; k++)
			closure_add_enabled(c, upstream ? v->graph.up[k] : v->graph.down[k]);
	}
}

void engine_refresh(struct engine *eng, struct view *const *views, size_t n, struct engine_refresh_flags flags,
                    enum view_trigger trigger, engine_done_fn *done, void *ctx)
{
	struct wave_spec spec = {
		.kind = JOB_REFRESH,
		.order = WAVE_UPSTREAM_FIRST,
		.trigger = trigger,
		.full = flags.full,
		.propagate = true,
		.done = done,
		.ctx = ctx,
	};
	struct closure all = {.visit = ++eng->visit}, up = {.views = NULL};
	edges_update(eng);
	for (size_t i = 0; i < n; i++)
		closure_add(&all, views[i]);
	/* Downstream of what was asked for, not of what lies upstream of it. */
	if (flags.downstream)
		closure_walk(&all, false);
	if (flags.upstream) {
		up.visit = ++eng->visit;
		for (size_t i = 0; i < n; i++)
			closure_add(&up, views[i]);
		closure_walk(&up, true);
		all.visit = ++eng->visit;
		for (size_t i = 0; i < all.n; i++)
			all.views[i]->walk.visit = all.visit;
		for (size_t i = 0; i < up.n; i++)
			closure_add(&all, up.views[i]);
	}
	start_by_hand(eng, &spec, all.views, all.n);
	talloc_free(all.views);
	talloc_free(up.views);
}

static void create(struct engine *eng, struct view *const *views, size_t n, bool replace, bool keep,
                   engine_done_fn *done, void *ctx)
{
	struct wave_spec spec = {
		.kind = JOB_RECONCILE,
		.order = WAVE_GUESSED,
		.trigger = VIEW_TRIGGER_INITIAL,
		.create_missing = !keep,
		.replace = replace,
		.keep = keep,
		.done = done,
		.ctx = ctx,
	};
	start_by_hand(eng, &spec, views, n);
}

void engine_create(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	create(eng, views, n, false, false, done, ctx);
}

void engine_replace(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	create(eng, views, n, true, false, done, ctx);
}

void engine_adopt(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	create(eng, views, n, false, true, done, ctx);
}

static void drop(struct engine *eng, struct view *const *views, size_t n, bool cascade, engine_done_fn *done, void *ctx)
{
	struct wave_spec spec = {.kind = JOB_DROP,
	                         .order = WAVE_DOWNSTREAM_FIRST,
	                         .trigger = VIEW_TRIGGER_MANUAL,
	                         .cascade = cascade,
	                         .done = done,
	                         .ctx = ctx};
	start_by_hand(eng, &spec, views, n);
}

void engine_drop(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	drop(eng, views, n, false, done, ctx);
}

void engine_drop_cascading(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	drop(eng, views, n, true, done, ctx);
}

struct planning {
	engine_done_fn *done;
	void *ctx;
};

static void planned(void *ctx, const struct engine_report *report)
{
	struct planning *p = ctx;
	const struct engine_report settled = {.items = planned_settle(p, report), .n = report->n};
	p->done(p->ctx, &settled);
	talloc_free(p);
}

void engine_plan(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	struct planning *p = mem_new(eng, struct planning);
	*p = (struct planning){.done = done, .ctx = ctx};
	struct wave_spec spec = {.kind = JOB_PLAN,
	                         .order = WAVE_ANY,
	                         .trigger = VIEW_TRIGGER_MANUAL,
	                         .create_missing = true,
	                         .done = planned,
	                         .ctx = p};
	start_by_hand(eng, &spec, views, n);
}

void engine_verify(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	struct wave_spec spec = {
		.kind = JOB_VERIFY, .order = WAVE_ANY, .trigger = VIEW_TRIGGER_MANUAL, .done = done, .ctx = ctx};
	start_by_hand(eng, &spec, views, n);
}

void engine_history(struct engine *eng UNUSED, struct view *view, int limit, engine_history_fn *done, void *ctx)
{
	struct job *job = job_new(view->db, view, JOB_HISTORY);
	job->view = NULL; /* does not exclude other work on the instance */
	job->in.history_limit = limit;
	job->asker.history = done;
	job->asker.ctx = ctx;
	side_jobs_add(view->db, job);
	database_probe(view->db);
}

void engine_explain(struct engine *eng UNUSED, struct view *view, engine_explain_fn *done, void *ctx)
{
	struct job *job = job_new(view->db, view, JOB_EXPLAIN);
	job->view = NULL; /* does not exclude other work on the instance */
	job->asker.explain = done;
	job->asker.ctx = ctx;
	side_jobs_add(view->db, job);
	database_probe(view->db);
}

/* Work that was due before the pause does not start after it; what it was to do is still to be done. */
static void hold_waiting(struct view *v)
{
	const struct group *g = group_of(v);
	wave_end_waiting(v, WAVE_BY_ITSELF, VIEW_RESULT_SKIPPED, NULL);
	for (size_t i = 0; g != NULL && i < g->n; i++)
		wave_end_waiting(g->views[i], WAVE_BY_ITSELF, VIEW_RESULT_SKIPPED, NULL);
}

bool engine_pause(struct engine *eng, struct view *const *views, size_t n, struct viewd_err *err)
{
	for (size_t i = 0; i < n; i++) {
		views[i]->paused = true;
		hold_waiting(views[i]);
		due_schedule(views[i]);
		if (views[i]->state == VIEW_STATE_ACTIVE || views[i]->state == VIEW_STATE_SUSPENDED)
			view_set_state(views[i], VIEW_STATE_PAUSED);
		group_replan(views[i]);
	}
	return pause_save(eng, err);
}

static void resume_one(struct view *v)
{
	v->paused = false;
	if (v->state == VIEW_STATE_PAUSED || v->state == VIEW_STATE_SUSPENDED) {
		v->failure.consecutive = v->failure.retries = v->failure.losses = 0;
		view_set_state(v, VIEW_STATE_ACTIVE);
	}
	if (!v->relation.reconciled)
		return; /* setting it up has a time of its own */
	due_schedule(v);
	change_resume(v);
}

bool engine_resume(struct engine *eng, struct view *const *views, size_t n, struct viewd_err *err)
{
	bool any_paused = false;
	for (size_t i = 0; i < n; i++) {
		const struct group *g = group_of(views[i]);
		any_paused |= views[i]->paused;
		/* The same failures have suspended the others. */
		for (size_t k = 0; g != NULL && k < g->n; k++)
			if (g->views[k] != views[i] && g->views[k]->state == VIEW_STATE_SUSPENDED)
				resume_one(g->views[k]);
		resume_one(views[i]);
		group_replan(views[i]);
	}
	return !any_paused || pause_save(eng, err);
}

static bool cancel_one(struct view *v, const struct viewd_err *err)
{
	bool told = v->members != NULL || v->job != NULL;
	if (!v->relation.reconciled && v->job == NULL && v->members != NULL)
		outcome_setup_cancelled(v, err);
	wave_end_waiting(v, WAVE_CANCELLABLE, VIEW_RESULT_CANCELLED, err);
	if (v->members == NULL)
		queue_remove(v);
	if (v->job != NULL)
		job_cancel(v->job);
	else {
		due_schedule(v);
		change_put_off(v);
	}
	return told;
}

size_t engine_cancel(struct engine *eng UNUSED, struct view *const *views, size_t n)
{
	struct viewd_err err;
	size_t told = 0;
	err_set(&err, VIEWD_ERR_CANCELLED, "cancelled on request");
	for (size_t i = 0; i < n; i++) {
		const struct group *g = wave_waits_for_refresh(views[i]) ? group_of(views[i]) : NULL;
		told += cancel_one(views[i], &err);
		for (size_t k = 0; g != NULL && k < g->n; k++)
			if (g->views[k] != views[i])
				cancel_one(g->views[k], &err);
	}
	return told;
}
