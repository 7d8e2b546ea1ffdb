/* SPDX-License-Identifier: MIT
 *
 * clocks.h: notices that the wall clock was set or that the machine has slept, and computes the schedules anew.
 */
#ifndef VIEWD_CORE_CLOCKS_H
#define VIEWD_CORE_CLOCKS_H

#include "core/state.h"

/* Begins and ends watching. clocks_stop may be called twice. */
void clocks_start(struct engine *eng);
void clocks_stop(struct engine *eng);

/* Compares the clocks with the last look. The watch's and the timer's work. */
void clocks_check(void *engine);

#endif
