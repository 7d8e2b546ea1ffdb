/* SPDX-License-Identifier: MIT
 *
 * metrics.h: every metric, one row each: name, type, unit, help, and where its value is. The text for collectors and
 * docs/monitoring.md come from the rows. [loop]
 */
#ifndef VIEWD_CTL_METRICS_METRICS_H
#define VIEWD_CTL_METRICS_METRICS_H

#include "core/engine.h"
#include "core/report/measure.h"

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

/* SECONDS: values are microseconds. The name ends with the unit. */
enum metric_unit { METRIC_PLAIN, METRIC_SECONDS, METRIC_BYTES };

/* The owner of the value, and so the record that functions get: struct daemon_sample, database_measure, view_sample. */
enum metric_scope { METRIC_OF_DAEMON, METRIC_OF_DATABASE, METRIC_OF_VIEW };

struct daemon_sample {
	const char *version;
	struct engine_counts counts;
	int64_t cpu_us, resident_bytes;
};

/* A view at the moment of the scrape. Without texts, so that a scrape of thousands lasts while instances go. */
struct view_sample {
	enum view_state state;
	enum view_freshness freshness;
	enum view_activity activity;
	bool gone, on_change;
	int64_t lag_us, age_us, duration_us, rows, errors, max_staleness_us; /* -1 unknown */
	struct view_counts counts;
};

struct metrics_out;

struct metric {
	const char *name; /* without _total */
	enum metric_type type;
	enum metric_unit unit;
	enum metric_scope scope;
	const char *help;
	int64_t (*value)(const void *record); /* negative: no sample */
	const char *label;                    /* one label more; NULL: none */
	const char *(*word)(const void *record);
	/* Instead of value, for metrics of several samples a database. */
	void (*samples)(struct metrics_out *out, const struct metric *metric, const struct database_measure *m);
};

/* All rows, *n_r of them: those of the daemon, of databases, of views, in this order. */
const struct metric *metrics(size_t *n_r);

/* Fills *out_r with how things are now. Cannot fail. */
void view_sample_take(struct engine *eng, const struct view *view, struct view_sample *out_r);
void daemon_sample_take(struct engine *eng, const char *version, struct daemon_sample *out_r);

#endif
