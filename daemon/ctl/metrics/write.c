/* SPDX-License-Identifier: MIT
 *
 * write.c: a scrape of thousands of views is a hundred thousand lines: each is put together in place and added once.
 */
#include "ctl/metrics/write.h"

#include <stdio.h>
#include <string.h>

#define SECOND_US 1000000
/* Names of sections have at most 64 characters, so nothing comes near this. */
#define LINE_MAX_LEN 1024
#define LABELS_MAX_LEN 700

struct line {
	char text[LINE_MAX_LEN];
	size_t len;
};

static void add(struct line *line, const char *text)
{
	size_t len = strlen(text);
	assert(line->len + len < sizeof line->text);
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

/* At least so many digits; value is not negative. */
static void add_number(struct line *line, int64_t value, int digits)
{
	char buf[24];
	size_t at = sizeof buf - 1;
	buf[at] = '\0';
	for (; value > 0 || digits > 0; value /= 10, digits--)
		buf[--at] = (char)('0' + value % 10);
	add(line, buf + at);
}

static void add_value(struct line *line, int64_t value, bool seconds)
{
	add_number(line, seconds ? value / SECOND_US : value, 1);
	if (!seconds)
		return;
	add(line, ".");
	add_number(line, value % SECOND_US, 6);
}

static const char *suffix_of(const struct metric *metric)
{
	return metric->type == METRIC_COUNTER ? "_total" : "";
}

static void end_line(struct metrics_out *out, struct line *line)
{
	add(line, "\n");
	line->text[line->len] = '\0';
	text_out_raw(out->text, line->text);
}

static void put_head(struct metrics_out *out, const char *word, const struct metric *metric, const char *text)
{
	struct line line = {.len = 0};
	add(&line, word);
	add(&line, metric->name);
	add(&line, out->openmetrics ? "" : suffix_of(metric));
	add(&line, " ");
	add(&line, text);
	end_line(out, &line);
}

void metrics_put_head(struct metrics_out *out, const struct metric *metric)
{
	static const char *const types[] = {
		[METRIC_GAUGE] = "gauge", [METRIC_COUNTER] = "counter", [METRIC_HISTOGRAM] = "histogram"};
	put_head(out, "# HELP ", metric, metric->help);
	put_head(out, "# TYPE ", metric, types[metric->type]);
	if (out->openmetrics && metric->unit != METRIC_PLAIN)
		put_head(out, "# UNIT ", metric, metric->unit == METRIC_SECONDS ? "seconds" : "bytes");
}

/* more: one label more, and its value; NULL: none. */
static void put_sample(struct metrics_out *out, const struct metric *metric, const char *suffix, const char *labels,
                       const char *more, const char *word, int64_t value, bool seconds)
{
	struct line line;
	line.len = 0;
	assert(strlen(labels) < LABELS_MAX_LEN);
	add(&line, metric->name);
	add(&line, suffix);
	add(&line, labels[0] != '\0' || more != NULL ? "{" : "");
	add(&line, labels);
	if (more != NULL) {
		add(&line, labels[0] != '\0' ? "," : "");
		add(&line, more);
		add(&line, "=\"");
		add(&line, word);
		add(&line, "\"");
	}
	add(&line, labels[0] != '\0' || more != NULL ? "} " : " ");
	add_value(&line, value, seconds);
	end_line(out, &line);
}

void metrics_put(struct metrics_out *out, const struct metric *metric, const char *labels, int64_t value)
{
	put_sample(out, metric, suffix_of(metric), labels, NULL, NULL, value, metric->unit == METRIC_SECONDS);
}

void metrics_put_record(struct metrics_out *out, const struct metric *metric, const char *labels, const void *record)
{
	int64_t value = metric->value(record);
	if (value >= 0)
		put_sample(out, metric, suffix_of(metric), labels, metric->label,
		           metric->label != NULL ? metric->word(record) : NULL, value, metric->unit == METRIC_SECONDS);
}

void metrics_put_histogram(struct metrics_out *out, const struct metric *metric, const char *labels,
                           const struct duration_counts *counts)
{
	static const int64_t bounds[] = COUNTS_BOUNDS;
	char bound[32] = "+Inf";
	int64_t sum = 0;
	for (size_t i = 0; i < COUNTS_BUCKETS; i++) {
		sum += counts->n[i];
		snprintf(bound, sizeof bound, "%g", i < ARRAY_LEN(bounds) ? (double)bounds[i] / SECOND_US : 0);
		put_sample(out, metric, "_bucket", labels, "le", i < ARRAY_LEN(bounds) ? bound : "+Inf", sum, false);
	}
	put_sample(out, metric, "_sum", labels, NULL, NULL, counts->sum_us, true);
	put_sample(out, metric, "_count", labels, NULL, NULL, sum, false);
}

void metrics_put_end(struct metrics_out *out)
{
	text_out_raw(out->text, "# EOF\n");
}
