/* SPDX-License-Identifier: MIT
 *
 * test_interplay.c: what one thing that happens does to another that waits or is due: nothing may be lost, nor come by
 * itself.
 */
#include "core/engine/database.h"
#include "core/exec/watch.h"
#include "unit/core/rig.h"

#include <string.h>
#include <talloc.h>

#define EVERY(name, from, more) \
	"[view " name "]\ndatabase = d\nmethod = table\n" more "definition = 'SELECT * FROM " from "'\n"
#define ON(name, from, more) EVERY(name, from, "on_change = yes\n" more)
static void pause_view(struct rig *rig, const char *name)
{
	struct viewd_err err;
	size_t n;
	struct view **views = rig_views(rig, name, &n);
	REQUIRE_OK(engine_pause(rig->eng, views, n, &err), &err);
}

static void resume_view(struct rig *rig, const char *name)
{
	struct viewd_err err;
	size_t n;
	struct view **views = rig_views(rig, name, &n);
	REQUIRE_OK(engine_resume(rig->eng, views, n, &err), &err);
}

/* ---- what only looks -------------------------------------------------------------------------------------------- */

typedef void ask_fn(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx);

/* The time comes while a job runs that is no refresh: nobody else plans the next one. */
static void time_comes_during(ask_fn *ask, const char *op, const char *more)
{
	struct rig *rig = rig_start(talloc_asprintf(harness_ctx(), DB EVERY("a", "t_x", "%s"), more));
	struct rig_report r = {.done = false};
	size_t n, before = fake_calls("d", "refresh", "a");
	struct view **views = rig_views(rig, "a", &n);
	fake_do("d", "block %s a", op);
	ask(rig->eng, views, n, rig_done, &r);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	rig_advance(rig, SPAN_MINUTE);
	fake_do("d", "release %s a", op);
	RUN_UNTIL(rig, r.done);
	for (int i = 0; i < 3; i++) {
		rig_settle(rig);
		rig_advance(rig, SPAN_MINUTE);
	}
	rig_settle(rig);
	CHECK(fake_calls("d", "refresh", "a") >= before + 3);
	CHECK(rig_status(rig, "a").next_refresh_us != 0);
	rig_free(&rig);
}

static void a_schedule_outlives_a_verify(void)
{
	time_comes_during(engine_verify, "verify", "every = 1m\n");
}

static void a_schedule_outlives_a_plan(void)
{
	time_comes_during(engine_plan, "inspect", "after = 1m\n");
}

static void the_safety_net_outlives_a_verify(void)
{
	time_comes_during(engine_verify, "verify", "max_staleness = 1m\n");
}

/* ---- setting up again ------------------------------------------------------------------------------------------- */

static void a_setup_that_failed_is_tried_again_after_a_plan(void)
{
	struct rig *rig = rig_new();
	struct rig_report r = {.done = false};
	size_t n;
	expect_log("setting it up failed");
	fake_do("d", "fail apply a resource");
	rig_commit(rig, DB VIEW("a", "t_x"));
	rig_settle(rig);
	struct view **views = rig_views(rig, "a", &n);
	fake_do("d", "block inspect a");
	engine_plan(rig->eng, views, n, rig_done, &r);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	rig_advance(rig, SPAN_HOUR);
	fake_do("d", "release inspect a");
	RUN_UNTIL(rig, r.done);
	rig_settle(rig);
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_TABLE);
	rig_free(&rig);
}

/* Broken connections, and refreshes that failed before, say nothing of how long a setup should wait. */
static void a_setup_waits_for_its_own_failures_only(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	expect_log("setting it up failed");
	expect_log("cannot be used");
	fake_do("d", "fail inspect a conflict");
	fake_do("d", "fail inspect a lost 5");
	fake_do("d", "unwatch");
	for (size_t i = 0, before = fake_calls("d", "inspect", "a"); i < 6; i++) {
		RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN && !watch_lingers(rig_db(rig, "d")));
		database_probe(rig_db(rig, "d"));
		RUN_UNTIL(rig, fake_calls("d", "inspect", "a") == before + i + 1);
		rig_settle(rig);
	}
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE SUCCEEDED");
	rig_advance(rig, 7 * SPAN_SECOND);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

