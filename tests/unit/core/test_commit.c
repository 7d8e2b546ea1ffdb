/* SPDX-License-Identifier: MIT
 *
 * test_commit.c: a new snapshot in force while things run: what appears, changes, goes; objects without a section.
 */
#include "unit/core/rig.h"

#include <stdio.h>
#include <talloc.h>

#define KEEP(name) "[view " name "]\ndatabase = d\nmethod = table\nevery = 1h\ndefinition = 'SELECT * FROM t_x'\n"
#define DROP(name) KEEP(name) "on_remove = drop\n"

static bool exists(struct rig *rig, const char *name)
{
	for (size_t i = 0; i < rig->eng->n_views; i++)
		if (strcmp(rig->eng->views[i]->conf->name, name) == 0)
			return true;
	return false;
}

static void unchanged_views_are_not_touched(void)
{
	struct rig *rig = rig_start(DB KEEP("a") KEEP("b"));
	size_t before = fake_calls("d", "inspect", NULL);
	int64_t due = rig_status(rig, "a").next_refresh_us;
	const struct view *a = rig_view(rig, "a");
	rig_commit(rig, DB KEEP("a") KEEP("b") KEEP("c"));
	rig_settle(rig);
	CHECK(rig_view(rig, "a") == a);
	CHECK_INT(rig_status(rig, "a").next_refresh_us, due);
	CHECK_INT(fake_calls("d", "inspect", "a"), before / 2);
	CHECK_STR(rig_words(rig, "c"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void removed_while_it_runs(const char *section, enum viewd_kind left)
{
	struct rig *rig = rig_new();
	struct rig_report r;
	char text[400];
	snprintf(text, sizeof text, "%s%s%s", DB, KEEP("other"), section);
	rig_commit(rig, text);
	rig_settle(rig);
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	rig_commit(rig, DB KEEP("other"));
	CHECK(!exists(rig, "a"));
	CHECK(!r.done);
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED); /* it may finish */
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "a"), left);
	CHECK_STR(rig_words(rig, "other"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void removed_and_kept(void)
{
	removed_while_it_runs(KEEP("a"), VIEWD_KIND_TABLE);
	CHECK_INT(harness_log_count("view 'a', no longer configured; the object stays (on_remove = keep)"), 1);
}

/* Somebody has been set up since the refresh began, so that its end looks for those behind it. */
static void finish_after_newcomer(struct rig *rig, const char *rest, const char *server, const char *view)
{
	struct rig_report r;
	fake_do(server, "block refresh %s", view);
	rig_refresh(rig, view, &r);
	RUN_UNTIL(rig, fake_running(server) == 1);
	rig_commit(rig, rest);
	RUN_UNTIL(rig, rig_view(rig, "late")->relation.reconciled);
	fake_do(server, "release refresh %s", view);
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED);
	rig_settle(rig);
	rig_free(&rig);
}

#define FOLLOWS "on_change = yes\n"

static void removed_with_what_reads_it(void)
{
	struct rig *rig = rig_start(DB KEEP("a") VIEW("b", "a") FOLLOWS VIEW("c", "b") FOLLOWS KEEP("other"));
	finish_after_newcomer(rig, DB KEEP("other") KEEP("late"), "d", "a");
}

static void removed_before_what_reads_it(void)
{
	struct rig *rig = rig_start(DB KEEP("a") VIEW("b", "a") FOLLOWS KEEP("other"));
	struct rig_report r;
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	rig_commit(rig, DB VIEW("b", "a") FOLLOWS KEEP("other"));
	rig_commit(rig, DB KEEP("other") KEEP("late"));
	RUN_UNTIL(rig, rig_view(rig, "late")->relation.reconciled);
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, r.done);
	rig_settle(rig);
	rig_free(&rig);
}

/* rig_free waits for the end of all that runs. */
static void stopped_while_a_removed_one_runs(void)
{
	struct rig *rig = rig_start(DB KEEP("a") KEEP("other"));
	struct rig_report r;
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	rig_commit(rig, DB KEEP("other"));
	rig_free(&rig);
	CHECK(r.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_CANCELLED);
}

static void count_history(void *ctx, const struct viewd_history_row *rows UNUSED, size_t n UNUSED,
                          const struct viewd_err *err)
{
	*(int *)ctx += err != NULL && err->cls == VIEWD_ERR_CANCELLED;
}

#define E "[database e]\nurl = fake://e\n[view o]\ndatabase = e\nmethod = table\ndefinition = SELECT 1\n"

static void stopped_while_a_removed_database_is_asked(void)
{
	struct rig *rig = rig_start(DB KEEP("a") E);
	int told = 0;
	fake_do("d", "block history a");
	engine_history(rig->eng, rig_view(rig, "a"), 5, count_history, &told);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	rig_commit(rig, E);
	rig_free(&rig);
	CHECK_INT(told, 1);
}

static void stopped_while_a_removed_database_is_prepared(void)
{
	struct rig *rig = rig_new();
	fake_do("d", "block prepare *");
	rig_commit(rig, DB KEEP("a") E);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	rig_commit(rig, E);
	rig_free(&rig);
}

static void stopped_before_it_is_asked(void)
{
	struct rig *rig = rig_start(DB KEEP("a") E);
	int told = 0;
	fake_do("d", "block history a");
	engine_history(rig->eng, rig_view(rig, "a"), 5, count_history, &told);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	engine_history(rig->eng, rig_view(rig, "a"), 5, count_history, &told); /* waits for the first */
	rig_free(&rig);
	CHECK_INT(told, 2);
}

static void removed_and_dropped(void)
{
	removed_while_it_runs(DROP("a"), VIEWD_KIND_NONE);
	CHECK_INT(harness_log_count("view 'a', no longer configured: dropped (on_remove = drop)"), 1);
}

static void chain_is_dropped_in_an_order_that_works(void)
{
	struct rig *rig =
		rig_start(DB KEEP("other") DROP("a") VIEW("b", "a") "on_remove = drop\n" VIEW("c", "b") "on_remove = drop\n");
	rig_commit(rig, DB KEEP("other"));
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_NONE);
	CHECK_INT(fake_kind("d", "b"), VIEWD_KIND_NONE);
	CHECK_INT(fake_kind("d", "c"), VIEWD_KIND_NONE);
	rig_free(&rig);
}

