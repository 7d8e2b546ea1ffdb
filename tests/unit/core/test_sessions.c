/* SPDX-License-Identifier: MIT
 *
 * test_sessions.c: what the end of one session says about its database, and cancels that come at an unlucky moment.
 */
#include "base/mem.h"
#include "core/engine/connect_check.h"
#include "core/engine/database.h"
#include "core/exec/job.h"
#include "core/exec/session.h"
#include "core/turn/finish.h"
#include "unit/core/rig.h"

#include <stdatomic.h>

/* ---- an old session's end --------------------------------------------------------------------------------------- */

static void late_failure_of_an_old_session(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x") VIEW("b", "t_x") "max_retries = 0\n");
	struct rig_report slow, r;
	fake_do("d", "hang refresh a");
	rig_refresh(rig, "a", &slow);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	expect_log("database 'd', cannot be used (the connection to server 'd' broke)");
	expect_log("view 'b', refresh failed (lost");
	fake_do("d", "sever");
	r = rig_refresh_now(rig, "b");
	CHECK_INT(r.items[0].result, VIEW_RESULT_FAILED);
	CHECK_INT(rig_db(rig, "d")->state, DB_DOWN);
	database_probe(rig_db(rig, "d"));
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_UP && rig_view(rig, "b")->job == NULL);
	size_t prepared = fake_calls("d", "prepare", NULL);
	expect_log("view 'a', refresh failed (lost");
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, slow.done);
	CHECK_INT(rig_db(rig, "d")->state, DB_UP);
	rig_settle(rig);
	r = rig_refresh_now(rig, "b");
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK_INT(fake_calls("d", "prepare", NULL), prepared);
	rig_free(&rig);
}

/* The watch may have gone to another server of the same database, and that session would be on the old one. */
static void a_session_that_was_at_work_meanwhile_is_asked(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x") VIEW("b", "t_x") "max_retries = 0\n");
	struct rig_report slow;
	fake_do("d", "hang refresh a");
	rig_refresh(rig, "a", &slow);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	expect_log("database 'd', cannot be used");
	fake_do("d", "unwatch");
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN);
	database_probe(rig_db(rig, "d"));
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_UP);
	CHECK_INT(rig_refresh_now(rig, "b").items[0].result, VIEW_RESULT_SUCCEEDED);
	size_t asked = fake_calls("d", "alive", NULL);
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, slow.done);
	CHECK_INT(slow.items[0].result, VIEW_RESULT_SUCCEEDED);
	rig_settle(rig);
	CHECK_INT(rig_refresh_now(rig, "b").items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK_INT(fake_calls("d", "alive", NULL), asked + 1);
	CHECK_INT(rig_refresh_now(rig, "b").items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK_INT(fake_calls("d", "alive", NULL), asked + 1);
	rig_settle(rig);
	rig_free(&rig);
}

/* A retry would ask the same silent server, and be in doubt for as long as the watch waits for its own answer. */
static void silence_beyond_the_time_limit(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	struct rig_report r;
	fake_do("d", "hang refresh a");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	expect_log("view 'a', refresh failed (lost");
	expect_log("database 'd', cannot be used");
	finish_overdue(rig_view(rig, "a")->job); /* what its timer would do */
	fake_do("d", "sever");
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, r.done || rig_view(rig, "a")->job == NULL);
	CHECK_INT(rig_db(rig, "d")->state, DB_DOWN);
	database_probe(rig_db(rig, "d"));
	rig_settle(rig);
	CHECK_INT(rig_db(rig, "d")->state, DB_UP);
	rig_free(&rig);
}

/* A connection that is not made before the time limit: that the database cannot be reached is what is wrong, and to be
 * mended. */
static void silence_when_connecting(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	struct rig_report r;
	session_close_idle(rig_db(rig, "d"));
	fake_do("d", "hang open d");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	expect_log("view 'a', refresh failed (connect");
	expect_log("database 'd', cannot be used");
	finish_overdue(rig_view(rig, "a")->job);
	fake_do("d", "down connect");
	fake_do("d", "release open d");
	RUN_UNTIL(rig, r.done || rig_view(rig, "a")->job == NULL);
	CHECK_INT(rig_db(rig, "d")->state, DB_DOWN);
	rig_free(&rig);
}

