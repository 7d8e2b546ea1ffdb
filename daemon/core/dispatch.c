/* SPDX-License-Identifier: MIT */
#include "core/dispatch.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "core/capture.h"
#include "core/change.h"
#include "core/database.h"
#include "core/disabled.h"
#include "core/doubt.h"
#include "core/edges.h"
#include "core/group.h"
#include "core/leave.h"
#include "core/outcome.h"
#include "core/retire.h"
#include "core/session.h"
#include "core/wave.h"

/* A view's statistics are looked after at most this often. */
#define TEND_EVERY (10 * SPAN_SECOND)
/* After a cancel a statement should end at once; a worker that does not come back is counted and left alone. */
#define STUCK_AFTER (10 * SPAN_SECOND)

static bool changes_object(enum job_kind kind)
{
	return kind == JOB_RECONCILE || kind == JOB_DROP;
}

void dispatch_soon(struct engine *eng)
{
	loop_timer_set(eng->post_timer, 0);
}

/* Higher priority first, then first come, first served. The walk from the end is short: priorities are mostly equal. */
void dispatch_queue(struct view *view)
{
	if (view->queued || view->job != NULL)
		return;
	struct view_queue *q = &view->db->queue;
	struct view *before = TAILQ_LAST(q, view_queue);
	while (before != NULL && before->conf->priority < view->conf->priority)
		before = TAILQ_PREV(before, view_queue, link);
	if (before != NULL)
		TAILQ_INSERT_AFTER(q, before, view, link);
	else
		TAILQ_INSERT_HEAD(q, view, link);
	view->queued = true;
	dispatch_soon(view->eng);
}

void dispatch_unqueue(struct view *view)
{
	if (!view->queued)
		return;
	TAILQ_REMOVE(&view->db->queue, view, link);
	view->queued = false;
}

void dispatch_aux(struct db *db, struct job *job)
{
	TAILQ_INSERT_TAIL(&db->aux, job, link);
	dispatch_soon(db->eng);
}

/* ---- starting ----------------------------------------------------------------------------------------------------------- */

static int64_t slots(const struct db *db)
{
	return (db->dialect->caps & VIEWD_CAP_SINGLE_WRITER) != 0 ? 1 : db->conf->max_concurrent_refreshes;
}

static bool has_slot(const struct db *db)
{
	const struct engine *eng = db->eng;
	return db->state == DB_UP && (int64_t)db->n_busy < slots(db) &&
	       (int64_t)eng->n_running < eng->conf->daemon.max_concurrent_refreshes;
}

bool dispatch_hopeless(struct view *view, enum job_kind kind, struct viewd_err *err)
{
	if (disabled_refuses(view, kind, err))
		return true;
	if (view->db->state == DB_UNUSABLE)
		*err = *view->db->err;
	else if (view->refused)
		*err = *view->err;
	else if (kind == JOB_REFRESH && view->rank == GRAPH_CYCLIC) {
		char *cycle = edges_cycle_text(view, NULL);
		err_set(err, VIEWD_ERR_CONFIG, "view '%s', depends on itself (%s)", view->label, cycle);
		err_hint(err, "remove one edge of the cycle: a depends_on, or a relation in a definition");
		talloc_free(cycle);
	} else if (kind == JOB_REFRESH && view->group != NULL && view->group->broken != NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "view '%s' cannot be refreshed with its group (%s)", view->label, view->group->broken);
		err_hint(err, "put that into the group, or take a member out");
	} else
		return false;
	return true;
}

void dispatch_describe(struct job *job, const struct member *members)
{
	struct engine *eng = job->eng;
	enum view_trigger trigger = members != NULL ? members->trigger : VIEW_TRIGGER_NONE;
	job->request = (struct viewd_refresh_request){
		.struct_size = sizeof job->request,
		.run_id = ++eng->run_id,
		.scheduled_us = engine_wall(eng),
	};
	for (const struct member *m = members; m != NULL; m = m->next) {
		job->request.force_full |= m->wave->full;
		job->create_missing |= m->wave->create_missing;
		job->replace |= m->wave->replace;
		if (m->trigger == VIEW_TRIGGER_MANUAL)
			trigger = VIEW_TRIGGER_MANUAL;
	}
	job->request.trigger = view_trigger_word(trigger);
	job->trigger = trigger;
	/* Never set up successfully: a refresh by hand is a reason to try that again first. */
	job->reconcile_first = job->kind == JOB_REFRESH && !job->view->reconciled;
	job->create_missing |= job->reconcile_first;
	/* What never was has not vanished. */
	job->create_missing |= job->kind == JOB_RECONCILE && !job->view->reconciled && job->view->state != VIEW_STATE_MISSING;
	job->unknown_since_us = job->request.force_full ? 0 : job->view->unknown_since_us;
}

