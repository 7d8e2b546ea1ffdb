/* SPDX-License-Identifier: MIT
 *
 * test_observe.c: what observers hear, and when those who wait for data are told.
 */
#include "core/report/observe.h"
#include "core/report/wait.h"
#include "unit/core/rig.h"

#include <stdio.h>

struct told {
	size_t n;
	int64_t as_of;
	enum viewd_err_class cls;
	char msg[768];
};

static void told(void *ctx, int64_t data_timestamp_us, const struct viewd_err *err)
{
	struct told *t = ctx;
	t->n++;
	t->as_of = data_timestamp_us;
	t->cls = err != NULL ? err->cls : VIEWD_ERR_OK;
	snprintf(t->msg, sizeof t->msg, "%s", err != NULL ? err->msg : "");
}

static struct waiter *wait_for(struct rig *rig, const char *name, int64_t newer_than, struct told *t)
{
	*t = (struct told){0};
	struct waiter *w = engine_wait(rig->eng, rig_view(rig, name), newer_than, told, t);
	CHECK_INT(t->n, 0);
	rig_settle(rig);
	return w;
}

static void wait_for_while_busy(struct rig *rig, const char *name, struct told *t)
{
	*t = (struct told){0};
	engine_wait(rig->eng, rig_view(rig, name), 0, told, t);
}

/* Nothing tells of changes of what it reads: a refresh is the only way to know. */
static void a_wait_refreshes_what_nobody_hears(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x") VIEW("b", "t_x") VIEW("c", "b"));
	struct told t, other;
	rig_advance(rig, SPAN_SECOND);
	size_t calls = fake_calls("d", "refresh", "a"), of_b = fake_calls("d", "refresh", "b");
	CHECK_INT(rig_status(rig, "a").freshness, VIEW_FRESHNESS_UNKNOWN);
	wait_for(rig, "a", 0, &t);
	CHECK_INT(t.n, 1);
	CHECK_INT(t.cls, VIEWD_ERR_OK);
	CHECK_INT(t.as_of, rig_status(rig, "a").data_timestamp_us);
	CHECK_INT(fake_calls("d", "refresh", "a"), calls + 1);
	CHECK_INT(fake_calls("d", "refresh", "b"), of_b);
	wait_for(rig, "c", 0, &t); /* with what it reads, and in that order */
	CHECK_INT(t.n, 1);
	CHECK_INT(fake_calls("d", "refresh", "b"), of_b + 1);
	CHECK(rig_status(rig, "c").data_timestamp_us >= rig_status(rig, "b").data_timestamp_us);
	rig_advance(rig, SPAN_SECOND);
	fake_do("d", "block refresh b");
	other = (struct told){0};
	struct waiter *w = engine_wait(rig->eng, rig_view(rig, "b"), 0, told, &other);
	RUN_UNTIL(rig, fake_running("d") == 1);
	engine_wait_cancel(&w);
	CHECK(w == NULL);
	fake_do("d", "release refresh b");
	rig_settle(rig);
	CHECK_INT(other.n, 0);
	rig_free(&rig);
}

static void old_moments_are_there_already(void)
{
	struct rig *rig =
		rig_start(DB VIEW("a", "t_x") "[view s]\ndatabase = d\nmethod = simple\ndefinition = 'SELECT * FROM t_x'\n");
	struct told t;
	int64_t as_of = rig_status(rig, "a").data_timestamp_us;
	wait_for(rig, "a", as_of - SPAN_MS, &t);
	CHECK_INT(t.n, 1);
	CHECK_INT(t.as_of, as_of);
	wait_for(rig, "s", 0, &t);
	CHECK_INT(t.n, 1);
	CHECK_INT(t.cls, VIEWD_ERR_OK);
	size_t calls = fake_calls("d", "refresh", "a");
	wait_for(rig, "a", as_of, &t); /* newer, not as new */
	CHECK_INT(t.n, 1);
	CHECK_INT(fake_calls("d", "refresh", "a"), calls + 1);
	rig_free(&rig);
}

#define ON(name, from) \
	"[view " name "]\ndatabase = d\nmethod = table\non_change = yes\ndefinition = 'SELECT * FROM " from "'\n"

