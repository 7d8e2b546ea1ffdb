/* SPDX-License-Identifier: MIT
 *
 * Noticing changes: what a watch tells after each kind of write, and that it tells nothing without one.
 */
#include <stdlib.h>
#include <talloc.h>

#include "base/clock.h"
#include "base/err.h"
#include "pg_watch_support.h"

static void tells_of_each_kind_of_write(void)
{
	static const char *const writes[] = {
		"INSERT INTO sale VALUES (10, 1)",
		"UPDATE sale SET amount = 2 WHERE id = 10",
		"DELETE FROM sale WHERE id = 10",
		"INSERT INTO sale VALUES (1, 5) ON CONFLICT (id) DO UPDATE SET amount = 5",
		("MERGE INTO sale USING (VALUES (3, 4)) AS m (id, a) ON sale.id = m.id WHEN NOT MATCHED THEN INSERT VALUES "
	     "(m.id, m.a)"),
		"TRUNCATE sale",
		"WITH x AS (INSERT INTO sale VALUES (11, 1) RETURNING id) SELECT count(*) FROM x",
	};
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		if (strncmp(writes[i], "MERGE", 5) == 0 && PQserverVersion(s.conn->pg) < 150000)
			continue;
		pg_do(s.app, writes[i]);
		CHECK(pg_told(&s));
		pg_stage_refresh(&s);
		CHECK(!pg_told_within(&s, 150000));
	}
}

static void settles_what_a_refresh_covers(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_AUTO);
	CHECK_INT(s.captured.mode, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	REQUIRE(pg_told(&s));
	int64_t seq = s.seq;
	struct viewd_outcome out = pg_stage_refresh(&s);
	CHECK(out.settled_seq >= seq);
	pg_do(s.app, "INSERT INTO sale VALUES (11, 1)");
	REQUIRE(pg_told(&s));
	CHECK(s.seq > out.settled_seq);
}

static void needs_no_privileges_of_writers(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.app, "GRANT INSERT ON sale TO other");
	struct viewd_conn *other = pg_session("other");
	pg_do(other, "SET search_path = pg_temp");
	pg_do(other, "CREATE TEMP TABLE changes (source int)");
	pg_do(other, "INSERT INTO public.sale VALUES (10, 1)");
	CHECK(pg_told(&s));
}

static void ignores_what_is_rolled_back(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.app, "BEGIN");
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	pg_do(s.app, "ROLLBACK");
	CHECK(!pg_told_within(&s, 150000));
	pg_do(s.app, "BEGIN");
	pg_do(s.app, "SAVEPOINT a");
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	pg_do(s.app, "ROLLBACK TO SAVEPOINT a");
	pg_do(s.app, "COMMIT");
	CHECK(!pg_told_within(&s, 150000));
}

/* A transaction that wrote first and commits last is told too, however many others were told before. */
static void tells_of_a_late_commit(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *late = pg_session("app");
	pg_do(late, "BEGIN");
	pg_do(late, "INSERT INTO sale VALUES (20, 1)");
	pg_do(s.app, "INSERT INTO sale VALUES (21, 1)");
	REQUIRE(pg_told(&s));
	pg_stage_refresh(&s);
	CHECK(!pg_told_within(&s, 300000));
	pg_do(late, "COMMIT");
	CHECK(pg_told(&s));
	pg_stage_refresh(&s);
	CHECK_STR(pg_ask(s.conn, "SELECT n FROM public.totals"), "4");
}

/* The writer's trigger runs while the watcher is awake, so it does not notify; it commits when everything has become
 * quiet. */
