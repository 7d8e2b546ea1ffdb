/* SPDX-License-Identifier: MIT
 *
 * test_create.c: what is created, adopted, replaced or refused, and in which order.
 */
#include "unit/core/rig.h"

static void follows_mentions(void)
{
	/* by name alone the order would be a, b, c */
	struct rig *rig = rig_start(DB VIEW("a", "b") VIEW("b", "c") VIEW("c", "t_x"));
	CHECK_STR(fake_trace(harness_ctx(), "d", "apply"), "c b a");
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK_INT(rig_status(rig, "a").trigger, VIEW_TRIGGER_INITIAL);
	CHECK_INT(rig_status(rig, "a").did, VIEWD_DID_REINITIALIZE);
	CHECK_INT(fake_rows("d", "a"), 1);
	rig_free(&rig);
}

static void wrong_guess_costs_a_retry(void)
{
	/* a reads "c" whose section gives it another relation name than a guess can know */
	struct rig *rig = rig_new();
	expect_log("view 'a', setting it up failed (missing: relation \"hidden\" does not exist)");
	rig_commit(rig, DB "[view a]\ndatabase = d\nmethod = table\ndefinition = SELECT * FROM hidden\n");
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE NONE");
	fake_do("d", "make hidden table");
	rig_advance(rig, 10 * SPAN_SECOND);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void mutual_mentions_do_not_lock_up(void)
{
	/* each mentions the other's name, as a column: only guesses */
	struct rig *rig = rig_start(DB "[view a]\ndatabase = d\nmethod = table\ndefinition = SELECT b FROM t_x\n"
	                               "[view b]\ndatabase = d\nmethod = table\ndefinition = SELECT a FROM t_x\n");
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK_STR(rig_words(rig, "b"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void depends_on_across_databases(void)
{
	struct rig *rig = rig_new();
	fake_do("d1", "delay apply up 50ms");
	rig_commit(rig, "[database d1]\nurl = fake://d1\n[database d2]\nurl = fake://d2\n"
	                "[view up]\ndatabase = d1\nmethod = table\ndefinition = SELECT * FROM t_x\n"
	                "[view down]\ndatabase = d2\nmethod = table\ndefinition = SELECT * FROM t_y\ndepends_on = d1:up\n");
	rig_settle(rig);
	struct view *const *ups;
	CHECK_INT(view_upstream(rig_view(rig, "down"), &ups), 1);
	CHECK_STR(view_label(ups[0]), "up");
	fake_do("d1", "fail refresh up query");
	expect_log("view 'up', refresh failed");
	struct rig_report r = rig_refresh_now(rig, "up down");
	CHECK_INT(r.items[0].result, VIEW_RESULT_FAILED);
	CHECK_INT(r.items[1].result, VIEW_RESULT_UPSTREAM_FAILED);
	CHECK_INT(fake_calls("d2", "refresh", NULL), 0);
	rig_free(&rig);
}

static void foreign_objects_are_refused(void)
{
	struct rig *rig = rig_new();
	fake_do("d", "make v matview");
	fake_do("d", "make t table");
	expect_log(
		"view 'v', setting it up failed (exists: a materialized view of that name exists and was not made by viewd); "
		"set adopt = yes to take it over, or choose another relation");
	expect_log("view 't', setting it up failed (exists: a table of that name exists and was not made by viewd); "
	           "choose another relation; viewd never takes over a table");
	rig_commit(
		rig, DB
		"[view v]\ndatabase = d\ndefinition = SELECT 1\n[view t]\ndatabase = d\nadopt = yes\ndefinition = SELECT 1\n");
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "v"), "FAILED IDLE NONE");
	CHECK_INT(rig_status(rig, "v").error->cls, VIEWD_ERR_EXISTS);
	CHECK_INT(fake_calls("d", "apply", NULL), 0);
	rig_free(&rig);
}

static void adoption_takes_over(void)
{
	struct rig *rig = rig_new();
	fake_do("d", "make v matview");
	rig_commit(rig, DB "[view v]\ndatabase = d\nadopt = yes\nmethod = materialized\ndefinition = SELECT * FROM t_x\n");
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "v"), "ACTIVE IDLE SUCCEEDED");
	CHECK_STR(fake_trace(harness_ctx(), "d", "apply"), "v v"); /* adopt, then replace */
	CHECK_INT(fake_rows("d", "v"), 1);
	rig_free(&rig);
}

