/* SPDX-License-Identifier: MIT
 *
 * dispatch.h: who runs next, under the limits of each database and of the daemon.
 */
#ifndef VIEWD_CORE_DISPATCH_H
#define VIEWD_CORE_DISPATCH_H

#include "core/job.h"

/* The instance has members that are ready: it takes its place in its database's queue. */
void dispatch_queue(struct view *view);

/* It waits no more (removed, cancelled). */
void dispatch_unqueue(struct view *view);

/* Jobs without a slot (prepare, history, drops), one after the other on each database. */
void dispatch_aux(struct db *db, struct job *job);

/* Looks for work, and reports finished waves, when control has returned to the loop. */
void dispatch_soon(struct engine *eng);

/* ---- for group_job.c, which starts several instances at once ---- */

/* Why nothing can be done for the instance at all; false when something can. */
bool dispatch_hopeless(struct view *view, enum job_kind kind, struct viewd_err *err);

/* Fills in what is asked of the job's view, by these members (NULL: by none). */
void dispatch_describe(struct job *job, const struct member *members);

/* Starts it in a slot. */
void dispatch_start_counted(struct job *job);

/* Ends all of a list of members alike. */
void dispatch_end_taken(struct member *members, const struct engine_item *item);

/* The work of a job on one instance has ended. */
void dispatch_finish_view(struct job *job);

/* The post timer's work. */
void dispatch_run(void *engine);

#endif
