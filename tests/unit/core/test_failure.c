/* SPDX-License-Identifier: MIT
 *
 * test_failure.c: what follows from each kind of failure, and control by hand: pause, cancel, timeout, stop.
 */
#include "core/engine/database.h"
#include "core/plan/due.h"
#include "core/turn/finish.h"
#include "unit/core/rig.h"

#include <stdio.h>
#include <talloc.h>

#define RETRIES(more) \
	"[view a]\ndatabase = d\nmethod = table\nevery = 1h\nretry_backoff = 10s\nretry_max_backoff = 1m\n" more \
	"definition = 'SELECT * FROM t_x'\n"

static void retries_with_backoff(void)
{
	struct rig *rig = rig_start(DB RETRIES("max_retries = 3\n"));
	fake_do("d", "fail refresh a conflict -1");
	expect_log("view 'a', refresh failed (conflict: scripted conflict)");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE FAILED");
	CHECK_INT(rig_status(rig, "a").consecutive_errors, 1);
	static const int64_t base[] = {10, 20, 40};
	for (int i = 0; i < 3; i++) {
		int64_t wait = rig_status(rig, "a").next_refresh_us - rig->clock.wall_us;
		CHECK(wait >= base[i] * SPAN_SECOND * 3 / 4 && wait <= base[i] * SPAN_SECOND * 5 / 4);
		CHECK(rig_view(rig, "a")->timing.due_at[DUE_RETRY] != 0);
		rig_advance(rig, wait - SPAN_MS);
		CHECK_INT(fake_calls("d", "refresh", "a"), i + 1);
		rig_advance(rig, SPAN_MS);
		rig_settle(rig);
		CHECK_INT(fake_calls("d", "refresh", "a"), i + 2);
		CHECK_INT(rig_status(rig, "a").trigger, VIEW_TRIGGER_RETRY);
	}
	CHECK(rig_view(rig, "a")->timing.due_at[DUE_RETRY] == 0); /* the next schedule */
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE FAILED");
	CHECK_INT(harness_log_count("refresh failed (conflict"), 1); /* logged once, not four times */
	fake_do("d", "release refresh a");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK_INT(rig_status(rig, "a").consecutive_errors, 0);
	CHECK(rig_status(rig, "a").error == NULL);
	rig_free(&rig);
}

#define ONE_WRITER "[database d]\nurl = fakeone://d\n"

/* Where there is one writer at a time, waiting for another one is no error of the view, however long it takes. */
static void waits_for_the_one_writer(void)
{
	struct rig *rig = rig_start(ONE_WRITER RETRIES("max_retries = 1\nmax_consecutive_errors = 2\n"));
	fake_do("d", "fail refresh a conflict -1");
	expect_log("view 'a', refresh failed (conflict: scripted conflict)");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	for (int i = 0; i < 5; i++) {
		int64_t wait = rig_status(rig, "a").next_refresh_us - rig->clock.wall_us;
		CHECK(wait >= SPAN_SECOND * 5 && wait <= SPAN_SECOND * 15);
		rig_advance(rig, wait);
		rig_settle(rig);
		CHECK_INT(fake_calls("d", "refresh", "a"), i + 2);
		CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE FAILED");
		CHECK_INT(rig_status(rig, "a").consecutive_errors, 0);
		CHECK_STR(rig_status(rig, "a").error->msg, "scripted conflict");
	}
	CHECK_INT(harness_log_count("refresh failed (conflict"), 1);
	fake_do("d", "release refresh a");
	fake_do("d", "fail refresh a query -1");
	expect_log("view 'a', refresh failed (query: scripted query)");
	for (int i = 0; i < 2; i++) {
		rig_advance(rig, SPAN_HOUR);
		rig_settle(rig);
	}
	CHECK_STR(rig_words(rig, "a"), "SUSPENDED IDLE FAILED"); /* the rest counts */
	rig_free(&rig);
}

