/* SPDX-License-Identifier: MIT
 *
 * finish_view.h: finishes a job on one instance, or its part of a group's job. [loop]
 */
#ifndef VIEWD_CORE_TURN_FINISH_VIEW_H
#define VIEWD_CORE_TURN_FINISH_VIEW_H

#include "core/exec/job.h"

/* The work of a job on one instance has ended: the record is brought up to date, members end, what is ready is queued.
 * The job is not freed. */
void finish_view(struct job *job);

#endif
