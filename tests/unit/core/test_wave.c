/* SPDX-License-Identifier: MIT
 *
 * test_wave.c: dependency order, limits, priority, coalescing, schedules, cycles.
 */
#include "core/engine/on_due.h"
#include "core/plan/due.h"
#include "unit/core/rig.h"

#include <stdio.h>
#include <talloc.h>

#define EVERY(name, from, more) \
	"[view " name "]\ndatabase = d\nmethod = table\nevery = 1h\n" more "definition = 'SELECT * FROM " from "'\n"

/* top -> left, right -> sink */
#define DIAMOND \
	EVERY("top", "t_x", "") EVERY("left", "top", "") EVERY("right", "top", "") EVERY("sink", "left, right", "")

static void diamond_runs_once(void)
{
	struct rig *rig = rig_start(DB DIAMOND);
	rig_advance(rig, SPAN_HOUR + SPAN_MINUTE);
	rig_settle(rig);
	const char *trace = fake_trace(harness_ctx(), "d", "refresh");
	CHECK(strcmp(trace, "top left right sink") == 0 || strcmp(trace, "top right left sink") == 0);
	CHECK_INT(rig_status(rig, "sink").trigger, VIEW_TRIGGER_SCHEDULED);
	rig_free(&rig);
}

static void independent_branches_side_by_side(void)
{
	struct rig *rig = rig_start("[database d]\nurl = fake://d\nmax_concurrent_refreshes = 4\n" DIAMOND);
	struct rig_report r;
	fake_do("d", "block refresh left");
	fake_do("d", "block refresh right");
	rig_refresh(rig, "top left right sink", &r);
	RUN_UNTIL(rig, fake_running("d") == 2);
	CHECK_STR(rig_words(rig, "left"), "ACTIVE REFRESHING SUCCEEDED");
	CHECK_STR(rig_words(rig, "sink"), "ACTIVE WAITING SUCCEEDED");
	CHECK_STR(rig_status(rig, "sink").waits_for, "views it reads");
	fake_do("d", "release refresh left");
	RUN_UNTIL(rig, rig_view(rig, "left")->job == NULL);
	CHECK_INT(fake_calls("d", "refresh", "sink"), 0);
	fake_do("d", "release refresh right");
	RUN_UNTIL(rig, r.done);
	CHECK_INT(fake_calls("d", "refresh", "sink"), 1);
	rig_free(&rig);
}

static const char *many(const char *databases, const char *database, size_t n)
{
	char *text = talloc_strdup(harness_ctx(), databases);
	for (size_t i = 0; i < n; i++)
		text = talloc_asprintf_append(
			text, "[view v%zu]\ndatabase = %s\nmethod = table\ndefinition = SELECT * FROM t_x\n", i, database);
	return text;
}

/* The most refreshes that ran at once among n that would all like to. */
static size_t most_of(const char *text, const char *names, size_t expected)
{
	struct rig *rig = rig_start(text);
	struct rig_report r;
	fake_do("d", "block refresh *");
	rig_refresh(rig, names, &r);
	RUN_UNTIL(rig, fake_running("d") + fake_running("e") == expected);
	fake_do("d", "release refresh *");
	RUN_UNTIL(rig, r.done);
	size_t most = fake_most_running("d");
	rig_free(&rig);
	return most;
}

static void limits(void)
{
	static const char *const all = "v0 v1 v2 v3 v4 v5 v6 v7";
	CHECK_INT(most_of(many("[database d]\nurl = fake://d\nmax_concurrent_refreshes = 3\n", "d", 8), all, 3), 3);
	CHECK_INT(most_of(many("[viewd]\nmax_concurrent_refreshes = 2\n[database d]\nurl = "
	                       "fake://d\nmax_concurrent_refreshes = 5\n",
	                       "d", 8),
	                  all, 2),
	          2);
	CHECK_INT(most_of(many("[database d]\nurl = fakeone://d\nmax_concurrent_refreshes = 5\n", "d", 8), all, 1), 1);
}

