/* SPDX-License-Identifier: MIT
 *
 * test_recovery.c: ways out of a state: sections that come back, pauses, cancels and failures at bad moments.
 */
#include "unit/core/rig.h"

#include "core/engine/capture.h"
#include "core/engine/outcome.h"
#include "core/exec/session.h"
#include "core/plan/change.h"

#include <talloc.h>

#define TABLE(name) "[view " name "]\ndatabase = d\nmethod = table\ndefinition = 'SELECT * FROM t_x'\n"
#define DROP(name) TABLE(name) "on_remove = drop\n"
#define SIMPLE(name, more) "[view " name "]\ndatabase = d\nmethod = simple\ndefinition = 'SELECT * FROM t_x'\n" more

static void cancel(struct rig *rig, const char *name)
{
	size_t n;
	struct view **views = rig_views(rig, name, &n);
	engine_cancel(rig->eng, views, n);
}

static void section_comes_back_while_the_old_one_runs(void)
{
	struct rig *rig = rig_start(DB TABLE("other") DROP("a"));
	struct rig_report r;
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	rig_commit(rig, DB TABLE("other"));
	rig_commit(rig, DB TABLE("other") DROP("a"));
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, r.done);
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_TABLE);
	CHECK_INT(harness_log_count("dropped"), 0);
	rig_free(&rig);
}

static void history_told(void *ctx, const struct viewd_history_row *rows UNUSED, size_t n UNUSED,
                         const struct viewd_err *err UNUSED)
{
	*(bool *)ctx = true;
}

static void section_comes_back_while_its_drop_waits(void)
{
	struct rig *rig = rig_start(DB TABLE("other") DROP("a"));
	bool told = false;
	fake_do("d", "block history other");
	engine_history(rig->eng, rig_view(rig, "other"), 1, history_told, &told);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	rig_commit(rig, DB TABLE("other"));
	rig_commit(rig, DB TABLE("other") DROP("a"));
	fake_do("d", "release history other");
	rig_settle(rig);
	CHECK(told);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_TABLE);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void section_comes_back_while_its_drop_runs(void)
{
	struct rig *rig = rig_start(DB TABLE("other") DROP("a"));
	fake_do("d", "block apply a");
	rig_commit(rig, DB TABLE("other"));
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	rig_commit(rig, DB TABLE("other") DROP("a"));
	RUN_UNTIL(rig, rig_view(rig, "a")->relation.reconciled);
	fake_do("d", "release apply a");
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_TABLE);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

/* ---- setting up ------------------------------------------------------------------------------------------------- */

static void failed_setup_is_retried_after_a_live_change(void)
{
	struct rig *rig = rig_new();
	expect_log("setting it up failed");
	fake_do("d", "fail apply s resource");
	rig_commit(rig, DB SIMPLE("s", ""));
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "s"), "FAILED IDLE NONE");
	rig_commit(rig, DB SIMPLE("s", "priority = 5\n"));
	rig_settle(rig);
	rig_advance(rig, 10 * SPAN_MINUTE);
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "s"), VIEWD_KIND_VIEW);
	rig_free(&rig);
}

static void pause_and_resume(struct rig *rig, const char *name, int64_t meanwhile)
{
	struct viewd_err err;
	size_t n;
	struct view **views = rig_views(rig, name, &n);
	REQUIRE_OK(engine_pause(rig->eng, views, n, &err), &err);
	rig_advance(rig, meanwhile);
	rig_settle(rig);
	REQUIRE_OK(engine_resume(rig->eng, views, n, &err), &err);
}

static void pause_one(struct rig *rig, const char *name)
{
	struct viewd_err err;
	size_t n;
	struct view **views = rig_views(rig, name, &n);
	REQUIRE_OK(engine_pause(rig->eng, views, n, &err), &err);
}

