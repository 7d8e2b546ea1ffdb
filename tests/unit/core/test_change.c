/* SPDX-License-Identifier: MIT
 *
 * test_change.c: from a change of a source to refreshes: how many, when, in which order, and that none is lost.
 */
#include "core/plan/change.h"
#include "core/plan/freshness.h"
#include "unit/core/rig.h"

#include <string.h>

#define ON(name, from, more) \
	"[view " name "]\ndatabase = d\nmethod = table\non_change = yes\n" more "definition = 'SELECT * FROM " from "'\n"
#define SIMPLE(name, from) "[view " name "]\ndatabase = d\nmethod = simple\ndefinition = 'SELECT * FROM " from "'\n"
#define DIFF "unique_key = id\n"
#define LOW_RETRIES "retry_backoff = 1s\nretry_max_backoff = 1m\n"

static size_t refreshes(const char *view)
{
	return fake_calls("d", "refresh", view);
}

/* The number of rows that a view holds says what it has read: 1 and one for each change. */
static void change_and_wait(struct rig *rig, const char *table)
{
	fake_do("d", "change %s", table);
	UNTIL(rig, rig_is_fresh(rig, "d"));
}

static bool is_planned(struct rig *rig, const char *view)
{
	return rig_view(rig, view)->timing.due_at[DUE_CHANGE] != 0;
}

/* As long as nobody would notice a change, nobody may call the view fresh. */
static void a_view_nobody_watches_is_stale(void)
{
	expect_log("view 'a', changes cannot be noticed");
	struct rig *rig = rig_start("[database d]\nurl = fake://d?fail=capture:a:conflict:1\n" ON("a", "t_x", ""));
	RUN_UNTIL(rig, rig_view(rig, "a")->capture.failed);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK(rig_status(rig, "a").freshness != VIEW_FRESHNESS_FRESH);
	UNTIL(rig, !rig_view(rig, "a")->capture.failed);
	UNTIL(rig, rig_is_fresh(rig, "d"));
	CHECK(rig_status(rig, "a").freshness == VIEW_FRESHNESS_FRESH);
	change_and_wait(rig, "t_x");
	CHECK_INT(fake_rows("d", "a"), 2);
	rig_free(&rig);
}

/* The new view was set up while the refresh ran that it has to follow, and filled with what was there before. */
static void who_came_while_it_ran_follows_too(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", ""));
	fake_do("d", "block refresh a");
	fake_do("d", "change t_x");
	RUN_UNTIL(rig, (rig_advance(rig, 1), fake_running("d") == 1));
	rig_commit(rig, DB ON("a", "t_x", "") ON("b", "a", "") SIMPLE("plain", "a") ON("c", "plain", ""));
	RUN_UNTIL(rig, rig_view(rig, "b")->capture.set_up && rig_view(rig, "c")->capture.set_up);
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND), fake_stale("d") == 1));
	fake_do("d", "deaf");
	fake_do("d", "release refresh a");
	UNTIL(rig, fake_rows("d", "a") == 2 && fake_stale("d") == 0 && rig_is_settled(rig));
	CHECK_INT(fake_rows("d", "b"), 2);
	CHECK_INT(fake_rows("d", "c"), 2);
	rig_free(&rig);
}

static void leading_edge(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", ""));
	size_t before = refreshes("a");
	change_and_wait(rig, "t_x");
	CHECK_INT(refreshes("a"), before + 1);
	CHECK_INT(rig_status(rig, "a").trigger, VIEW_TRIGGER_CHANGE);
	CHECK_INT(fake_rows("d", "a"), 2);
	CHECK(rig_status(rig, "a").freshness == VIEW_FRESHNESS_FRESH);
	rig_free(&rig);
}

static void debounce(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "debounce = 10s\nmax_delay = 25s\n"));
	size_t before = refreshes("a");
	for (int i = 0; i < 3; i++) { /* at 0, 9 and 18 seconds: the third would be over at 28 */
		rig_change(rig, "d", "t_x", "a");
		rig_advance(rig, 9 * SPAN_SECOND);
		rig_settle(rig);
	}
	CHECK_INT(refreshes("a"), before + 1); /* max_delay: at 25 */
	CHECK_INT(fake_rows("d", "a"), 4);
	rig_change(rig, "d", "t_x", "a");
	CHECK(rig_status(rig, "a").freshness != VIEW_FRESHNESS_FRESH);
	rig_advance(rig, 9 * SPAN_SECOND);
	rig_settle(rig);
	CHECK_INT(refreshes("a"), before + 1);
	rig_advance(rig, SPAN_SECOND);
	rig_settle(rig);
	CHECK_INT(refreshes("a"), before + 2);
	rig_free(&rig);
}