static void one_slow_database_does_not_hold_another(void)
{
	struct rig *rig = rig_start("[database d]\nurl = fake://d\n[database e]\nurl = fake://e\n"
	                            "[view a]\ndatabase = d, e\nmethod = table\ndefinition = SELECT * FROM t_x\n");
	struct rig_report slow, fast;
	fake_do("d", "block refresh a");
	rig_refresh(rig, "d:a", &slow);
	RUN_UNTIL(rig, fake_running("d") == 1);
	rig_refresh(rig, "e:a", &fast);
	RUN_UNTIL(rig, fast.done);
	CHECK(!slow.done);
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, slow.done);
	rig_free(&rig);
}

static void priority_goes_first(void)
{
	struct rig *rig = rig_start("[database d]\nurl = fake://d\nmax_concurrent_refreshes = 1\n" EVERY(
		"a", "t_x", "") EVERY("b", "t_x", "priority = 5\n") EVERY("c", "t_x", "priority = 9\n") EVERY("z", "t_x", ""));
	struct rig_report first, rest;
	fake_do("d", "block refresh z");
	rig_refresh(rig, "z", &first);
	RUN_UNTIL(rig, fake_running("d") == 1);
	rig_refresh(rig, "a b c", &rest);
	CHECK_STR(rig_status(rig, "a").waits_for, "a free slot (max_concurrent_refreshes)");
	fake_do("d", "release refresh z");
	RUN_UNTIL(rig, rest.done);
	CHECK_STR(fake_trace(harness_ctx(), "d", "refresh"), "z c b a");
	rig_free(&rig);
}

static void requests_during_a_run_are_one_more(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	struct rig_report first, more[5];
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &first);
	RUN_UNTIL(rig, fake_running("d") == 1);
	for (size_t i = 0; i < 5; i++)
		rig_refresh(rig, "a", &more[i]);
	fake_do("d", "change t_x"); /* while it runs */
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, first.done);
	for (size_t i = 0; i < 5; i++) {
		RUN_UNTIL(rig, more[i].done);
		CHECK_INT(more[i].items[0].result, VIEW_RESULT_SUCCEEDED);
	}
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), 2);
	CHECK_INT(fake_most_running("d"), 1);
	CHECK_INT(fake_rows("d", "a"), 2);
	rig_free(&rig);
}

static void overlap_skip_and_queue(void)
{
	struct rig *rig = rig_start(DB EVERY("s", "t_x", "overlap = skip\n") EVERY("q", "t_x", "overlap = queue\n"));
	fake_do("d", "block refresh *");
	rig_advance(rig, SPAN_HOUR);
	RUN_UNTIL(rig, fake_running("d") == 2);
	for (int i = 0; i < 5; i++) { /* slower than its interval: no growing queue */
		rig_advance(rig, SPAN_HOUR);
		due_set(rig_view(rig, "s"), DUE_SCHEDULE, 0);
		due_set(rig_view(rig, "q"), DUE_SCHEDULE, 0);
		on_due(rig->eng);
	}
	fake_do("d", "release refresh *");
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "s"), 1);
	CHECK_INT(fake_calls("d", "refresh", "q"), 2);
	rig_free(&rig);
}

static void failure_ends_what_is_behind(void)
{
	struct rig *rig = rig_start(DB DIAMOND EVERY("apart", "t_y", ""));
	fake_do("d", "fail refresh left query");
	expect_log("view 'left', refresh failed (query: scripted query)");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "top"), "ACTIVE IDLE SUCCEEDED");
	CHECK_STR(rig_words(rig, "left"), "FAILED IDLE FAILED");
	CHECK_STR(rig_words(rig, "right"), "ACTIVE IDLE SUCCEEDED");
	CHECK_STR(rig_words(rig, "sink"), "ACTIVE IDLE UPSTREAM_FAILED");
	CHECK_STR(rig_words(rig, "apart"), "ACTIVE IDLE SUCCEEDED");
	CHECK(rig_status(rig, "sink").freshness != VIEW_FRESHNESS_FRESH);
	CHECK_INT(fake_calls("d", "refresh", "sink"), 0);
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "sink"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

