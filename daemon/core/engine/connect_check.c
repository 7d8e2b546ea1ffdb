/* SPDX-License-Identifier: MIT */
#include "core/engine/connect_check.h"

#include "base/err.h"
#include "base/span.h"
#include "core/exec/watch.h"

#define DOUBT_MAX (20 * SPAN_SECOND)

/* The server lives, it only takes no further session: that passes, and the others go on meanwhile. */
static void leave_alone(struct job *job)
{
	job->out.alone = true;
	job->out.err.cls = VIEWD_ERR_RESOURCE;
	err_hint(&job->out.err,
	         "other connections to the database work: raise its limit, or lower max_concurrent_refreshes");
}

static bool has_others(const struct database *db)
{
	return db->watch.watcher != NULL || db->work.idle != NULL || db->work.n_busy > 0 || db->work.side_job != NULL;
}

bool connect_check_raised(struct job *job)
{
	struct database *db = job->db;
	bool unopened = !job->out.ok && !job->out.connected && !job->run.cancelled && job->kind != JOB_PREPARE;
	if (!unopened || db->state != DB_UP || job->in.probe != db->probing.n || job->eng->stop.stopping)
		return false;
	if (job->out.err.cls == VIEWD_ERR_RESOURCE && has_others(db))
		leave_alone(job);
	if (job->out.err.cls != VIEWD_ERR_CONNECT || watch_ask_now(db) == 0)
		return false;
	TAILQ_INSERT_TAIL(&db->work.unopened, job, link);
	if (TAILQ_FIRST(&db->work.unopened) == job)
		loop_timer_set(db->work.connect_check_timer, DOUBT_MAX);
	return true;
}

static void end_later(struct job *job)
{
	TAILQ_INSERT_TAIL(&job->eng->open.ended, job, link);
	turn_soon(job->eng);
}

/* A watch may be busy for long, with one slow look or many. Whether it is lost it finds out itself; here it has only
 * given no reason to think so, and the job is tried again. */
void connect_check_expired(void *db_ctx)
{
	struct database *db = db_ctx;
	struct job *job;
	while ((job = TAILQ_FIRST(&db->work.unopened)) != NULL) {
		TAILQ_REMOVE(&db->work.unopened, job, link);
		job->out.alone = !job->run.cancelled;
		if (job->out.alone)
			job->out.err.cls = VIEWD_ERR_RESOURCE;
		end_later(job);
	}
}

void connect_check_resolve(struct database *db, bool alive)
{
	struct job *job;
	loop_timer_clear(db->work.connect_check_timer);
	while ((job = TAILQ_FIRST(&db->work.unopened)) != NULL) {
		TAILQ_REMOVE(&db->work.unopened, job, link);
		if (alive && !job->run.cancelled)
			leave_alone(job);
		end_later(job);
	}
}