static void database_removed_while_it_runs(void)
{
	struct rig *rig = rig_start("[database d]\nurl = fake://d\n[database e]\nurl = fake://e\n" DROP(
		"a") "[view o]\ndatabase = e\nmethod = table\ndefinition = SELECT 1\n");
	struct rig_report r;
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	expect_log("view 'a', no longer configured; the object stays although on_remove = drop (database 'd' is no longer "
	           "configured either)");
	rig_commit(rig, "[database e]\nurl = fake://e\n[view o]\ndatabase = e\nmethod = table\ndefinition = SELECT 1\n");
	CHECK_INT(rig->eng->n_dbs, 1);
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, r.done && fake_connections("d") == 0);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_TABLE); /* out of reach: nothing is dropped */
	CHECK_INT(harness_log_count("on_remove = keep"), 0);
	rig_settle(rig);
	rig_free(&rig);
}

static void orphans_of_an_earlier_life(void)
{
	struct rig *rig = rig_start(DB KEEP("other") DROP("a") KEEP("b"));
	rig_restart(rig, DB KEEP("other"));
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_NONE);
	CHECK_INT(fake_kind("d", "b"), VIEWD_KIND_TABLE);
	CHECK_INT(harness_log_count("view 'b', made by an earlier configuration of database 'd', stays (on_remove = keep)"),
	          1);
	rig_free(&rig);
}

static void orphan_replaced_by_hand_is_kept(void)
{
	struct rig *rig = rig_start(DB KEEP("other") DROP("a"));
	fake_do("d", "make a table");
	expect_log("view 'a', no longer configured, cannot be dropped (relation \"a\" was not made by viewd)");
	rig_restart(rig, DB KEEP("other"));
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_TABLE);
	rig_free(&rig);
}

static void changed_while_it_runs(void)
{
	struct rig *rig = rig_start(DB KEEP("a"));
	struct rig_report r;
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	rig_commit(rig, DB "[view a]\ndatabase = d\nmethod = table\ndefinition = SELECT * FROM t_x, t_y\n");
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED); /* under the old snapshot */
	rig_settle(rig);
	CHECK_INT(fake_rows("d", "a"), 2); /* then replaced */
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void database_moves(void)
{
	struct rig *rig = rig_start(DB KEEP("a"));
	rig_commit(rig, "[database d]\nurl = fake://elsewhere\n" KEEP("a"));
	rig_settle(rig);
	RUN_UNTIL(rig, fake_connections("d") == 0);
	CHECK_INT(fake_kind("elsewhere", "a"), VIEWD_KIND_TABLE);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void database_moves_while_it_is_probed(void)
{
	struct rig *rig = rig_new();
	fake_do("d", "block prepare *");
	rig_commit(rig, DB KEEP("a"));
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	rig_commit(rig, "[database d]\nurl = fake://elsewhere\n" KEEP("a"));
	fake_do("d", "release prepare *");
	RUN_UNTIL(rig, fake_kind("elsewhere", "a") == VIEWD_KIND_TABLE);
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_NONE);
	rig_free(&rig);
}

