/* SPDX-License-Identifier: MIT
 *
 * write.h: metrics as text: OpenMetrics 1.0, or the older text format of Prometheus. [any, one at a time]
 *
 * Names of views and databases need no escapes: a-z 0-9 _ . - only.
 */
#ifndef VIEWD_CTL_METRICS_WRITE_H
#define VIEWD_CTL_METRICS_WRITE_H

#include "ctl/metrics/metrics.h"
#include "ctl/text/text_out.h"

struct metrics_out {
	struct text_out *text;
	bool openmetrics; /* else the older format: counters carry _total in their headers too, units have no line */
};

/* The lines in front of the samples of a metric. */
void metrics_put_head(struct metrics_out *out, const struct metric *metric);

/* One sample. labels: `database="x"` and so on, may be empty. value is as the row's unit has it, and not negative. */
void metrics_put(struct metrics_out *out, const struct metric *metric, const char *labels, int64_t value);

/* The sample of a record, or nothing. labels say which record. */
void metrics_put_record(struct metrics_out *out, const struct metric *metric, const char *labels, const void *record);

/* The samples of a histogram, cumulated as collectors want them: of the buckets of counts, their sum and number. */
void metrics_put_histogram(struct metrics_out *out, const struct metric *metric, const char *labels,
                           const struct duration_counts *counts);

/* The line that ends a scrape. */
void metrics_put_end(struct metrics_out *out);

#endif