static void at_most_every(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "at_most_every = 1m\n"));
	size_t before = refreshes("a");
	change_and_wait(rig, "t_x"); /* at once */
	CHECK_INT(refreshes("a"), before + 1);
	for (int i = 0; i < 59; i++) {
		rig_change(rig, "d", "t_x", "a");
		rig_advance(rig, SPAN_SECOND);
		rig_settle(rig);
	}
	CHECK_INT(refreshes("a"), before + 1);
	rig_advance(rig, SPAN_SECOND);
	UNTIL(rig, rig_is_fresh(rig, "d"));
	CHECK_INT(refreshes("a"), before + 2);
	CHECK_INT(fake_rows("d", "a"), 61);
	rig_free(&rig);
}

static void a_change_during_a_refresh(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", ""));
	size_t before = refreshes("a");
	fake_do("d", "block refresh a");
	fake_do("d", "change t_x");
	UNTIL(rig, fake_waiting("d") == 1);
	for (int i = 0; i < 5; i++)
		rig_change(rig, "d", "t_x", "a");
	CHECK(rig_status(rig, "a").freshness != VIEW_FRESHNESS_FRESH);
	fake_do("d", "release refresh a");
	UNTIL(rig, rig_is_fresh(rig, "d"));
	CHECK_INT(refreshes("a"), before + 2); /* one that ran, exactly one more */
	CHECK_INT(fake_rows("d", "a"), 7);
	rig_free(&rig);
}

/* The mark was there before the refresh read it, the signal comes late. */
static void covered_changes_give_none(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", ""));
	struct rig_report r;
	size_t before = refreshes("a");
	fake_do("d", "block watch_next d");
	fake_do("d", "change t_x");
	UNTIL(rig, fake_waiting("d") == 1);
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &r);
	UNTIL(rig, fake_waiting("d") == 2);
	fake_do("d", "release watch_next d");
	UNTIL(rig, rig_view(rig, "a")->change.first != 0);
	fake_do("d", "release refresh a");
	UNTIL(rig, r.done && rig_is_fresh(rig, "d"));
	CHECK_INT(refreshes("a"), before + 1);
	CHECK_INT(rig_view(rig, "a")->change.first, 0);
	rig_free(&rig);
}

#define DIAMOND ON("a", "t_x", "") ON("b1", "a", "") ON("b2", "a", "") ON("c", "b1, b2", "")

static void a_diamond(void)
{
	struct rig *rig = rig_start_fresh(DB DIAMOND);
	size_t a = refreshes("a"), b1 = refreshes("b1"), b2 = refreshes("b2"), c = refreshes("c");
	change_and_wait(rig, "t_x");
	CHECK_INT(refreshes("a"), a + 1);
	CHECK_INT(refreshes("b1"), b1 + 1);
	CHECK_INT(refreshes("b2"), b2 + 1);
	CHECK_INT(refreshes("c"), c + 1);
	CHECK_INT(fake_rows("d", "c"), 4);
	CHECK_INT(rig_status(rig, "c").trigger, VIEW_TRIGGER_UPSTREAM);
	char *trace = fake_trace(harness_ctx(), "d", "refresh");
	CHECK_STR(trace + strlen(trace) - 1, "c");
	rig_free(&rig);
}

static void no_row_ends_the_wave(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", DIFF) ON("b", "a", DIFF));
	size_t a = refreshes("a"), b = refreshes("b");
	fake_do("d", "stir t_x");
	UNTIL(rig, rig_is_fresh(rig, "d") && refreshes("a") == a + 1);
	CHECK_INT(refreshes("b"), b);
	CHECK_STR(rig_words(rig, "b"), "ACTIVE IDLE SUCCEEDED");
	change_and_wait(rig, "t_x");
	CHECK_INT(refreshes("a"), a + 2);
	CHECK_INT(refreshes("b"), b + 1);
	rig_free(&rig);
}

#define PLAIN(name, from) "[view " name "]\ndatabase = d\nmethod = simple\ndefinition = 'SELECT * FROM " from "'\n"

static void through_plain_views(void)
{
	struct rig *rig =
		rig_start_fresh(DB PLAIN("p1", "t_x") ON("a", "p1", "") PLAIN("p2", "a") PLAIN("p3", "p2") ON("b", "p3", ""));
	CHECK_STR(fake_captured_sources(harness_ctx(), "d", "a"), "t_x");
	size_t a = refreshes("a"), b = refreshes("b");
	change_and_wait(rig, "t_x");
	CHECK_INT(refreshes("a"), a + 1);
	CHECK_INT(refreshes("b"), b + 1);
	CHECK_INT(fake_rows("d", "b"), 2);
	rig_free(&rig);
}

