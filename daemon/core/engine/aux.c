/* SPDX-License-Identifier: MIT */
#include "core/engine/aux.h"

void aux_add(struct db *db, struct job *job)
{
	TAILQ_INSERT_TAIL(&db->work.aux, job, link);
	turn_soon(db->eng);
}

void aux_refuse_history(struct db *db, const struct viewd_err *err)
{
	struct job *job, *next;
	for (job = TAILQ_FIRST(&db->work.aux); job != NULL; job = next) {
		next = TAILQ_NEXT(job, link);
		if (job->kind != JOB_HISTORY)
			continue;
		TAILQ_REMOVE(&db->work.aux, job, link);
		job->asker.done(job->asker.ctx, NULL, 0, err);
		job_free(&job);
	}
}

void aux_drop_waiting(struct db *db, const struct viewd_err *err)
{
	struct job *job;
	aux_refuse_history(db, err);
	while ((job = TAILQ_FIRST(&db->work.aux)) != NULL) {
		TAILQ_REMOVE(&db->work.aux, job, link);
		job_free(&job);
	}
}
