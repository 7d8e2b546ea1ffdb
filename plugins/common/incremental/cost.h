/* SPDX-License-Identifier: MIT
 *
 * cost.h: what refreshing some keys, and computing all rows, has taken so far, and which of the two to do now
 * (docs/adr/011-choosing-a-refresh.md).
 */
#ifndef VIEWD_COMMON_INCREMENTAL_COST_H
#define VIEWD_COMMON_INCREMENTAL_COST_H

#include "base/check.h"

#include <stdbool.h>
#include <stdint.h>

struct cost {
	double whole_us; /* of computing all rows, recent runs count more; 0: never measured */
	/* Of keys: sums over the recent runs, from which a line is fitted. */
	double runs, keys, time_us, keys_squared, keys_time;
	bool whole_last;
	unsigned since_keys; /* runs since keys were last computed although all rows were cheaper */
};

/* Takes in a run. */
void cost_learn_whole(struct cost *cost, int64_t us);
void cost_learn_keys(struct cost *cost, int64_t keys, int64_t us);

/* Microseconds that so many keys are expected to take; negative: nothing is known. */
double cost_of_keys(const struct cost *cost, int64_t keys);

/* Are all rows expected to be cheaper than these keys? What is dearer is tried now and then, since a measurement may be
 * out of date. Remembers what it has answered. */
bool cost_choose_whole(struct cost *cost, int64_t keys);

#endif