/* A view that never existed has not vanished: it is still to be made. */
static void what_was_never_made_is_made_after_a_reconnect(void)
{
	struct rig *rig = rig_new();
	expect_log("setting it up failed");
	expect_log("cannot be used");
	fake_do("d", "fail apply a resource");
	rig_commit(rig, DB VIEW("a", "t_x"));
	rig_settle(rig);
	fake_do("d", "down connect");
	RUN_UNTIL(rig, (rig_advance(rig, 1), rig_db(rig, "d")->state == DB_DOWN));
	fake_do("d", "up");
	database_probe(rig_db(rig, "d")); /* before it would have been tried again by itself */
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_UP);
	rig_settle(rig);
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_TABLE);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

/* ---- groups and reloads ----------------------------------------------------------------------------------------- */

#define GROUP_A "[view a]\ndatabase = d\nmethod = table\nrefresh_group = g\ndefinition = 'SELECT * FROM t_x'\n"
#define LONE_A "[view a]\ndatabase = d\nmethod = table\ndefinition = 'SELECT * FROM t_x'\n"
#define GROUP_B(more) ON("b", "t_x", "refresh_group = g\n" more)

/* The one that held the others has left the group: what they waited with is due. */
static void leaving_a_group(const char *after, const char *more)
{
	struct rig *rig = rig_start_fresh(
		talloc_asprintf(harness_ctx(), DB GROUP_A "%s", talloc_asprintf(harness_ctx(), GROUP_B("%s"), more)));
	pause_view(rig, "a");
	rig_change(rig, "d", "t_x", "b");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(fake_rows("d", "b"), 1);
	rig_commit(rig,
	           talloc_asprintf(harness_ctx(), DB "%s%s", after, talloc_asprintf(harness_ctx(), GROUP_B("%s"), more)));
	rig_settle(rig);
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(fake_rows("d", "b"), 2);
	CHECK(rig_status(rig, "b").freshness == VIEW_FRESHNESS_FRESH);
	if (more[0] != '\0')
		CHECK(rig_status(rig, "b").next_refresh_us != 0);
	rig_free(&rig);
}

static void who_is_left_by_the_paused_one_goes_on(void)
{
	leaving_a_group(LONE_A, "");
}

static void who_survives_the_paused_one_goes_on(void)
{
	leaving_a_group("", "every = 2h\n");
}

/* A view that joins a group that rests, rests. */
static void who_joins_a_paused_one_rests(void)
{
	struct rig *rig = rig_start_fresh(DB LONE_A EVERY("b", "t_x", "every = 1m\n"));
	pause_view(rig, "a");
	rig_commit(rig, DB GROUP_A EVERY("b", "t_x", "every = 1m\nrefresh_group = g\n"));
	rig_settle(rig);
	size_t before = fake_calls("d", "refresh", "b");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "b"), before);
	rig_free(&rig);
}

/* ---- cancel ----------------------------------------------------------------------------------------------------- */

/* A cancel is for refreshes. It does not end the setting up of a capture. */
static void a_cancel_leaves_the_capture_alone(void)
{
	struct rig *rig = rig_new();
	size_t n;
	fake_do("d", "block capture b");
	rig_commit(rig, "[database d]\nurl = fake://d\nmax_concurrent_refreshes = 1\n" ON("a", "t_x", "")
	                    ON("b", "t_x", "priority = 1\n"));
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	CHECK(rig_view(rig, "a")->members != NULL);
	struct view **views = rig_views(rig, "a", &n);
	engine_cancel(rig->eng, views, n);
	fake_do("d", "release capture b");
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND), rig_is_fresh(rig, "d") && rig_is_fresh(rig, "e")));
	fake_do("d", "change t_x");
	int64_t deadline = harness_deadline(2 * SPAN_SECOND);
	while (fake_rows("d", "a") != 2 && rig_turn(rig, deadline))
		rig_advance(rig, 1);
	CHECK_INT(fake_rows("d", "a"), 2);
	rig_settle(rig);
	rig_free(&rig);
}

