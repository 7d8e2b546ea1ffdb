/* SPDX-License-Identifier: MIT
 *
 * How often a refresh waits for the server, and what becomes of statements that wait for each other.
 */
#include "pg_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "common/objects/task.h"

/* The messages that libpq has sent since traced(): a Sync ends each turn, a Parse begins each statement. */
struct trace {
	struct viewd_conn *conn;
	FILE *out;
	char *text;
	size_t size;
	int turns, statements;
};

static void traced(struct trace *t, struct viewd_conn *conn)
{
	*t = (struct trace){.conn = conn};
	t->out = open_memstream(&t->text, &t->size);
	REQUIRE(t->out != NULL);
	PQtrace(conn->pg, t->out);
	PQsetTraceFlags(conn->pg, PQTRACE_SUPPRESS_TIMESTAMPS);
}

static void untraced(struct trace *t)
{
	PQuntrace(t->conn->pg);
	fclose(t->out);
	char *rest;
	for (char *line = strtok_r(t->text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		t->turns += line[0] == 'F' && strstr(line, "\tSync") != NULL;
		t->statements += line[0] == 'F' && strstr(line, "\tParse\t") != NULL;
	}
	free(t->text);
}

static struct viewd_conn *start(void)
{
	pg_fresh();
	struct viewd_conn *app = pg_session("app"), *conn = pg_session("viewd");
	pg_do(app, "CREATE TABLE sale (id int PRIMARY KEY, amount int NOT NULL)");
	pg_do(app, "INSERT INTO sale VALUES (1, 10), (2, 20)");
	pg_prepared(conn);
	return conn;
}

/* A view whose source has changed. */
static struct viewd_view_spec stale_view(struct viewd_conn *conn)
{
	struct viewd_view_spec view = pg_view("stats", VIEWD_METHOD_MATERIALIZED, "SELECT id, amount FROM sale");
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	view.captured = true;
	pg_do(conn, "INSERT INTO viewd.captures (view, source, mode, dirty_seq, clean_seq) VALUES ('stats', "
	            "'\"public\".\"sale\"', 'trigger', 2, 1)");
	return view;
}

static bool count_row_fn(void *ctx, const char *const *v UNUSED, size_t n UNUSED)
{
	++*(int *)ctx;
	return true;
}

static const struct db_reader count_row[] = {{count_row_fn, "n", "rows"}};

/* Turns: to begin, look the object up and read the marks; the refresh; its rows; to record, settle, ask who leads and
 * COMMIT. */
static void a_refresh_takes_few_turns(void)
{
	struct viewd_conn *conn = start();
	struct viewd_view_spec view = stale_view(conn);
	struct trace trace;
	traced(&trace, conn);
	CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_FULL);
	untraced(&trace);
	CHECK(trace.turns > 0 && trace.turns <= 4);
	CHECK(trace.statements > 0 && trace.statements <= 14);
	CHECK_STR(pg_ask(conn, "SELECT dirty_seq, clean_seq FROM viewd.captures"), "2,2");
	CHECK_STR(pg_ask(conn, "SELECT last_result, rows FROM viewd.views"), "SUCCEEDED,2");
}

static void a_concurrent_refresh_takes_few_turns(void)
{
	static const char *const key_id[] = {"id"};
	struct viewd_conn *conn = start();
	struct viewd_view_spec view = stale_view(conn);
	view.unique_key = key_id;
	view.n_unique_key = 1;
	pg_apply(conn, &view, VIEWD_CHANGE_REINDEX);
	struct trace trace;
	traced(&trace, conn);
	CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_NO_DATA);
	untraced(&trace);
	CHECK(trace.turns > 0 && trace.turns <= 7);
}

/* To look at the object and the logs, count what is new there and find the keys; to move the sums, and look again; to
 * record and COMMIT, and to carry over marks, which is sent with that and has a Sync of its own. */
