/* SPDX-License-Identifier: MIT
 *
 * finish.h: the end of a job. [loop]
 */
#ifndef VIEWD_CORE_TURN_FINISH_H
#define VIEWD_CORE_TURN_FINISH_H

#include "core/exec/job.h"

/* A worker has given the job back: exec_events.job_returned. */
void finish_returned(struct job *job);

/* The job's time is over: it is cancelled, and left alone when that does not help. exec_events.job_overdue. */
void finish_overdue(struct job *job);

/* Finishes the jobs whose end was put off (engine.open.ended): part of each turn. */
void finish_ended(struct engine *eng);

#endif