void dispatch_start_counted(struct job *job)
{
	job->holds_slot = true;
	job->db->n_busy++;
	job->db->n_changing += changes_object(job->kind);
	job->eng->n_running++;
	job_start(job);
}

static void start_view(struct view *view, enum job_kind kind)
{
	struct job *job = job_new(view->db, view, kind);
	job->members = wave_take(view, kind);
	dispatch_describe(job, job->members);
	view->job = job;
	if (kind == JOB_REFRESH)
		change_started(view);
	else if (kind == JOB_CAPTURE)
		capture_describe(job);
	dispatch_start_counted(job);
}

void dispatch_end_taken(struct member *members, const struct engine_item *item)
{
	while (members != NULL) {
		struct member *m = members;
		members = m->next;
		wave_member_end(m, item);
	}
}

/* Everything reachable from a view with a job, along one direction. */
static void mark_reachable(struct view *v, bool upstream, bool changes, uint64_t pass, uint64_t walk)
{
	size_t n = upstream ? v->n_up : v->n_down;
	for (size_t i = 0; i < n; i++) {
		struct view *next = upstream ? v->up[i] : v->down[i];
		if (next->mark == walk)
			continue;
		next->mark = walk;
		next->near_job = pass;
		if (changes)
			next->near_change = pass;
		mark_reachable(next, upstream, changes, pass, walk);
	}
}

/* Marks the neighbours of what runs on the database; returns the number of this pass. */
static uint64_t mark_neighbours(struct db *db)
{
	struct engine *eng = db->eng;
	uint64_t pass = ++eng->mark;
	for (size_t i = 0; i < db->n_views && db->n_busy > 0; i++) {
		struct view *v = db->views[i];
		if (v->job == NULL)
			continue;
		mark_reachable(v, true, changes_object(v->job->kind), pass, ++eng->mark);
		mark_reachable(v, false, changes_object(v->job->kind), pass, ++eng->mark);
	}
	return pass;
}

/* Replacing a view locks what reads it, at any depth; refreshing that locks the view: side by side they would wait for each other in the
 * server. So a view is not changed while a neighbour in the graph runs, and not refreshed while one is being changed. Edges may be
 * out of date here; then the server's own deadlock check and a retry serve. */
static bool neighbours_allow(const struct view *view, enum job_kind kind, uint64_t pass)
{
	if (kind == JOB_PLAN || kind == JOB_VERIFY)
		return true;
	return (changes_object(kind) ? view->near_job : view->near_change) != pass;
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
	return group_is_free(view);
}

/* The first of the queue that may start now: those that may not, however many they are, keep nobody else waiting. */
static struct view *first_allowed(struct db *db)
{
	struct view *view;
	enum job_kind kind;
	uint64_t pass = TAILQ_EMPTY(&db->queue) ? 0 : mark_neighbours(db);
	TAILQ_FOREACH(view, &db->queue, link)
		if (!wave_ready_kind(view, &kind) || may_start(view, kind, pass))
			return view;
	return NULL;
}

/* Takes it and starts it, or ends it when there is no hope. */
static void serve(struct view *view)
{
	enum job_kind kind;
	struct viewd_err err;
	dispatch_unqueue(view);
	if (!wave_ready_kind(view, &kind))
		return;
	if (kind == JOB_REFRESH && group_of(view) != NULL) {
		group_serve(view);
		return;
	}
	if (!dispatch_hopeless(view, kind, &err)) {
		start_view(view, kind);
		return;
	}
	const struct engine_item item = {.result = VIEW_RESULT_FAILED, .action = -1, .rows = -1, .rows_written = -1, .error = &err};
	struct member *members = wave_take(view, kind);
	if (kind == JOB_REFRESH && view->reconciled && view->conf->enabled && view->db->state != DB_UNUSABLE)
		outcome_not_possible(view, members->trigger, &err);
	dispatch_end_taken(members, &item);
	if (wave_ready_kind(view, &kind))
		dispatch_queue(view);
}

/* One at a time; but a reconnect does not wait for statistics on a connection that may have been silent since before it. */
static void start_aux(struct db *db)
{
	struct job *aux = TAILQ_FIRST(&db->aux);
	bool prepares = aux != NULL && aux->kind == JOB_PREPARE;
	if (aux == NULL || (prepares ? db->state != DB_PROBING : db->state != DB_UP || db->aux_job != NULL))
		return;
	TAILQ_REMOVE(&db->aux, aux, link);
	*(prepares ? &db->prepare_job : &db->aux_job) = aux;
	if (aux->kind == JOB_DROP_RECORDED)
		retire_spare_returned(aux);
	job_start(aux);
}