static struct rig *following(const char *text)
{
	struct rig *rig = rig_start(text);
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND),
	                rig_is_settled(rig) && fake_stale("d") == 0 && rig_view(rig, "a")->capture.set_up));
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	return rig;
}

/* Nothing has changed, and that is known: no refresh need come. */
static void quiet_data_is_fresh(void)
{
	struct rig *rig = following(DB ON("a", "t_x") ON("b", "a"));
	struct told t, late;
	size_t calls = fake_calls("d", "refresh", NULL);
	wait_for(rig, "b", 0, &t);
	RUN_UNTIL(rig, t.n == 1);
	CHECK_INT(t.cls, VIEWD_ERR_OK);
	CHECK_INT(t.as_of, rig->clock.wall_us);
	wait_for(rig, "b", rig->clock.wall_us - SPAN_MINUTE, &t);
	RUN_UNTIL(rig, t.n == 1);
	struct waiter *w = wait_for(rig, "b", rig->clock.wall_us + SPAN_MINUTE, &late);
	wait_for(rig, "b", 0, &t); /* its look is one for the other as well */
	RUN_UNTIL(rig, t.n == 1);
	CHECK_INT(late.n, 0);
	engine_wait_cancel(&w);
	CHECK_INT(fake_calls("d", "refresh", NULL), calls);
	rig_free(&rig);
}

/* Committed before the call, and nobody has told of it yet. */
static void a_change_nobody_told_of_is_waited_for(void)
{
	struct rig *rig = following(DB ON("a", "t_x") ON("b", "a"));
	struct told t;
	fake_do("d", "deaf");
	fake_do("d", "change t_x");
	fake_do("d", "block refresh b");
	CHECK_INT(rig_view(rig, "a")->change.first, 0);
	wait_for(rig, "b", 0, &t);
	UNTIL(rig, fake_waiting("d") == 1);
	CHECK_INT(t.n, 0);
	fake_do("d", "release refresh b");
	UNTIL(rig, t.n == 1);
	CHECK_INT(t.cls, VIEWD_ERR_OK);
	CHECK_INT(fake_rows("d", "b"), 2);
	rig_settle(rig);
	rig_free(&rig);
}

/* The view lies in another database, whose watch has to be asked as well. */
static void a_change_in_another_database_is_waited_for(void)
{
	struct rig *rig = following(
		DB "[database e]\nurl = fake://e\n" ON("a", "t_x") "[view b]\ndatabase = e\nmethod = table\non_change = yes\n"
														   "depends_on = d:a\ndefinition = 'SELECT * FROM t_y'\n");
	struct told t;
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND), rig_is_fresh(rig, "d") && rig_is_fresh(rig, "e")));
	size_t calls = fake_calls("e", "refresh", "b");
	fake_do("d", "deaf");
	fake_do("d", "change t_x");
	wait_for(rig, "b", 0, &t);
	UNTIL(rig, t.n == 1);
	CHECK_INT(t.cls, VIEWD_ERR_OK);
	CHECK_INT(fake_rows("d", "a"), 2);
	CHECK_INT(fake_calls("e", "refresh", "b"), calls + 1);
	rig_settle(rig);
	rig_free(&rig);
}

/* The upstream was refreshed and wrote nothing, so the view is not refreshed: its wait ends all the same. */
static void an_upstream_that_wrote_nothing_ends_the_wait(void)
{
	struct rig *rig = following(DB "[view a]\ndatabase = d\nmethod = table\non_change = yes\nunique_key = id\n"
	                               "definition = 'SELECT * FROM t_x'\n" ON("b", "a"));
	struct told t;
	size_t calls = fake_calls("d", "refresh", "b");
	fake_do("d", "block refresh a");
	fake_do("d", "stir t_x");
	UNTIL(rig, fake_waiting("d") == 1);
	wait_for_while_busy(rig, "b", &t);
	for (int i = 0; i < 50; i++)
		rig_turn(rig, 0);
	CHECK_INT(t.n, 0);
	fake_do("d", "release refresh a");
	UNTIL(rig, t.n == 1);
	CHECK_INT(t.cls, VIEWD_ERR_OK);
	CHECK_INT(fake_calls("d", "refresh", "b"), calls);
	rig_settle(rig);
	rig_free(&rig);
}