static void an_incremental_refresh_takes_few_turns(void)
{
	struct viewd_conn *conn = start(), *app = pg_session("app");
	struct viewd_view_spec view = pg_view("stats", VIEWD_METHOD_TABLE,
	                                      "SELECT t.amount AS kind, count(*) AS n FROM sale s JOIN sale t ON t.id = "
	                                      "s.id GROUP BY t.amount");
	struct trace trace;
	view.mode = VIEWD_MODE_INCREMENTAL;
	pg_do(app, "GRANT TRIGGER ON sale TO viewd");
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	pg_refreshed(conn, &view);
	for (int i = 0; i < 3; i++) {
		pg_do(app, "INSERT INTO sale SELECT max(id) + 1, 10 FROM sale");
		traced(&trace, conn);
		CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_INCREMENTAL);
		untraced(&trace);
	}
	CHECK(trace.turns > 0 && trace.turns <= 4);
	CHECK_STR(pg_ask(conn, "SELECT kind, n FROM stats ORDER BY kind"), "10,4;20,1");
}

/* Keys are asked for before it is known which logs hold news: where these are others than lately, the answer is not
 * taken. */
static void keys_that_were_guessed_are_those_of_the_news(void)
{
	static const char *const changes[] = {
		"UPDATE sale SET amount = amount + 1 WHERE id = 1",
		"UPDATE sale SET amount = amount + 1 WHERE id = 2",
		"UPDATE sale SET amount = amount + 1 WHERE id = 1",
		"UPDATE rate SET factor = factor + 1 WHERE kind = 1",
		"UPDATE rate SET factor = factor + 1 WHERE kind = 2",
		"UPDATE rate SET factor = factor + 1 WHERE kind = 1",
		"WITH r AS (UPDATE rate SET factor = 9 WHERE kind = 2) UPDATE sale SET amount = 7 WHERE id = 1"};
	struct viewd_conn *conn = start(), *app = pg_session("app");
	struct viewd_view_spec view = pg_view(
		"stats", VIEWD_METHOD_TABLE, "SELECT s.id, s.amount * r.factor AS n FROM sale s JOIN rate r ON r.kind = s.id");
	view.mode = VIEWD_MODE_INCREMENTAL;
	pg_do(app, "CREATE TABLE rate (kind int PRIMARY KEY, factor int NOT NULL)");
	pg_do(app, "INSERT INTO rate VALUES (1, 1), (2, 1)");
	pg_do(app, "GRANT ALL ON rate, sale TO viewd");
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	pg_refreshed(conn, &view);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		pg_do(app, changes[i]);
		CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_INCREMENTAL);
		CHECK_STR(pg_ask(conn,
		                 "SELECT count(*) FROM stats v JOIN sale s USING (id) JOIN rate r ON r.kind = s.id WHERE v.n "
		                 "= s.amount * r.factor"),
		          "2");
	}
}

/* Logs may hold any number of images by now, where the last refreshes have found few. */
static void a_guess_reads_few_images(void)
{
	struct viewd_conn *conn = start(), *app = pg_session("app");
	struct viewd_view_spec view =
		pg_view("stats", VIEWD_METHOD_TABLE, "SELECT id, amount FROM sale WHERE counted(amount)");
	view.mode = VIEWD_MODE_INCREMENTAL;
	pg_do(app, "CREATE SEQUENCE calls");
	pg_do(app, "CREATE FUNCTION counted(int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN "
	           "nextval(''public.calls'') > 0; END'");
	pg_do(app, "INSERT INTO sale SELECT g, g FROM generate_series(3, 1000) g");
	pg_do(app, "GRANT ALL ON sale, calls TO viewd");
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	pg_refreshed(conn, &view);
	for (int i = 0; i < 3; i++) {
		pg_do(app, "UPDATE sale SET amount = amount + 1 WHERE id = 1");
		CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_INCREMENTAL);
	}
	for (int i = 0; i < 60; i++)
		pg_do(app, "UPDATE sale SET amount = amount + 1");
	pg_do(app, "ALTER SEQUENCE calls RESTART");
	CHECK_CONTAINS(pg_refreshed(conn, &view).reason, "too many rows were changed");
	CHECK_STR(pg_ask(app, "SELECT last_value < 10000 FROM calls"), "t");
	pg_do(app, "DO 'BEGIN FOR i IN 1..3000 LOOP UPDATE sale SET amount = amount + 1 WHERE id = 1; END LOOP; END'");
	pg_do(app, "UPDATE sale SET amount = amount + 1");
	CHECK_CONTAINS(pg_refreshed(conn, &view).reason, "incremental: 1000 keys of 8000 images");
	CHECK_STR(pg_differing(conn, &view), "0");
}

