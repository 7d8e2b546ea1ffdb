/* SPDX-License-Identifier: MIT
 *
 * due.h: the heap of due times and the one timer over it. An instance may be due for several reasons; the earliest
 * counts. [loop]
 */
#ifndef VIEWD_CORE_PLAN_DUE_H
#define VIEWD_CORE_PLAN_DUE_H

#include "core/model/model.h"

/* Makes the instance due for a reason, delay_us from now (at least 1); replaces an earlier time for that reason. */
void due_set(struct view *view, enum due_reason reason, int64_t delay_us);

/* Makes it not due for that reason any more. */
void due_unset(struct view *view, enum due_reason reason);

/* Makes it not due at all. */
void due_clear(struct view *view);

/* Computes the next scheduled time from the schedule and the last run. Clears it for instances that are paused,
 * suspended, disabled or by hand only. */
void due_schedule(struct view *view);

/* The earliest of its due times, by which the heap is ordered; 0: by hand only. */
static inline int64_t due_mono(const struct view *view)
{
	return view->timing.due_at[view->timing.due_reason];
}

/* The time when it is due, on the wall clock as it stands now; 0: by hand only. */
int64_t due_wall(const struct view *view);

/* May anything but a request by hand start it? */
bool due_allowed(const struct view *view);

/* Has max_staleness passed since all its rows were last computed? The next refresh computes them all then. */
bool due_all_rows(const struct view *view);

/* Sets the timer to the first of the heap. */
void due_arm(struct engine *eng);

#endif