/* The refresh that contains the change began before the call. */
static void a_refresh_under_way_is_waited_for(void)
{
	struct rig *rig = following(DB ON("a", "t_x"));
	struct told t;
	fake_do("d", "block refresh a");
	fake_do("d", "change t_x");
	UNTIL(rig, fake_waiting("d") == 1);
	rig_advance(rig, SPAN_SECOND);
	wait_for_while_busy(rig, "a", &t);
	for (int i = 0; i < 50; i++)
		rig_turn(rig, 0);
	CHECK_INT(t.n, 0);
	fake_do("d", "release refresh a");
	UNTIL(rig, t.n == 1);
	CHECK_INT(fake_rows("d", "a"), 2);
	rig_settle(rig);
	rig_free(&rig);
}

static void failures_are_rethrown(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x") VIEW("b", "a"));
	struct told t, below;
	rig_advance(rig, SPAN_SECOND);
	fake_do("d", "fail refresh a query");
	expect_log("view 'a', refresh failed");
	wait_for_while_busy(rig, "a", &t);
	wait_for_while_busy(rig, "b", &below);
	rig_settle(rig);
	CHECK_INT(t.n, 1);
	CHECK_INT(t.cls, VIEWD_ERR_QUERY);
	CHECK_CONTAINS(t.msg, "scripted query");
	CHECK_INT(below.n, 1);
	CHECK_CONTAINS(below.msg, "a view it reads failed");
	/* it has failed, and nothing is scheduled */
	wait_for(rig, "a", 0, &t);
	CHECK_INT(t.n, 1);
	CHECK_CONTAINS(t.msg, "scripted query");
	rig_free(&rig);
}

static void retries_are_waited_for(void)
{
	struct rig *rig =
		rig_start(DB "[view a]\ndatabase = d\nmethod = table\nretry_backoff = 10s\ndefinition = 'SELECT * FROM t_x'\n");
	struct told t;
	rig_advance(rig, SPAN_SECOND);
	fake_do("d", "fail refresh a conflict");
	expect_log("view 'a', refresh failed");
	wait_for(rig, "a", 0, &t);
	CHECK_INT(t.n, 0);
	fake_do("d", "release refresh a");
	rig_advance(rig, SPAN_MINUTE);
	rig_settle(rig);
	CHECK_INT(t.n, 1);
	CHECK_INT(t.cls, VIEWD_ERR_OK);
	rig_free(&rig);
}

/* Nobody will make it any newer; nor what reads it. What is there already is told. */
static void disabled_views_end_waits(void)
{
#define SIMPLE(more) "[view s]\ndatabase = d\nmethod = simple\n" more "definition = 'SELECT * FROM t_x'\n"
	struct rig *rig = rig_start(DB VIEW("a", "t_x") VIEW("b", "a") SIMPLE(""));
	struct told t, below;
	int64_t as_of = rig_status(rig, "a").data_timestamp_us;
	rig_advance(rig, SPAN_SECOND);
	fake_do("d", "block refresh b");
	wait_for_while_busy(rig, "b", &below);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	rig_commit(rig, DB VIEW("a", "t_x") "enabled = no\n" VIEW("b", "a") SIMPLE("enabled = no\n"));
	RUN_UNTIL(rig, below.n == 1);
	CHECK_INT(below.cls, VIEWD_ERR_CONFIG);
	CHECK_CONTAINS(below.msg, "view 'b' reads it: view 'a' is disabled (enabled = no)");
	fake_do("d", "release refresh b");
	rig_settle(rig);
	wait_for(rig, "s", 0, &t);
	CHECK_CONTAINS(t.msg, "view 's' is disabled");
	size_t calls = fake_calls("d", "refresh", NULL);
	wait_for(rig, "a", 0, &t);
	CHECK_INT(t.n, 1);
	CHECK_INT(t.cls, VIEWD_ERR_CONFIG);
	wait_for(rig, "b", 0, &t);
	CHECK_CONTAINS(t.msg, "view 'a' is disabled");
	wait_for(rig, "a", as_of - SPAN_MS, &t);
	CHECK_INT(t.cls, VIEWD_ERR_OK);
	CHECK_INT(fake_calls("d", "refresh", NULL), calls);
	rig_free(&rig);
}

