/* SPDX-License-Identifier: MIT
 *
 * pause.h: pauses that survive restarts, in state_dir/paused: one "database:view" a line. [loop]
 */
#ifndef VIEWD_CORE_MODEL_PAUSE_H
#define VIEWD_CORE_MODEL_PAUSE_H

#include "core/model/model.h"

/* Reads the file; a missing one means that nothing is paused. Called once. */
void pause_load(struct engine *eng);

/* Was this instance paused in an earlier life, or before its section went? The note of it is gone then: from now on
 * view->paused tells. */
bool pause_claim(struct engine *eng, const struct view *view);

/* A paused instance goes: its section may come back, and its pause holds until somebody ends it. */
void pause_leave(struct engine *eng, const struct view *view);

/* Writes all paused instances and all pauses that no instance has claimed: a new file, renamed over the old one. */
bool pause_save(struct engine *eng, struct viewd_err *err) MUST_CHECK;

#endif