static void classes_without_a_retry(void)
{
	struct rig *rig = rig_start(DB RETRIES("max_retries = 3\n"));
	fake_do("d", "fail refresh a denied");
	expect_log("view 'a', refresh failed (denied: scripted denied)");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK(rig_view(rig, "a")->timing.due_at[DUE_RETRY] == 0);
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE FAILED");
	CHECK_INT(fake_rows("d", "a"), 1); /* the last good contents stay */
	rig_free(&rig);
}

static void a_manual_failure_does_not_count(void)
{
	struct rig *rig = rig_start(DB RETRIES("max_retries = 0\nmax_consecutive_errors = 1\n"));
	fake_do("d", "fail refresh a query");
	expect_log("view 'a', refresh failed");
	rig_refresh_now(rig, "a");
	rig_settle(rig); /* what it reads is looked at anew */
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE FAILED");
	CHECK_INT(rig_status(rig, "a").consecutive_errors, 0);
	rig_free(&rig);
}

static struct rig *suspended(void)
{
	struct rig *rig = rig_start(DB RETRIES("max_retries = 0\nmax_consecutive_errors = 3\n"));
	fake_do("d", "fail refresh a query 3");
	expect_log("view 'a', refresh failed");
	for (int i = 0; i < 3; i++) {
		CHECK(strstr(rig_words(rig, "a"), "SUSPENDED") == NULL);
		rig_advance(rig, SPAN_HOUR);
		rig_settle(rig);
	}
	CHECK_STR(rig_words(rig, "a"), "SUSPENDED IDLE FAILED");
	rig_advance(rig, SPAN_DAY);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), 3);
	return rig;
}

static void suspended_until_resume(void)
{
	struct rig *rig = suspended();
	struct view *v = rig_view(rig, "a");
	struct viewd_err err;
	REQUIRE_OK(engine_resume(rig->eng, &v, 1, &err), &err);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE FAILED");
	rig_advance(rig, SPAN_HOUR + SPAN_MINUTE);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void suspended_until_a_manual_success(void)
{
	struct rig *rig = suspended();
	rig_refresh_now(rig, "a");
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK(rig_status(rig, "a").next_refresh_us > 0);
	rig_free(&rig);
}

/* The loop's timers run on the real clock, so the next probe is asked for here. */
static void probe(struct rig *rig, const char *db)
{
	database_probe(rig_db(rig, db));
	rig_settle(rig);
}

static void down_and_back(void)
{
	struct rig *rig = rig_start("[database d]\nurl = fake://d\n[database e]\nurl = fake://e\n" RETRIES("") VIEW(
		"b", "t_x") "[view other]\ndatabase = e\nmethod = table\nevery = 1h\ndefinition = SELECT * FROM t_x\n");
	fake_do("d", "down connect");
	expect_log("database 'd', cannot be used (server 'd' is down)");
	rig_advance(rig, SPAN_HOUR);
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN && rig_view(rig, "other")->members == NULL);
	RUN_UNTIL(rig, rig_view(rig, "other")->job == NULL);
	CHECK_STR(rig_words(rig, "b"), "FAILED IDLE SUCCEEDED"); /* the database's trouble is its views' */
	CHECK_INT(rig_status(rig, "b").error->cls, VIEWD_ERR_CONNECT);
	CHECK_STR(rig_words(rig, "other"), "ACTIVE IDLE SUCCEEDED");
	size_t opens = fake_calls("d", "watch_open", NULL);
	struct rig_report r = rig_refresh_now(rig, "a b"); /* by hand: told at once, after one look */
	REQUIRE(r.n == 2);
	for (size_t i = 0; i < 2; i++) {
		CHECK_INT(r.items[i].result, VIEW_RESULT_FAILED);
		CHECK_INT(r.items[i].cls, VIEWD_ERR_CONNECT);
	}
	CHECK_INT(fake_calls("d", "watch_open", NULL), opens + 1);
	CHECK_STR(rig_words(rig, "a"), "FAILED WAITING SUCCEEDED"); /* scheduled ones wait */
	CHECK_STR(rig_status(rig, "a").waits_for, "the database to come back");
	CHECK_INT(fake_calls("d", "watch_open", NULL), opens + 1);
	fake_do("d", "up");
	probe(rig, "d");
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK_INT(rig_status(rig, "a").trigger, VIEW_TRIGGER_SCHEDULED);
	CHECK_INT(rig_status(rig, "a").consecutive_errors, 0);
	CHECK_STR(rig_words(rig, "b"), "ACTIVE IDLE SUCCEEDED");
	CHECK_INT(harness_log_count("database 'd', ready"), 2);
	rig_free(&rig);
}