static bool try_refresh(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_err *err)
{
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	struct viewd_outcome out = {0};
	*err = (struct viewd_err){0};
	return DIALECT->refresh(conn, view, &req, &out, err);
}

static void make_moods(struct viewd_conn *app, const char *labels)
{
	pg_do(app, talloc_asprintf(harness_ctx(), "CREATE TYPE mood AS ENUM (%s)", labels));
	pg_do(app, "CREATE TABLE moody (kind mood PRIMARY KEY, n int NOT NULL)");
	pg_do(app, "INSERT INTO moody VALUES ('a', 1), ('b', 2)");
	pg_do(app, "GRANT ALL ON moody TO viewd");
}

/* As a dump that is loaded again does it. Plans of this session are for the type that is gone. */
static void a_type_may_be_made_anew(void)
{
	struct viewd_conn *conn = start(), *app = pg_session("app");
	struct viewd_view_spec view = pg_view("stats", VIEWD_METHOD_TABLE, "SELECT kind, n FROM moody");
	struct viewd_err err;
	view.mode = VIEWD_MODE_INCREMENTAL;
	make_moods(app, "'a', 'b', 'c'");
	for (int round = 0; round < 2; round++) {
		pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
		pg_refreshed(conn, &view);
		pg_do(app, "UPDATE moody SET n = n + 1");
		if (round == 1 && !try_refresh(conn, &view, &err))
			CHECK_INT(err.cls, VIEWD_ERR_CONFLICT); /* the one attempt that it may cost */
		for (int i = 0; i < 3; i++) {
			pg_do(app, "UPDATE moody SET n = n + 1");
			CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_INCREMENTAL);
			CHECK_STR(pg_differing(conn, &view), "0");
		}
		if (round == 0) {
			pg_apply(conn, &view, VIEWD_CHANGE_DROP);
			pg_do(app, "DROP TABLE moody");
			pg_do(app, "DROP TYPE mood");
			make_moods(app, "'a', 'b'");
		}
	}
}

/* The next task may lie in the same place, and ask the same before it begins a transaction. */
static void what_a_failed_statement_has_asked_is_forgotten(void)
{
	struct viewd_conn *conn = start();
	struct viewd_err err = {0};
	struct db_object found = {.kind = VIEWD_KIND_OTHER};
	struct task task = {.db = &conn->db, .rel = {.schema = "public", .name = "sale"}};
	REQUIRE_OK(pg_op_begin(&conn->db, DB_BEGIN_GROUP, &err), &err);
	pg_op_identity_along(&conn->db, &task);
	CHECK(!pg_query_writing(conn, &task.rel, "SELECT 1 / 0", NULL, 0, NULL, NULL, &err));
	pg_op_rollback(&conn->db);
	REQUIRE_OK(pg_op_find_identity(&task, &found, &err), &err);
	CHECK_INT(found.kind, VIEWD_KIND_TABLE);
}

static struct viewd_view_spec marked_view(struct viewd_conn *conn, struct viewd_conn *app)
{
	struct viewd_view_spec view = pg_view("stats", VIEWD_METHOD_TABLE, "SELECT id, amount FROM sale");
	view.mode = VIEWD_MODE_INCREMENTAL;
	pg_do(app, "GRANT ALL ON sale TO viewd");
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	view.captured = true;
	pg_do(conn, "INSERT INTO viewd.captures (view, source, mode, dirty_seq, clean_seq) VALUES ('stats', "
	            "'\"public\".\"sale\"', 'trigger', 2, 1)");
	pg_refreshed(conn, &view);
	pg_do(app, "UPDATE sale SET amount = amount + 1");
	pg_do(conn, "UPDATE viewd.captures SET dirty_seq = 3");
	return view;
}

#define MARKS "SELECT dirty_seq, clean_seq, (SELECT count(*) FROM viewd.carried) FROM viewd.captures"

