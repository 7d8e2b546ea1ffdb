/* SPDX-License-Identifier: MIT */
#include "ctl/metrics/metrics.h"

#include "base/words.h"
#include "ctl/metrics/write.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- taking ------------------------------------------------------------------------------------------------------ */

void view_sample_take(struct engine *eng, const struct view *view, struct view_sample *out_r)
{
	struct view_status st = {0};
	engine_status(eng, view, &st);
	*out_r = (struct view_sample){
		.state = st.state,
		.freshness = st.freshness,
		.activity = st.activity,
		.lag_us = st.lag_us,
		.age_us = st.age_us,
		.duration_us = st.last_success_us > 0 ? st.duration_us : -1,
		.rows = st.rows,
		.errors = st.consecutive_errors,
		.max_staleness_us = st.conf->max_staleness > 0 ? st.conf->max_staleness : -1,
		.on_change = st.conf->on_change,
		.counts = *view_counts(view),
	};
}

/* The second number of /proc/self/statm, in bytes; -1 where there is none. */
static int64_t resident_bytes(void)
{
	char buf[128] = "";
	char *end = buf;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	ssize_t n = read(fd, buf, sizeof buf - 1);
	close(fd);
	if (n <= 0)
		return -1;
	(void)strtoll(buf, &end, 10);
	return strtoll(end, NULL, 10) * sysconf(_SC_PAGESIZE);
}

static int64_t microseconds(const struct timeval *tv)
{
	return (int64_t)tv->tv_sec * 1000000 + tv->tv_usec;
}

