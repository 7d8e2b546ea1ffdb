/* SPDX-License-Identifier: MIT
 *
 * test_metrics.c: what a collector reads.
 */
#include "ctl_support.h"

#include "ctl/metrics/metrics.h"
#include "support/harness.h"

#include <string.h>
#include <talloc.h>

#define OPENMETRICS "GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: application/openmetrics-text;version=1.0.0,*/*\r\n\r\n"

static void rows_are_sound(void)
{
	static const char *const units[] = {[METRIC_PLAIN] = "", [METRIC_SECONDS] = "_seconds", [METRIC_BYTES] = "_bytes"};
	size_t n;
	const struct metric *rows = metrics(&n);
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(rows[i].name), unit = strlen(units[rows[i].unit]);
		CHECK(len > unit && strcmp(rows[i].name + len - unit, units[rows[i].unit]) == 0);
		CHECK(strstr(rows[i].name, "_total") == NULL);
		CHECK(rows[i].help[strlen(rows[i].help) - 1] == '.');
		CHECK((rows[i].value == NULL) == (rows[i].samples != NULL));
		CHECK((rows[i].label == NULL) == (rows[i].word == NULL));
		CHECK(rows[i].samples == NULL || rows[i].scope == METRIC_OF_DATABASE);
		CHECK(i == 0 || rows[i - 1].scope <= rows[i].scope);
		for (size_t k = 0; k < i; k++)
			CHECK(strcmp(rows[i].name, rows[k].name) != 0);
	}
}

static void openmetrics_text(void)
{
	static const char *const parts[] = {
		"# HELP viewd_build_info The version that runs; always 1.\n# TYPE viewd_build_info gauge\n"
		"viewd_build_info{version=\"1.2.3\"} 1\n",
		"# UNIT viewd_start_time_seconds seconds\nviewd_start_time_seconds 1700000000.000000\n",
		"# TYPE viewd_database_runs counter\n"
		"viewd_database_runs_total{database=\"shop\",result=\"SUCCEEDED\",action=\"FULL\"} 3\n"
		"viewd_database_runs_total{database=\"shop\",result=\"FAILED\",action=\"NONE\"} 1\n",
		"viewd_database_run_duration_seconds_bucket{database=\"shop\",action=\"FULL\",le=\"0.005\"} 1\n"
		"viewd_database_run_duration_seconds_bucket{database=\"shop\",action=\"FULL\",le=\"0.025\"} 1\n"
		"viewd_database_run_duration_seconds_bucket{database=\"shop\",action=\"FULL\",le=\"0.1\"} 3\n",
		"le=\"+Inf\"} 3\nviewd_database_run_duration_seconds_sum{database=\"shop\",action=\"FULL\"} 0.250000\n"
		"viewd_database_run_duration_seconds_count{database=\"shop\",action=\"FULL\"} 3\n",
		"# TYPE viewd_view_state gauge\nviewd_view_state{database=\"shop\",view=\"alpha\",state=\"ACTIVE\"} 1\n"
		"viewd_view_state{database=\"shop\",view=\"beta\",state=\"FAILED\"} 1\n# HELP ",
		"viewd_view_freshness{database=\"shop\",view=\"beta\",freshness=\"STALE\"} 1\n",
		"viewd_view_lag_seconds{database=\"shop\",view=\"beta\"} 1.500000\n",
		/* never refreshed: no age */
		"viewd_view_age_seconds{database=\"shop\",view=\"alpha\"} 2.500000\n# HELP ",
		"viewd_view_runs_total{database=\"shop\",view=\"alpha\"} 4\n",
	};
	struct rig rig;
	rig_start(&rig, NULL);
	char *reply = rig_ask(&rig, OPENMETRICS), *text = rig_body(reply);
	CHECK_CONTAINS(reply, "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		CHECK_CONTAINS(text, parts[i]);
	CHECK(strlen(text) > 6 && strcmp(text + strlen(text) - 7, "\n# EOF\n") == 0);
	rig_stop(&rig);
}

static void older_text(void)
{
	struct rig rig;
	rig_start(&rig, NULL);
	char *reply = rig_ask(&rig, GET("/metrics"));
	CHECK_CONTAINS(reply, "Content-Type: text/plain; version=0.0.4");
	CHECK_CONTAINS(reply, "# TYPE viewd_database_runs_total counter\n");
	CHECK(strstr(reply, "# UNIT") == NULL);
	rig_stop(&rig);
}

static size_t count(const char *text, const char *part)
{
	size_t n = 0;
	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

/* A view that a reload takes away between two pieces is left out, and each head is written once. */
static void many_views_go_out_in_pieces(void)
{
	struct rig rig;
	rig_start(&rig, NULL);
	rig.engine.n_extra = 1000;
	char *text = rig_body(rig_ask(&rig, OPENMETRICS));
	CHECK_INT(count(text, "\nviewd_view_runs_total{"), 1002);
	CHECK_INT(count(text, "# TYPE viewd_view_state gauge\n"), 1);
	CHECK_INT(count(text, "# TYPE viewd_view_lag_seconds gauge\n"), 1);
	CHECK_INT(count(text, "# EOF\n"), 1);
	rig.engine.gone = "beta";
	text = rig_body(rig_ask(&rig, OPENMETRICS));
	CHECK_INT(count(text, "view=\"beta\""), 0);
	CHECK_INT(count(text, "\nviewd_view_runs_total{"), 1001);
	rig_stop(&rig);
}

static const struct harness_test tests[] = {
	{"rows are sound", rows_are_sound},
	{"OpenMetrics", openmetrics_text},
	{"the older text", older_text},
	{"many views go out in pieces", many_views_go_out_in_pieces},
};
HARNESS_MAIN(SUITE("metrics", tests))
