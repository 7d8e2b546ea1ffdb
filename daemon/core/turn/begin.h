/* SPDX-License-Identifier: MIT
 *
 * begin.h: what every start of a job does, of one instance or of a group. Loop thread.
 */
#ifndef VIEWD_CORE_TURN_BEGIN_H
#define VIEWD_CORE_TURN_BEGIN_H

#include "core/exec/job.h"
#include "core/flow/wave.h"

/* Why nothing can be done for the instance at all; false when something can. */
bool begin_hopeless(struct view *view, enum job_kind kind, struct viewd_err *err);

/* Fills in what is asked of the job's view, by these members (NULL: by none). */
void begin_describe(struct job *job, const struct member *members);

/* Starts it in a slot. */
void begin_in_slot(struct job *job);

#endif
