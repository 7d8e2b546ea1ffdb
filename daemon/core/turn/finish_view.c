/* SPDX-License-Identifier: MIT */
#include "core/turn/finish_view.h"

#include "base/span.h"
#include "core/engine/aux.h"
#include "core/plan/change.h"
#include "core/engine/outcome.h"
#include "core/model/queue.h"
#include "core/flow/ready.h"
#include "core/engine/removal.h"

/* A view's statistics are looked after at most this often. */
#define TEND_EVERY (10 * SPAN_SECOND)

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
		.definition = job->definition,
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
	aux_add(job->db, tend);
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

void finish_view(struct job *job)
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
	wave_end_taken(job->members, &item);
	tend_later(job);
	if (view->removed)
		removal_finish(view);
	else if (wave_ready_kind(view, &kind))
		queue_view(view);
}
