/* SPDX-License-Identifier: MIT */
#include "core/turn/start.h"

#include "base/err.h"
#include "core/engine/capture.h"
#include "core/engine/outcome.h"
#include "core/engine/removal.h"
#include "core/engine/side_jobs.h"
#include "core/flow/ready.h"
#include "core/model/events.h"
#include "core/model/group.h"
#include "core/model/queue.h"
#include "core/plan/change.h"
#include "core/turn/begin.h"
#include "core/turn/group_start.h"

static int64_t slots(const struct database *db)
{
	return (db->dialect->caps & VIEWD_CAP_SINGLE_WRITER) != 0 ? 1 : db->conf->max_concurrent_refreshes;
}

static bool has_slot(const struct database *db)
{
	const struct engine *eng = db->eng;
	return db->state == DB_UP && (int64_t)db->work.n_busy < slots(db) &&
	       (int64_t)eng->count.running < eng->conf->daemon.max_concurrent_refreshes;
}

static void start_view(struct view *view, enum job_kind kind)
{
	struct job *job = job_new(view->db, view, kind);
	job->members = wave_take(view, kind);
	begin_describe(job, job->members);
	view->job = job;
	if (kind == JOB_REFRESH)
		change_started(view);
	else if (kind == JOB_CAPTURE)
		capture_describe(job);
	begin_in_slot(job);
	if (kind == JOB_REFRESH)
		event_begun(view);
}

/* Everything reachable from a view with a job, along one direction. */
static void note_reachable(struct view *v, bool upstream, bool changes, uint64_t pass, uint64_t walk)
{
	size_t n = upstream ? v->graph.n_up : v->graph.n_down;
	for (size_t i = 0; i < n; i++) {
		struct view *next = upstream ? v->graph.up[i] : v->graph.down[i];
		if (next->walk.visit == walk)
			continue;
		next->walk.visit = walk;
		next->walk.near_job = pass;
		if (changes)
			next->walk.near_altering = pass;
		note_reachable(next, upstream, changes, pass, walk);
	}
}

static void note_neighbours(struct view *v, const struct job *job, uint64_t pass)
{
	struct engine *eng = job->eng;
	if (v->job != job || v->removed)
		return;
	note_reachable(v, true, job_alters_object(job->kind), pass, ++eng->visit);
	note_reachable(v, false, job_alters_object(job->kind), pass, ++eng->visit);
}

/* Marks the neighbours of what runs on the database; returns the number of this pass. */
static uint64_t mark_neighbours(struct database *db)
{
	struct engine *eng = db->eng;
	struct job *job;
	uint64_t pass = ++eng->visit;
	LIST_FOREACH(job, &eng->open.begun, begun_link) {
		if (job->db != db || db->work.n_busy == 0)
			continue;
		if (job->view != NULL)
			note_neighbours(job->view, job, pass);
		for (size_t i = 0; i < job->group.n; i++)
			note_neighbours(job->group.parts[i]->view, job, pass);
	}
	return pass;
}

/* Replacing a view locks what reads it, at any depth; refreshing that locks the view: side by side they would wait for
 * each other in the server. So a view is not changed while a neighbour in the graph runs, and not refreshed while one
 * is being changed. Edges may be out of date here; then the server's own deadlock check and a retry serve. */
static bool neighbours_allow(const struct view *view, enum job_kind kind, uint64_t pass)
{
	if (kind == JOB_PLAN || kind == JOB_VERIFY)
		return true;
	return (job_alters_object(kind) ? view->walk.near_job : view->walk.near_altering) != pass;
}

/* A group starts when every member may. */
static bool may_start(const struct view *view, enum job_kind kind, uint64_t pass)
{
	const struct group *g = kind == JOB_REFRESH ? group_of(view) : NULL;
	if (g == NULL)
		return neighbours_allow(view, kind, pass);
	for (size_t i = 0; i < g->n; i++)
		if (!neighbours_allow(g->views[i], kind, pass))
			return false;
	return wave_group_is_free(view);
}

/* The first of the queue that may start now: those that may not, however many they are, keep nobody else waiting. */
static struct view *first_allowed(struct database *db)
{
	struct view *view;
	enum job_kind kind;
	uint64_t pass = TAILQ_EMPTY(&db->work.queue) ? 0 : mark_neighbours(db);
	TAILQ_FOREACH(view, &db->work.queue, link)
		if (!ready_kind(view, &kind) || may_start(view, kind, pass))
			return view;
	return NULL;
}

/* Takes it and starts it, or ends it when there is no hope. */
static void serve(struct view *view)
{
	enum job_kind kind;
	struct viewd_err err;
	queue_remove(view);
	if (!ready_kind(view, &kind))
		return;
	if (kind == JOB_REFRESH && group_of(view) != NULL) {
		group_start(view);
		return;
	}
	if (!begin_hopeless(view, kind, &err)) {
		start_view(view, kind);
		return;
	}
	const struct engine_item item = item_not_run(VIEW_RESULT_FAILED, &err);
	struct member *members = wave_take(view, kind);
	if (kind == JOB_REFRESH && view->relation.reconciled && view->conf->enabled && view->db->state != DB_UNUSABLE)
		outcome_not_possible(view, members->trigger, VIEW_RESULT_FAILED, &err);
	wave_end_taken(members, &item);
	if (ready_kind(view, &kind))
		queue_view(view);
}

/* Side jobs run one at a time; but a reconnect does not wait for statistics on a connection that may have been silent
 * since before it. */
static void start_side_job(struct database *db)
{
	struct job *first = TAILQ_FIRST(&db->work.side_jobs);
	bool prepares = first != NULL && first->kind == JOB_PREPARE;
	if (first == NULL || (prepares ? db->state != DB_PROBING : db->state != DB_UP || db->work.side_job != NULL))
		return;
	TAILQ_REMOVE(&db->work.side_jobs, first, link);
	*(prepares ? &db->probing.job : &db->work.side_job) = first;
	if (first->kind == JOB_DROP_RECORDED)
		removal_spare_returned(first);
	job_start(first);
}

void start_ready(struct database *db)
{
	for (struct view *view; (db->state == DB_UNUSABLE || has_slot(db)) && (view = first_allowed(db)) != NULL;)
		serve(view);
	if (db->state == DB_UNUSABLE)
		side_jobs_refuse_asked(db, db->err);
	start_side_job(db);
}
