/* SPDX-License-Identifier: MIT
 *
 * test_group.c: views that are refreshed as one: order, once in a wave, failing together, pace, pauses, groups that
 * cannot be put in order.
 */
#include "core/model/group.h"
#include "core/plan/change.h"
#include "core/plan/group_due.h"
#include "core/report/observe.h"
#include "unit/core/rig.h"

#include <string.h>
#include <talloc.h>

#define IN(group, name, from, more) \
	"[view " name "]\ndatabase = d\nmethod = table\nrefresh_group = " group "\n" more \
	"definition = 'SELECT * FROM " from "'\n"
/* b reads a; c is apart from both; `behind` follows b. */
#define TRIO IN("g", "c", "t_y", "") IN("g", "b", "a, t_x", "") IN("g", "a", "t_x", "")
#define FOLLOWS(name, from) \
	"[view " name "]\ndatabase = d\nmethod = table\non_change = yes\ndefinition = 'SELECT * FROM " from "'\n"

/* Captures are registered, and nothing is stale or due. */
static bool is_fresh(struct rig *rig)
{
	bool fresh = rig_is_settled(rig) && fake_stale("d") == 0;
	for (size_t i = 0; i < rig->eng->n_views; i++)
		fresh = fresh && rig->eng->views[i]->timing.due_at[DUE_CHANGE] == 0;
	return fresh;
}

static struct rig *start_captured(const char *text)
{
	struct rig *rig = rig_start(text);
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND), is_fresh(rig)));
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	return rig;
}

static const char *groups_run(void)
{
	return fake_trace(harness_ctx(), "d", "refresh_group");
}

static void one_asked_refreshes_all_in_order(void)
{
	struct rig *rig = rig_start(DB TRIO VIEW("apart", "t_x"));
	struct rig_report r = rig_refresh_now(rig, "b");
	CHECK_STR(groups_run(), "a c b");
	CHECK_STR(fake_trace(harness_ctx(), "d", "refresh"), "a c b");
	CHECK_INT(r.n, 3);
	for (size_t i = 0; i < r.n; i++)
		CHECK_INT(r.items[i].result, VIEW_RESULT_SUCCEEDED);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK_INT(rig_status(rig, "a").trigger, VIEW_TRIGGER_MANUAL);
	CHECK_INT(rig_status(rig, "a").data_timestamp_us, rig_status(rig, "b").data_timestamp_us);
	CHECK_STR(view_group(rig_view(rig, "a")), "g");
	CHECK(view_group(rig_view(rig, "apart")) == NULL);
	rig_free(&rig);
}

static void once_in_a_wave_between_others(void)
{
	struct rig *rig =
		rig_start(DB VIEW("top", "t_x") IN("g", "b", "a", "") IN("g", "a", "top", "") VIEW("sink", "a, b"));
	rig_refresh_now(rig, "sink a top b");
	CHECK_STR(fake_trace(harness_ctx(), "d", "refresh"), "top a b sink");
	CHECK_STR(groups_run(), "a b");
	rig_free(&rig);
}

static void two_databases_two_groups(void)
{
	struct rig *rig =
		rig_start(DB "[database e]\nurl = fake://e\n"
	                 "[view a]\ndatabase = d, e\nmethod = table\nrefresh_group = g\ndefinition = SELECT * FROM t_x\n"
	                 "[view b]\ndatabase = d, e\nmethod = table\nrefresh_group = g\ndefinition = SELECT * FROM t_y\n");
	rig_refresh_now(rig, "d:a");
	CHECK_STR(groups_run(), "a b");
	CHECK_INT(fake_calls("e", "refresh_group", NULL), 0);
	rig_free(&rig);
}

static void one_alone_is_no_group(void)
{
	struct rig *rig =
		rig_start(DB IN("g", "a", "t_x", "") IN("h", "b", "t_x", "") IN("g", "off", "t_x", "enabled = no\n"));
	rig_refresh_now(rig, "a b");
	CHECK_INT(fake_calls("d", "refresh_group", NULL), 0);
	CHECK_INT(fake_calls("d", "refresh", NULL), 2);
	rig_free(&rig);
}

