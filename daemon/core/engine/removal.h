/* SPDX-License-Identifier: MIT
 *
 * removal.h: sections that disappeared from the files, and what is left of them in the database.
 * [loop]
 */
#ifndef VIEWD_CORE_ENGINE_REMOVAL_H
#define VIEWD_CORE_ENGINE_REMOVAL_H

#include "core/exec/job.h"

/* The section is gone: ends what waits, lets what runs finish, then drops the object if on_remove says so, and frees
 * the instance. The instance is marked as removed, and out of the list of instances and the graph already. */
void removal_view(struct view *view);

/* Frees a removed instance whose last job has ended; its object is dropped, or stays, as on_remove says. */
void removal_finish(struct view *view);

/* Recorded views that no section claims: drops those that were declared with on_remove = drop. */
void removal_orphans(struct database *db, const struct job *prepared);

/* Takes views whose sections have come back meanwhile out of a JOB_DROP_RECORDED that is about to start. */
void removal_spare_returned(struct job *job);

/* A JOB_DROP_RECORDED has ended: says what was dropped and what was not. */
void removal_dropped(const struct job *job);

#endif
