/* SPDX-License-Identifier: MIT
 *
 * counts.h: the counters of views and databases; report/tally.c does the counting. [loop]
 */
#ifndef VIEWD_CORE_MODEL_COUNTS_H
#define VIEWD_CORE_MODEL_COUNTS_H

#include "core/model/view_words.h"
#include "viewd_dialect.h"

#include <stdint.h>

/* Runs are those that ended SUCCEEDED or FAILED. */
struct view_counts {
	int64_t runs, failures, rows_written, changes;
};

/* Upper bounds of the buckets, in microseconds; one more bucket takes the rest. */
#define COUNTS_BOUNDS \
	{ \
		5000, 25000, 100000, 500000, 2500000, 10000000, 60000000, 300000000, 1800000000 \
	}
#define COUNTS_BUCKETS 10

/* How long runs have taken. */
struct duration_counts {
	int64_t n[COUNTS_BUCKETS]; /* each run in one of them */
	int64_t sum_us;
};

#define COUNTS_ACTIONS (VIEWD_DID_COUNT + 1) /* the last one: none */

struct database_counts {
	int64_t runs[VIEW_RESULT_COUNT][COUNTS_ACTIONS];
	struct duration_counts durations[COUNTS_ACTIONS];
	int64_t rows_written, changes;
};

#endif
