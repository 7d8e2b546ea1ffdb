/* SPDX-License-Identifier: MIT
 *
 * pause.h: pauses that survive restarts, in state_dir/paused: one "database:view" a line. [loop]
 */
#ifndef VIEWD_CORE_MODEL_PAUSE_H
#define VIEWD_CORE_MODEL_PAUSE_H

#include "core/model/state.h"

/* Reads the file; a missing one means that nothing is paused. Called once. */
void pause_load(struct engine *eng);

/* Was this instance paused in an earlier life? */
bool pause_remembered(const struct engine *eng, const struct view *view);

/* Writes all paused instances: a new file, renamed over the old one. */
bool pause_save(struct engine *eng, struct viewd_err *err) MUST_CHECK;

#endif
