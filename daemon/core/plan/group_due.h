/* SPDX-License-Identifier: MIT
 *
 * group_due.h: the due times that the members of a group share. [loop]
 */
#ifndef VIEWD_CORE_PLAN_GROUP_DUE_H
#define VIEWD_CORE_PLAN_GROUP_DUE_H

#include "core/model/model.h"

/* Counts the scheduled time at which one member is served now for all. periodic: the time comes of `every`, whose
 * period begins anew for all. */
void group_due_served(struct view *view, bool periodic);

/* Plans the other members anew: whether one member is held decides what may start by itself for all. */
void group_replan(struct view *view);

#endif
