/* SPDX-License-Identifier: MIT */
#include "core/engine/connect_check.h"

#include "base/err.h"
#include "base/span.h"
#include "core/exec/watch.h"

#define DOUBT_MAX (20 * SPAN_SECOND)

/* The server lives, it only takes no further session: that passes, and the others go on meanwhile. */
static void leave_alone(struct job *job)
{
	job->alone = true;
	job->err.cls = VIEWD_ERR_RESOURCE;
	err_hint(&job->err, "other connections to the database work: raise its limit, or lower max_concurrent_refreshes");
}

static bool has_others(const struct db *db)
{
	return db->watcher != NULL || db->idle != NULL || db->n_busy > 0 || db->aux_job != NULL;
}

bool connect_check_raised(struct job *job)
{
	struct db *db = job->db;
	bool unopened = !job->ok && !job->connected && !job->cancelled && job->kind != JOB_PREPARE;
	if (!unopened || db->state != DB_UP || job->probe != db->probe || job->eng->stopping)
		return false;
	if (job->err.cls == VIEWD_ERR_RESOURCE && has_others(db))
		leave_alone(job);
	if (job->err.cls != VIEWD_ERR_CONNECT || watch_ask(db) == 0)
		return false;
	TAILQ_INSERT_TAIL(&db->doubtful, job, link);
	if (TAILQ_FIRST(&db->doubtful) == job)
		loop_timer_set(db->connect_check_timer, DOUBT_MAX);
	return true;
}

static void end_later(struct job *job)
{
	TAILQ_INSERT_TAIL(&job->eng->ended, job, link);
	turn_soon(job->eng);
}

/* A watch may be busy for long, with one slow look or many. Whether it is lost it finds out itself; here it has only given no reason to think
 * so, and the job is tried again. */
void connect_check_expired(void *db_ctx)
{
	struct db *db = db_ctx;
	struct job *job;
	while ((job = TAILQ_FIRST(&db->doubtful)) != NULL) {
		TAILQ_REMOVE(&db->doubtful, job, link);
		job->alone = !job->cancelled;
		if (job->alone)
			job->err.cls = VIEWD_ERR_RESOURCE;
		end_later(job);
	}
}

void connect_check_settle(struct db *db, bool alive)
{
	struct job *job;
	loop_timer_clear(db->connect_check_timer);
	while ((job = TAILQ_FIRST(&db->doubtful)) != NULL) {
		TAILQ_REMOVE(&db->doubtful, job, link);
		if (alive && !job->cancelled)
			leave_alone(job);
		end_later(job);
	}
}
