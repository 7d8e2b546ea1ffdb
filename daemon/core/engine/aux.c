/* SPDX-License-Identifier: MIT */
#include "core/engine/aux.h"

void aux_add(struct db *db, struct job *job)
{
	TAILQ_INSERT_TAIL(&db->work.aux, job, link);
	turn_soon(db->eng);
}

bool aux_answer(struct job *job, const struct viewd_err *err)
{
	if (job->kind == JOB_HISTORY)
		job->asker.history(job->asker.ctx, job->out.history.rows, job->out.history.n, err);
	else if (job->kind == JOB_EXPLAIN)
		job->asker.explain(job->asker.ctx, job->out.explained.facts, job->out.explained.n, err);
	return job->kind == JOB_HISTORY || job->kind == JOB_EXPLAIN;
}

void aux_refuse_asked(struct db *db, const struct viewd_err *err)
{
	struct job *job, *next;
	for (job = TAILQ_FIRST(&db->work.aux); job != NULL; job = next) {
		next = TAILQ_NEXT(job, link);
		if (job->kind != JOB_HISTORY && job->kind != JOB_EXPLAIN)
			continue;
		TAILQ_REMOVE(&db->work.aux, job, link);
		(void)aux_answer(job, err);
		job_free(&job);
	}
}

void aux_drop_waiting(struct db *db, const struct viewd_err *err)
{
	struct job *job;
	aux_refuse_asked(db, err);
	while ((job = TAILQ_FIRST(&db->work.aux)) != NULL) {
		TAILQ_REMOVE(&db->work.aux, job, link);
		job_free(&job);
	}
}