static void a_commit_that_fails_settles_nothing(void)
{
	struct viewd_conn *conn = start(), *app = pg_session("app");
	struct viewd_view_spec view = marked_view(conn, app);
	struct viewd_err err;
	pg_do(conn, "CREATE FUNCTION viewd.fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'");
	pg_do(conn, "CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON stats DEFERRABLE INITIALLY DEFERRED FOR EACH ROW "
	            "EXECUTE FUNCTION viewd.fail()");
	CHECK(!try_refresh(conn, &view, &err));
	CHECK_STR(err.sqlstate, "P0001");
	CHECK_STR(pg_ask(conn, MARKS), "3,2,0");
	pg_do(conn, "DROP TRIGGER late ON stats");
	pg_do(conn, "UPDATE viewd.daemon SET holder = 'somebody else'");
	CHECK(!try_refresh(conn, &view, &err));
	CHECK_INT(err.cls, VIEWD_ERR_STANDBY);
	CHECK_STR(pg_ask(conn, MARKS), "3,2,0");
	pg_do(conn, "UPDATE viewd.daemon SET holder = ''");
	CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_INCREMENTAL);
	CHECK_STR(pg_ask(conn, MARKS), "3,3,0");
}

static void marks_that_cannot_be_settled_do_not_undo_a_refresh(void)
{
	struct viewd_conn *conn = start(), *app = pg_session("app"), *other = pg_session("viewd");
	struct viewd_view_spec view = marked_view(conn, app);
	view.lock_timeout_us = 100000;
	pg_do(other, "BEGIN");
	pg_do(other, "SELECT 1 FROM viewd.captures FOR UPDATE");
	expect_log("are settled later");
	CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_INCREMENTAL);
	CHECK_STR(pg_ask(conn, MARKS), "3,2,2");
	CHECK_STR(pg_differing(conn, &view), "0");
	pg_do(other, "ROLLBACK");
	CHECK(pg_carried_left(conn));
	CHECK(!pg_carried_left(conn));
	CHECK_STR(pg_ask(conn, MARKS), "3,3,0");
}

/* BEGIN, two limits, the refresh, its rows, COMMIT. */
static void the_server_keeps_the_plans_of_the_rest(void)
{
	struct viewd_conn *conn = start();
	struct viewd_view_spec view = stale_view(conn);
	struct trace trace;
	for (int i = 6; i < 8; i++) {
		pg_refreshed(conn, &view);
		pg_do(conn, talloc_asprintf(harness_ctx(), "UPDATE viewd.captures SET dirty_seq = %d", i));
	}
	traced(&trace, conn);
	pg_refreshed(conn, &view);
	untraced(&trace);
	CHECK(trace.statements > 0 && trace.statements <= 6);
	CHECK_STR(pg_ask(conn, "SELECT dirty_seq, clean_seq FROM viewd.captures"), "7,7");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM viewd.refresh_history"), "4");
}

static void a_text_may_come_twice_in_one_turn(void)
{
	struct viewd_conn *conn = start();
	struct viewd_view_spec view = stale_view(conn);
	pg_do(conn, "INSERT INTO viewd.captures (view, source, mode, dirty_seq, clean_seq) VALUES ('stats', "
	            "'\"public\".\"other\"', 'poll', 5, 4)");
	pg_refreshed(conn, &view);
	CHECK_STR(pg_ask(conn, "SELECT dirty_seq, clean_seq FROM viewd.captures ORDER BY dirty_seq"), "2,2;5,5");
	pg_do(conn, "UPDATE viewd.captures SET dirty_seq = dirty_seq + 1");
	pg_refreshed(conn, &view);
	CHECK_STR(pg_ask(conn, "SELECT dirty_seq, clean_seq FROM viewd.captures ORDER BY dirty_seq"), "3,3;6,6");
}

/* A statement that was refused or skipped is prepared when it is next asked. */
static void a_failure_leaves_no_doubt_about_plans(void)
{
	struct viewd_conn *conn = start();
	struct viewd_err err = {0};
	int rows = 0;
	for (int i = 0; i < 2; i++) {
		REQUIRE_OK(pg_op_begin(&conn->db, DB_BEGIN_WRITE, &err), &err);
		CHECK_OK(pg_op_query_later(&conn->db, "SELECT 1", NULL, 0, count_row, &rows, &err), &err);
		CHECK_OK(pg_op_exec_later(&conn->db, "INSERT INTO viewd.late VALUES (1)", NULL, 0, &err), &err);
		CHECK_OK(pg_op_query_later(&conn->db, "SELECT 2", NULL, 0, count_row, &rows, &err), &err);
		CHECK(pg_op_flush(&conn->db, &err) == (i == 1));
		if (i == 0) {
			CHECK_STR(err.sqlstate, "42P01");
			pg_op_rollback(&conn->db);
			pg_do(conn, "CREATE TABLE viewd.late (id int)");
		}
	}
	CHECK_INT(rows, 2);
	CHECK_OK(pg_op_commit(&conn->db, &err), &err);
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM viewd.late"), "1");
}

