/* SPDX-License-Identifier: MIT
 *
 * measure.h: numbers of databases and views for metrics. [loop]
 */
#ifndef VIEWD_CORE_REPORT_MEASURE_H
#define VIEWD_CORE_REPORT_MEASURE_H

#include "core/engine.h"
#include "core/model/counts.h"

struct database_measure {
	const char *name;
	bool up;      /* it can be asked */
	bool leader;  /* this viewd keeps it */
	bool behind;  /* changes may have been committed that no look has reached the end of */
	size_t views; /* of it */
	size_t waiting, running;
	const struct database_counts *counts;
};

/* Calls fn for each database, in the order of the files. Everything in the measure is the engine's and valid until fn
 * returns. */
void engine_each_database(struct engine *eng, void (*fn)(void *ctx, const struct database_measure *m), void *ctx);

/* The counters of the instance; the engine's, valid until control returns to the loop. Never NULL. */
const struct view_counts *view_counts(const struct view *view);

#endif