static void hears_writers_that_saw_it_awake(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	for (int level = 0; level < 2; level++) {
		struct viewd_conn *slow = pg_session("app");
		pg_keep_awake(&s);
		pg_do(slow, level == 0 ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ");
		pg_do(slow, talloc_asprintf(harness_ctx(), "INSERT INTO sale VALUES (%d, 1)", 5000 + level));
		CHECK(!s.watch->asleep);
		pg_stage_refresh(&s);
		pg_told_within(&s, 400000);
		pg_stage_refresh(&s);
		CHECK(!pg_told_within(&s, 300000));
		CHECK(!s.watch->asleep);
		pg_do(slow, "COMMIT");
		CHECK(pg_told(&s));
		pg_stage_refresh(&s);
		CHECK(!pg_told_within(&s, 500000));
		CHECK(s.watch->asleep);
	}
}

/* The other way round: a transaction that began before the watcher fell asleep, and writes after. */
static void hears_old_snapshots_asleep(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *old = pg_session("app");
	pg_keep_awake(&s);
	pg_do(old, "BEGIN ISOLATION LEVEL REPEATABLE READ");
	pg_do(old, "SELECT count(*) FROM sale");
	pg_told_within(&s, 500000);
	pg_stage_refresh(&s);
	CHECK(!pg_told_within(&s, 300000));
	REQUIRE(s.watch->asleep);
	pg_do(old, "INSERT INTO sale VALUES (5000, 1)");
	pg_do(old, "COMMIT");
	CHECK(pg_told_within(&s, 2000000));
}

static void covers_partitions_and_children(void)
{
	struct pg_stage s;
	pg_stage_open(&s);
	pg_do(s.app, "CREATE TABLE part (id int, amount int) PARTITION BY LIST (id)");
	pg_do(s.app, "CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1)");
	pg_do(s.app, "CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2) PARTITION BY LIST (amount)");
	pg_do(s.app, "CREATE TABLE part_2_1 PARTITION OF part_2 FOR VALUES IN (1)");
	pg_do(s.app, "CREATE TABLE parent (id int)");
	pg_do(s.app, "CREATE TABLE child () INHERITS (parent)");
	pg_stage_capture(&s, VIEWD_CAPTURE_TRIGGER,
	                 "SELECT (SELECT count(*) FROM part) + (SELECT count(*) FROM parent) AS n",
	                 (const char *const[]){"part", "parent"}, 2);
	static const char *const writes[] = {"INSERT INTO part VALUES (1, 1)",     "INSERT INTO part_1 VALUES (1, 1)",
	                                     "INSERT INTO part_2_1 VALUES (2, 1)", "TRUNCATE part_2",
	                                     "INSERT INTO child VALUES (1)",       "DELETE FROM parent"};
	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		pg_do(s.app, writes[i]);
		CHECK(pg_told(&s));
		pg_stage_refresh(&s);
	}
	/* A view of one partition is stale when the row came in through its parent. */
	pg_stage_capture(&s, VIEWD_CAPTURE_TRIGGER, "SELECT count(*) AS n FROM part_1", (const char *const[]){"part_1"}, 1);
	pg_do(s.app, "INSERT INTO part VALUES (1, 1)");
	CHECK(pg_told(&s));
}

static void makes_triggers_of_new_partitions(void)
{
	struct pg_stage s;
	pg_stage_open(&s);
	pg_do(s.app, "CREATE TABLE part (id int) PARTITION BY LIST (id)");
	pg_stage_capture(&s, VIEWD_CAPTURE_TRIGGER, "SELECT count(*) AS n FROM part", (const char *const[]){"part"}, 1);
	pg_do(s.app, "CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1)");
	expect_log("had no trigger");
	pg_do(s.app, "GRANT TRIGGER ON part_1 TO viewd");
	pg_beat(&s);
	CHECK(pg_told(&s));
	pg_stage_refresh(&s);
	pg_do(s.app, "INSERT INTO part_1 VALUES (1)");
	CHECK(pg_told(&s));
	pg_stage_refresh(&s);
	expect_log("is disabled");
	pg_do(s.app, "ALTER TABLE part_1 DISABLE TRIGGER ALL");
	pg_beat(&s);
	CHECK(pg_told(&s));
	pg_stage_refresh(&s);
	pg_do(s.app, "INSERT INTO part_1 VALUES (1)");
	pg_do(s.app, "ALTER TABLE part_1 ENABLE TRIGGER ALL");
	pg_beat(&s);
	CHECK(pg_told(&s));
}