/* Nothing is known of rows that nobody has counted. */
static void what_did_not_run_wrote_an_unknown_number(void)
{
	struct rig *rig = rig_start(DB DIAMOND);
	struct rig_report r;
	fake_do("d", "fail refresh left query");
	expect_log("view 'left', refresh failed (query: scripted query)");
	rig_refresh(rig, "left sink", &r);
	RUN_UNTIL(rig, r.done);
	REQUIRE(r.n == 2);
	CHECK_INT(r.items[0].result, VIEW_RESULT_FAILED);
	CHECK_INT(r.items[0].rows_written, -1);
	CHECK_STR(r.items[1].label, "sink");
	CHECK_INT(r.items[1].result, VIEW_RESULT_UPSTREAM_FAILED);
	CHECK_INT(r.items[1].did, -1);
	CHECK_INT(r.items[1].rows, -1);
	CHECK_INT(r.items[1].rows_written, -1);
	rig_free(&rig);
}

static void upstream_and_downstream_flags(void)
{
	struct rig *rig = rig_start(DB DIAMOND);
	struct rig_report up = {.done = false}, down = {.done = false};
	struct view *v = rig_view(rig, "left");
	engine_refresh(rig->eng, &v, 1, (struct engine_refresh_flags){.upstream = true}, VIEW_TRIGGER_MANUAL, rig_done,
	               &up);
	RUN_UNTIL(rig, up.done);
	CHECK_STR(fake_trace(harness_ctx(), "d", "refresh"), "top left");
	engine_refresh(rig->eng, &v, 1, (struct engine_refresh_flags){.downstream = true}, VIEW_TRIGGER_MANUAL, rig_done,
	               &down);
	RUN_UNTIL(rig, down.done);
	CHECK_STR(fake_trace(harness_ctx(), "d", "refresh"), "top left left sink");
	rig_free(&rig);
}

static void empty_request_is_answered(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	struct rig_report r = {.done = false};
	engine_refresh(rig->eng, NULL, 0, (struct engine_refresh_flags){.full = false}, VIEW_TRIGGER_MANUAL, rig_done, &r);
	CHECK(!r.done);
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.n, 0);
	rig_free(&rig);
}

static void cycles_are_refused(void)
{
	expect_log("depends on itself (c -> b -> a -> c)"); /* how many are behind it may not be known at first */
	struct rig *rig =
		rig_start(DB "[view a]\ndatabase = d\nmethod = table\ndepends_on = b\ndefinition = SELECT 1\n"
	                 "[view b]\ndatabase = d\nmethod = table\ndepends_on = c\ndefinition = SELECT 1\n"
	                 "[view c]\ndatabase = d\nmethod = table\ndefinition = SELECT * FROM a\n" VIEW("behind", "a")
	                     VIEW("apart", "t_x"));
	struct rig_report r = rig_refresh_now(rig, "a b c behind apart");
	for (size_t i = 0; i < 4; i++) {
		CHECK_INT(r.items[i].result, VIEW_RESULT_FAILED);
		CHECK_INT(r.items[i].cls, VIEWD_ERR_CONFIG);
		CHECK_CONTAINS(r.items[i].msg, "depends on itself (");
	}
	CHECK_INT(r.items[4].result, VIEW_RESULT_SUCCEEDED);
	CHECK_INT(fake_calls("d", "refresh", NULL), 1);
	rig_free(&rig);
}

static void every_and_after(void)
{
	struct rig *rig = rig_start(DB EVERY(
		"e", "t_x", "") "[view f]\ndatabase = d\nmethod = table\nafter = 30m\ndefinition = SELECT * FROM t_x\n");
	for (int i = 0; i < 48; i++) { /* a day in half hours */
		rig_advance(rig, 30 * SPAN_MINUTE);
		rig_settle(rig);
	}
	CHECK_INT(fake_calls("d", "refresh", "e"), 24);
	CHECK(fake_calls("d", "refresh", "f") >= 24 && fake_calls("d", "refresh", "f") <= 48);
	CHECK_STR(rig_status(rig, "e").schedule, "every 1h");
	rig_free(&rig);
}