void daemon_sample_take(struct engine *eng, const char *version, struct daemon_sample *out_r)
{
	struct rusage used = {.ru_maxrss = 0};
	*out_r = (struct daemon_sample){.version = version, .resident_bytes = resident_bytes()};
	engine_counts(eng, &out_r->counts);
	if (getrusage(RUSAGE_SELF, &used) == 0)
		out_r->cpu_us = microseconds(&used.ru_utime) + microseconds(&used.ru_stime);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

#define VALUE_OF(type, name, expression) \
	static int64_t name(const void *record) \
	{ \
		const struct type *r = record; \
		return (int64_t)(expression); \
	}
VALUE_OF(daemon_sample, get_build, r->version != NULL)
VALUE_OF(daemon_sample, get_started, r->counts.started_us)
VALUE_OF(daemon_sample, get_generation, r->counts.generation)
VALUE_OF(daemon_sample, get_n_views, r->counts.views)
VALUE_OF(daemon_sample, get_n_databases, r->counts.databases)
VALUE_OF(daemon_sample, get_sessions, r->counts.sessions)
VALUE_OF(daemon_sample, get_stuck, r->counts.stuck_workers)
VALUE_OF(daemon_sample, get_cpu, r->cpu_us)
VALUE_OF(daemon_sample, get_resident, r->resident_bytes)
VALUE_OF(database_measure, get_up, r->up)
VALUE_OF(database_measure, get_leader, r->leader)
VALUE_OF(database_measure, get_behind, r->behind)
VALUE_OF(database_measure, get_waiting, r->waiting)
VALUE_OF(database_measure, get_running, r->running)
VALUE_OF(database_measure, get_db_rows, r->counts->rows_written)
VALUE_OF(database_measure, get_db_changes, r->counts->changes)
VALUE_OF(view_sample, get_one, r->state < VIEW_STATE_COUNT)
VALUE_OF(view_sample, get_lag, r->lag_us)
VALUE_OF(view_sample, get_age, r->age_us)
VALUE_OF(view_sample, get_limit, r->max_staleness_us)
VALUE_OF(view_sample, get_on_change, r->on_change)
VALUE_OF(view_sample, get_duration, r->duration_us)
VALUE_OF(view_sample, get_rows, r->rows)
VALUE_OF(view_sample, get_errors, r->errors)
VALUE_OF(view_sample, get_refreshing, r->activity == VIEW_ACTIVITY_REFRESHING)
VALUE_OF(view_sample, get_runs, r->counts.runs)
VALUE_OF(view_sample, get_failures, r->counts.failures)
VALUE_OF(view_sample, get_rows_written, r->counts.rows_written)
VALUE_OF(view_sample, get_changes, r->counts.changes)

static const char *version_of(const void *record)
{
	return ((const struct daemon_sample *)record)->version;
}

static const char *state_of(const void *record)
{
	return view_state_word(((const struct view_sample *)record)->state);
}

static const char *freshness_of_sample(const void *record)
{
	return view_freshness_word(((const struct view_sample *)record)->freshness);
}

/* ---- several samples a database ---------------------------------------------------------------------------------- */

static const char *action_word(size_t action)
{
	return action < VIEWD_DID_COUNT ? word_did((enum viewd_did)action) : "NONE";
}

/* Only what has happened: the other combinations are not worth a series each. */
static void put_runs(struct metrics_out *out, const struct metric *metric, const struct database_measure *m)
{
	char labels[256];
	for (size_t result = 0; result < VIEW_RESULT_COUNT; result++)
		for (size_t action = 0; action < COUNTS_ACTIONS; action++) {
			int64_t n = m->counts->runs[result][action];
			if (n == 0)
				continue;
			snprintf(labels, sizeof labels, "database=\"%s\",result=\"%s\",action=\"%s\"", m->name,
			         view_result_word((enum view_result)result), action_word(action));
			metrics_put(out, metric, labels, n);
		}
}

static void put_durations(struct metrics_out *out, const struct metric *metric, const struct database_measure *m)
{
	char labels[256];
	for (size_t action = 0; action < COUNTS_ACTIONS; action++) {
		const struct duration_counts *counts = &m->counts->durations[action];
		int64_t n = 0;
		for (size_t i = 0; i < COUNTS_BUCKETS; i++)
			n += counts->n[i];
		if (n == 0)
			continue;
		snprintf(labels, sizeof labels, "database=\"%s\",action=\"%s\"", m->name, action_word(action));
		metrics_put_histogram(out, metric, labels, counts);
	}
}

/* ---- the table --------------------------------------------------------------------------------------------------- */

#define DAEMON(mname, mtype, munit, mvalue, mhelp) \
	{ \
		.name = mname, .type = METRIC_##mtype, .unit = METRIC_##munit, .scope = METRIC_OF_DAEMON, .value = mvalue, \
		.help = mhelp \
	}
#define DATABASE(mname, mtype, munit, mvalue, mhelp) \
	{ \
		.name = mname, .type = METRIC_##mtype, .unit = METRIC_##munit, .scope = METRIC_OF_DATABASE, .value = mvalue, \
		.help = mhelp \
	}
#define VIEW(mname, mtype, munit, mvalue, mhelp) \
	{ \
		.name = mname, .type = METRIC_##mtype, .unit = METRIC_##munit, .scope = METRIC_OF_VIEW, .value = mvalue, \
		.help = mhelp \
	}

/* clang-format off */
static const struct metric rows[] = {
	{.name = "viewd_build_info", .help = "The version that runs; always 1.", .value = get_build, .label = "version",
	 .word = version_of},
	DAEMON("viewd_start_time_seconds", GAUGE, SECONDS, get_started, "When viewd was started, in Unix time."),
	DAEMON("viewd_configuration_generation", GAUGE, PLAIN, get_generation,
	       "Grows with each configuration put in force."),
	DAEMON("viewd_views", GAUGE, PLAIN, get_n_views,
	       "Views in the configuration; one on several databases counts several times."),
	DAEMON("viewd_databases", GAUGE, PLAIN, get_n_databases, "Databases in the configuration."),
	DAEMON("viewd_sessions", GAUGE, PLAIN, get_sessions, "Open connections to databases, those that watch included."),
	DAEMON("viewd_stuck_workers", GAUGE, PLAIN, get_stuck, "Threads that a database does not give back."),
	DAEMON("process_cpu_seconds", COUNTER, SECONDS, get_cpu, "Processor time that viewd has used."),
	DAEMON("process_resident_memory_bytes", GAUGE, BYTES, get_resident, "Memory that viewd takes."),
	DATABASE("viewd_database_up", GAUGE, PLAIN, get_up, "1 while the database can be asked."),
	DATABASE("viewd_database_leader", GAUGE, PLAIN, get_leader,
	       "1 while this viewd keeps the database; 0 while it is down or another one does."),
	DATABASE("viewd_database_behind", GAUGE, PLAIN, get_behind,
	       "1 while changes are logged that viewd has not come to the end of."),
	DATABASE("viewd_database_queue", GAUGE, PLAIN, get_waiting, "Views that wait for a refresh to begin or to end."),
	DATABASE("viewd_database_running", GAUGE, PLAIN, get_running, "Refreshes and other work on views that run."),
	{.name = "viewd_database_runs", .type = METRIC_COUNTER, .scope = METRIC_OF_DATABASE, .samples = put_runs,
	 .help = "Refreshes that have ended, by result and action; action NONE for those that did nothing."},
	{.name = "viewd_database_run_duration_seconds", .type = METRIC_HISTOGRAM, .unit = METRIC_SECONDS,
	 .scope = METRIC_OF_DATABASE, .samples = put_durations, .help = "How long refreshes took, by action."},
	DATABASE("viewd_database_rows_written", COUNTER, PLAIN, get_db_rows, "Rows that refreshes have written."),
	DATABASE("viewd_database_change_signals", COUNTER, PLAIN, get_db_changes,
	       "Times that a source of a view was seen to have changed."),
	{.name = "viewd_view_state", .scope = METRIC_OF_VIEW, .value = get_one, .label = "state", .word = state_of,
	 .help = "1 for the state that the view is in."},
	{.name = "viewd_view_freshness", .scope = METRIC_OF_VIEW, .value = get_one, .label = "freshness",
	 .word = freshness_of_sample, .help = "1 for what is known of the freshness: FRESH, STALE or UNKNOWN."},
	VIEW("viewd_view_lag_seconds", GAUGE, SECONDS, get_lag, "How far behind the data is; none while UNKNOWN."),
	VIEW("viewd_view_age_seconds", GAUGE, SECONDS, get_age, "Time since the last success; none when there was none."),
	VIEW("viewd_view_on_change", GAUGE, PLAIN, get_on_change,
	       "The key on_change: 1 where changes of sources start refreshes."),
	VIEW("viewd_view_max_staleness_seconds", GAUGE, SECONDS, get_limit, "The key max_staleness, where it is set."),
	VIEW("viewd_view_last_duration_seconds", GAUGE, SECONDS, get_duration, "How long the last refresh took."),
	VIEW("viewd_view_rows", GAUGE, PLAIN, get_rows, "Rows after the last refresh, where they were counted."),
	VIEW("viewd_view_consecutive_errors", GAUGE, PLAIN, get_errors, "Failures since the last success."),
	VIEW("viewd_view_refreshing", GAUGE, PLAIN, get_refreshing, "1 while a refresh runs."),
	VIEW("viewd_view_runs", COUNTER, PLAIN, get_runs, "Refreshes that succeeded or failed."),
	VIEW("viewd_view_failures", COUNTER, PLAIN, get_failures, "Refreshes that failed."),
	VIEW("viewd_view_rows_written", COUNTER, PLAIN, get_rows_written, "Rows that refreshes have written."),
	VIEW("viewd_view_change_signals", COUNTER, PLAIN, get_changes, "Times that a source was seen to have changed."),
};
/* clang-format on */

const struct metric *metrics(size_t *n_r)
{
	*n_r = ARRAY_LEN(rows);
	return rows;
}
