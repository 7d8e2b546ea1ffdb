/* SPDX-License-Identifier: MIT */
#include "core/turn/finish_view.h"

#include "base/mem.h"
#include "base/span.h"
#include "core/engine/outcome.h"
#include "core/engine/removal.h"
#include "core/engine/side_jobs.h"
#include "core/flow/ready.h"
#include "core/model/queue.h"
#include "core/plan/change.h"
#include "core/plan/doubt.h"

/* A view's statistics are looked after at most this often. */
#define MAINTAIN_EVERY (10 * SPAN_SECOND)

/* A plan tells how long the last refresh took. -1: there was none. */
static int64_t last_took(const struct viewd_found *found)
{
	return found->last_success_us > 0 ? found->duration_us : -1;
}

/* Sources that are not there are what the definition lacks. */
static const struct doubt_names *planned_names(const struct job *job)
{
	struct doubt_names *names = mem_new(job, struct doubt_names);
	struct viewd_source *lacks = mem_array(names, struct viewd_source, job->out.n_sources);
	*names = doubt_names_of(&job->out.look->found);
	names->lacks = lacks;
	for (size_t i = 0; i < job->out.n_sources; i++)
		if (job->out.sources[i].kind == VIEWD_KIND_NONE)
			lacks[names->n_lacks++] =
				(struct viewd_source){.schema = job->out.sources[i].schema, .name = job->out.sources[i].name};
	return names;
}

static void finished_item(const struct job *job, struct engine_item *item)
{
	static const struct job_look unseen = {.last_action = VIEWD_CHANGE_NOTHING};
	const struct job_look *look = job->out.look != NULL ? job->out.look : &unseen;
	/* After an apply the last decision is that nothing is left to do: what was done says more. */
	const char *why = job->out.applied ? look->apply_reason : look->decision.reason;
	*item = (struct engine_item){
		.result = job->out.ok                               ? VIEW_RESULT_SUCCEEDED
	              : job->out.err.cls == VIEWD_ERR_CANCELLED ? VIEW_RESULT_CANCELLED
	              : job->out.mate_failed                    ? VIEW_RESULT_UPSTREAM_FAILED
	                                                        : VIEW_RESULT_FAILED,
		.did = job->out.ok && (job->kind == JOB_REFRESH || job->out.applied) ? (int)job->out.outcome.did : -1,
		.change = job->kind == JOB_DROP ? VIEWD_CHANGE_DROP
	              : job->out.applied    ? look->last_action
	                                    : look->decision.change,
		.reason = job->kind == JOB_REFRESH ? job->out.outcome.reason : why,
		.locks = look->decision.locks,
		.definition = job->out.definition,
		.rows = job->kind == JOB_PLAN ? look->found.rows
	            : job->out.ok         ? job->out.outcome.rows
	                                  : -1,
		.rows_written = job->out.ok ? job->out.outcome.rows_written : -1,
		.duration_us = job->kind == JOB_PLAN ? last_took(&look->found) : job->out.duration_us,
		.error = job->out.ok ? NULL : &job->out.err,
		.verdict = job->out.ok && job->kind == JOB_VERIFY ? &job->out.verdict : NULL,
	};
	if (job->kind == JOB_PLAN && job->out.ok) {
		item->names = planned_names(job);
		item->error = doubt_of(look->decision.change, &look->found);
	}
}

/* The database could not be reached, nothing was sent: not a failure of the view. What nobody waits for runs when it is
 * back. */
static bool never_began(const struct job *job)
{
	bool away = !job->out.connected || job->out.err.cls == VIEWD_ERR_CONNECT || job->out.err.cls == VIEWD_ERR_AUTH;
	bool still_away = job->db->state != DB_UP || job->in.probe != job->db->probing.n;
	return !job->out.ok && !job->out.alone && away && !job->run.cancelled && still_away && !job->eng->stop.stopping &&
	       !job->view->removed;
}

/* The section says another server now, of whose contents it tells nothing. */
static bool was_elsewhere(const struct job *job)
{
	return job->in.epoch != job->db->epoch && !job->eng->stop.stopping && !job->view->removed;
}

/* Nobody waits for statistics: they are looked after beside other work, at a pace of their own. */
static void maintain_later(struct job *job)
{
	struct view *view = job->view;
	int64_t now = engine_mono(job->eng);
	bool wrote = job->out.ok && (job->kind == JOB_REFRESH || job->out.applied) && job->out.outcome.rows_written != 0;
	if (!wrote || job->db->dialect->maintain == NULL || view->removed || job->eng->stop.stopping ||
	    (view->record.maintained_mono != 0 && now - view->record.maintained_mono < MAINTAIN_EVERY))
		return;
	view->record.maintained_mono = now;
	struct job *maintain = job_new(job->db, view, JOB_MAINTAIN);
	maintain->view = NULL; /* does not exclude other work on the instance */
	side_jobs_add(job->db, maintain);
}

/* Signals that came while any job ran have not been planned yet. */
static void note_changes(struct job *job)
{
	struct view *view = job->view;
	if (job->kind == JOB_REFRESH && job->out.looked_up)
		change_looked_up(view);
	else if (job->kind == JOB_REFRESH && job->out.ok)
		change_covered(view, job->out.outcome.settled_seq);
	else if (job->kind == JOB_REFRESH)
		change_failed(view);
	else if (job->kind == JOB_RECONCILE && job->out.ok && job->out.outcome.settled_seq > 0)
		change_settled(view, job->out.outcome.settled_seq);
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
	maintain_later(job);
	if (view->removed)
		removal_finish(view);
	else if (ready_kind(view, &kind))
		queue_view(view);
}
