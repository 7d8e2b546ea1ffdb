/* SPDX-License-Identifier: MIT */
#include "core/turn/finish.h"

#include "base/err.h"
#include "base/log.h"
#include "base/span.h"
#include "core/engine/database.h"
#include "core/engine/connect_check.h"
#include "core/turn/finish_group.h"
#include "core/turn/finish_view.h"
#include "core/engine/removal.h"
#include "core/exec/session.h"
#include "core/flow/wave.h"

/* After a cancel a statement should end at once; a worker that does not come back is counted and left alone. */
#define STUCK_AFTER (10 * SPAN_SECOND)

static void release_slot(struct job *job)
{
	if (!job->holds_slot)
		return;
	job->holds_slot = false;
	job->eng->n_running--;
	job->db->n_busy--;
	job->db->n_changing -= job_changes_object(job->kind);
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
		removal_dropped(job);
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

static void finish(struct job *job)
{
	struct engine *eng = job->eng;
	settle_error(job);
	if (lost_database(job))
		database_lost(job->db, &job->err);
	if (job->kind == JOB_REFRESH_GROUP)
		finish_group(job);
	else if (job->view != NULL)
		finish_view(job);
	else
		finish_aux_job(job);
	job_free(&job);
	turn_soon(eng);
}

void finish_returned(struct job *job)
{
	struct engine *eng = job->eng;
	session_give_back(job->session, job->db);
	job_returned(job);
	release_slot(job);
	if (job->stuck)
		eng->n_stuck--;
	if (!connect_check_raised(job))
		finish(job);
	turn_soon(eng);
}

void finish_ended(struct engine *eng)
{
	struct job *job;
	while ((job = TAILQ_FIRST(&eng->ended)) != NULL) {
		TAILQ_REMOVE(&eng->ended, job, link);
		finish(job);
	}
}

void finish_overdue(struct job *job)
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
	wave_end_taken(job->members, &item);
	job->members = NULL;
	for (size_t i = 0; i < job->n_parts; i++) {
		wave_end_taken(job->parts[i]->members, &item);
		job->parts[i]->members = NULL;
	}
	turn_soon(job->eng);
}