#define E_DB "[database e]\nurl = fake://e\n"
#define E_FOLLOWER(more) \
	"[view b]\ndatabase = e\nmethod = table\non_change = yes\ndepends_on = d:a\n" more \
	"definition = 'SELECT * FROM t_copy'\n"

static void across_databases(void)
{
	struct rig *rig = rig_start_fresh(DB E_DB ON("a", "t_x", "") E_FOLLOWER(""));
	size_t b = fake_calls("e", "refresh", "b");
	change_and_wait(rig, "t_x");
	CHECK_INT(fake_calls("e", "refresh", "b"), b + 1);
	CHECK_INT(rig_status(rig, "b").trigger, VIEW_TRIGGER_UPSTREAM);
	rig_free(&rig);
}

/* No mark tells of the other database's refresh, and its pace does not allow a start. */
static void across_databases_while_it_runs(void)
{
	struct rig *rig = rig_start_fresh(DB E_DB ON("a", "t_x", "") E_FOLLOWER("at_most_every = 1m\n"));
	size_t b = fake_calls("e", "refresh", "b");
	fake_do("e", "block refresh b");
	fake_do("e", "change t_copy");
	UNTIL(rig, fake_waiting("e") == 1);
	fake_do("d", "change t_x");
	UNTIL(rig, fake_stale("d") == 0 && rig_view(rig, "a")->job == NULL && rig_view(rig, "b")->change.first != 0);
	fake_do("e", "release refresh b");
	UNTIL(rig, rig_is_settled(rig));
	CHECK_INT(fake_calls("e", "refresh", "b"), b + 1);
	CHECK(is_planned(rig, "b"));
	rig_advance(rig, SPAN_MINUTE);
	rig_settle(rig);
	CHECK_INT(fake_calls("e", "refresh", "b"), b + 2);
	rig_free(&rig);
}

/* viewd ends between the refresh of one and that of the other. */
static void across_databases_and_lives(void)
{
	static const char text[] = DB E_DB ON("a", "t_x", "") E_FOLLOWER("at_most_every = 1m\n");
	struct rig *rig = rig_start_fresh(text);
	change_and_wait(rig, "t_x");
	rig_advance(rig, SPAN_SECOND);
	size_t b = fake_calls("e", "refresh", "b");
	fake_do("d", "change t_x");
	UNTIL(rig, rig_is_settled(rig) && is_planned(rig, "b"));
	CHECK_INT(fake_calls("e", "refresh", "b"), b);
	rig_advance(rig, SPAN_SECOND);
	rig_restart(rig, text);
	UNTIL(rig, rig_is_fresh(rig, "d") && rig_is_fresh(rig, "e"));
	CHECK_INT(fake_calls("e", "refresh", "b"), b + 1);
	rig_free(&rig);
}

static void followers_are_put_off(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "") ON("b", "a", "at_most_every = 1m\n") ON("c", "b", ""));
	size_t b = refreshes("b"), c = refreshes("c");
	change_and_wait(rig, "t_x"); /* at once: the last start was an hour ago */
	CHECK_INT(refreshes("b"), b + 1);
	for (int i = 0; i < 3; i++) {
		fake_do("d", "change t_x");
		UNTIL(rig, rig_is_settled(rig) && fake_rows("d", "a") == 3 + i && is_planned(rig, "b"));
	}
	CHECK_INT(refreshes("b"), b + 1);
	CHECK(rig_status(rig, "b").freshness != VIEW_FRESHNESS_FRESH);
	rig_advance(rig, SPAN_MINUTE);
	UNTIL(rig, rig_is_fresh(rig, "d"));
	CHECK_INT(refreshes("b"), b + 2);
	CHECK_INT(refreshes("c"), c + 2);
	CHECK_INT(fake_rows("d", "c"), 5);
	rig_free(&rig);
}

static void pause_and_resume(struct rig *rig, const char *name, bool pause)
{
	struct viewd_err err;
	size_t n;
	struct view **views = rig_views(rig, name, &n);
	REQUIRE_OK(pause ? engine_pause(rig->eng, views, n, &err) : engine_resume(rig->eng, views, n, &err), &err);
}

