/* SPDX-License-Identifier: MIT
 *
 * job.h: making, starting, cancelling and freeing a job.
 */
#ifndef VIEWD_CORE_EXEC_JOB_H
#define VIEWD_CORE_EXEC_JOB_H

#include "core/model/job_record.h"

/* A job for a view (or, with view NULL, for a database). Takes a snapshot reference. Never NULL; the caller's until it
 * is queued or started. [loop] */
struct job *job_new(struct database *db, struct view *view, enum job_kind kind);

/* Gives the job a session and a worker; exec_events.job_returned follows. [loop] */
void job_start(struct job *job);

/* Asks the server to stop it, again and again until it has: a cancel between two calls stops nothing. [loop] */
void job_cancel(struct job *job);

/* Takes deadline, repeated cancel and session from the job: no worker has it. [loop] */
void job_disarm(struct job *job);

/* Frees a job that no worker has, and its reference to the snapshot. The last one of a removed database tells
 * exec_events.database_unused. Accepts NULL, leaves NULL. [loop] */
void job_free(struct job **job);

/* The worker side, in run.c: everything that blocks. [worker] */
void job_run(struct worker_task *task);

#endif