/* ---- a session more than the server takes ----------------------------------------------------------------------- */

static void one_session_too_many(const char *cls)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x") VIEW("b", "t_x") "every = 1h\nmax_retries = 3\n");
	struct rig_report held;
	size_t prepared = fake_calls("d", "prepare", NULL);
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &held);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	session_close_idle(rig_db(rig, "d"));
	expect_log("view 'b', refresh failed (resource");
	fake_do("d", "fail open d %s", cls);
	rig_advance(rig, SPAN_HOUR);
	RUN_UNTIL(rig, rig_view(rig, "b")->failure.retries == 1);
	CHECK_INT(rig_db(rig, "d")->state, DB_UP);
	CHECK_INT(rig_status(rig, "b").error->cls, VIEWD_ERR_RESOURCE);
	CHECK_STR(rig_words(rig, "b"), "ACTIVE IDLE FAILED");
	CHECK_STR(rig_words(rig, "a"), "ACTIVE REFRESHING SUCCEEDED");
	rig_advance(rig, SPAN_MINUTE);
	RUN_UNTIL(rig, rig_status(rig, "b").result == VIEW_RESULT_SUCCEEDED);
	CHECK_INT(rig_status(rig, "b").trigger, VIEW_TRIGGER_RETRY);
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, held.done);
	CHECK_INT(held.items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK_INT(fake_calls("d", "prepare", NULL), prepared);
	rig_settle(rig);
	rig_free(&rig);
}

static void the_server_is_full(void)
{
	one_session_too_many("resource");
}

static void a_connection_is_refused_once(void)
{
	one_session_too_many("connect");
}

/* Nothing runs that could be told to stop; the cancel counts all the same. */
static void cancelled_in_doubt(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	struct rig_report r;
	size_t n;
	session_close_idle(rig_db(rig, "d"));
	fake_do("d", "hang watch_next d");
	fake_do("d", "fail open d connect");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, !TAILQ_EMPTY(&rig_db(rig, "d")->work.unopened));
	struct view **views = rig_views(rig, "a", &n);
	engine_cancel(rig->eng, views, n);
	fake_do("d", "release watch_next d");
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_CANCELLED);
	CHECK_INT(rig_db(rig, "d")->state, DB_UP);
	rig_settle(rig);
	rig_free(&rig);
}

/* The watch is busy for longer than a job may be in doubt: the database is not given up for that, nor the job kept for
 * ever. */
static void doubt_has_a_limit(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	struct rig_report r;
	session_close_idle(rig_db(rig, "d"));
	fake_do("d", "hang watch_next d");
	fake_do("d", "fail open d connect");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, !TAILQ_EMPTY(&rig_db(rig, "d")->work.unopened));
	expect_log("view 'a', refresh failed (");
	connect_check_expired(rig_db(rig, "d")); /* what its timer does */
	CHECK(TAILQ_EMPTY(&rig_db(rig, "d")->work.unopened));
	RUN_UNTIL(rig, r.done);
	CHECK_INT(rig_db(rig, "d")->state, DB_UP);
	fake_do("d", "release watch_next d");
	rig_settle(rig);
	rig_free(&rig);
}

static void stopped_in_doubt(void)
{
	struct rig *rig = rig_start(DB VIEW("a", "t_x"));
	struct rig_report r;
	session_close_idle(rig_db(rig, "d"));
	fake_do("d", "hang watch_next d");
	fake_do("d", "fail open d connect");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, !TAILQ_EMPTY(&rig_db(rig, "d")->work.unopened));
	engine_stop(rig->eng);
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_CANCELLED);
	fake_do("d", "release watch_next d");
	RUN_UNTIL(rig, rig->idle);
	rig_free(&rig);
}

/* ---- a cancel between two calls --------------------------------------------------------------------------------- */

static atomic_bool at_the_gate, gate_open;

