/* SPDX-License-Identifier: MIT */
#include "common/incremental/cost.h"

#define FADE 0.95      /* a run counts half after 14 further ones */
#define SWITCH_BACK 0.7 /* what has been dearer must have become cheaper by this much */
#define TRY_EVERY 20
#define TRY_UP_TO 3.0 /* times as dear: not tried beyond */
#define UNKNOWN_MAX 5000 /* keys, while nothing is known of their cost */

void cost_learn_whole(struct cost *cost, int64_t us)
{
	double now = us > 0 ? (double)us : 1.0;
	cost->whole_us = cost->whole_us > 0 ? 0.7 * cost->whole_us + 0.3 * now : now;
}

void cost_learn_keys(struct cost *cost, int64_t keys, int64_t us)
{
	double x = (double)keys, y = us > 0 ? (double)us : 1.0;
	cost->runs = cost->runs * FADE + 1;
	cost->keys = cost->keys * FADE + x;
	cost->time_us = cost->time_us * FADE + y;
	cost->keys_squared = cost->keys_squared * FADE + x * x;
	cost->keys_time = cost->keys_time * FADE + x * y;
}

/* A line through runs of nearly equal size says nothing about its slope: then cost grows in proportion, which is too
 * much rather than too little. */
double cost_of_keys(const struct cost *cost, int64_t keys)
{
	if (cost->runs < 1)
		return -1;
	double mean_x = cost->keys / cost->runs, mean_y = cost->time_us / cost->runs, x = (double)keys;
	double spread = cost->keys_squared / cost->runs - mean_x * mean_x;
	double slope = spread > 0.01 * mean_x * mean_x + 0.5
	                   ? (cost->keys_time / cost->runs - mean_x * mean_y) / spread
	                   : 0;
	if (spread <= 0.01 * mean_x * mean_x + 0.5)
		return x > 2 * mean_x && mean_x > 0 ? mean_y * x / mean_x : mean_y;
	double guess = mean_y + (slope > 0 ? slope : 0) * (x - mean_x);
	return guess > 0.1 * mean_y ? guess : 0.1 * mean_y;
}

static bool whole_is_cheaper(const struct cost *cost, double expected, int64_t keys)
{
	if (expected < 0)
		return keys > UNKNOWN_MAX;
	return cost->whole_us > 0 && expected > cost->whole_us * (cost->whole_last ? SWITCH_BACK : 1.0);
}

bool cost_choose_whole(struct cost *cost, int64_t keys)
{
	double expected = cost_of_keys(cost, keys);
	bool whole = whole_is_cheaper(cost, expected, keys);
	bool near = expected >= 0 && expected < TRY_UP_TO * cost->whole_us;
	cost->since_keys = whole ? cost->since_keys + 1 : 0;
	if (whole && near && cost->since_keys >= TRY_EVERY) {
		cost->since_keys = 0;
		whole = false;
	}
	cost->whole_last = whole;
	return whole;
}