/* ---- instances that go while a wave runs ------------------------------------------------------------------------ */

static void a_wave_outlives_its_members(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "") ON("b", "t_x", ""));
	struct rig_report r;
	fake_do("d", "change t_x");
	rig_settle(rig);
	fake_do("d", "block refresh b");
	rig_refresh(rig, "a b", &r);
	RUN_UNTIL(rig, fake_running("d") == 1 && rig_view(rig, "a")->job == NULL);
	rig_commit(rig, DB ON("b", "t_x", "") ON("c", "b", ""));
	RUN_UNTIL(rig, rig_view(rig, "c")->relation.reconciled);
	fake_do("d", "release refresh b");
	RUN_UNTIL(rig, r.done);
	RUN_UNTIL(rig, (rig_advance(rig, 1), rig_is_fresh(rig, "d") && rig_is_fresh(rig, "e")));
	rig_free(&rig);
}

/* ---- drop, pause ------------------------------------------------------------------------------------------------ */

static void what_was_due_does_not_bring_back_what_was_dropped(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "debounce = 10s\n"));
	struct rig_report r = {.done = false};
	size_t n;
	struct view **views = rig_views(rig, "a", &n);
	rig_change(rig, "d", "t_x", "a");
	fake_do("d", "block apply a");
	engine_drop(rig->eng, views, n, rig_done, &r);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	rig_advance(rig, SPAN_MINUTE);
	fake_do("d", "release apply a");
	RUN_UNTIL(rig, r.done);
	rig_settle(rig);
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_NONE);
	CHECK_STR(rig_words(rig, "a"), "MISSING IDLE SUCCEEDED");
	rig_free(&rig);
}

/* Due before the pause, started after it: that is what a pause is to prevent. */
static void a_pause_holds_what_waits(void)
{
	struct rig *rig = rig_start_fresh("[database d]\nurl = fake://d\nmax_concurrent_refreshes = 1\n" ON("a", "t_x", "")
	                                      ON("b", "t_y", ""));
	struct rig_report r;
	fake_do("d", "block refresh b");
	rig_refresh(rig, "b", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	rig_change(rig, "d", "t_x", "a");
	rig_advance(rig, 1);
	CHECK_INT(rig_status(rig, "a").activity, VIEW_ACTIVITY_WAITING);
	pause_view(rig, "a");
	fake_do("d", "release refresh b");
	RUN_UNTIL(rig, r.done);
	rig_settle(rig);
	CHECK_INT(fake_rows("d", "a"), 1);
	CHECK_INT(rig_status(rig, "a").state, VIEW_STATE_PAUSED);
	CHECK(rig_status(rig, "a").freshness != VIEW_FRESHNESS_FRESH);
	resume_view(rig, "a");
	UNTIL(rig, rig_is_fresh(rig, "d") && rig_is_fresh(rig, "e"));
	CHECK_INT(fake_rows("d", "a"), 2);
	rig_free(&rig);
}

/* ---- reload ----------------------------------------------------------------------------------------------------- */

static void a_shorter_debounce_holds_for_what_waits(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "debounce = 10s\n"));
	rig_commit(rig, DB ON("a", "t_x", "debounce = 1d\n"));
	rig_settle(rig);
	rig_change(rig, "d", "t_x", "a");
	rig_commit(rig, DB ON("a", "t_x", "debounce = 1s\n"));
	rig_settle(rig);
	rig_advance(rig, 2 * SPAN_SECOND);
	rig_settle(rig);
	CHECK_INT(fake_rows("d", "a"), 2);
	rig_free(&rig);
}

/* ---- upstream --------------------------------------------------------------------------------------------------- */