/* The job has looked whether it was cancelled, and is about to begin: a dialect forgets what was told before. */
static bool gated_refresh(struct viewd_conn *conn, const struct viewd_view_spec *view,
                          const struct viewd_refresh_request *req, struct viewd_outcome *out, struct viewd_err *err)
{
	at_the_gate = true;
	while (!gate_open && harness_pause(harness_deadline(SPAN_SECOND)))
		;
	return viewd_dialect_fake.refresh(conn, view, req, out, err);
}

static void cancel_just_before_a_call_begins(void)
{
	struct rig *rig = rig_new();
	struct viewd_dialect gated = viewd_dialect_fake;
	struct viewd_err err;
	struct rig_report r;
	size_t n;
	gated.name = "fakegate";
	gated.refresh = gated_refresh;
	REQUIRE_OK(registry_add(rig->registry, &gated, &err), &err);
	at_the_gate = gate_open = false;
	rig_commit(rig, "[database d]\nurl = fakegate://d\n" VIEW("a", "t_x"));
	rig_settle(rig);
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, at_the_gate);
	struct view **views = rig_views(rig, "a", &n);
	engine_cancel(rig->eng, views, n);
	RUN_UNTIL(rig, fake_calls("d", "cancel", NULL) == 1);
	gate_open = true;
	RUN_UNTIL(rig, r.done);
	CHECK_INT(r.items[0].result, VIEW_RESULT_CANCELLED);
	rig_settle(rig);
	rig_free(&rig);
}

/* ---- many databases ---------------------------------------------------------------------------------------------- */

static char *many_databases(int n)
{
	char *text = mem_strdup(harness_ctx(), "");
	for (int i = 0; i < n; i++)
		text = talloc_asprintf_append(text,
		                              "[database d%d]\nurl = fake://d%d\n[view v%d]\ndatabase = d%d\nmethod = table\n"
		                              "definition = 'SELECT * FROM t_x'\n",
		                              i, i, i, i);
	return text;
}

static size_t idle_sessions(const struct rig *rig)
{
	size_t n = 0;
	for (size_t i = 0; i < rig->eng->n_dbs; i++)
		for (const struct session *s = rig->eng->dbs[i]->work.idle; s != NULL; s = s->next)
			n++;
	return n;
}

/* As its timer would. */
static void sweep(struct rig *rig)
{
	session_sweep(rig->eng);
	rig_settle(rig);
}

static void sessions_of_many_databases_end(void)
{
	struct rig *rig = rig_start(many_databases(150));
	CHECK_INT(idle_sessions(rig), 150);
	rig_advance(rig, 30 * SPAN_SECOND);
	sweep(rig);
	CHECK_INT(idle_sessions(rig), 150);
	rig_refresh_now(rig, "v7");
	rig_advance(rig, 40 * SPAN_SECOND);
	sweep(rig);
	CHECK_INT(idle_sessions(rig), 1);
	rig_advance(rig, SPAN_HOUR);
	sweep(rig);
	CHECK_INT(idle_sessions(rig), 0);
	CHECK_INT(rig_refresh_now(rig, "v9").items[0].result, VIEW_RESULT_SUCCEEDED);
	rig_free(&rig);
}

static void sessions_of_few_databases_stay(void)
{
	struct rig *rig = rig_start(many_databases(20));
	rig_advance(rig, SPAN_HOUR);
	sweep(rig);
	CHECK_INT(idle_sessions(rig), 20);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"a late failure of an old session", late_failure_of_an_old_session},
	{"a session that was at work meanwhile is asked", a_session_that_was_at_work_meanwhile_is_asked},
	{"silence beyond the time limit", silence_beyond_the_time_limit},
	{"silence when connecting", silence_when_connecting},
	{"the server is full", the_server_is_full},
	{"a connection is refused once", a_connection_is_refused_once},
	{"cancelled in doubt", cancelled_in_doubt},
	{"doubt has a limit", doubt_has_a_limit},
	{"stopped in doubt", stopped_in_doubt},
	{"a cancel just before a call begins", cancel_just_before_a_call_begins},
	{"sessions of many databases end", sessions_of_many_databases_end},
	{"sessions of few databases stay", sessions_of_few_databases_stay},
};
HARNESS_MAIN(SUITE("sessions", tests))
