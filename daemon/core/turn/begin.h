/* SPDX-License-Identifier: MIT
 *
 * begin.h: the steps that every start of a job takes, of one instance or of a group. [loop]
 */
#ifndef VIEWD_CORE_TURN_BEGIN_H
#define VIEWD_CORE_TURN_BEGIN_H

#include "core/exec/job.h"
#include "core/flow/wave.h"

/* True: nothing can be done for the instance at all, and err says why. */
bool begin_hopeless(struct view *view, enum job_kind kind, struct viewd_err *err);

/* Fills in what is asked of the job's view, by these members (NULL: by none). */
void begin_describe(struct job *job, const struct member *members);

/* Starts the job, which holds a slot of its database and of the daemon until it ends. */
void begin_in_slot(struct job *job);

#endif
