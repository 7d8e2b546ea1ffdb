/* SPDX-License-Identifier: MIT
 *
 * removal.h: sections that disappeared from the files, and what is left of them in the database.
 */
#ifndef VIEWD_CORE_ENGINE_REMOVAL_H
#define VIEWD_CORE_ENGINE_REMOVAL_H

#include "core/exec/job.h"

/* The section is gone: ends what waits, lets what runs finish, then drops the object if on_remove says so, and frees
 * the instance. The instance is marked as removed, and out of the roster and the graph already. */
void removal_view(struct view *view);

/* The last job of a removed instance has ended. */
void removal_finish(struct view *view);

/* Recorded views that no section claims: drops those that were declared with on_remove = drop. */
void removal_orphans(struct db *db, const struct job *prepared);

/* Before the drops begin: those whose sections have come back meanwhile are left out. */
void removal_spare_returned(struct job *job);

/* A JOB_DROP_RECORDED has ended: says what was dropped and what was not. */
void removal_dropped(const struct job *job);

#endif