static void one_failure_fails_all(void)
{
	struct rig *rig = rig_start(DB TRIO FOLLOWS("behind", "a") FOLLOWS("elsewhere", "t_x"));
	fake_do("d", "change t_x");
	rig_settle(rig);
	int64_t before = fake_rows("d", "a");
	fake_do("d", "fail refresh c query");
	fake_do("d", "change t_x");
	expect_log("view 'c', refresh failed (query: scripted query)");
	struct rig_report r = rig_refresh_now(rig, "a");
	REQUIRE(r.n == 3);
	for (size_t i = 0; i < 3; i++) {
		bool culprit = strcmp(r.items[i].label, "c") == 0;
		CHECK_INT(r.items[i].result, culprit ? VIEW_RESULT_FAILED : VIEW_RESULT_UPSTREAM_FAILED);
		CHECK_INT(r.items[i].cls, VIEWD_ERR_QUERY);
		CHECK_CONTAINS(r.items[i].msg, culprit
		                                   ? "scripted query"
		                                   : "refresh_group 'g' was left as it is: view 'c' failed (scripted query)");
	}
	rig_settle(rig);
	CHECK_INT(fake_rows("d", "a"), before);
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE UPSTREAM_FAILED");
	CHECK_STR(rig_words(rig, "c"), "FAILED IDLE FAILED");
	rig_refresh_now(rig, "c");
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK(fake_rows("d", "a") > before);
	rig_free(&rig);
}

/* Nobody wrote c, so what reads it is left alone. */
static void the_wave_ends_behind_what_did_not_change(void)
{
	struct rig *rig = start_captured(DB IN("g", "a", "t_x", "on_change = yes\n") IN("g", "c", "t_y", "unique_key = k\n")
	                                     FOLLOWS("reads_a", "a") FOLLOWS("reads_c", "c"));
	size_t a = fake_calls("d", "refresh", "reads_a"), c = fake_calls("d", "refresh", "reads_c");
	fake_do("d", "change t_x");
	UNTIL(rig, fake_calls("d", "refresh", "reads_a") > a && is_fresh(rig));
	CHECK_INT(fake_calls("d", "refresh", "reads_a"), a + 1);
	CHECK_INT(fake_calls("d", "refresh", "reads_c"), c);
	CHECK_INT(fake_stale("d"), 0);
	rig_free(&rig);
}

static void a_follower_brings_its_group(void)
{
	struct rig *rig = start_captured(DB FOLLOWS("top", "t_x") IN("g", "a", "top", "on_change = yes\n")
	                                     IN("g", "c", "t_y", "") FOLLOWS("sink", "c"));
	size_t runs = fake_calls("d", "refresh_group", NULL), sinks = fake_calls("d", "refresh", "sink");
	fake_do("d", "change t_x");
	UNTIL(rig, fake_calls("d", "refresh", "sink") > sinks && is_fresh(rig));
	CHECK_INT(fake_calls("d", "refresh_group", NULL), runs + 1);
	CHECK_INT(rig_status(rig, "c").trigger, VIEW_TRIGGER_UPSTREAM);
	CHECK_INT(fake_stale("d"), 0);
	rig_free(&rig);
}

static void equal_schedules_give_one_run(void)
{
	struct rig *rig = rig_start(DB IN("g", "a", "t_x", "every = 1h\n") IN("g", "b", "t_y", "every = 1h\n")
	                                IN("g", "c", "t_y", "every = 3h\n"));
	size_t before = fake_calls("d", "refresh_group", NULL);
	rig_view(rig, "b")->timing.past.last_due += 5 * SPAN_MINUTE;
	group_replan(rig_view(rig, "a"));
	for (int i = 0; i < 12 * 6; i++) {
		rig_advance(rig, 5 * SPAN_MINUTE);
		rig_settle(rig);
	}
	CHECK_INT(fake_calls("d", "refresh_group", NULL), before + 6);
	rig_free(&rig);
}

static void the_strictest_sets_the_pace(void)
{
	struct rig *rig = rig_start(DB IN("g", "a", "t_x", "on_change = yes\n") IN(
		"g", "b", "t_y", "on_change = yes\nat_most_every = 10m\ndebounce = 5s\nmax_delay = 8s\n"));
	struct coalesce pace = group_pace(rig_view(rig, "a"));
	CHECK_INT(pace.at_most_every, 10 * SPAN_MINUTE);
	CHECK_INT(pace.debounce, 5 * SPAN_SECOND);
	CHECK_INT(pace.max_delay, 8 * SPAN_SECOND);
	rig_free(&rig);
}

