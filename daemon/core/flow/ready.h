/* SPDX-License-Identifier: MIT
 *
 * ready.h: questions about the members that wait for an instance: are there any, and may they start? [loop]
 */
#ifndef VIEWD_CORE_FLOW_READY_H
#define VIEWD_CORE_FLOW_READY_H

#include "core/flow/wave.h"

/* The first kind of work that is ready for the instance; false when none is. */
bool ready_kind(const struct view *view, enum job_kind *kind_r);

/* Is the instance still to be set up? */
bool wave_waits_for_setup(const struct view *view);

/* Does a refresh of the instance wait already? */
bool wave_waits_for_refresh(const struct view *view);

/* Does a refresh wait that somebody asked for, and that will run whatever else happens? */
bool wave_waits_as_asked(const struct view *view);

/* A member's refresh is ready: may the whole group start? Asked beside what holds for each member alone. */
bool wave_group_is_free(const struct view *view);

#endif
