/* SPDX-License-Identifier: MIT
 *
 * due.h: the heap of due times and the one timer over it.
 */
#ifndef VIEWD_CORE_DUE_H
#define VIEWD_CORE_DUE_H

#include "core/state.h"

/* Makes the instance due delay_us from now (on the monotonic clock); replaces an earlier time. */
void due_set(struct view *view, int64_t delay_us);

/* Nothing is due for it any more. */
void due_clear(struct view *view);

/* Computes the next scheduled time from the schedule and the last run, and arms it. Clears it for instances that are paused, suspended,
 * disabled or by hand only. */
void due_schedule(struct view *view);

/* Arms a retry, unless the schedule comes sooner. */
void due_retry(struct view *view, int64_t delay_us);

/* The timer's work: starts a wave over everything that is due. */
void due_fire(void *engine);

#endif