/* The follower was not tried because its upstream had failed. The upstream is well again, and has changed nothing. */
static void who_waited_for_a_failure_is_fresh_when_it_is_over(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "unique_key = id\nmax_retries = 0\n") ON("b", "a", ""));
	expect_log("refresh failed");
	fake_do("d", "fail refresh a conflict");
	struct rig_report r = rig_refresh_now(rig, "a");
	rig_settle(rig);
	CHECK_INT(r.items[0].result, VIEW_RESULT_FAILED);
	CHECK_INT(rig_status(rig, "b").result, VIEW_RESULT_UPSTREAM_FAILED);
	CHECK(rig_status(rig, "b").freshness == VIEW_FRESHNESS_FRESH); /* nothing has changed */
	r = rig_refresh_now(rig, "a");
	UNTIL(rig, rig_is_fresh(rig, "d") && rig_is_fresh(rig, "e"));
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK(rig_status(rig, "b").freshness == VIEW_FRESHNESS_FRESH);
	rig_free(&rig);
}

/* ---- what people are told --------------------------------------------------------------------------------------- */

static void keep_line(void *text, const char *line)
{
	char **all = text;
	*all = talloc_asprintf(harness_ctx(), "%s%s\n", *all, line);
}

static const char *why(struct rig *rig, const char *name)
{
	char *text = talloc_strdup(harness_ctx(), "");
	engine_why(rig->eng, rig_view(rig, name), keep_line, &text);
	return text;
}

static void definitions_in_a_circle_are_told(void)
{
	struct rig *rig = rig_new();
	expect_log("setting it up failed");
	rig_commit(rig, DB VIEW("a", "b") VIEW("b", "c, t_x") VIEW("c", "a") VIEW("d", "a") VIEW("e", "e"));
	rig_settle(rig);
	CHECK_CONTAINS(why(rig, "a"), "definitions mention each other: a -> b -> c -> a;");
	CHECK_CONTAINS(why(rig, "e"), "definitions mention each other: e -> e;");
	CHECK(strstr(why(rig, "d"), "mention each other") == NULL);
	rig_free(&rig);
}

static void when_a_database_is_tried_again_is_told(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	expect_log("cannot be used");
	fake_do("d", "down auth");
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN && rig_working(rig) == 0);
	database_probe(rig_db(rig, "d"));
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN);
	CHECK_CONTAINS(why(rig, "a"), "the database is tried again in 1m");
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"a schedule outlives a verify", a_schedule_outlives_a_verify},
	{"a schedule outlives a plan", a_schedule_outlives_a_plan},
	{"the safety net outlives a verify", the_safety_net_outlives_a_verify},
	{"a setup that failed is tried again after a plan", a_setup_that_failed_is_tried_again_after_a_plan},
	{"a setup waits for its own failures only", a_setup_waits_for_its_own_failures_only},
	{"what was never made is made after a reconnect", what_was_never_made_is_made_after_a_reconnect},
	{"who is left by the paused one goes on", who_is_left_by_the_paused_one_goes_on},
	{"who survives the paused one goes on", who_survives_the_paused_one_goes_on},
	{"who joins a paused one rests", who_joins_a_paused_one_rests},
	{"a cancel leaves the capture alone", a_cancel_leaves_the_capture_alone},
	{"a wave outlives its members", a_wave_outlives_its_members},
	{"what was due does not bring back what was dropped", what_was_due_does_not_bring_back_what_was_dropped},
	{"a pause holds what waits", a_pause_holds_what_waits},
	{"a shorter debounce holds for what waits", a_shorter_debounce_holds_for_what_waits},
	{"who waited for a failure is fresh when it is over", who_waited_for_a_failure_is_fresh_when_it_is_over},
	{"definitions in a circle are told", definitions_in_a_circle_are_told},
	{"when a database is tried again is told", when_a_database_is_tried_again_is_told},
};
HARNESS_MAIN(SUITE("interplay", tests))
