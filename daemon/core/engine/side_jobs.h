/* SPDX-License-Identifier: MIT
 *
 * side_jobs.h: jobs without a slot (prepare, history, statistics, drops), one after the other on each database.
 * [loop]
 */
#ifndef VIEWD_CORE_ENGINE_SIDE_JOBS_H
#define VIEWD_CORE_ENGINE_SIDE_JOBS_H

#include "core/exec/job.h"

/* Puts the job behind those that wait. */
void side_jobs_add(struct database *db, struct job *job);

/* Ends waiting questions (past runs, explanations): nobody can answer them now; err says why. */
void side_jobs_refuse_asked(struct database *db, const struct viewd_err *err);

/* Gives the answer, or err, to whoever asked; false: the job answers no question. */
bool side_jobs_answer(struct job *job, const struct viewd_err *err);

/* Frees the jobs that wait for their turn; err says why to whoever waits for them. */
void side_jobs_drop_waiting(struct database *db, const struct viewd_err *err);

#endif