static void disabled_and_enabled(void)
{
	struct rig *rig = rig_start(DB KEEP("a") KEEP("b"));
	rig_commit(rig, DB KEEP("a") KEEP("b") "enabled = no\n");
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "b"), "DISABLED IDLE SUCCEEDED");
	CHECK_INT(rig_status(rig, "b").next_refresh_us, 0);
	rig_advance(rig, 2 * SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "b"), 0);
	CHECK_INT(fake_kind("d", "b"), VIEWD_KIND_TABLE);
	rig_commit(rig, DB KEEP("a") KEEP("b"));
	rig_settle(rig);
	CHECK(rig_status(rig, "b").next_refresh_us > 0 || fake_calls("d", "refresh", "b") == 1);
	CHECK_STR(rig_words(rig, "b"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

/* A disabled view that is named is refused with the reason; one that was not named is left out. */
static void a_disabled_view_is_left_alone(void)
{
	struct rig *rig = rig_start(DB KEEP("a") KEEP("b") "enabled = no\n");
	struct viewd_err err;
	size_t n;
	CHECK_STR(rig_words(rig, "b"), "DISABLED IDLE NONE");
	CHECK(rig_status(rig, "b").error == NULL);
	struct rig_report r = rig_refresh_now(rig, "a b");
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK_INT(r.items[1].result, VIEW_RESULT_FAILED);
	CHECK_INT(r.items[1].cls, VIEWD_ERR_CONFIG);
	CHECK_CONTAINS(r.items[1].msg, "view 'b' is disabled (enabled = no)");
	CHECK_CONTAINS(rig_create_now(rig, "b").items[0].msg, "view 'b' is disabled");
	CHECK_CONTAINS(rig_drop_now(rig, "b").items[0].msg, "view 'b' is disabled");
	CHECK(engine_pause(rig->eng, rig_views(rig, "b", &n), 1, &err));
	CHECK(engine_resume(rig->eng, rig_views(rig, "b", &n), 1, &err));
	CHECK_STR(rig_words(rig, "b"), "DISABLED IDLE NONE");
	CHECK(engine_pause(rig->eng, rig_views(rig, "b", &n), 1, &err));
	CHECK_INT(fake_kind("d", "b"), VIEWD_KIND_NONE);
	CHECK_INT(fake_calls("d", "inspect", "b") + fake_calls("d", "apply", "b"), 0);
	rig_commit(rig, DB KEEP("a") KEEP("b"));
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "b"), "PAUSED IDLE SUCCEEDED");
	rig_free(&rig);
}

/* A disabled view is not touched by a job that ends late, nor by a database that is away. */
static void a_disabled_view_stays_disabled(void)
{
	struct rig *rig = rig_start(DB KEEP("a") KEEP("b"));
	struct rig_report late;
	fake_do("d", "block refresh b");
	rig_refresh(rig, "b", &late);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	rig_commit(rig, DB KEEP("a") KEEP("b") "enabled = no\n");
	fake_do("d", "release refresh b");
	rig_settle(rig);
	CHECK_INT(late.items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK_STR(rig_words(rig, "b"), "DISABLED IDLE SUCCEEDED");
	expect_log("database 'd', cannot be used");
	fake_do("d", "down connect");
	CHECK_INT(rig_refresh_now(rig, "a").items[0].result, VIEW_RESULT_FAILED);
	UNTIL(rig, rig_status(rig, "a").state == VIEW_STATE_FAILED);
	CHECK_STR(rig_words(rig, "b"), "DISABLED IDLE SUCCEEDED");
	CHECK(rig_status(rig, "b").error == NULL);
	fake_do("d", "up");
	rig_free(&rig);
}

#define ONE "[database d]\nurl = fakeone://d\n"
#define GROUPED(name) KEEP(name) "refresh_group = g\n"
#define REFUSED "refresh_group = g, but the dialect fakeone cannot refresh several views together"

static void a_live_change_mends_what_was_refused(void)
{
	struct rig *rig = rig_new();
	expect_log(REFUSED);
	rig_commit(rig, ONE GROUPED("a") KEEP("b"));
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE NONE");
	rig_commit(rig, ONE KEEP("a") KEEP("b"));
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK(rig_status(rig, "a").error == NULL);
	CHECK_INT(rig_refresh_now(rig, "a").items[0].result, VIEW_RESULT_SUCCEEDED);
	rig_free(&rig);
}

static void a_live_change_is_refused(void)
{
	struct rig *rig = rig_start(ONE KEEP("a"));
	expect_log(REFUSED);
	rig_commit(rig, ONE GROUPED("a"));
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE SUCCEEDED");
	CHECK_INT(rig_status(rig, "a").next_refresh_us, 0);
	struct rig_report r = rig_refresh_now(rig, "a");
	CHECK_INT(r.items[0].result, VIEW_RESULT_FAILED);
	CHECK_CONTAINS(r.items[0].msg, REFUSED);
	rig_free(&rig);
}

static void refused_while_it_runs(void)
{
	struct rig *rig = rig_start(ONE KEEP("a"));
	struct rig_report r;
	expect_log(REFUSED);
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	rig_commit(rig, ONE GROUPED("a"));
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, r.done);
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE SUCCEEDED");
	CHECK_CONTAINS(rig_refresh_now(rig, "a").items[0].msg, REFUSED);
	rig_free(&rig);
}

