/* SPDX-License-Identifier: MIT
 *
 * test_freshness.c: what is called fresh, stale and unknown, why, and what follows when something is redefined.
 */
#include "core/engine/on_signal.h"
#include "core/plan/freshness.h"
#include "unit/core/rig.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define ON(name, from, more) \
	"[view " name "]\ndatabase = d\nmethod = table\non_change = yes\n" more "definition = 'SELECT * FROM " from "'\n"

static enum view_freshness freshness(struct rig *rig, const char *name)
{
	return rig_status(rig, name).freshness;
}

static void keep_text(void *ctx, const char *text)
{
	char *all = ctx;
	size_t len = strlen(all);
	snprintf(all + len, 1000 - len, "%s\n", text);
}

static const char *reasons(struct rig *rig, const char *name)
{
	char *all = talloc_array(harness_ctx(), char, 1000);
	all[0] = '\0';
	freshness_reasons(rig_view(rig, name), keep_text, all);
	return all;
}

static const char *why(struct rig *rig, const char *name)
{
	char *all = talloc_array(harness_ctx(), char, 1000);
	all[0] = '\0';
	engine_why(rig->eng, rig_view(rig, name), keep_text, all);
	return all;
}

/* Quiet data has no lag however old it is; a change counts from when it was told. */
static void lag_is_the_age_of_what_is_missing(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "debounce = 1m\n"));
	struct view_status st = rig_status(rig, "a");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	st = rig_status(rig, "a");
	CHECK_INT(st.freshness, VIEW_FRESHNESS_FRESH);
	CHECK_INT(st.lag_us, 0);
	CHECK_INT(st.stale_since_us, 0);
	CHECK(st.age_us >= SPAN_HOUR);
	CHECK_STR(reasons(rig, "a"), "");
	rig_change(rig, "d", "t_x", "a");
	int64_t told = rig->clock.wall_us;
	rig_advance(rig, 30 * SPAN_SECOND);
	st = rig_status(rig, "a");
	CHECK_INT(st.freshness, VIEW_FRESHNESS_STALE);
	CHECK_INT(st.stale_since_us, told);
	CHECK_INT(st.lag_us, 30 * SPAN_SECOND);
	rig_advance(rig, 30 * SPAN_SECOND);
	UNTIL(rig, rig_is_fresh(rig, "d"));
	CHECK_INT(rig_status(rig, "a").lag_us, 0);
	rig_free(&rig);
}

static void what_nothing_hears_is_unknown(void)
{
	expect_log(
		"nothing tells of changes of t_unheard: its freshness is UNKNOWN; set max_staleness or a schedule; sources =");
	struct rig *rig = rig_start_fresh(DB ON("a", "t_unheard", "") ON("b", "a", "") ON("c", "t_x", ""));
	const struct view_dependency *rows;
	CHECK_INT(freshness(rig, "a"), VIEW_FRESHNESS_UNKNOWN);
	CHECK_INT(rig_status(rig, "a").lag_us, -1);
	CHECK_CONTAINS(reasons(rig, "a"), "nothing tells of changes of t_unheard: the fake cannot hear it");
	CHECK_CONTAINS(why(rig, "a"), "depends on function t_unheard, heard by nothing: the fake cannot hear it");
	CHECK_CONTAINS(why(rig, "a"),
	               "help: set max_staleness or a schedule; sources = names the tables that a function reads\n");
	CHECK(strstr(why(rig, "c"), "help: ") == NULL);
	REQUIRE(view_dependencies(rig_view(rig, "a"), &rows) == 1);
	CHECK_INT(rows[0].heard_by, VIEWD_HEARD_NONE);
	CHECK_INT(freshness(rig, "b"), VIEW_FRESHNESS_UNKNOWN);
	CHECK_STR(reasons(rig, "b"), "it reads view 'a', which is UNKNOWN\n");
	CHECK_INT(freshness(rig, "c"), VIEW_FRESHNESS_FRESH);
	rig_free(&rig);
}

/* A change that is known is missing, whatever else nobody knows. */
static void a_known_change_is_stale_also_where_much_is_unknown(void)
{
	expect_log("nothing tells of changes of t_unheard");
	struct rig *rig = rig_start_fresh(DB ON("a", "t_unheard", "debounce = 1m\n"));
	rig_change(rig, "d", "t_unheard", "a");
	CHECK_INT(freshness(rig, "a"), VIEW_FRESHNESS_STALE);
	rig_free(&rig);
}