static void replaced_by_hand_is_never_touched(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	fake_do("d", "make a table");
	expect_log("view 'a', refresh failed (exists: relation \"a\" was not made by viewd)");
	struct rig_report r = rig_refresh_now(rig, "a");
	CHECK_INT(r.items[0].cls, VIEWD_ERR_EXISTS);
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE FAILED");
	CHECK_INT(fake_rows("d", "a"), 7);
	rig_free(&rig);
}

static void dropped_by_hand_is_missing(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	fake_do("d", "remove a");
	expect_log("view 'a', refresh failed (missing: relation \"a\" does not exist)");
	rig_refresh_now(rig, "a");
	CHECK_STR(rig_words(rig, "a"), "MISSING IDLE FAILED");
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_NONE);
	struct rig_report r = rig_create_now(rig, "a");
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK_INT(r.items[0].change, VIEWD_CHANGE_CREATE);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_TABLE);
	rig_free(&rig);
}

static void drop_goes_downstream_first(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x") VIEW("b", "a") VIEW("c", "b"));
	struct rig_report r = rig_drop_now(rig, "a b c");
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK_STR(fake_trace(harness_ctx(), "d", "apply"), "a b c c b a");
	CHECK_STR(rig_words(rig, "a"), "MISSING IDLE SUCCEEDED");
	rig_advance(rig, SPAN_DAY);
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_NONE);
	rig_free(&rig);
}

/* A refresh by hand makes a dropped view anew: from then on its changes are followed as before. */
static void who_was_dropped_follows_again(void)
{
	struct rig *rig = rig_start_fresh(DB VIEW("a", "t_x") "on_change = yes\n");
	loop_timer_clear(rig->eng->captures.timer); /* set when the view was first made: it would look again, for once */
	rig_drop_now(rig, "a");
	CHECK_STR(rig_words(rig, "a"), "MISSING IDLE SUCCEEDED");
	rig_refresh_now(rig, "a");
	UNTIL(rig, rig_view(rig, "a")->capture.set_up && rig_is_fresh(rig, "d"));
	CHECK(rig_status(rig, "a").freshness == VIEW_FRESHNESS_FRESH);
	fake_do("d", "change t_x");
	UNTIL(rig, rig_is_fresh(rig, "d"));
	CHECK_INT(fake_rows("d", "a"), 2);
	rig_free(&rig);
}

static void drop_is_refused_while_read(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x") VIEW("b", "a"));
	expect_log("view 'a', dropping it failed (query: relation \"a\" is read by \"b\")");
	struct rig_report r = rig_drop_now(rig, "a");
	CHECK_INT(r.items[0].result, VIEW_RESULT_FAILED);
	CHECK_STR(rig_words(rig, "b"), "ACTIVE IDLE SUCCEEDED");
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_TABLE);
	rig_free(&rig);
}

static void plan_changes_nothing(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	struct rig_report r = {.done = false};
	struct view *v = rig_view(rig, "a");
	fake_do("d", "touch a");
	engine_plan(rig->eng, &v, 1, rig_done, &r);
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].change, VIEWD_CHANGE_REFUSE);
	CHECK_STR(r.items[0].reason, "view 'a', its definition was changed in the database by somebody else");
	CHECK_INT(fake_calls("d", "apply", NULL), 1);
	rig_free(&rig);
}

