/* SPDX-License-Identifier: MIT
 *
 * record.h: the setters of an instance's record. What changes is told to whoever listens (events.h). Loop thread.
 */
#ifndef VIEWD_CORE_MODEL_RECORD_H
#define VIEWD_CORE_MODEL_RECORD_H

#include "core/model/state.h"

/* The one place where an instance's state changes; logs the change. */
void view_set_state(struct view *view, enum view_state state);

/* Keeps a copy of the error, or forgets it (NULL). */
void view_set_error(struct view *view, const struct viewd_err *err);

#endif