static void polls_where_it_may_not_make_triggers(void)
{
	struct pg_stage s;
	pg_stage_open(&s);
	pg_do(s.app, "REVOKE TRIGGER ON sale FROM viewd");
	pg_stage_capture(&s, VIEWD_CAPTURE_AUTO, "SELECT count(*) AS n FROM sale", (const char *const[]){"sale"}, 1);
	CHECK_INT(s.captured.mode, VIEWD_CAPTURE_POLL);
	CHECK_CONTAINS(s.captured.reason, "lacks TRIGGER on public.sale");
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	CHECK(pg_told(&s));
	pg_stage_refresh(&s);
	pg_do(s.app, "TRUNCATE sale");
	CHECK(pg_told(&s));
	struct viewd_err err = {0};
	CHECK(!pg_try_capture(&s, VIEWD_CAPTURE_TRIGGER, &err));
	CHECK_INT(err.cls, VIEWD_ERR_DENIED);
	CHECK(!pg_try_capture(&s, VIEWD_CAPTURE_BINLOG, &err));
	CHECK_INT(err.cls, VIEWD_ERR_CONFIG);
}

static void takes_requests_of_anybody(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *other = pg_session("other");
	pg_do(other, "SELECT viewd.request_refresh('totals')");
	WAIT_UNTIL(pg_look_watch(&s, 200000) && s.requests == 1);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.requests"), "0");
}

static void removes_triggers_nobody_needs(void)
{
	struct pg_stage s;
	struct viewd_err err = {0};
	pg_stage_own(&s);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*), min(tgenabled::text) FROM pg_trigger WHERE NOT tgisinternal"), "1,A");
	CHECK_OK(pg_try_capture(&s, VIEWD_CAPTURE_NONE, &err), &err);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"), "0");
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.captures"), "0");
}

static struct viewd_watch *try_watch(struct viewd_err *err)
{
	struct viewd_database_spec spec = pg_spec("viewd");
	return DIALECT->capture->watch_open(&pg_host, &spec, err);
}

static void stands_by_while_another_leads(void)
{
	struct pg_stage s;
	struct viewd_err err = {0};
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	CHECK(try_watch(&err) == NULL);
	CHECK_INT(err.cls, VIEWD_ERR_STANDBY);
	/* The leader's session is killed: the next one that tries leads, and what happened in between is not lost. */
	pg_do(s.conn, "SELECT pg_terminate_backend(pid) FROM (SELECT DISTINCT pid FROM pg_locks WHERE locktype = "
	              "'advisory' AND pid <> pg_backend_pid()) leader");
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	err = (struct viewd_err){0};
	CHECK(!DIALECT->capture->watch_next(s.watch, 1000000, (struct viewd_signal_sink){NULL, NULL}, &err));
	CHECK_INT(err.cls, VIEWD_ERR_LOST);
	pg_stage_rewatch(&s);
	CHECK(pg_told(&s));
}

/* An earlier viewd has made the table of who leads, and counted in it. */
static void takes_over_the_table_of_an_earlier_version(void)
{
	struct pg_stage s;
	struct viewd_err err = {0};
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	DIALECT->capture->watch_close(s.holder);
	pg_do(s.conn, "ALTER TABLE viewd.daemon DROP COLUMN server, DROP COLUMN asked, DROP COLUMN expires");
	pg_do(s.conn, "UPDATE viewd.daemon SET epoch = 7, holder = 'one of before'");
	s.watch = *s.holder = try_watch(&err);
	REQUIRE_OK(s.watch != NULL, &err);
	CHECK_STR(pg_ask(s.conn, "SELECT epoch FROM viewd.daemon"), "8");
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	CHECK(pg_told(&s));
}

static void fences_who_no_longer_leads(void)
{
	struct pg_stage s;
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	pg_do(s.conn, "UPDATE viewd.daemon SET epoch = epoch + 1, holder = 'somebody else'");
	CHECK(!DIALECT->refresh(s.conn, &s.view, &req, &out, &err));
	CHECK_INT(err.cls, VIEWD_ERR_STANDBY);
	CHECK_STR(pg_ask(s.conn, "SELECT n FROM public.totals"), "2");
	CHECK(pg_told(&s));
}

/* A group has written what the view reads, and could not raise its mark. */
static void carries_over_what_a_group_has_left(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.conn, "INSERT INTO viewd.carried (source, members) SELECT source, '{}' FROM viewd.captures");
	pg_beat(&s);
	CHECK(pg_told(&s));
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.carried"), "0");
}

