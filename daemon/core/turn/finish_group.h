/* SPDX-License-Identifier: MIT
 *
 * finish_group.h: finishes the job of a group. [loop]
 */
#ifndef VIEWD_CORE_TURN_FINISH_GROUP_H
#define VIEWD_CORE_TURN_FINISH_GROUP_H

#include "core/exec/job.h"

/* Ends each part as a refresh of its own would end: all have failed when the group has failed. Frees the parts, not the
 * lead. */
void finish_group(struct job *lead);

#endif