static void a_pause_is_over_once_it_was_ended(void)
{
	struct rig *rig = rig_start(DB TABLE("other") TABLE("a"));
	pause_one(rig, "a");
	rig_restart(rig, DB TABLE("other") TABLE("a"));
	CHECK_STR(rig_words(rig, "a"), "PAUSED IDLE SUCCEEDED");
	pause_and_resume(rig, "a", SPAN_MS);
	rig_commit(rig, DB TABLE("other"));
	rig_settle(rig);
	rig_commit(rig, DB TABLE("other") TABLE("a"));
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_restart(rig, DB TABLE("other") TABLE("a"));
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void a_pause_outlives_the_absence_of_its_section(void)
{
	struct rig *rig = rig_start(DB TABLE("other") TABLE("a") TABLE("b"));
	pause_one(rig, "a b");
	rig_restart(rig, DB TABLE("other") TABLE("b"));
	rig_commit(rig, DB TABLE("other"));
	rig_settle(rig);
	pause_and_resume(rig, "other", SPAN_MS); /* writes the file anew */
	rig_restart(rig, DB TABLE("other") TABLE("a"));
	CHECK_STR(rig_words(rig, "a"), "PAUSED IDLE SUCCEEDED");
	rig_commit(rig, DB TABLE("other") TABLE("a") TABLE("b"));
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "b"), "PAUSED IDLE SUCCEEDED");
	CHECK_STR(rig_words(rig, "other"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void failed_setup_is_retried_after_a_pause(void)
{
	struct rig *rig = rig_new();
	expect_log("setting it up failed");
	fake_do("d", "fail apply a resource");
	rig_commit(rig, DB TABLE("a"));
	rig_settle(rig);
	pause_and_resume(rig, "a", SPAN_MS);
	rig_advance(rig, 10 * SPAN_MINUTE);
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_TABLE);
	CHECK_INT(fake_rows("d", "a") >= 0, 1);
	rig_free(&rig);
}

static void paused_view_is_set_up_but_not_refreshed(void)
{
	struct rig *rig = rig_new();
	struct viewd_err err;
	size_t n;
	expect_log("setting it up failed");
	fake_do("d", "fail apply a resource");
	rig_commit(rig, DB TABLE("a") "every = 1m\n");
	rig_settle(rig);
	struct view **views = rig_views(rig, "a", &n);
	REQUIRE_OK(engine_pause(rig->eng, views, n, &err), &err);
	rig_advance(rig, 10 * SPAN_MINUTE);
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_TABLE);
	rig_advance(rig, 10 * SPAN_MINUTE);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), 0);
	CHECK_STR(rig_words(rig, "a"), "PAUSED IDLE SUCCEEDED");
	rig_free(&rig);
}

static void cancelled_setup_is_told(void)
{
	struct rig *rig = rig_new();
	fake_do("d", "block prepare d");
	fake_do("d", "block apply a");
	rig_commit(rig, "[database d]\nurl = fakeone://d\n" TABLE("other") TABLE("a"));
	fake_do("d", "release prepare d");
	RUN_UNTIL(rig, fake_waiting("d") == 1 && rig_view(rig, "other")->members != NULL);
	cancel(rig, "other");
	CHECK_STR(rig_words(rig, "other"), "FAILED IDLE NONE");
	CHECK_CONTAINS(rig_status(rig, "other").error->msg, "cancelled");
	fake_do("d", "release apply a");
	rig_settle(rig);
	rig_free(&rig);
}

/* ---- failures and pauses ---------------------------------------------------------------------------------------- */

