/* SPDX-License-Identifier: MIT */
#include "core/turn/finish.h"

#include "base/err.h"
#include "base/log.h"
#include "base/span.h"
#include "core/engine/connect_check.h"
#include "core/engine/database.h"
#include "core/engine/removal.h"
#include "core/engine/side_jobs.h"
#include "core/exec/session.h"
#include "core/flow/wave.h"
#include "core/turn/finish_group.h"
#include "core/turn/finish_view.h"

/* After a cancel a statement should end at once; a worker that does not come back is counted and left alone. */
#define STUCK_AFTER (10 * SPAN_SECOND)

static void release_slot(struct job *job)
{
	if (!job->run.holds_slot)
		return;
	job->run.holds_slot = false;
	job->eng->count.running--;
	job->db->work.n_busy--;
}

static void finish_side_job(struct job *job)
{
	if (job->db->work.side_job == job)
		job->db->work.side_job = NULL;
	if (job->db->probing.job == job)
		job->db->probing.job = NULL;
	if (side_jobs_answer(job, job->out.ok ? NULL : &job->out.err))
		return;
	if (job->kind == JOB_PREPARE && !job->db->removed)
		database_prepared(job);
	else if (job->kind == JOB_DROP_RECORDED)
		removal_dropped(job);
	else if (job->kind == JOB_MAINTAIN && !job->out.ok && job->out.err.cls != VIEWD_ERR_CANCELLED)
		log_warning("view '%s', refreshed but not analyzed (%s)", job->label, job->out.err.msg);
}

/* Not even the cancel at its time limit brought an answer, or there never was a connection. */
static bool met_silence(const struct job *job)
{
	return !job->out.ok && job->run.timed_out &&
	       (job->out.err.cls == VIEWD_ERR_LOST || job->out.err.cls == VIEWD_ERR_CONNECT);
}

/* Our own cancel and the server's word for it may be told differently by different engines. */
static void name_error(struct job *job)
{
	if (job->out.ok || !job->run.cancelled || met_silence(job))
		return; /* silence tells nothing of what the server did: that the outcome is unknown must not be forgotten */
	if (job->run.timed_out) {
		char limit[64];
		err_set(&job->out.err, VIEWD_ERR_TIMEOUT, "still running after %s, cancelled",
		        span_format(job->in.spec.timeout_us, limit, sizeof limit));
	} else if (job->out.err.cls != VIEWD_ERR_CANCELLED)
		err_set(&job->out.err, VIEWD_ERR_CANCELLED, "cancelled on request");
}

/* Work that was begun before the last probe says nothing about a database that has come back since. */
static bool lost_database(const struct job *job)
{
	bool lost = !job->out.ok && !job->out.alone && (!job->out.connected || job->out.session_lost) &&
	            (!job->run.cancelled || met_silence(job));
	return lost && job->kind != JOB_PREPARE && job->in.probe == job->db->probing.n;
}

static void finish(struct job *job)
{
	struct engine *eng = job->eng;
	name_error(job);
	if (lost_database(job))
		database_lost(job->db, &job->out.err);
	if (job->kind == JOB_REFRESH_GROUP)
		finish_group(job);
	else if (job->view != NULL)
		finish_view(job);
	else
		finish_side_job(job);
	job_free(&job);
	turn_soon(eng);
}

void finish_returned(struct job *job)
{
	struct engine *eng = job->eng;
	session_give_back(job->session, job->db);
	job_disarm(job);
	release_slot(job);
	if (job->run.stuck)
		eng->count.stuck--;
	if (!connect_check_raised(job))
		finish(job);
	turn_soon(eng);
}

void finish_ended(struct engine *eng)
{
	struct job *job;
	while ((job = TAILQ_FIRST(&eng->open.ended)) != NULL) {
		TAILQ_REMOVE(&eng->open.ended, job, link);
		finish(job);
	}
}

void finish_overdue(struct job *job)
{
	if (!job->run.timed_out) {
		job->run.timed_out = true;
		job_cancel(job);
		loop_timer_set(job->run.deadline, STUCK_AFTER);
		return;
	}
	log_error("view '%s', a worker does not come back from the database; it is left alone", job->label);
	job->run.stuck = true;
	job->eng->count.stuck++;
	release_slot(job);
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_TIMEOUT, "the statement does not end, not even when cancelled");
	const struct engine_item item = item_not_run(VIEW_RESULT_FAILED, &err);
	wave_end_taken(job->members, &item);
	job->members = NULL;
	for (size_t i = 0; i < job->group.n; i++) {
		wave_end_taken(job->group.parts[i]->members, &item);
		job->group.parts[i]->members = NULL;
	}
	turn_soon(job->eng);
}