static void removed_views_end_their_waits(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x") VIEW("b", "t_x"));
	struct told t;
	rig_advance(rig, SPAN_SECOND);
	fake_do("d", "block refresh a");
	wait_for_while_busy(rig, "a", &t);
	RUN_UNTIL(rig, fake_running("d") == 1);
	rig_commit(rig, DB VIEW("b", "t_x"));
	fake_do("d", "release refresh a");
	rig_settle(rig);
	CHECK_INT(t.n, 1);
	CHECK_INT(t.cls, VIEWD_ERR_CANCELLED);
	CHECK_CONTAINS(t.msg, "was removed from the configuration");
	rig_free(&rig);
}

struct heard {
	size_t runs, states;
	enum view_result result;
	enum view_state state, before;
	enum viewd_err_class cls;
	int64_t rows;
};

static void hear(void *ctx, const struct engine_event *event)
{
	struct heard *h = ctx;
	h->runs += event->kind == ENGINE_EVENT_RUN;
	h->states += event->kind == ENGINE_EVENT_STATE;
	if (event->kind == ENGINE_EVENT_RUN) {
		h->result = event->result;
		h->rows = event->rows;
		h->cls = event->error != NULL ? event->error->cls : VIEWD_ERR_OK;
	} else {
		h->state = event->state;
		h->before = event->before;
	}
}

static void observers_hear_of_runs_and_states(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	struct heard h = {0}, late = {0};
	struct engine_observer one = {.fn = hear, .ctx = &h}, two = {.fn = hear, .ctx = &late};
	struct viewd_err err;
	size_t n;
	engine_observe(rig->eng, &one);
	engine_observe(rig->eng, &two);
	rig_refresh_now(rig, "a");
	CHECK_INT(h.runs, 1);
	CHECK_INT(h.result, VIEW_RESULT_SUCCEEDED);
	CHECK_INT(h.rows, rig_status(rig, "a").rows);
	CHECK_INT(h.states, 0);
	engine_unobserve(&two);
	CHECK(engine_pause(rig->eng, rig_views(rig, "a", &n), 1, &err));
	CHECK_INT(h.states, 1);
	CHECK_INT(h.before, VIEW_STATE_ACTIVE);
	CHECK_INT(h.state, VIEW_STATE_PAUSED);
	fake_do("d", "fail refresh a query");
	expect_log("view 'a', refresh failed");
	rig_refresh_now(rig, "a");
	CHECK_INT(h.runs, 2);
	CHECK_INT(h.result, VIEW_RESULT_FAILED);
	CHECK_INT(h.cls, VIEWD_ERR_QUERY);
	CHECK_INT(h.rows, -1);
	CHECK_INT(late.runs, 1);
	engine_unobserve(&one);
	rig_free(&rig);
}

static void thousands_may_wait(void)
{
	enum { N = 5000 };
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	static struct told t[N];
	rig_advance(rig, SPAN_SECOND);
	for (size_t i = 0; i < N; i++) {
		t[i] = (struct told){0};
		engine_wait(rig->eng, rig_view(rig, "a"), 0, told, &t[i]);
	}
	rig_settle(rig);
	rig_refresh_now(rig, "a");
	rig_settle(rig);
	size_t n = 0;
	for (size_t i = 0; i < N; i++)
		n += t[i].n == 1 && t[i].cls == VIEWD_ERR_OK;
	CHECK_INT(n, N);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"a wait refreshes what nobody hears", a_wait_refreshes_what_nobody_hears},
	{"old moments are there already", old_moments_are_there_already},
	{"failures are rethrown", failures_are_rethrown},
	{"quiet data is fresh", quiet_data_is_fresh},
	{"a change nobody told of is waited for", a_change_nobody_told_of_is_waited_for},
	{"a change in another database is waited for", a_change_in_another_database_is_waited_for},
	{"an upstream that wrote nothing ends the wait", an_upstream_that_wrote_nothing_ends_the_wait},
	{"a refresh under way is waited for", a_refresh_under_way_is_waited_for},
	{"retries are waited for", retries_are_waited_for},
	{"disabled views end waits", disabled_views_end_waits},
	{"removed views end their waits", removed_views_end_their_waits},
	{"observers hear of runs and states", observers_hear_of_runs_and_states},
	{"thousands may wait", thousands_may_wait},
};
HARNESS_MAIN(SUITE("observe", tests))