/* After a crash the server has emptied every unlogged table, whatever was in them. */
static void marks_everything_when_the_log_is_gone(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	pg_do(s.conn, "TRUNCATE viewd.changes, viewd.log_intact");
	pg_stage_rewatch(&s);
	CHECK(pg_told(&s));
	pg_stage_refresh(&s);
	CHECK(!pg_told_within(&s, 200000));
}

static void cleans_the_log(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *old = pg_session("app");
	pg_do(old, "BEGIN ISOLATION LEVEL REPEATABLE READ");
	pg_do(old, "SELECT count(*) FROM sale");
	/* 49 MB in all, which the old snapshot keeps from being vacuumed. */
	for (int i = 0; i < 12; i++) {
		pg_do(s.conn, "INSERT INTO viewd.changes SELECT repeat('x', 100) FROM generate_series(1, 30000)");
		s.watch->pace_us = 1;
		pg_look_watch(&s, 1000);
	}
	CHECK(atoll(pg_ask(s.conn, "SELECT pg_relation_size('viewd.changes')")) < 24 * 1024 * 1024);
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	CHECK(pg_told(&s));
}

static void hears_copy_and_multi_statement_transactions(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.app, "BEGIN");
	for (int i = 0; i < 20; i++)
		pg_do(s.app, talloc_asprintf(harness_ctx(), "INSERT INTO sale VALUES (%d, 1)", 30 + i));
	pg_do(s.app, "COMMIT");
	CHECK(pg_told(&s));
	pg_stage_refresh(&s);
	CHECK_STR(pg_ask(s.conn, "SELECT n FROM public.totals"), "22");
	PQclear(PQexec(s.app->pg, "COPY public.sale FROM STDIN"));
	CHECK_INT(PQputCopyData(s.app->pg, "90\t1\n", 5), 1);
	CHECK_INT(PQputCopyEnd(s.app->pg, NULL), 1);
	for (PGresult *res; (res = PQgetResult(s.app->pg)) != NULL; PQclear(res))
		CHECK_INT(PQresultStatus(res), PGRES_COMMAND_OK);
	CHECK(pg_told(&s));
}

/* Anybody may notify anything: it costs a look, nothing else. */
static void trusts_no_payload(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *other = pg_session("other");
	pg_do(other, "SELECT pg_notify('viewd', repeat('x', 7999))");
	pg_do(other, "SELECT pg_notify('viewd', E'%s%n\\x1b[31m; DROP TABLE sale')");
	CHECK(!pg_told_within(&s, 200000));
	CHECK(s.watch->asleep);
}

static const struct harness_test watch_tests[] = {
	{"tells of each kind of write", tells_of_each_kind_of_write},
	{"settles what a refresh covers", settles_what_a_refresh_covers},
	{"needs no privileges of writers", needs_no_privileges_of_writers},
	{"ignores what is rolled back", ignores_what_is_rolled_back},
	{"tells of a late commit", tells_of_a_late_commit},
	{"hears writers that saw it awake", hears_writers_that_saw_it_awake},
	{"hears old snapshots asleep", hears_old_snapshots_asleep},
	{"covers partitions and children", covers_partitions_and_children},
	{"makes triggers of new partitions", makes_triggers_of_new_partitions},
	{"polls where it may not make triggers", polls_where_it_may_not_make_triggers},
	{"takes requests of anybody", takes_requests_of_anybody},
	{"removes triggers nobody needs", removes_triggers_nobody_needs},
	{"hears COPY and transactions of many statements", hears_copy_and_multi_statement_transactions},
	{"trusts no payload", trusts_no_payload},
	{"stands by while another leads", stands_by_while_another_leads},
	{"takes over the table of an earlier version", takes_over_the_table_of_an_earlier_version},
	{"fences who no longer leads", fences_who_no_longer_leads},
	{"carries over what a group has left", carries_over_what_a_group_has_left},
	{"marks everything when the log is gone", marks_everything_when_the_log_is_gone},
	{"cleans the log", cleans_the_log},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("pg watch", watch_tests))