/* One attempt is lost, to be made again soon; nothing is prepared in that session any more. */
static void plans_may_be_taken_away(void)
{
	struct viewd_conn *conn = start();
	struct viewd_view_spec view = stale_view(conn);
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	struct viewd_outcome out = {0};
	struct viewd_err err = {0};
	pg_refreshed(conn, &view);
	view.pre_hook = "DEALLOCATE ALL";
	CHECK(!DIALECT->refresh(conn, &view, &req, &out, &err));
	CHECK_INT(err.cls, VIEWD_ERR_CONFLICT);
	CHECK_STR(err.sqlstate, "26000");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM viewd.refresh_history"), "2");
	CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_FULL);
	CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_FULL);
}

static void what_was_never_sent_is_not_undone(void)
{
	struct viewd_conn *conn = start();
	struct viewd_err err = {0};
	struct trace trace;
	traced(&trace, conn);
	CHECK_OK(pg_op_set_limits(&conn->db, 3000000, 1000000, &err), &err);
	CHECK_OK(pg_op_begin(&conn->db, DB_BEGIN_WRITE, &err), &err);
	CHECK(pg_in_transaction(conn));
	pg_op_rollback(&conn->db);
	CHECK(!pg_in_transaction(conn));
	untraced(&trace);
	CHECK_INT(trace.turns, 0);
}

static void outside_a_transaction_nothing_waits(void)
{
	struct viewd_conn *conn = start();
	struct viewd_err err = {0};
	const struct viewd_view_spec view = stale_view(conn);
	CHECK_OK(marks_touch(&conn->db, "\"public\".\"sale\"", NULL, &err), &err);
	CHECK_STR(pg_ask(pg_session("viewd"), "SELECT dirty_seq FROM viewd.captures"), "3");
	CHECK(view.captured);
}

static void the_first_failure_is_told_and_nothing_after_it_happens(void)
{
	struct viewd_conn *conn = start();
	struct viewd_err err = {0};
	struct db_object found = {.kind = VIEWD_KIND_OTHER};
	struct task task = {.db = &conn->db, .rel = {.schema = "public", .name = "sale"}};
	int rows = 0;
	REQUIRE_OK(pg_op_begin(&conn->db, DB_BEGIN_WRITE, &err), &err);
	CHECK_OK(pg_op_query_later(&conn->db, "SELECT 1", NULL, 0, count_row, &rows, &err), &err);
	CHECK_OK(pg_op_exec_later(&conn->db, "INSERT INTO viewd.requests (view) VALUES ('before')", NULL, 0, &err), &err);
	CHECK_OK(pg_op_exec_later(&conn->db, "INSERT INTO viewd.no_such VALUES (1)", NULL, 0, &err), &err);
	CHECK_OK(pg_op_query_later(&conn->db, "SELECT 1 / 0", NULL, 0, count_row, &rows, &err), &err);
	CHECK(!pg_op_find_identity(&task, &found, &err));
	CHECK_INT(err.cls, VIEWD_ERR_MISSING);
	CHECK_STR(err.sqlstate, "42P01");
	CHECK_INT(rows, 0);
	CHECK_INT(found.kind, VIEWD_KIND_OTHER);
	pg_op_rollback(&conn->db);
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM viewd.requests"), "0");
	REQUIRE_OK(pg_op_find_identity(&task, &found, &err), &err);
	CHECK_INT(found.kind, VIEWD_KIND_TABLE);
}

static void limits_hold_whatever_happened(void)
{
	struct viewd_conn *conn = start();
	struct viewd_err err = {0};
	static const char show[] = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')";
	REQUIRE_OK(pg_op_set_limits(&conn->db, 3000000, 1000000, &err), &err);
	CHECK_STR(pg_ask(conn, show), "3s,1s");
	REQUIRE_OK(pg_op_set_limits(&conn->db, 5000000, 2000000, &err) && pg_op_begin(&conn->db, DB_BEGIN_WRITE, &err),
	           &err);
	CHECK_STR(pg_ask(conn, show), "5s,2s");
	pg_op_rollback(&conn->db);
	CHECK_STR(pg_ask(conn, show), "5s,2s");
	struct viewd_view_spec view = stale_view(conn);
	view.pre_hook = "SET lock_timeout = 0";
	pg_refreshed(conn, &view);
	REQUIRE_OK(pg_op_set_limits(&conn->db, view.timeout_us, view.lock_timeout_us, &err), &err);
	CHECK_STR(pg_ask(conn, show), "1min,2s");
}