static void paused_stays_dirty(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "") ON("b", "a", ""));
	pause_and_resume(rig, "a b", true);
	size_t a = refreshes("a");
	rig_change(rig, "d", "t_x", "a");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(refreshes("a"), a);
	CHECK(rig_status(rig, "a").freshness != VIEW_FRESHNESS_FRESH);
	pause_and_resume(rig, "a b", false);
	UNTIL(rig, rig_is_fresh(rig, "d"));
	CHECK_INT(refreshes("a"), a + 1);
	CHECK_INT(fake_rows("d", "b"), 2);
	rig_free(&rig);
}

/* The change was taken up by a refresh, and that failed. */
static void suspended_stays_dirty(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "max_retries = 0\nmax_consecutive_errors = 1\n"));
	fake_do("d", "fail refresh a query");
	expect_log("view 'a', refresh failed (query: scripted query)");
	fake_do("d", "change t_x");
	UNTIL(rig, rig_is_settled(rig) && rig_view(rig, "a")->state == VIEW_STATE_SUSPENDED);
	CHECK(rig_status(rig, "a").freshness != VIEW_FRESHNESS_FRESH);
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(fake_rows("d", "a"), 1);
	pause_and_resume(rig, "a", false);
	rig_advance(rig, SPAN_HOUR);
	UNTIL(rig, rig_is_fresh(rig, "d"));
	CHECK_INT(fake_rows("d", "a"), 2);
	rig_free(&rig);
}

static void failures_are_retried(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", LOW_RETRIES "max_retries = 1\n"));
	size_t a = refreshes("a");
	fake_do("d", "fail refresh a query 4");
	expect_log("view 'a', refresh failed (query: scripted query)");
	fake_do("d", "change t_x");
	UNTIL(rig, rig_is_settled(rig) && refreshes("a") == a + 1);
	CHECK(rig_status(rig, "a").freshness != VIEW_FRESHNESS_FRESH);
	for (int i = 0; i < 4; i++) { /* at the slowest pace when no retry is left */
		CHECK(rig_status(rig, "a").next_refresh_us > 0);
		rig_advance(rig, SPAN_MINUTE);
		UNTIL(rig, rig_is_settled(rig));
	}
	CHECK_INT(refreshes("a"), a + 5);
	CHECK_INT(fake_rows("d", "a"), 2);
	/* After the look that follows its new capture */
	UNTIL(rig, rig_status(rig, "a").freshness == VIEW_FRESHNESS_FRESH);
	rig_free(&rig);
}

/* Writers do not make a broken view try without pause. */
static void a_storm_on_a_broken_view(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", LOW_RETRIES "max_retries = 100\n"));
	size_t a = refreshes("a");
	fake_do("d", "fail refresh a query -1");
	expect_log("view 'a', refresh failed (query: scripted query)");
	for (int i = 0; i < 50; i++) {
		rig_change(rig, "d", "t_x", "a");
		rig_advance(rig, 100 * SPAN_MS);
		rig_settle(rig);
	}
	CHECK(refreshes("a") - a <= 5); /* five seconds, with a backoff that begins at one */
	CHECK(refreshes("a") - a >= 2);
	rig_free(&rig);
}

static void an_upstream_fails(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", LOW_RETRIES) ON("b", "a, t_y", ""));
	size_t b = refreshes("b");
	fake_do("d", "fail refresh a query -1");
	expect_log("view 'a', refresh failed (query: scripted query)");
	fake_do("d", "block watch_next d");
	fake_do("d", "change t_x");
	fake_do("d", "change t_y");
	fake_do("d", "release watch_next d");
	RUN_UNTIL(rig, is_planned(rig, "a") && is_planned(rig, "b")); /* else b may run before a fails, and not after it */
	UNTIL(rig, refreshes("b") == b + 1 && rig_is_settled(rig));   /* from the last good contents of a */
	CHECK_INT(rig_status(rig, "b").result, VIEW_RESULT_SUCCEEDED);
	fake_do("d", "release refresh a");
	rig_advance(rig, SPAN_HOUR);
	UNTIL(rig, rig_is_fresh(rig, "d"));
	CHECK_INT(fake_rows("d", "b"), 4);
	rig_free(&rig);
}

/* A signal that comes while another kind of work holds the instance. */
static void a_change_during_a_verify(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", ""));
	struct rig_report r = {.done = false};
	size_t n, a = refreshes("a");
	struct view **views = rig_views(rig, "a", &n);
	fake_do("d", "block verify a");
	engine_verify(rig->eng, views, n, rig_done, &r);
	UNTIL(rig, fake_waiting("d") == 1);
	rig_change(rig, "d", "t_x", "a");
	fake_do("d", "release verify a");
	UNTIL(rig, r.done && rig_is_fresh(rig, "d"));
	CHECK_INT(refreshes("a"), a + 1);
	rig_free(&rig);
}