static void a_paused_member_holds_the_group(void)
{
	struct rig *rig = rig_start(DB IN("g", "a", "t_x", "every = 1h\n") IN("g", "b", "t_y", ""));
	size_t before = fake_calls("d", "refresh_group", NULL);
	struct view *b = rig_view(rig, "b");
	struct viewd_err err;
	REQUIRE_OK(engine_pause(rig->eng, &b, 1, &err), &err);
	rig_advance(rig, 3 * SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh_group", NULL), before);
	CHECK_INT(rig_status(rig, "a").next_refresh_us, 0);
	rig_refresh_now(rig, "a"); /* by hand it works, as for any paused view */
	CHECK_INT(fake_calls("d", "refresh_group", NULL), before + 1);
	REQUIRE_OK(engine_resume(rig->eng, &b, 1, &err), &err);
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK(fake_calls("d", "refresh_group", NULL) > before + 1);
	rig_free(&rig);
}

static void failures_suspend_all_and_resume_wakes_all(void)
{
	struct rig *rig = rig_start(DB IN("g", "a", "t_x", "every = 1h\nmax_consecutive_errors = 2\n")
	                                IN("g", "b", "t_y", "max_consecutive_errors = 2\n"));
	fake_do("d", "fail refresh b query 2");
	expect_log("view 'b', refresh failed (query: scripted query)");
	for (int i = 0; i < 4; i++) {
		rig_advance(rig, SPAN_HOUR);
		rig_settle(rig);
	}
	CHECK_STR(rig_words(rig, "a"), "SUSPENDED IDLE UPSTREAM_FAILED");
	CHECK_STR(rig_words(rig, "b"), "SUSPENDED IDLE FAILED");
	CHECK_INT(rig_status(rig, "a").consecutive_errors, 2);
	size_t runs = fake_calls("d", "refresh_group", NULL);
	struct view *a = rig_view(rig, "a");
	struct viewd_err err;
	REQUIRE_OK(engine_resume(rig->eng, &a, 1, &err), &err);
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK(fake_calls("d", "refresh_group", NULL) > runs);
	CHECK_STR(rig_words(rig, "b"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void cancelling_one_cancels_all(void)
{
	struct rig *rig = rig_start(DB TRIO);
	struct rig_report r, again;
	struct view *a = rig_view(rig, "a");
	fake_do("d", "block refresh b");
	rig_refresh(rig, "c", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE REFRESHING SUCCEEDED");
	rig_refresh(rig, "b", &again);
	engine_cancel(rig->eng, &a, 1);
	RUN_UNTIL(rig, r.done && again.done);
	for (size_t i = 0; i < 3; i++) {
		CHECK_INT(r.items[i].result, VIEW_RESULT_CANCELLED);
		CHECK_INT(again.items[i].result, VIEW_RESULT_CANCELLED);
	}
	rig_settle(rig);
	rig_free(&rig);
}

static void what_reads_a_member_is_not_made_anew_beside_it(void)
{
	struct rig *rig = rig_start(DB TRIO VIEW("behind", "b") VIEW("apart", "t_x"));
	struct rig_report group, anew = {.done = false}, other;
	struct view *behind = rig_view(rig, "behind");
	fake_do("d", "block refresh b");
	rig_refresh(rig, "a", &group);
	RUN_UNTIL(rig, fake_running("d") == 1);
	engine_replace(rig->eng, &behind, 1, rig_done, &anew);
	rig_refresh(rig, "apart", &other);
	RUN_UNTIL(rig, other.done);
	CHECK(behind->job == NULL && !anew.done);
	fake_do("d", "release refresh b");
	RUN_UNTIL(rig, group.done && anew.done);
	rig_settle(rig);
	rig_free(&rig);
}

static void what_lies_between_is_told(void)
{
	expect_log("refresh_group 'g' cannot be refreshed (view 'x' lies between members of refresh_group 'g')");
	struct rig *rig = rig_start(DB IN("g", "a", "t_x", "") VIEW("x", "a") IN("g", "b", "x", "") IN("h", "c", "t_x", "")
	                                IN("h", "e", "t_y", ""));
	struct rig_report r = rig_refresh_now(rig, "a c");
	for (size_t i = 0; i < r.n; i++)
		CHECK_INT(r.items[i].result, r.items[i].label[0] == 'a' ? VIEW_RESULT_FAILED : VIEW_RESULT_SUCCEEDED);
	CHECK_CONTAINS(rig_refresh_now(rig, "b").items[0].msg, "view 'x' lies between members of refresh_group 'g'");
	CHECK_INT(rig_refresh_now(rig, "x").items[0].result, VIEW_RESULT_SUCCEEDED);
	rig_refresh_now(rig, "a x b c e");
	rig_commit(rig, DB IN("g", "a", "t_x", "") IN("g", "x", "a", "") IN("g", "b", "x", "") IN("h", "c", "t_x", "")
	                    IN("h", "e", "t_y", ""));
	rig_settle(rig);
	CHECK_INT(rig_refresh_now(rig, "a").items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK_CONTAINS(groups_run(), "a x b");
	rig_free(&rig);
}

static void two_groups_may_not_wait_for_each_other(void)
{
	expect_log("refresh_group 'g' cannot be refreshed (refresh_group 'h' lies between");
	expect_log("refresh_group 'h' cannot be refreshed (refresh_group 'g' lies between");
	struct rig *rig =
		rig_start(DB IN("g", "a", "t_x", "") IN("g", "b", "d1", "") IN("h", "c", "a", "") IN("h", "d1", "t_y", ""));
	struct rig_report r = rig_refresh_now(rig, "a b c d1");
	for (size_t i = 0; i < r.n; i++)
		CHECK(r.items[i].result == VIEW_RESULT_FAILED || r.items[i].result == VIEW_RESULT_UPSTREAM_FAILED);
	rig_free(&rig);
}

static void a_plain_view_between_is_no_obstacle(void)
{
	struct rig *rig = rig_start(
		DB IN("g", "a", "t_x",
	          "") "[view s]\ndatabase = d\nmethod = simple\ndefinition = SELECT * FROM a\n" IN("g", "b", "s", ""));
	struct rig_report r = rig_refresh_now(rig, "a s b");
	for (size_t i = 0; i < r.n; i++)
		CHECK_INT(r.items[i].result, VIEW_RESULT_SUCCEEDED);
	CHECK_STR(groups_run(), "a b");
	rig_free(&rig);
}

static void a_member_that_is_gone_fails_all_until_it_is_back(void)
{
	struct rig *rig = rig_start(DB TRIO);
	fake_do("d", "remove c");
	expect_log("view 'c', refresh failed");
	rig_refresh_now(rig, "a");
	CHECK_STR(rig_words(rig, "c"), "MISSING IDLE FAILED");
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE UPSTREAM_FAILED");
	rig_create_now(rig, "c");
	rig_settle(rig);
	rig_refresh_now(rig, "a");
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK_STR(rig_words(rig, "c"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static void what_was_dropped_on_purpose_stays_away(void)
{
	struct rig *rig = rig_start(DB IN("g", "a", "t_x", "every = 1h\n") IN("g", "b", "t_y", ""));
	rig_drop_now(rig, "b");
	expect_log("view 'b', setting it up failed (missing");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "b"), VIEWD_KIND_NONE);
	CHECK_STR(rig_words(rig, "a"), "FAILED IDLE UPSTREAM_FAILED");
	CHECK_CONTAINS(rig_status(rig, "a").error->msg, "view 'b' failed");
	rig_create_now(rig, "b");
	rig_settle(rig);
	rig_refresh_now(rig, "a");
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

/* Runs of one view, as an observer hears of them. */
struct runs {
	struct engine_observer observer;
	const char *view;
	size_t n;
	enum view_result last;
};

static void hear_run(void *ctx, const struct engine_event *event)
{
	struct runs *runs = ctx;
	if (event->kind != ENGINE_EVENT_RUN || strcmp(event->view->conf->name, runs->view) != 0)
		return;
	runs->n++;
	runs->last = event->result;
}

/* Observers and status tell one story of a member that was not tried since another one cannot be kept. */
static void a_refused_member_is_told_alike_to_all(void)
{
	struct rig *rig = rig_start(DB IN("g", "a", "t_x", "") IN("g", "b", "t_y", ""));
	struct runs runs = {.observer = {.fn = hear_run, .ctx = &runs}, .view = "a"};
	expect_log("view 'b', cannot be kept");
	rig_commit(rig, DB IN("g", "a", "t_x",
	                      "") "[view b]\ndatabase = d\nmethod = table\nrefresh_group = g\ndefinition = DELETE\n");
	rig_settle(rig);
	engine_observe(rig->eng, &runs.observer);
	rig_refresh_now(rig, "a");
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE UPSTREAM_FAILED");
	CHECK_INT(runs.n, 1);
	CHECK_INT(runs.last, VIEW_RESULT_UPSTREAM_FAILED);
	engine_unobserve(&runs.observer);
	rig_free(&rig);
}

static void a_reload_while_it_runs(void)
{
	struct rig *rig = rig_start(DB TRIO);
	struct rig_report r;
	fake_do("d", "block refresh b");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	rig_commit(rig, DB IN("g", "b", "t_x", "") VIEW("a", "t_x"));
	fake_do("d", "release refresh b");
	RUN_UNTIL(rig, r.done);
	rig_settle(rig);
	CHECK(view_group(rig_view(rig, "a")) == NULL);
	CHECK_INT(rig_refresh_now(rig, "a").n, 1);
	rig_free(&rig);
}

static void not_every_dialect_can(void)
{
	expect_log(
		"view 'a', cannot be kept (refresh_group = g, but the dialect fakeone cannot refresh several views together)");
	expect_log("view 'b', cannot be kept");
	struct rig *rig =
		rig_start("[database d]\nurl = fakeone://d\n" IN("g", "a", "t_x", "") IN("g", "b", "t_x", "") VIEW("c", "t_x"));
	struct rig_report r = rig_refresh_now(rig, "a");
	CHECK_CONTAINS(r.items[0].msg, "cannot refresh several views together");
	CHECK_INT(rig_refresh_now(rig, "c").items[0].result, VIEW_RESULT_SUCCEEDED);
	rig_free(&rig);
}

static void a_new_member_is_brought_in_line(void)
{
	struct rig *rig = rig_start(DB IN("g", "a", "t_x", "") IN("g", "b", "t_y", ""));
	CHECK_INT(fake_calls("d", "refresh_group", NULL), 0);
	rig_advance(rig, SPAN_MINUTE);
	rig_commit(rig, DB IN("g", "a", "t_x", "") IN("g", "b", "t_y", "") IN("g", "c", "t_y", ""));
	rig_settle(rig);
	CHECK_STR(groups_run(), "a b c");
	CHECK_INT(rig_status(rig, "a").data_timestamp_us, rig_status(rig, "c").data_timestamp_us);
	rig_commit(rig, DB IN("g", "a", "t_x", "") IN("g", "b", "t_y", "") IN("g", "c", "t_y", ""));
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh_group", NULL), 1);
	rig_free(&rig);
}

static void a_lost_connection_is_looked_up(void)
{
	struct rig *rig = rig_start(DB TRIO);
	fake_do("d", "fail refresh c lost");
	expect_log("database 'd', cannot be used (scripted lost)");
	expect_log("view 'c', refresh failed (lost");
	rig_refresh_now(rig, "a");
	rig_advance(rig, SPAN_MINUTE);
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_UP);
	rig_settle(rig);
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK_STR(rig_words(rig, "c"), "ACTIVE IDLE SUCCEEDED");
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"one asked refreshes all, in order", one_asked_refreshes_all_in_order},
	{"once in a wave, between what it reads and what reads it", once_in_a_wave_between_others},
	{"two databases, two groups", two_databases_two_groups},
	{"one alone is no group", one_alone_is_no_group},
	{"one failure fails all", one_failure_fails_all},
	{"the wave ends behind what did not change", the_wave_ends_behind_what_did_not_change},
	{"a follower brings its group", a_follower_brings_its_group},
	{"equal schedules give one run", equal_schedules_give_one_run},
	{"the strictest sets the pace", the_strictest_sets_the_pace},
	{"a paused member holds the group", a_paused_member_holds_the_group},
	{"failures suspend all, resume wakes all", failures_suspend_all_and_resume_wakes_all},
	{"cancelling one cancels all", cancelling_one_cancels_all},
	{"what reads a member is not made anew beside it", what_reads_a_member_is_not_made_anew_beside_it},
	{"what lies between is told", what_lies_between_is_told},
	{"two groups may not wait for each other", two_groups_may_not_wait_for_each_other},
	{"a refused member is told alike to all", a_refused_member_is_told_alike_to_all},
	{"a plain view between is no obstacle", a_plain_view_between_is_no_obstacle},
	{"a member that is gone fails all until it is back", a_member_that_is_gone_fails_all_until_it_is_back},
	{"what was dropped on purpose stays away", what_was_dropped_on_purpose_stays_away},
	{"a reload while it runs", a_reload_while_it_runs},
	{"a new member is brought in line", a_new_member_is_brought_in_line},
	{"not every dialect can", not_every_dialect_can},
	{"a lost connection is looked up", a_lost_connection_is_looked_up},
};
HARNESS_MAIN(SUITE("group", tests))