static void tell_doubt(struct rig *rig, const char *name, bool doubted)
{
	on_signal(rig_view(rig, name)->db,
	          &(const struct watch_signal){.kind = VIEWD_SIGNAL_DOUBT, .view = name, .seq = doubted});
}

/* As long as the watch says so, and for all that read it. */
static void what_is_in_doubt_is_unknown(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "debounce = 1m\n") ON("b", "a", "") ON("c", "t_y", ""));
	tell_doubt(rig, "a", true);
	CHECK_INT(freshness(rig, "a"), VIEW_FRESHNESS_UNKNOWN);
	CHECK_INT(rig_status(rig, "a").lag_us, -1);
	CHECK_CONTAINS(reasons(rig, "a"), "others have committed since");
	CHECK_INT(freshness(rig, "b"), VIEW_FRESHNESS_UNKNOWN);
	CHECK_INT(freshness(rig, "c"), VIEW_FRESHNESS_FRESH);
	CHECK(!freshness_is_followed(rig_view(rig, "a")));
	rig_change(rig, "d", "t_x", "a");
	CHECK_INT(freshness(rig, "a"), VIEW_FRESHNESS_STALE);
	rig_advance(rig, SPAN_MINUTE);
	UNTIL(rig, freshness(rig, "a") != VIEW_FRESHNESS_STALE);
	CHECK_INT(freshness(rig, "a"), VIEW_FRESHNESS_UNKNOWN);
	tell_doubt(rig, "a", false);
	CHECK_INT(freshness(rig, "a"), VIEW_FRESHNESS_FRESH);
	UNTIL(rig, freshness(rig, "b") == VIEW_FRESHNESS_FRESH);
	rig_free(&rig);
}

static void a_view_over_a_stale_one_is_stale_as_long(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "debounce = 1m\n")
	                                      ON("b", "a", "") "[view s]\ndatabase = d\nmethod = simple\n"
	                                                       "definition = 'SELECT * FROM b'\n");
	rig_change(rig, "d", "t_x", "a");
	CHECK_INT(freshness(rig, "b"), VIEW_FRESHNESS_STALE);
	CHECK_INT(rig_status(rig, "b").stale_since_us, rig_status(rig, "a").stale_since_us);
	CHECK_INT(freshness(rig, "s"), VIEW_FRESHNESS_STALE);
	rig_free(&rig);
}

static void without_on_change_nobody_knows(void)
{
	struct rig *rig =
		rig_start(DB "[view a]\ndatabase = d\nmethod = table\nevery = 1h\ndefinition = 'SELECT * FROM t_x'\n"
	                 "[view s]\ndatabase = d\nmethod = simple\ndefinition = 'SELECT * FROM t_x'\n" ON(
						 "n", "t_x", "capture = none\n"));
	rig_settle(rig);
	CHECK_INT(freshness(rig, "a"), VIEW_FRESHNESS_UNKNOWN);
	CHECK_CONTAINS(reasons(rig, "a"), "on_change = no");
	CHECK_INT(freshness(rig, "n"), VIEW_FRESHNESS_UNKNOWN);
	CHECK_CONTAINS(reasons(rig, "n"), "capture = none");
	CHECK_INT(freshness(rig, "s"), VIEW_FRESHNESS_FRESH); /* computed when it is read */
	rig_free(&rig);
}

/* A view whose source is redefined has its definition looked up, its capture set up and its rows read anew. */
static void what_is_redefined_is_looked_up_anew(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "") ON("c", "t_y", ""));
	size_t looks = fake_calls("d", "inspect", "a"), captures = fake_calls("d", "capture", "a"),
		   runs = fake_calls("d", "refresh", "a");
	size_t others = fake_calls("d", "inspect", "c");
	fake_do("d", "redefine t_x");
	UNTIL(rig, fake_calls("d", "capture", "a") > captures && rig_is_fresh(rig, "d"));
	CHECK(fake_calls("d", "inspect", "a") > looks);
	CHECK(fake_calls("d", "refresh", "a") > runs);
	CHECK_INT(fake_calls("d", "inspect", "c"), others);
	CHECK_INT(freshness(rig, "a"), VIEW_FRESHNESS_FRESH);
	rig_free(&rig);
}