static void another_dialect_judges_anew(void)
{
	struct rig *rig = rig_start(DB GROUPED("a") GROUPED("b"));
	expect_log(REFUSED);
	rig_commit(rig, "[database d]\nurl = fakeone://other\n" GROUPED("a") GROUPED("b"));
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE NONE");
	rig_commit(rig, DB GROUPED("a") GROUPED("b"));
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK(rig_status(rig, "b").error == NULL);
	rig_free(&rig);
}

static int note_freed(bool **freed)
{
	**freed = true;
	return 0;
}

static void old_snapshots_are_freed(void)
{
	struct rig *rig = rig_start(DB KEEP("a"));
	bool freed = false, **witness = talloc(engine_conf(rig->eng), bool *);
	*witness = &freed;
	talloc_set_destructor(witness, note_freed);
	rig_commit(rig, DB KEEP("a") KEEP("b"));
	rig_settle(rig);
	CHECK(freed); /* though sessions and the watch were opened by it */
	rig_free(&rig);
}

static void everything_goes_and_comes_back(void)
{
	struct rig *rig = rig_start(DB KEEP("a") KEEP("b"));
	for (int i = 0; i < 20; i++) {
		rig_commit(rig,
		           "[database e]\nurl = fake://e\n[view o]\ndatabase = e\nmethod = table\ndefinition = SELECT 1\n");
		rig_commit(rig, DB KEEP("a") KEEP("b"));
	}
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	RUN_UNTIL(rig, fake_connections("e") == 0);
	rig_free(&rig);
}

/* Guesses would have each later refresh look at all views. */
static void what_the_catalogue_has_told_stays_known(void)
{
	struct rig *rig = rig_start(DB KEEP("a") KEEP("b"));
	CHECK(rig_view(rig, "a")->reads.guesses == NULL);
	rig_commit(rig, DB KEEP("a") "description = changed\n" KEEP("b"));
	CHECK(rig_view(rig, "a")->reads.guesses == NULL);
	CHECK_INT(rig_view(rig, "a")->reads.n_sources, 1);
	rig_free(&rig);
}

static void another_catalogue_has_told_nothing_yet(void)
{
	struct rig *rig = rig_start(DB KEEP("a") KEEP("b"));
	CHECK(rig_view(rig, "a")->reads.guesses == NULL);
	rig_commit(rig, "[database d]\nurl = fake://e\n" KEEP("a") KEEP("b"));
	CHECK(rig_view(rig, "a")->reads.guesses != NULL);
	rig_settle(rig);
	CHECK(rig_view(rig, "a")->reads.guesses == NULL);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"unchanged views are not touched", unchanged_views_are_not_touched},
	{"what the catalogue has told stays known", what_the_catalogue_has_told_stays_known},
	{"another catalogue has told nothing yet", another_catalogue_has_told_nothing_yet},
	{"removed while it runs, kept", removed_and_kept},
	{"removed while it runs, dropped", removed_and_dropped},
	{"removed while it runs, with what reads it", removed_with_what_reads_it},
	{"removed while it runs, then what reads it", removed_before_what_reads_it},
	{"stopped while a removed one runs", stopped_while_a_removed_one_runs},
	{"stopped while a removed database is asked", stopped_while_a_removed_database_is_asked},
	{"stopped while a removed database is prepared", stopped_while_a_removed_database_is_prepared},
	{"stopped before it is asked", stopped_before_it_is_asked},
	{"a chain is dropped in an order that works", chain_is_dropped_in_an_order_that_works},
	{"a database is removed while it runs", database_removed_while_it_runs},
	{"orphans of an earlier life", orphans_of_an_earlier_life},
	{"an orphan replaced by hand is kept", orphan_replaced_by_hand_is_kept},
	{"changed while it runs", changed_while_it_runs},
	{"a database moves", database_moves},
	{"a database moves while it is probed", database_moves_while_it_is_probed},
	{"disabled and enabled", disabled_and_enabled},
	{"a disabled view is left alone", a_disabled_view_is_left_alone},
	{"a disabled view stays disabled", a_disabled_view_stays_disabled},
	{"a live change mends what was refused", a_live_change_mends_what_was_refused},
	{"a live change is refused", a_live_change_is_refused},
	{"refused while it runs", refused_while_it_runs},
	{"another dialect judges anew", another_dialect_judges_anew},
	{"old snapshots are freed", old_snapshots_are_freed},
	{"everything goes and comes back", everything_goes_and_comes_back},
};
HARNESS_MAIN(SUITE("commit", tests))
