/* SPDX-License-Identifier: MIT
 *
 * clock_step.h: notices that the wall clock was set or that the machine has slept, and computes the schedules anew.
 * [loop]
 */
#ifndef VIEWD_CORE_ENGINE_CLOCK_STEP_H
#define VIEWD_CORE_ENGINE_CLOCK_STEP_H

#include "core/model/model.h"

/* Begins and ends watching. clock_step_stop may be called twice. */
void clock_step_start(struct engine *eng);
void clock_step_stop(struct engine *eng);

/* Compares the clocks with the last look; the work of engine.wall's watch and timer. */
void clock_step_check(void *engine);

#endif
