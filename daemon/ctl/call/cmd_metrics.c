/* SPDX-License-Identifier: MIT
 *
 * cmd_metrics.c: metrics, in pieces, so that thousands of views hold nothing up: samples are taken of each view once,
 * while the first metric of views is written, and the others are written from these.
 */
#include "ctl/call/handlers.h"

#include "base/mem.h"
#include "ctl/metrics/write.h"

#include <string.h>

/* Bytes after which the loop does other work. */
#define PIECE ((size_t)64 << 10)

struct scrape {
	struct engine *engine;
	const char *version;
	bool openmetrics;
	struct scraped {
		char *name, *database, *labels;
		struct view_sample sample;
	} * views;
	size_t n, n_taken;
	size_t metric, next; /* what is written next: of which metric, and of which view */
	bool headed;         /* the head of that metric is written */
};

static void take_next(struct scrape *s)
{
	struct scraped *one = &s->views[s->n_taken++];
	const struct view *view = engine_view(s->engine, one->name, one->database);
	if (view != NULL)
		view_sample_take(s->engine, view, &one->sample);
	one->sample.gone = view == NULL;
}

/* True: the metric is complete. */
static bool put_views(struct scrape *s, struct metrics_out *out, const struct metric *metric)
{
	while (s->next < s->n && out->text->len < PIECE) {
		if (s->next == s->n_taken)
			take_next(s);
		const struct scraped *one = &s->views[s->next++];
		if (!one->sample.gone)
			metrics_put_record(out, metric, one->labels, &one->sample);
	}
	return s->next == s->n;
}

struct put_database {
	struct metrics_out *out;
	const struct metric *metric;
};

static void put_database(void *ctx, const struct database_measure *m)
{
	struct put_database *p = ctx;
	char labels[256];
	snprintf(labels, sizeof labels, "database=\"%s\"", m->name);
	if (p->metric->samples != NULL)
		p->metric->samples(p->out, p->metric, m);
	else
		metrics_put_record(p->out, p->metric, labels, m);
}

static bool put_metric(struct scrape *s, struct metrics_out *out, const struct metric *metric)
{
	struct daemon_sample sample;
	struct put_database p = {.out = out, .metric = metric};
	if (!s->headed)
		metrics_put_head(out, metric);
	s->headed = true;
	switch (metric->scope) {
	case METRIC_OF_DAEMON:
		daemon_sample_take(s->engine, s->version, &sample);
		metrics_put_record(out, metric, "", &sample);
		break;
	case METRIC_OF_DATABASE:
		engine_each_database(s->engine, put_database, &p);
		break;
	case METRIC_OF_VIEW:
		return put_views(s, out, metric);
	}
	return true;
}

static enum call_more fill(void *ctx, struct text_out *text)
{
	struct scrape *s = ctx;
	size_t n;
	const struct metric *rows = metrics(&n);
	struct metrics_out out = {.text = text, .openmetrics = s->openmetrics};
	while (s->metric < n && text->len < PIECE)
		if (put_metric(s, &out, &rows[s->metric])) {
			s->metric++;
			s->next = 0;
			s->headed = false;
		}
	if (s->metric < n)
		return CALL_MORE;
	metrics_put_end(&out);
	return CALL_END;
}

static bool add_view(void *ctx, struct view *view)
{
	struct scrape *s = ctx;
	if ((s->n & (s->n - 1)) == 0)
		s->views = mem_grow(s, s->views, struct scraped, s->n == 0 ? 1 : s->n * 2);
	struct scraped *one = &s->views[s->n++];
	*one = (struct scraped){.name = mem_strdup(s, view_name(view)), .database = mem_strdup(s, view_database(view))};
	one->labels = mem_printf(s, "database=\"%s\",view=\"%s\"", one->database, one->name);
	return true;
}

void cmd_metrics(struct call *call)
{
	struct scrape *s = mem_new(call, struct scrape);
	s->engine = call_ctl(call)->engine;
	s->version = call_ctl(call)->version;
	s->openmetrics = strstr(call_accept(call), "application/openmetrics-text") != NULL;
	engine_each_view(s->engine, add_view, s);
	const struct call_stream stream = {
		.content_type = s->openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
	                                   : "text/plain; version=0.0.4; charset=utf-8",
		.fill = fill,
		.ctx = s,
	};
	call_stream(call, &stream);
}
