/* SPDX-License-Identifier: MIT
 *
 * finish_group.h: what the end of a group's job sets off. Loop thread.
 */
#ifndef VIEWD_CORE_TURN_FINISH_GROUP_H
#define VIEWD_CORE_TURN_FINISH_GROUP_H

#include "core/exec/job.h"

/* Each part ends as a refresh of its own would, with the outcome of the whole. The parts are freed, the lead is
 * left. */
void finish_group(struct job *lead);

#endif