static void down_from_the_start(void)
{
	struct rig *rig = rig_new();
	fake_do("d", "down auth");
	expect_log("database 'd', cannot be used (server 'd' is down)");
	rig_commit(rig, DB VIEW("a", "t_x"));
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE NONE");
	CHECK_INT(rig_status(rig, "a").error->cls, VIEWD_ERR_AUTH);
	fake_do("d", "up");
	struct rig_report r = rig_refresh_now(rig, "a"); /* asks again, and sets up what was never set up */
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void standby_is_watched(void)
{
	struct rig *rig = rig_start(DB RETRIES(""));
	fake_do("d", "readonly");
	expect_log("database 'd', stands by (server 'd' is read-only)");
	expect_log("view 'a', refresh failed (standby");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "STANDBY IDLE FAILED");
	fake_do("d", "writable");
	probe(rig, "d");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void lost_connection_is_inspected_first(void)
{
	struct rig *rig = rig_start(DB RETRIES("max_retries = 2\n"));
	size_t looks = fake_calls("d", "inspect", NULL);
	fake_do("d", "fail refresh a lost");
	expect_log("view 'a', refresh failed (lost");
	expect_log("database 'd', cannot be used (scripted lost)");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), 1);
	probe(rig, "d");
	CHECK(fake_calls("d", "inspect", NULL) > looks);
	rig_advance(rig, SPAN_MINUTE);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), 2);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void add_line(void *text, const char *line)
{
	*(char **)text = talloc_asprintf_append(*(char **)text, "%s\n", line);
}

/* A view that takes the server down with it must not do so for ever. */
static void three_broken_connections_are_enough(void)
{
	struct rig *rig = rig_start(DB RETRIES("max_retries = 100\n"));
	fake_do("d", "fail refresh a lost -1");
	expect_log("view 'a', refresh failed (lost");
	expect_log("database 'd', cannot be used");
	expect_log("view 'a', 3 runs in a row broke the connection: quarantined");
	for (int i = 0; i < 3; i++) {
		CHECK(strstr(rig_words(rig, "a"), "SUSPENDED") == NULL);
		rig_advance(rig, SPAN_HOUR);
		rig_settle(rig);
		probe(rig, "d");
		CHECK_INT(fake_calls("d", "refresh", "a"), i + 1);
	}
	CHECK_STR(rig_words(rig, "a"), "SUSPENDED IDLE FAILED");
	char *why = talloc_strdup(harness_ctx(), "");
	engine_why(rig->eng, rig_view(rig, "a"), add_line, &why);
	CHECK_CONTAINS(why,
	               "\nsuspended: 3 runs in a row broke the connection; viewctl resume, or a manual success, ends it\n");
	CHECK(strstr(why, "max_consecutive_errors") == NULL);
	rig_advance(rig, SPAN_DAY);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), 3);
	fake_do("d", "release refresh a");
	rig_refresh_now(rig, "a");
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void vanished_while_away_stays_gone(void)
{
	struct rig *rig = rig_start(DB RETRIES(""));
	fake_do("d", "remove a");
	fake_do("d", "fail refresh a lost");
	expect_log("database 'd', cannot be used");
	expect_log(
		"view 'a', setting it up failed (missing: view 'a' does not exist any more); viewctl create makes it again");
	expect_log("view 'a', refresh failed (lost");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	probe(rig, "d");
	CHECK_STR(rig_words(rig, "a"), "MISSING IDLE FAILED");
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_NONE);
	rig_free(&rig);
}

