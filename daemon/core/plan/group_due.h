/* SPDX-License-Identifier: MIT
 *
 * group_due.h: what the members of a group share of their due times. Loop thread.
 */
#ifndef VIEWD_CORE_PLAN_GROUP_DUE_H
#define VIEWD_CORE_PLAN_GROUP_DUE_H

#include "core/model/state.h"

/* The scheduled time of one member that is served now counts for all. */
void group_served(struct view *view, bool periodic);

/* What may start by itself has changed for one member, so it has for the others. */
void group_replan(struct view *view);

#endif