static void jitter_does_not_add_up(void)
{
	struct rig *rig = rig_start(DB EVERY("e", "t_x", "randomize_for = 10m\n"));
	int64_t start = rig->clock.wall_us;
	for (int i = 0; i < 100; i++) {
		rig_advance(rig, due_wall(rig_view(rig, "e")) - rig->clock.wall_us);
		rig_settle(rig);
	}
	int64_t took = rig->clock.wall_us - start;
	CHECK(took >= 99 * SPAN_HOUR && took <= 100 * SPAN_HOUR + 11 * SPAN_MINUTE);
	rig_free(&rig);
}

static void clock_jumps(void)
{
	struct rig *rig = rig_start(DB EVERY("e", "t_x", ""));
	rig->clock.wall_us += 365 * SPAN_DAY; /* the wall clock only */
	rig_advance(rig, 59 * SPAN_MINUTE);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "e"), 0); /* the interval is unmoved */
	rig_advance(rig, SPAN_MINUTE);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "e"), 1);
	rig->clock.wall_us -= 400 * SPAN_DAY;
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	size_t calls = fake_calls("d", "refresh", "e"); /* neither a storm nor a stall */
	CHECK(calls == 2 || calls == 3);
	rig_free(&rig);
}

static void missed_while_away(void)
{
	static const char *const once = DB EVERY("e", "t_x", ""), *const skip = DB EVERY("e", "t_x", "missed = skip\n");
	struct rig *rig = rig_start(once);
	clock_fake_advance(&rig->clock, 10 * SPAN_HOUR + 20 * SPAN_MINUTE);
	rig_restart(rig, once);
	rig_advance(rig, 11 * SPAN_SECOND);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "e"), 1);
	CHECK_INT(rig_status(rig, "e").trigger, VIEW_TRIGGER_CATCH_UP);
	clock_fake_advance(&rig->clock, 10 * SPAN_HOUR + 20 * SPAN_MINUTE);
	rig_restart(rig, skip);
	rig_advance(rig, 11 * SPAN_SECOND);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "e"), 1);
	CHECK(rig_status(rig, "e").next_refresh_us > rig->clock.wall_us);
	rig_free(&rig);
}

static void long_chain(void)
{
	enum { N = 1000 };
	char *text = talloc_strdup(harness_ctx(), DB);
	for (size_t i = 0; i < N; i++) {
		char from[32] = "t_x";
		if (i + 1 < N)
			snprintf(from, sizeof from, "v%zu", i + 1);
		text = talloc_asprintf_append(
			text, "[view v%zu]\ndatabase = d\nmethod = table\ndefinition = SELECT * FROM %s\n", i, from);
	}
	struct rig *rig = rig_start(text);
	struct rig_report r = {.done = false};
	struct view *v = rig_view(rig, "v0");
	engine_refresh(rig->eng, &v, 1, (struct engine_refresh_flags){.upstream = true}, VIEW_TRIGGER_MANUAL, rig_done, &r);
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.n, N);
	CHECK_INT(fake_calls("d", "refresh", NULL), N);
	const char *trace = fake_trace(harness_ctx(), "d", "refresh");
	CHECK(strncmp(trace, "v999 v998 v997", 14) == 0);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"a diamond runs once, in order", diamond_runs_once},
	{"independent branches run side by side", independent_branches_side_by_side},
	{"limits of the database, the daemon, a single writer", limits},
	{"one slow database does not hold another", one_slow_database_does_not_hold_another},
	{"priority goes first", priority_goes_first},
	{"requests during a run are exactly one more", requests_during_a_run_are_one_more},
	{"overlap = skip and queue", overlap_skip_and_queue},
	{"a failure ends what is behind it and nothing else", failure_ends_what_is_behind},
	{"what did not run wrote an unknown number", what_did_not_run_wrote_an_unknown_number},
	{"--upstream and --downstream", upstream_and_downstream_flags},
	{"an empty request is answered", empty_request_is_answered},
	{"cycles are refused with the cycle printed", cycles_are_refused},
	{"every and after", every_and_after},
	{"jitter does not add up", jitter_does_not_add_up},
	{"clock jumps", clock_jumps},
	{"missed while away", missed_while_away},
	{"a chain of 1000", long_chain},
};
HARNESS_MAIN(SUITE("wave", tests))