static void serve_database(struct db *db)
{
	for (struct view *view; (db->state == DB_UNUSABLE || has_slot(db)) && (view = first_allowed(db)) != NULL;)
		serve(view);
	if (db->state == DB_UNUSABLE)
		database_refuse_history(db, db->err);
	start_aux(db);
}

void dispatch_run(void *engine)
{
	struct engine *eng = engine;
	for (size_t i = 0; i < eng->n_dbs && !eng->stopping; i++)
		serve_database(eng->dbs[(eng->next_db + i) % eng->n_dbs]);
	if (eng->n_dbs > 0)
		eng->next_db = (eng->next_db + 1) % eng->n_dbs;
	leave_review(eng);
	capture_review(eng);
	wave_report_finished(eng);
	observe_run_woken(eng);
}

/* ---- ending --------------------------------------------------------------------------------------------------------------- */

static void release_slot(struct job *job)
{
	if (!job->holds_slot)
		return;
	job->holds_slot = false;
	job->eng->n_running--;
	job->db->n_busy--;
	job->db->n_changing -= changes_object(job->kind);
}

static void finished_item(const struct job *job, struct engine_item *item)
{
	/* After an apply the last decision is that nothing is left to do: what was done says more. */
	const char *why = job->applied ? job->apply_reason : job->decision.reason;
	*item = (struct engine_item){
		.result = job->ok ? VIEW_RESULT_SUCCEEDED
		                  : job->err.cls == VIEWD_ERR_CANCELLED ? VIEW_RESULT_CANCELLED
		                                                        : job->mate_failed ? VIEW_RESULT_UPSTREAM_FAILED : VIEW_RESULT_FAILED,
		.action = job->ok && (job->kind == JOB_REFRESH || job->applied) ? (int)job->outcome.did : -1,
		.change = job->kind == JOB_DROP ? VIEWD_CHANGE_DROP : job->applied ? job->last_change : job->decision.change,
		.reason = job->kind == JOB_REFRESH ? job->outcome.reason : why,
		.locks = job->decision.locks,
		.rows = job->kind == JOB_PLAN ? job->found.rows : job->ok ? job->outcome.rows : -1,
		.rows_written = job->ok ? job->outcome.rows_written : -1,
		/* A plan tells how long the last refresh took. */
		.duration_us = job->kind == JOB_PLAN ? job->found.duration_us : job->duration_us,
		.error = job->ok ? NULL : &job->err,
		.verdict = job->ok && job->kind == JOB_VERIFY ? &job->verdict : NULL,
	};
}

/* The database could not be reached, nothing was sent: not a failure of the view. What nobody waits for runs when it is back. */
static bool never_began(const struct job *job)
{
	bool away = !job->connected || job->err.cls == VIEWD_ERR_CONNECT || job->err.cls == VIEWD_ERR_AUTH;
	bool still_away = job->db->state != DB_UP || job->probe != job->db->probe;
	return !job->ok && !job->alone && away && !job->cancelled && still_away && !job->eng->stopping && !job->view->removed;
}

/* The section says another server now, of whose contents it tells nothing. */
static bool was_elsewhere(const struct job *job)
{
	return job->epoch != job->db->epoch && !job->eng->stopping && !job->view->removed;
}

/* Nobody waits for statistics: they are looked after beside other work, at a pace of their own. */
static void tend_later(struct job *job)
{
	struct view *view = job->view;
	int64_t now = engine_mono(job->eng);
	bool wrote = job->ok && (job->kind == JOB_REFRESH || job->applied) && job->outcome.rows_written != 0;
	if (!wrote || job->db->dialect->tend == NULL || view->removed || job->eng->stopping ||
	    (view->tended_mono != 0 && now - view->tended_mono < TEND_EVERY))
		return;
	view->tended_mono = now;
	struct job *tend = job_new(job->db, view, JOB_TEND);
	tend->view = NULL; /* does not exclude other work on the instance */
	dispatch_aux(job->db, tend);
}

/* Signals that came while any job ran have not been planned yet. */
static void note_changes(struct job *job)
{
	struct view *view = job->view;
	if (job->kind == JOB_REFRESH && job->looked_up)
		change_looked_up(view);
	else if (job->kind == JOB_REFRESH && job->ok)
		change_covered(view, job->outcome.settled_seq);
	else if (job->kind == JOB_REFRESH)
		change_failed(view);
	else if (job->kind == JOB_RECONCILE && job->ok && job->outcome.settled_seq > 0)
		change_settled(view, job->outcome.settled_seq);
	change_plan(view);
}

