/* SPDX-License-Identifier: MIT
 *
 * coalesce.h: many changes, few refreshes. When does a dirty view start? Pure; times in microseconds of one clock.
 * [any]
 */
#ifndef VIEWD_SCHED_COALESCE_H
#define VIEWD_SCHED_COALESCE_H

#include <stdint.h>

struct coalesce {
	int64_t debounce;      /* wait until it has been quiet this long; 0: start at once */
	int64_t max_delay;     /* but start at the latest this long after the first change; 0: no limit */
	int64_t at_most_every; /* two starts are at least this far apart; 0: no limit */
};

/* When to start, given the first and the latest change since the last start began, and that start (0: never). May lie
 * in the past: start now. first_change 0: nothing changed, returns 0. */
int64_t coalesce_start(const struct coalesce *c, int64_t first_change, int64_t last_change, int64_t last_start);

#endif