static void failed_view_keeps_its_schedule_after_a_pause(void)
{
	struct rig *rig = rig_start(DB TABLE("a") "every = 1m\n");
	expect_log("refresh failed");
	fake_do("d", "fail refresh a query");
	rig_refresh_now(rig, "a");
	rig_settle(rig); /* what it reads is looked at anew */
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE FAILED");
	pause_and_resume(rig, "a", SPAN_MS);
	CHECK(rig_status(rig, "a").next_refresh_us != 0);
	rig_advance(rig, 5 * SPAN_MINUTE);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

/* b reads a, which the files do not say. */
#define CHAIN(more) \
	DB "[view a]\ndatabase = d\nmethod = table\nevery = 1m\n" more "definition = 'SELECT * FROM t_x'\n" VIEW( \
		"b", "a") "[view c]\ndatabase = d\nmethod = table\nafter = 1m\ndefinition = 'SELECT * FROM b'\n"

static void schedule_outlives_a_cycle(void)
{
	struct rig *rig = rig_start(CHAIN(""));
	expect_log("depends on itself");
	rig_commit(rig, CHAIN("depends_on = b\n"));
	rig_settle(rig);
	size_t before = fake_calls("d", "refresh", NULL);
	rig_advance(rig, 90 * SPAN_SECOND);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE FAILED");
	CHECK_STR(rig_words(rig, "c"), "ACTIVE IDLE UPSTREAM_FAILED"); /* it waits for the cycle, and is not on it */
	CHECK_INT(fake_calls("d", "refresh", NULL), before);
	CHECK(rig_status(rig, "a").next_refresh_us > rig->clock.wall_us);
	CHECK(rig_status(rig, "c").next_refresh_us > rig->clock.wall_us);
	rig_commit(rig, CHAIN(""));
	rig_settle(rig);
	rig_advance(rig, 2 * SPAN_MINUTE);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK_STR(rig_words(rig, "c"), "ACTIVE IDLE SUCCEEDED");
	CHECK(rig_status(rig, "a").error == NULL);
	rig_free(&rig);
}

/* The dialect of these tests notices nothing; what a watch would tell is told by hand. */
static struct rig *changing_rig(void)
{
	struct rig *rig = rig_start(DB TABLE("a"));
	struct conf_view *conf = talloc_memdup(harness_ctx(), rig_view(rig, "a")->conf, sizeof *conf);
	conf->on_change = true;
	rig_view(rig, "a")->conf = conf;
	rig_advance(rig, SPAN_SECOND); /* a time of 0 means none */
	return rig;
}

static void change_that_failed_is_not_forgotten_in_a_pause(void)
{
	struct rig *rig = changing_rig();
	size_t before = fake_calls("d", "refresh", "a");
	expect_log("refresh failed");
	fake_do("d", "fail refresh a query");
	change_signal(rig_view(rig, "a"), 7, false);
	rig_advance(rig, SPAN_MINUTE);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), before + 1);
	pause_and_resume(rig, "a", SPAN_MS);
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), before + 2);
	rig_free(&rig);
}

static void capture_that_failed_is_forgiven(void)
{
	struct rig *rig = rig_new();
	fake_do("d", "fail capture a query");
	expect_log("view 'a', changes cannot be noticed (scripted query)");
	rig_commit(rig, DB TABLE("a") "on_change = yes\n");
	RUN_UNTIL(rig, rig_view(rig, "a")->capture.failed);
	CHECK_CONTAINS(rig_status(rig, "a").error->msg, "scripted query");
	capture_retry(rig->eng); /* the timer's work */
	RUN_UNTIL(rig, fake_calls("d", "capture", "a") == 2);
	rig_settle(rig);
	CHECK(rig_status(rig, "a").error == NULL);
	rig_free(&rig);
}

static void change_whose_refresh_was_cancelled_comes_back(void)
{
	struct rig *rig = changing_rig();
	size_t before = fake_calls("d", "refresh", "a");
	change_signal(rig_view(rig, "a"), 7, false);
	rig_advance(rig, SPAN_MINUTE);
	CHECK(rig_view(rig, "a")->members != NULL);
	cancel(rig, "a");
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), before);
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), before + 1);
	rig_free(&rig);
}

/* The new server numbers its changes from the beginning, and its contents are of another age. */
static void database_moves_and_numbers_begin_anew(void)
{
	struct rig *rig = rig_start("[database d]\nurl = fake://e\n" TABLE("a"));
	rig_commit(rig, DB TABLE("a"));
	rig_settle(rig);
	int64_t filled = rig_status(rig, "a").data_timestamp_us;
	rig_advance(rig, SPAN_HOUR);
	rig_refresh_now(rig, "a");
	rig_view(rig, "a")->change.settled_seq = rig_view(rig, "a")->change.seen_seq = 5000;
	rig_commit(rig, "[database d]\nurl = fake://e\n" TABLE("a"));
	rig_settle(rig);
	CHECK_INT(rig_status(rig, "a").data_timestamp_us, filled);
	struct conf_view *conf = talloc_memdup(harness_ctx(), rig_view(rig, "a")->conf, sizeof *conf);
	conf->on_change = true;
	rig_view(rig, "a")->conf = conf;
	change_signal(rig_view(rig, "a"), 3, false);
	size_t before = fake_calls("e", "refresh", "a");
	rig_advance(rig, SPAN_MINUTE);
	rig_settle(rig);
	CHECK_INT(fake_calls("e", "refresh", "a"), before + 1);
	rig_free(&rig);
}