static void a_limit_ends_what_waits_in_the_queue(void)
{
	struct viewd_conn *conn = start(), *other = pg_session("viewd");
	struct viewd_view_spec view = stale_view(conn);
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	struct viewd_outcome out = {0};
	struct viewd_err err = {0};
	view.lock_timeout_us = 100000;
	pg_do(other, "BEGIN");
	pg_do(other, "SELECT 1 FROM viewd.captures FOR UPDATE");
	CHECK(!DIALECT->refresh(conn, &view, &req, &out, &err));
	CHECK_INT(err.cls, VIEWD_ERR_CONFLICT);
	CHECK_STR(err.sqlstate, "55P03");
	pg_do(other, "ROLLBACK");
	CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_FULL);
}

static void a_lost_connection_is_lost(void)
{
	struct viewd_conn *conn = start(), *admin = pg_session("postgres");
	struct viewd_err err = {0};
	REQUIRE_OK(pg_op_begin(&conn->db, DB_BEGIN_WRITE, &err), &err);
	const char *pid = pg_ask(conn, "SELECT pg_backend_pid()");
	CHECK_OK(pg_op_exec_later(&conn->db, "INSERT INTO viewd.requests (view) VALUES ('x')", NULL, 0, &err), &err);
	pg_ask(admin, talloc_asprintf(harness_ctx(), "SELECT pg_terminate_backend(%s)", pid));
	const char *there = talloc_asprintf(harness_ctx(), "SELECT count(*) FROM pg_stat_activity WHERE pid = %s", pid);
	for (int64_t deadline = harness_deadline(60000000);
	     strcmp(pg_ask(admin, there), "0") != 0 && harness_pause(deadline);) {
	}
	CHECK(!pg_op_flush(&conn->db, &err));
	CHECK_INT(err.cls, VIEWD_ERR_LOST);
	pg_op_rollback(&conn->db);
	CHECK(!DIALECT->alive(conn));
	CHECK(!pg_exec(conn, "SELECT 1", &err));
	CHECK_INT(err.cls, VIEWD_ERR_CONNECT);
}

static const struct harness_test turns_tests[] = {
	{"a refresh takes few turns", a_refresh_takes_few_turns},
	{"a concurrent refresh takes few turns", a_concurrent_refresh_takes_few_turns},
	{"an incremental refresh takes few turns", an_incremental_refresh_takes_few_turns},
	{"keys that were guessed are those of the news", keys_that_were_guessed_are_those_of_the_news},
	{"a guess reads few images", a_guess_reads_few_images},
	{"a type may be made anew", a_type_may_be_made_anew},
	{"what a failed statement has asked is forgotten", what_a_failed_statement_has_asked_is_forgotten},
	{"a commit that fails settles nothing", a_commit_that_fails_settles_nothing},
	{"marks that cannot be settled do not undo a refresh", marks_that_cannot_be_settled_do_not_undo_a_refresh},
	{"the server keeps the plans of the rest", the_server_keeps_the_plans_of_the_rest},
	{"a text may come twice in one turn", a_text_may_come_twice_in_one_turn},
	{"a failure leaves no doubt about plans", a_failure_leaves_no_doubt_about_plans},
	{"plans may be taken away", plans_may_be_taken_away},
	{"what was never sent is not undone", what_was_never_sent_is_not_undone},
	{"outside a transaction nothing waits", outside_a_transaction_nothing_waits},
	{"the first failure is told and nothing after it happens", the_first_failure_is_told_and_nothing_after_it_happens},
	{"limits hold whatever happened", limits_hold_whatever_happened},
	{"a limit ends what waits in the queue", a_limit_ends_what_waits_in_the_queue},
	{"a lost connection is lost", a_lost_connection_is_lost},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("postgresql turns", turns_tests))