/* The capture that is under way may have seen it as it was. */
static void what_is_redefined_while_it_is_captured_is_captured_anew(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", ""));
	fake_do("d", "block capture a");
	fake_do("d", "redefine t_x");
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	size_t looks = fake_calls("d", "inspect", "a"), captures = fake_calls("d", "capture", "a");
	uint64_t told = rig_view(rig, "a")->capture.redefined;
	fake_do("d", "redefine t_x");
	RUN_UNTIL(rig, rig_view(rig, "a")->capture.redefined > told);
	fake_do("d", "release capture a");
	UNTIL(rig, rig_is_fresh(rig, "d"));
	CHECK(fake_calls("d", "inspect", "a") > looks);
	CHECK(fake_calls("d", "capture", "a") > captures);
	rig_free(&rig);
}

/* Columns are compared by the attempt after one that failed as well, and by the first attempt of a daemon's life:
 * earlier news went to another daemon. */
static void columns_are_compared_until_they_have_been(void)
{
	struct rig *rig = rig_start_fresh(
		DB ON("a", "t_x", "") "[view m]\ndatabase = d\nmethod = table\ndefinition = 'SELECT * FROM t_x'\n");
	expect_log("setting it up failed");
	fake_do("d", "fail inspect a timeout");
	fake_do("d", "redefine t_x");
	RUN_UNTIL(rig, rig_view(rig, "a")->state == VIEW_STATE_FAILED);
	CHECK(rig_view(rig, "a")->capture.compared != rig_view(rig, "a")->capture.redefined);
	fake_do("d", "release inspect a");
	size_t compared = fake_compared("d", "a");
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND), rig_is_fresh(rig, "d")));
	CHECK(fake_compared("d", "a") > compared);
	CHECK_INT(rig_view(rig, "a")->capture.compared, rig_view(rig, "a")->capture.redefined);
	compared = fake_compared("d", "a");
	rig_restart(rig,
	            DB ON("a", "t_x", "") "[view m]\ndatabase = d\nmethod = table\ndefinition = 'SELECT * FROM t_x'\n");
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND), rig_is_fresh(rig, "d")));
	CHECK(fake_compared("d", "a") > compared);
	CHECK_INT(fake_compared("d", "m"), 0); /* whose changes nobody promised to notice */
	rig_free(&rig);
}

/* The view keeps its old rows, and cannot be computed any more. */
static void what_is_gone_fails_the_view_by_name(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", ""));
	expect_log("its definition cannot be read any more");
	fake_do("d", "remove t_x");
	fake_do("d", "redefine t_x");
	UNTIL(rig, rig_status(rig, "a").state == VIEW_STATE_FAILED);
	CHECK_CONTAINS(rig_status(rig, "a").error->msg, "a table is gone");
	CHECK(freshness(rig, "a") != VIEW_FRESHNESS_FRESH);
	rig_free(&rig);
}

/* A view that reads a disabled one is not fresh either. A change that was known to be missing still is. */
static void what_is_disabled_is_not_fresh(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "") ON("b", "a", "") ON("c", "t_y", "debounce = 1m\n"));
	rig_change(rig, "d", "t_y", "c");
	int64_t told = rig->clock.wall_us;
	rig_commit(rig,
	           DB ON("a", "t_x", "enabled = no\n") ON("b", "a", "") ON("c", "t_y", "debounce = 1m\nenabled = no\n"));
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND),
	                rig_is_settled(rig) && !rig_view(rig, "a")->capture.set_up && !rig_view(rig, "c")->capture.set_up));
	CHECK_INT(freshness(rig, "a"), VIEW_FRESHNESS_UNKNOWN);
	CHECK_INT(rig_status(rig, "a").lag_us, -1);
	CHECK_STR(reasons(rig, "a"), "enabled = no: nobody looks after it\n");
	CHECK_CONTAINS(why(rig, "a"), "state DISABLED, UNKNOWN");
	CHECK_CONTAINS(why(rig, "a"), "enabled = no: nothing is created, refreshed or dropped");
	CHECK_INT(freshness(rig, "b"), VIEW_FRESHNESS_UNKNOWN);
	CHECK_CONTAINS(reasons(rig, "b"), "it reads view 'a', which is UNKNOWN");
	CHECK_INT(freshness(rig, "c"), VIEW_FRESHNESS_STALE);
	CHECK_INT(rig_status(rig, "c").stale_since_us, told);
	CHECK_STR(fake_captured_sources(harness_ctx(), "d", "a"), "-");
	rig_commit(rig, DB ON("a", "t_x", "") ON("b", "a", "") ON("c", "t_y", "debounce = 1m\n"));
	RUN_UNTIL(rig,
	          (rig_advance(rig, SPAN_SECOND), rig_is_fresh(rig, "d") && freshness(rig, "b") == VIEW_FRESHNESS_FRESH));
	CHECK_INT(freshness(rig, "a"), VIEW_FRESHNESS_FRESH);
	CHECK_INT(fake_rows("d", "c"), 2);
	rig_free(&rig);
}