static void cancelled_stays_dirty(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "retry_max_backoff = 1m\ndebounce = 5s\n"));
	size_t n;
	struct view **views = rig_views(rig, "a", &n);
	rig_change(rig, "d", "t_x", "a");
	fake_do("d", "block refresh a");
	rig_advance(rig, 5 * SPAN_SECOND);
	UNTIL(rig, fake_waiting("d") == 1);
	engine_cancel(rig->eng, views, n);
	UNTIL(rig, rig_is_settled(rig));
	fake_do("d", "release refresh a");
	CHECK(rig_status(rig, "a").freshness != VIEW_FRESHNESS_FRESH);
	rig_advance(rig, 2 * SPAN_MINUTE);
	UNTIL(rig, rig_is_fresh(rig, "d"));
	CHECK_INT(fake_rows("d", "a"), 2);
	rig_free(&rig);
}

/* A new registration counts from one again. */
static void numbers_begin_anew(void)
{
	static const char on[] = DB ON("a", "t_x", ""), off[] = DB VIEW("a", "t_x");
	struct rig *rig = rig_start_fresh(on);
	for (int i = 0; i < 20; i++)
		change_and_wait(rig, "t_x");
	rig_commit(rig, off);
	UNTIL(rig, rig_is_settled(rig) && strcmp(fake_captured_sources(harness_ctx(), "d", "a"), "-") == 0);
	fake_do("d", "change t_x");
	rig_commit(rig, on);
	UNTIL(rig, fake_rows("d", "a") == 22);
	UNTIL(rig, rig_is_fresh(rig, "d"));
	change_and_wait(rig, "t_x");
	CHECK_INT(fake_rows("d", "a"), 23);
	rig_free(&rig);
}

static void requests_in_sql(void)
{
	struct rig *rig = rig_start_fresh(DB VIEW("a", "t_x"));
	size_t a = refreshes("a");
	fake_do("d", "request a");
	fake_do("d", "request nosuch");
	UNTIL(rig, refreshes("a") == a + 1 && rig_is_settled(rig));
	CHECK_INT(rig_status(rig, "a").trigger, VIEW_TRIGGER_MANUAL);
	rig_free(&rig);
}

/* A change from before the watch that setting the view up has covered does not make the next one older. */
static void a_covered_change_leaves_no_age(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "debounce = 10s\n"));
	struct view *a = rig_view(rig, "a");
	int64_t seq = a->change.settled_seq + 1;
	change_signal(a, seq, true);
	change_settled(a, seq);
	CHECK_INT(freshness_missing_since(a), 0);
	rig_advance(rig, SPAN_SECOND);
	change_signal(a, seq + 1, false);
	CHECK_INT(freshness_missing_since(a), rig->clock.wall_us);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"a view nobody watches is stale", a_view_nobody_watches_is_stale},
	{"who came while it ran follows too", who_came_while_it_ran_follows_too},
	{"leading edge: an idle view starts at once", leading_edge},
	{"debounce and max_delay", debounce},
	{"at_most_every", at_most_every},
	{"a change during a refresh gives exactly one more", a_change_during_a_refresh},
	{"changes that a running refresh covers give none", covered_changes_give_none},
	{"a diamond, once and in order", a_diamond},
	{"a refresh that wrote no row ends the wave", no_row_ends_the_wave},
	{"through plain views", through_plain_views},
	{"across databases", across_databases},
	{"across databases, while the follower runs and may not start again", across_databases_while_it_runs},
	{"across databases, viewd ends in between", across_databases_and_lives},
	{"followers with at_most_every are put off, not lost", followers_are_put_off},
	{"paused views stay dirty", paused_stays_dirty},
	{"suspended views stay dirty", suspended_stays_dirty},
	{"failed refreshes stay dirty and are retried", failures_are_retried},
	{"a storm on a broken view keeps its backoff", a_storm_on_a_broken_view},
	{"an upstream that fails does not hold up changes of others", an_upstream_fails},
	{"a change during a verify", a_change_during_a_verify},
	{"a cancelled refresh stays dirty", cancelled_stays_dirty},
	{"numbers of marks begin anew", numbers_begin_anew},
	{"requests in SQL", requests_in_sql},
	{"a change that setting up has covered leaves no age behind", a_covered_change_leaves_no_age},
};

HARNESS_MAIN(SUITE("change", tests))
