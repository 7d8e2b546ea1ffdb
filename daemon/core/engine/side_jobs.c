/* SPDX-License-Identifier: MIT */
#include "core/engine/side_jobs.h"

void side_jobs_add(struct database *db, struct job *job)
{
	TAILQ_INSERT_TAIL(&db->work.side_jobs, job, link);
	turn_soon(db->eng);
}

bool side_jobs_answer(struct job *job, const struct viewd_err *err)
{
	if (job->kind == JOB_HISTORY)
		job->asker.history(job->asker.ctx, job->out.history.rows, job->out.history.n, err);
	else if (job->kind == JOB_EXPLAIN)
		job->asker.explain(job->asker.ctx, job->out.explained.facts, job->out.explained.n, err);
	return job->kind == JOB_HISTORY || job->kind == JOB_EXPLAIN;
}

void side_jobs_refuse_asked(struct database *db, const struct viewd_err *err)
{
	struct job *job, *next;
	for (job = TAILQ_FIRST(&db->work.side_jobs); job != NULL; job = next) {
		next = TAILQ_NEXT(job, link);
		if (job->kind != JOB_HISTORY && job->kind != JOB_EXPLAIN)
			continue;
		TAILQ_REMOVE(&db->work.side_jobs, job, link);
		(void)side_jobs_answer(job, err);
		job_free(&job);
	}
}

void side_jobs_drop_waiting(struct database *db, const struct viewd_err *err)
{
	struct job *job;
	side_jobs_refuse_asked(db, err);
	while ((job = TAILQ_FIRST(&db->work.side_jobs)) != NULL) {
		TAILQ_REMOVE(&db->work.side_jobs, job, link);
		job_free(&job);
	}
}
