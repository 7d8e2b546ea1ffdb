/* SPDX-License-Identifier: MIT
 *
 * group_align.h: one snapshot for all members of a group from the beginning. [loop]
 */
#ifndef VIEWD_CORE_ENGINE_GROUP_ALIGN_H
#define VIEWD_CORE_ENGINE_GROUP_ALIGN_H

#include "core/model/model.h"

/* Refreshes the members of the view's group together unless they are of one snapshot, once all are set up and hold
 * data. Does nothing for a view without a group. */
void group_align(struct view *view);
/* The same for every group. */
void group_align_all(struct engine *eng);

#endif