static bool is_true(struct rig *rig, const char *name, int64_t rows)
{
	return freshness(rig, name) != VIEW_FRESHNESS_FRESH || fake_rows("d", name) == rows;
}

/* Between being captured and the first look after that, nobody knows what has changed before. */
static void what_is_captured_anew_is_not_fresh_before_a_look(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "") ON("b", "t_y", ""));
	for (int round = 0; round < 20; round++) {
		rig_commit(rig, DB ON("a", "t_x", "enabled = no\n") ON("b", "t_y", ""));
		RUN_UNTIL(rig, rig_is_settled(rig) && !rig_view(rig, "a")->capture.set_up);
		int64_t rows = fake_rows("d", "a") + 1;
		fake_do("d", "change t_x");
		rig_commit(rig, DB ON("a", "t_x", "") ON("b", "t_y", ""));
		RUN_UNTIL(rig,
		          (rig_advance(rig, SPAN_MS), !is_true(rig, "a", rows) || freshness(rig, "a") == VIEW_FRESHNESS_FRESH));
		CHECK(is_true(rig, "a", rows));
	}
	rig_free(&rig);
}

/* The dialect's warning about a capture is told each time somebody asks. The log has it once a database. */
static void why_says_what_to_mind(void)
{
	expect_log("it reads nothing that could change");
	struct rig *rig = rig_start(DB "[view a]\ndatabase = d\nmethod = table\non_change = yes\ndefinition = SELECT 1\n"
	                               "[view b]\ndatabase = d\nmethod = table\non_change = yes\ndefinition = SELECT 2\n");
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND),
	                rig_view(rig, "a")->capture.digest != 0 && rig_view(rig, "b")->capture.digest != 0));
	CHECK_CONTAINS(why(rig, "a"), "mind: it reads nothing that could change\n");
	CHECK_CONTAINS(why(rig, "b"), "mind: it reads nothing that could change\n");
	rig_settle(rig);
	rig_free(&rig);
}

/* Disabled while viewd was away: its triggers go when viewd comes. */
static void what_was_disabled_meanwhile_is_let_go(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "") ON("b", "t_x", ""));
	CHECK_STR(fake_captured_sources(harness_ctx(), "d", "a"), "t_x");
	rig_restart(rig, DB ON("a", "t_x", "enabled = no\n") ON("b", "t_x", ""));
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND), rig_is_fresh(rig, "d") && !rig_view(rig, "a")->capture.set_up));
	CHECK_STR(fake_captured_sources(harness_ctx(), "d", "a"), "-");
	CHECK_INT(freshness(rig, "a"), VIEW_FRESHNESS_UNKNOWN);
	CHECK_INT(freshness(rig, "b"), VIEW_FRESHNESS_FRESH);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"what is disabled is not fresh", what_is_disabled_is_not_fresh},
	{"what is captured anew is not fresh before a look", what_is_captured_anew_is_not_fresh_before_a_look},
	{"why says what to mind", why_says_what_to_mind},
	{"what was disabled meanwhile is let go", what_was_disabled_meanwhile_is_let_go},
	{"lag is the age of what is missing", lag_is_the_age_of_what_is_missing},
	{"what nothing hears is unknown", what_nothing_hears_is_unknown},
	{"a known change is stale also where much is unknown", a_known_change_is_stale_also_where_much_is_unknown},
	{"what is in doubt is unknown", what_is_in_doubt_is_unknown},
	{"a view over a stale one is stale as long", a_view_over_a_stale_one_is_stale_as_long},
	{"without on_change nobody knows", without_on_change_nobody_knows},
	{"what is redefined is looked up anew", what_is_redefined_is_looked_up_anew},
	{"what is redefined while it is captured is captured anew",
     what_is_redefined_while_it_is_captured_is_captured_anew},
	{"columns are compared until they have been", columns_are_compared_until_they_have_been},
	{"what is gone fails the view by name", what_is_gone_fails_the_view_by_name},
};

HARNESS_MAIN(SUITE("freshness", tests))
