/* SPDX-License-Identifier: MIT
 *
 * timing.h: the schedule of an instance, from the keys of its section. [loop]
 */
#ifndef VIEWD_CORE_PLAN_TIMING_H
#define VIEWD_CORE_PLAN_TIMING_H

#include "core/model/model.h"

/* Takes over from view->conf what timing_schedule needs, and the text by which status shows the schedule. */
void timing_set(struct view *view);

/* The schedule of view->conf. Good as long as that and its zone stay. */
struct schedule timing_schedule(const struct view *view);

#endif