void dispatch_finish_view(struct job *job)
{
	struct view *view = job->view;
	struct engine_item item;
	enum job_kind kind;
	view->job = NULL;
	if (never_began(job) || was_elsewhere(job)) {
		change_not_begun(view);
		job->members = wave_put_back(view, job->members);
	} else {
		outcome_of(job);
		note_changes(job);
	}
	finished_item(job, &item);
	dispatch_end_taken(job->members, &item);
	tend_later(job);
	if (view->removed)
		retire_finish(view);
	else if (wave_ready_kind(view, &kind))
		dispatch_queue(view);
}

static void finish_aux_job(struct job *job)
{
	if (job->db->aux_job == job)
		job->db->aux_job = NULL;
	if (job->db->prepare_job == job)
		job->db->prepare_job = NULL;
	if (job->kind == JOB_HISTORY)
		job->history_done(job->history_ctx, job->history.rows, job->history.n, job->ok ? NULL : &job->err);
	else if (job->kind == JOB_PREPARE && !job->db->removed)
		database_prepared(job);
	else if (job->kind == JOB_DROP_RECORDED)
		retire_dropped(job);
	else if (job->kind == JOB_TEND && !job->ok && job->err.cls != VIEWD_ERR_CANCELLED)
		log_warning("view '%s', refreshed but not analyzed (%s)", job->label, job->err.msg);
}

/* Not even the cancel at its time limit brought an answer, or there never was a connection. */
static bool met_silence(const struct job *job)
{
	return !job->ok && job->timed_out && (job->err.cls == VIEWD_ERR_LOST || job->err.cls == VIEWD_ERR_CONNECT);
}

/* Our own cancel and the server's word for it may be told differently by different engines. */
static void settle_error(struct job *job)
{
	if (job->ok || !job->cancelled || met_silence(job))
		return; /* silence tells nothing of what the server did: that the outcome is unknown must not be forgotten */
	if (job->timed_out) {
		char limit[64];
		err_set(&job->err, VIEWD_ERR_TIMEOUT, "still running after %s, cancelled",
		        span_format(job->spec.timeout_us, limit, sizeof limit));
	} else if (job->err.cls != VIEWD_ERR_CANCELLED)
		err_set(&job->err, VIEWD_ERR_CANCELLED, "cancelled on request");
}

/* What was begun before the last probe says nothing about a database that has come back since. */
static bool lost_database(const struct job *job)
{
	bool lost = !job->ok && !job->alone && (!job->connected || job->session_lost) && (!job->cancelled || met_silence(job));
	return lost && job->kind != JOB_PREPARE && job->probe == job->db->probe;
}

void job_finished(struct worker_task *task)
{
	struct job *job = CONTAINER_OF(task, struct job, task);
	struct engine *eng = job->eng;
	session_give_back(job->session, job->db);
	job_returned(job);
	release_slot(job);
	if (job->stuck)
		eng->n_stuck--;
	if (!doubt_raised(job))
		job_end(job);
	dispatch_soon(eng);
}

void job_end(struct job *job)
{
	struct engine *eng = job->eng;
	settle_error(job);
	if (lost_database(job))
		database_lost(job->db, &job->err);
	if (job->kind == JOB_REFRESH_GROUP)
		group_finish(job);
	else if (job->view != NULL)
		dispatch_finish_view(job);
	else
		finish_aux_job(job);
	job_free(&job);
	dispatch_soon(eng);
}

void job_overdue(struct job *job)
{
	if (!job->timed_out) {
		job->timed_out = true;
		job_cancel(job);
		loop_timer_set(job->deadline, STUCK_AFTER);
		return;
	}
	log_error("view '%s', a worker does not come back from the database; it is left alone", job->label);
	job->stuck = true;
	job->eng->n_stuck++;
	release_slot(job);
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_TIMEOUT, "the statement does not end, not even when cancelled");
	const struct engine_item item = {.result = VIEW_RESULT_FAILED, .action = -1, .rows = -1, .rows_written = -1, .error = &err};
	dispatch_end_taken(job->members, &item);
	job->members = NULL;
	for (size_t i = 0; i < job->n_parts; i++) {
		dispatch_end_taken(job->parts[i]->members, &item);
		job->parts[i]->members = NULL;
	}
	dispatch_soon(job->eng);
}
