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

/* The post timer's work. */
void dispatch_run(void *engine);

#endif
