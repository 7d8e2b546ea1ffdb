/* SPDX-License-Identifier: MIT
 *
 * schedule.h: when a view is next due. Pure functions of (schedule, last runs, now); wall-clock microseconds.
 */
#ifndef VIEWD_SCHED_SCHEDULE_H
#define VIEWD_SCHED_SCHEDULE_H

#include "base/check.h"

#include <stdbool.h>
#include <stdint.h>

struct schedule {
	int64_t every;  /* from start to start; 0: not set */
	int64_t after;  /* from the end of the last run; 0: not set */
	int64_t jitter; /* randomize_for: up to this much is added */
	bool skip_missed; /* a time that passed while nobody watched is dropped, else made up once */
};

/* The next time after the run that was due at last_due and ended at last_end (0: never ran), without jitter. The earliest of every and
 * after; 0 when neither is set: only by hand. A result in the past means: due now.
 *
 * every counts from last_due, so runs do not drift; whole periods that have passed already are skipped (one run makes up for
 * all of them, or none with skip_missed). A last run in the future (the clock was set back) counts as now. */
int64_t schedule_next(const struct schedule *sch, int64_t last_due, int64_t last_end, int64_t now);

/* How much later than that this run starts: 0 .. jitter, different between views and runs, reproducible from seed. Kept apart so that
 * it does not add up over runs. */
int64_t schedule_jitter(const struct schedule *sch, uint64_t seed);

#endif