/* An application's change is undone neither by a restart nor by `create`, only by somebody who says so. */
static void what_others_changed_is_not_undone(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	struct rig_report r = {.done = false};
	struct view *v;
	expect_log("changed in the database by somebody else");
	fake_do("d", "touch a");
	rig_restart(rig, DB VIEW("a", "t_x"));
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE SUCCEEDED");
	r = rig_create_now(rig, "a");
	CHECK_INT(r.items[0].result, VIEW_RESULT_FAILED);
	CHECK_INT(r.items[0].cls, VIEWD_ERR_EXISTS);
	CHECK_INT(fake_calls("d", "apply", NULL), 1);
	v = rig_view(rig, "a");
	r.done = false;
	engine_replace(rig->eng, &v, 1, rig_done, &r);
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].change, VIEWD_CHANGE_REPLACE);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void verify_counts(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	struct rig_report r = {.done = false}, again = {.done = false};
	struct view *v = rig_view(rig, "a");
	engine_verify(rig->eng, &v, 1, rig_done, &r);
	RUN_UNTIL(rig, r.done);
	CHECK(r.items[0].has_verdict && r.items[0].verdict.rows == 1 && r.items[0].verdict.missing == 0);
	fake_do("d", "change t_x");
	engine_verify(rig->eng, &v, 1, rig_done, &again);
	RUN_UNTIL(rig, again.done);
	CHECK_INT(again.items[0].verdict.missing, 1);
	rig_free(&rig);
}

static void with_data_no_is_filled_later(void)
{
	struct rig *rig =
		rig_start(DB "[view a]\ndatabase = d\nmethod = table\nwith_data = no\ndefinition = SELECT * FROM t_x\n");
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE NONE");
	CHECK_INT(fake_rows("d", "a"), -1);
	rig_refresh_now(rig, "a");
	CHECK_INT(fake_rows("d", "a"), 1);
	rig_free(&rig);
}

static void refresh_before_anything_is_known(void)
{
	/* asked for while the first connection is still being made: the order is that of the mentions */
	struct rig *rig = rig_new();
	struct rig_report r;
	rig_commit(rig, DB VIEW("a", "b") VIEW("b", "c") VIEW("c", "d1") VIEW("d1", "t_x"));
	rig_refresh(rig, "a b c d1", &r);
	RUN_UNTIL(rig, r.done);
	rig_settle(rig);
	for (size_t i = 0; i < r.n; i++)
		CHECK_INT(r.items[i].result, VIEW_RESULT_SUCCEEDED);
	CHECK_STR(fake_trace(harness_ctx(), "d", "apply"), "d1 c b a");
	CHECK_STR(fake_trace(harness_ctx(), "d", "refresh"), "d1 c b a");
	rig_free(&rig);
}

static void restart_changes_nothing(void)
{
	static const char *const text = DB VIEW("a", "t_x") VIEW("b", "a");
	struct rig *rig = rig_start(text);
	rig_restart(rig, text);
	CHECK_STR(rig_words(rig, "b"), "ACTIVE IDLE SUCCEEDED");
	CHECK_INT(fake_calls("d", "apply", NULL), 2);
	CHECK_INT(fake_calls("d", "refresh", NULL), 0);
	rig_restart(rig, DB VIEW("a", "t_x") "[view b]\ndatabase = d\nmethod = table\ndefinition = SELECT * FROM a, t_x\n");
	CHECK_STR(fake_trace(harness_ctx(), "d", "apply"), "a b b");
	CHECK_INT(fake_rows("d", "b"), 2);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"creation follows mentions", follows_mentions},
	{"a wrong guess costs a retry", wrong_guess_costs_a_retry},
	{"mutual mentions do not lock up", mutual_mentions_do_not_lock_up},
	{"depends_on across databases", depends_on_across_databases},
	{"foreign objects are refused", foreign_objects_are_refused},
	{"adoption takes over, then replaces", adoption_takes_over},
	{"an object replaced by hand is never touched", replaced_by_hand_is_never_touched},
	{"an object dropped by hand is MISSING until create", dropped_by_hand_is_missing},
	{"drop goes downstream first", drop_goes_downstream_first},
	{"a view that was dropped and refreshed follows again", who_was_dropped_follows_again},
	{"drop is refused while something reads it", drop_is_refused_while_read},
	{"plan changes nothing", plan_changes_nothing},
	{"what others have changed is not undone", what_others_changed_is_not_undone},
	{"verify counts both ways", verify_counts},
	{"with_data = no is filled later", with_data_no_is_filled_later},
	{"a refresh before anything is known", refresh_before_anything_is_known},
	{"a restart changes nothing, a changed definition replaces", restart_changes_nothing},
};
HARNESS_MAIN(SUITE("create", tests))