/* ---- cancels beside connections --------------------------------------------------------------------------------- */

static void cancel_while_it_connects(void)
{
	struct rig *rig = rig_start(DB TABLE("a"));
	struct rig_report r;
	size_t before = fake_calls("d", "refresh", "a");
	session_close_idle(rig_db(rig, "d"));
	fake_do("d", "hang open d");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	cancel(rig, "a");
	for (int i = 0; i < 5; i++)
		rig_turn(rig, 0);
	fake_do("d", "release open d");
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_CANCELLED);
	CHECK_INT(fake_calls("d", "refresh", "a"), before);
	rig_settle(rig);
	rig_free(&rig);
}

/* The rig looks for a connection that is closed beside its cancel. */
static void cancel_of_a_connection_found_dead(void)
{
	struct rig *rig = rig_start(DB TABLE("a"));
	struct rig_report r;
	rig_advance(rig, SPAN_MINUTE);
	fake_do("d", "hang alive d");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	fake_do("d", "hang cancel d");
	cancel(rig, "a");
	RUN_UNTIL(rig, fake_waiting("d") == 2);
	fake_do("d", "sever");
	fake_do("d", "release alive d");
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_CANCELLED);
	fake_do("d", "release cancel d");
	rig_settle(rig);
	rig_free(&rig);
}

/* ---- queues ----------------------------------------------------------------------------------------------------- */

static void many_that_may_not_start_keep_nobody_waiting(void)
{
	char *views = talloc_strdup(harness_ctx(), ""), *names = talloc_strdup(harness_ctx(), "");
	struct rig_report blocked = {.done = false}, r;
	for (int i = 0; i < 80; i++) {
		views = talloc_asprintf_append(views,
		                               "[view r%d]\ndatabase = d\nmethod = table\ndefinition = SELECT * FROM x\n", i);
		names = talloc_asprintf_append(names, "r%d ", i);
	}
	views = talloc_asprintf_append(views, "%s", TABLE("o"));
	struct rig *rig = rig_start(talloc_asprintf(harness_ctx(), DB "%s%s", views, VIEW("x", "t_x")));
	fake_do("d", "block apply x");
	rig_commit(rig, talloc_asprintf(harness_ctx(), DB "%s%s", views, VIEW("x", "t_y")));
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	rig_refresh(rig, names, &blocked);
	rig_refresh(rig, "o", &r);
	RUN_UNTIL(rig, r.done);
	CHECK(!blocked.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED);
	fake_do("d", "release apply x");
	RUN_UNTIL(rig, blocked.done);
	rig_settle(rig);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"a section comes back while the old one runs", section_comes_back_while_the_old_one_runs},
	{"a section comes back while its drop waits", section_comes_back_while_its_drop_waits},
	{"a section comes back while its drop runs", section_comes_back_while_its_drop_runs},
	{"a failed setup is retried after a live change", failed_setup_is_retried_after_a_live_change},
	{"a pause is over once it was ended", a_pause_is_over_once_it_was_ended},
	{"a pause outlives the absence of its section", a_pause_outlives_the_absence_of_its_section},
	{"a failed setup is retried after a pause", failed_setup_is_retried_after_a_pause},
	{"a paused view is set up but not refreshed", paused_view_is_set_up_but_not_refreshed},
	{"a cancelled setup is told", cancelled_setup_is_told},
	{"a failed view keeps its schedule after a pause", failed_view_keeps_its_schedule_after_a_pause},
	{"a schedule outlives a cycle", schedule_outlives_a_cycle},
	{"a change that failed is not forgotten in a pause", change_that_failed_is_not_forgotten_in_a_pause},
	{"a capture that failed is forgiven", capture_that_failed_is_forgiven},
	{"a change whose refresh was cancelled comes back", change_whose_refresh_was_cancelled_comes_back},
	{"many that may not start keep nobody waiting", many_that_may_not_start_keep_nobody_waiting},
	{"a database moves and numbers begin anew", database_moves_and_numbers_begin_anew},
	{"cancel while it connects", cancel_while_it_connects},
	{"cancel of a connection found dead", cancel_of_a_connection_found_dead},
};
HARNESS_MAIN(SUITE("recovery", tests))