static void pause_outlives_the_engine(void)
{
	static const char *const text = DB RETRIES("") VIEW("b", "t_x");
	struct rig *rig = rig_start(text);
	struct view *v = rig_view(rig, "a");
	struct viewd_err err;
	REQUIRE_OK(engine_pause(rig->eng, &v, 1, &err), &err);
	CHECK_STR(rig_words(rig, "a"), "PAUSED IDLE SUCCEEDED");
	rig_restart(rig, text);
	CHECK_STR(rig_words(rig, "a"), "PAUSED IDLE SUCCEEDED");
	CHECK_STR(rig_words(rig, "b"), "ACTIVE IDLE SUCCEEDED");
	rig_advance(rig, SPAN_DAY);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), 0);
	rig_refresh_now(rig, "a"); /* by hand it works */
	CHECK_INT(fake_calls("d", "refresh", "a"), 1);
	CHECK_STR(rig_words(rig, "a"), "PAUSED IDLE SUCCEEDED");
	v = rig_view(rig, "a");
	REQUIRE_OK(engine_resume(rig->eng, &v, 1, &err), &err);
	rig_restart(rig, text);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void cancel_running_and_waiting(void)
{
	struct rig *rig = rig_start(DB RETRIES("") VIEW("b", "a"));
	struct rig_report r;
	size_t n;
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a b", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	struct view **both = rig_views(rig, "a b", &n);
	CHECK_INT(engine_cancel(rig->eng, both, n), 2);
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_CANCELLED);
	CHECK_INT(r.items[1].result, VIEW_RESULT_CANCELLED);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE CANCELLED");
	CHECK_INT(rig_status(rig, "a").consecutive_errors, 0);
	fake_do("d", "release refresh a");
	CHECK_INT(rig_refresh_now(rig, "a b").items[1].result, VIEW_RESULT_SUCCEEDED);
	rig_settle(rig);
	CHECK_INT(engine_cancel(rig->eng, both, n), 0);
	rig_free(&rig);
}

static void timeout_then_stuck(void)
{
	struct rig *rig = rig_start(DB RETRIES("") VIEW("b", "t_x"));
	struct rig_report r, other;
	fake_do("d", "hang refresh a");
	expect_log("view 'a', a worker does not come back from the database; it is left alone");
	expect_log("view 'a', refresh failed (timeout: ");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	struct job *job = rig_view(rig, "a")->job;
	finish_overdue(job); /* what its timer would do */
	RUN_UNTIL(rig, fake_calls("d", "cancel", NULL) == 1);
	CHECK(!r.done);
	finish_overdue(job);
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].cls, VIEWD_ERR_TIMEOUT);
	struct engine_counts counts;
	engine_counts(rig->eng, &counts);
	CHECK_INT(counts.stuck_workers, 1);
	CHECK_INT(counts.running, 0); /* its slot is free */
	rig_refresh(rig, "b", &other);
	RUN_UNTIL(rig, other.done);
	CHECK_INT(other.items[0].result, VIEW_RESULT_SUCCEEDED);
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, rig_view(rig, "a")->job == NULL);
	engine_counts(rig->eng, &counts);
	CHECK_INT(counts.stuck_workers, 0);
	rig_settle(rig);
	rig_free(&rig);
}

static void timeout_is_told_as_one(void)
{
	struct rig *rig = rig_start(DB RETRIES("timeout = 20s\n"));
	struct rig_report r;
	fake_do("d", "block refresh a");
	expect_log("view 'a', refresh failed (timeout: still running after 20s, cancelled)");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	finish_overdue(rig_view(rig, "a")->job);
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_FAILED);
	CHECK_INT(r.items[0].cls, VIEWD_ERR_TIMEOUT);
	rig_free(&rig);
}

struct past {
	bool done;
	size_t n;
	enum viewd_err_class cls;
	char first[32];
};

static void take_history(void *ctx, const struct viewd_history_row *rows, size_t n, const struct viewd_err *err)
{
	struct past *past = ctx;
	CHECK(!past->done);
	*past = (struct past){.done = true, .n = n, .cls = err != NULL ? err->cls : VIEWD_ERR_OK};
	if (n > 0)
		snprintf(past->first, sizeof past->first, "%s %s", rows[0].trigger, rows[0].result);
}

