/* SPDX-License-Identifier: MIT
 *
 * group_start.h: starting the one job that refreshes a group. [loop]
 */
#ifndef VIEWD_CORE_TURN_GROUP_START_H
#define VIEWD_CORE_TURN_GROUP_START_H

#include "core/model/model.h"

/* A member's refresh is ready and the group is free: starts the group's job, or ends what waits for it when there is no
 * hope. */
void group_start(struct view *view);

#endif
