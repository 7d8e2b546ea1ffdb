/* SPDX-License-Identifier: MIT
 *
 * timing.h: the schedule of an instance, from the keys of its section. [loop]
 */
#ifndef VIEWD_CORE_PLAN_TIMING_H
#define VIEWD_CORE_PLAN_TIMING_H

#include "core/model/model.h"

/* Sets the schedule of view->conf, and the text by which status shows it. */
void timing_set(struct view *view);

#endif