static void history_of_a_database_that_is_down(void)
{
	struct rig *rig = rig_start(DB RETRIES(""));
	struct past past = {.done = false};
	rig_refresh_now(rig, "a");
	engine_history(rig->eng, rig_view(rig, "a"), 10, take_history, &past);
	RUN_UNTIL(rig, past.done);
	CHECK_INT(past.n, 1);
	CHECK_STR(past.first, "MANUAL SUCCEEDED");
	fake_do("d", "down connect");
	expect_log("database 'd', cannot be used");
	rig_advance(rig, SPAN_HOUR);
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN);
	past.done = false;
	engine_history(rig->eng, rig_view(rig, "a"), 10, take_history, &past);
	RUN_UNTIL(rig, past.done);
	CHECK_INT(past.cls, VIEWD_ERR_CONNECT);
	rig_free(&rig);
}

static void failures_are_recorded(void)
{
	struct rig *rig = rig_start(DB RETRIES("max_retries = 0\n"));
	fake_do("d", "fail refresh a query");
	expect_log("refresh failed");
	rig_refresh_now(rig, "a");
	CHECK_INT(fake_calls("d", "record_failure", "a"), 1);
	rig_free(&rig);
}

static void stop_in_the_middle(void)
{
	struct rig *rig = rig_start("[database d]\nurl = fake://d\n[database e]\nurl = fake://e\n" RETRIES("") VIEW(
		"b", "a") VIEW("c", "t_x") "[view other]\ndatabase = e\nmethod = table\ndefinition = SELECT 1\n");
	struct rig_report r, late;
	fake_do("d", "block refresh a");
	fake_do("d", "delay refresh c 20ms");
	rig_refresh(rig, "a b c other", &r);
	RUN_UNTIL(rig, fake_running("d") == 2);
	engine_stop(rig->eng);
	rig_refresh(rig, "b", &late);
	RUN_UNTIL(rig, r.done && late.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_CANCELLED);
	CHECK_INT(r.items[1].result, VIEW_RESULT_CANCELLED);
	CHECK_INT(late.items[0].result, VIEW_RESULT_CANCELLED);
	RUN_UNTIL(rig, rig->idle);
	CHECK_INT(fake_connections("d"), 0);
	CHECK_INT(fake_connections("e"), 0);
	rig_free(&rig);
}

static void stop_while_setting_up(void)
{
	struct rig *rig = rig_new();
	fake_do("d", "block prepare *");
	fake_do("e", "block apply *");
	rig_commit(rig, "[database d]\nurl = fake://d\n[database e]\nurl = fake://e\n" VIEW(
						"a", "t_x") "[view other]\ndatabase = e\nmethod = table\ndefinition = SELECT 1\n");
	RUN_UNTIL(rig, fake_waiting("d") == 1 && fake_waiting("e") == 1);
	engine_stop(rig->eng);
	RUN_UNTIL(rig, rig->idle);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"retries with a growing wait, then the schedule", retries_with_backoff},
	{"waits for the one writer", waits_for_the_one_writer},
	{"classes without a retry", classes_without_a_retry},
	{"a failure by hand does not count", a_manual_failure_does_not_count},
	{"suspended until resume", suspended_until_resume},
	{"suspended until a success by hand", suspended_until_a_manual_success},
	{"a database is down and comes back", down_and_back},
	{"a database is down from the start", down_from_the_start},
	{"a read-only server is watched", standby_is_watched},
	{"after a lost connection it looks first", lost_connection_is_inspected_first},
	{"three broken connections are enough", three_broken_connections_are_enough},
	{"what vanished while away stays gone", vanished_while_away_stays_gone},
	{"a pause outlives the engine", pause_outlives_the_engine},
	{"cancel what runs and what waits", cancel_running_and_waiting},
	{"timeout, cancel, stuck; others go on", timeout_then_stuck},
	{"a timeout is told as one", timeout_is_told_as_one},
	{"failures are recorded in the database", failures_are_recorded},
	{"past runs, also of a database that is down", history_of_a_database_that_is_down},
	{"stop in the middle", stop_in_the_middle},
	{"stop while setting up", stop_while_setting_up},
};
HARNESS_MAIN(SUITE("failure", tests))
