/* SPDX-License-Identifier: MIT
 *
 * Gaps in what triggers tell: writers that go around them, triggers that come and go; and what making triggers costs
 * others.
 */
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "pg_watch_support.h"

static const char *const sale[] = {"sale"};

static void settle(struct pg_stage *s)
{
	do
		pg_stage_refresh(s);
	while (pg_told_within(s, 300000));
}

static const char *n_of(struct pg_stage *s)
{
	return pg_ask(s->conn, "SELECT n FROM public.totals");
}

/* ---- writers that go around them ---- */

static void hears_a_write_through_another_parent(void)
{
	struct pg_stage s;
	pg_stage_open(&s);
	pg_do(s.app, "CREATE TABLE other_parent (id int)");
	pg_do(s.app, "CREATE TABLE part () INHERITS (sale, other_parent)");
	pg_do(s.app, "INSERT INTO part VALUES (7, 7)");
	pg_stage_capture(&s, VIEWD_CAPTURE_TRIGGER, "SELECT count(*) AS n FROM sale", sale, 1);
	pg_do(s.app, "DELETE FROM other_parent");
	CHECK(pg_told_within(&s, 2000000));
	pg_stage_refresh(&s);
	CHECK_STR(n_of(&s), "2");
}

/* As pg_restore --disable-triggers does: no heartbeat sees it. */
static void notices_what_was_loaded_with_triggers_disabled(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.app, "BEGIN");
	pg_do(s.app, "ALTER TABLE public.sale DISABLE TRIGGER ALL");
	pg_do(s.app, "INSERT INTO public.sale VALUES (50, 1)");
	pg_do(s.app, "ALTER TABLE public.sale ENABLE TRIGGER ALL");
	pg_do(s.app, "COMMIT");
	pg_beat(&s);
	CHECK(pg_told_within(&s, 2000000));
	settle(&s);
	CHECK_STR(n_of(&s), "3");
	pg_beat(&s);
	CHECK(!pg_told_within(&s, 200000));
}

/* A table of viewd's own role: its triggers fire in replica sessions too, and go on doing so. */
static void stays_awake_in_replica_sessions(void)
{
	struct pg_stage s;
	pg_stage_open(&s);
	pg_do(s.conn, "CREATE TABLE mine (id int)");
	static const char *const mine[] = {"mine"};
	pg_stage_capture(&s, VIEWD_CAPTURE_TRIGGER, "SELECT count(*) AS n FROM mine", mine, 1);
	pg_do(s.conn, "ALTER TABLE mine DISABLE TRIGGER ALL");
	pg_do(s.conn, "ALTER TABLE mine ENABLE TRIGGER ALL");
	pg_beat(&s);
	CHECK(pg_told_within(&s, 2000000));
	settle(&s);
	CHECK_STR(pg_ask(s.conn, "SELECT tgenabled FROM pg_trigger WHERE tgrelid = 'public.mine'::regclass"), "A");
}

static void polls_what_is_disabled(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.app, "ALTER TABLE sale DISABLE TRIGGER ALL");
	pg_beat(&s);
	expect_log("is disabled");
	CHECK(pg_told_within(&s, 2000000));
	while (pg_told_within(&s, 2500000))
		pg_stage_refresh(&s);
	pg_do(s.app, "INSERT INTO sale VALUES (60, 1)");
	CHECK(pg_told_within(&s, 15000000));
	settle(&s);
	CHECK_STR(n_of(&s), "3");
	/* A caller that asks is not put off to what the counters say later. */
	pg_do(s.app, "INSERT INTO sale VALUES (61, 1)");
	DIALECT->capture->watch_wake(s.watch);
	CHECK(pg_told_within(&s, 2000000));
	pg_stage_refresh(&s);
	CHECK_STR(n_of(&s), "4");
}

/* The trigger was gone for an unknown time. Making it anew for another reason hides nothing. */
static void marks_what_a_lost_trigger_has_missed(void)
{
	struct pg_stage s;
	struct viewd_err err = {0};
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.app, talloc_asprintf(harness_ctx(), "DROP TRIGGER %s ON sale",
	                             pg_ask(s.app, "SELECT quote_ident(tgname) FROM pg_trigger WHERE tgrelid = "
	                                           "'public.sale'::regclass AND NOT tgisinternal")));
	pg_do(s.app, "INSERT INTO sale VALUES (70, 1)");
	REQUIRE_OK(pg_try_capture(&s, VIEWD_CAPTURE_TRIGGER, &err), &err);
	DIALECT->capture->watch_wake(s.watch);
	CHECK(pg_told_within(&s, 2000000));
	pg_stage_refresh(&s);
	CHECK_STR(n_of(&s), "3");
}

/* A caller that asks is told of the partition now, not at the next heartbeat. */
static void tells_who_asks_of_a_detached_partition(void)
{
	struct pg_stage s;
	static const char *const log[] = {"log"};
	pg_stage_open(&s);
	pg_do(s.app, "CREATE TABLE log (id int) PARTITION BY RANGE (id)");
	pg_do(s.app, "CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10)");
	pg_do(s.app, "INSERT INTO log VALUES (1)");
	pg_stage_capture(&s, VIEWD_CAPTURE_TRIGGER, "SELECT count(*) AS n FROM log", log, 1);
	pg_do(s.app, "ALTER TABLE log DETACH PARTITION log_1");
	DIALECT->capture->watch_wake(s.watch);
	CHECK(pg_told_within(&s, 2000000));
	pg_stage_refresh(&s);
	CHECK_STR(n_of(&s), "0");
}

/* ---- what making and dropping them costs others ---- */

static void send(struct viewd_conn *conn, const char *sql)
{
	REQUIRE(PQsendQuery(conn->pg, sql) == 1);
}

/* The SQLSTATE of the first failure of what was sent, "" when there is none. */
static const char *failure_of(struct viewd_conn *conn)
{
	const char *state = "";
	for (PGresult *res; (res = PQgetResult(conn->pg)) != NULL; PQclear(res))
		if (PQresultStatus(res) == PGRES_FATAL_ERROR && state[0] == '\0')
			state = talloc_strdup(harness_ctx(), PQresultErrorField(res, PG_DIAG_SQLSTATE));
	return state;
}

/* viewd waits for the first until that one ends, then for the second, which has come to wait for what viewd made
 * before: were that one transaction, the server would find a deadlock, and end the writer. */
static void lets_no_writer_become_a_victim(void)
{
	struct pg_stage s;
	static const char *const names[] = {"sale", "second", "third"};
	struct viewd_err err = {0};
	pg_stage_open(&s);
	pg_do(s.app, "CREATE TABLE second (id int)");
	pg_do(s.app, "CREATE TABLE third (id int)");
	s.view = pg_view("totals", VIEWD_METHOD_MATERIALIZED, "SELECT count(*) AS n FROM sale, second, third");
	s.names = names;
	s.n_names = ARRAY_LEN(names);
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	struct viewd_conn *first = pg_session("app"), *writer = pg_session("app");
	send(first, "BEGIN; INSERT INTO public.second VALUES (1); SELECT pg_sleep(0.6); COMMIT");
	send(writer, "BEGIN; INSERT INTO public.third VALUES (1); SELECT pg_sleep(0.2); INSERT INTO public.sale VALUES "
	             "(80, 1); SELECT pg_sleep(2); COMMIT");
	while (
		strcmp(
			pg_ask(
				s.conn,
				"SELECT count(*) FROM pg_locks WHERE relation IN ('public.second'::regclass, 'public.third'::regclass)"
				" AND mode = 'RowExclusiveLock'"),
			"2") != 0)
		;
	bool captured = pg_try_capture(&s, VIEWD_CAPTURE_TRIGGER, &err);
	CHECK_STR(failure_of(writer), "");
	CHECK_STR(failure_of(first), "");
	for (int i = 0; i < 3 && !captured; i++)
		captured = pg_try_capture(&s, VIEWD_CAPTURE_TRIGGER, &err);
	CHECK(captured);
}

/* A report reads what is no longer watched: neither is it in the way of another view, nor are others made to wait
 * behind it. */
static void leaves_a_trigger_that_is_in_use(void)
{
	struct pg_stage s;
	static const char *const mine[] = {"mine"}, *const other[] = {"other_source"};
	struct viewd_err err = {0};
	pg_stage_open(&s);
	pg_do(s.conn, "CREATE TABLE mine (id int)");
	pg_do(s.conn, "CREATE TABLE other_source (id int)");
	pg_stage_capture(&s, VIEWD_CAPTURE_TRIGGER, "SELECT count(*) AS n FROM mine", mine, 1);
	struct viewd_conn *report = pg_session("viewd");
	pg_do(report, "BEGIN");
	pg_do(report, "SELECT * FROM public.mine");
	s.names = other;
	s.view.definition = "SELECT count(*) AS n FROM other_source";
	REQUIRE_OK(pg_try_capture(&s, VIEWD_CAPTURE_TRIGGER, &err), &err);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.captures WHERE source LIKE '%other_source%'"), "1");
	pg_do(report, "COMMIT");
	REQUIRE_OK(pg_try_capture(&s, VIEWD_CAPTURE_TRIGGER, &err), &err);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'public.mine'::regclass"), "0");
}

/* ---- the log ---- */

#define MANY "4000000"

/* Nobody was there for long: more than a statement can take off within its time limit, and it cannot be emptied as a
 * whole while somebody writes. */
static void recovers_from_a_large_log(void)
{
	struct pg_stage s;
	struct viewd_err err = {0};
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.conn, "INSERT INTO viewd.changes SELECT '\"public\".\"sale\"' FROM generate_series(1, " MANY ")");
	pg_do(s.app, "BEGIN");
	pg_do(s.app, "INSERT INTO public.sale VALUES (90, 1)");
	pg_stage_rewatch(&s);
	REQUIRE_OK(pg_op_set_limits(&s.watch->conn->db, 2000000, 500000, &err), &err);
	CHECK(pg_told(&s));
	DIALECT->capture->watch_wake(s.watch);
	pg_look_watch(&s, 60000000);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.changes"), "0");
	pg_do(s.app, "COMMIT");
	CHECK(pg_told(&s));
	for (int i = 0; i < 100 && strcmp(pg_ask(s.conn, "SELECT pg_relation_size('viewd.changes')"), "0") != 0; i++)
		pg_told_within(&s, 100000);
	settle(&s);
	CHECK_STR(n_of(&s), "3");
	CHECK_STR(pg_ask(s.conn, "SELECT pg_relation_size('viewd.changes')"), "0");
	pg_do(s.app, "INSERT INTO sale VALUES (91, 1)");
	CHECK(pg_told_within(&s, 2000000));
}

static void marks_everything_when_the_log_was_dropped(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.app, "INSERT INTO sale VALUES (92, 1)");
	pg_do(s.conn, "DROP TABLE viewd.changes");
	pg_stage_rewatch(&s);
	CHECK(pg_told(&s));
	settle(&s);
	CHECK_STR(n_of(&s), "3");
	pg_do(s.app, "INSERT INTO sale VALUES (93, 1)");
	CHECK(pg_told_within(&s, 2000000));
}

/* Nobody is disturbed by what was viewd's. */
static void writers_survive_the_end_of_its_schema(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *writer = pg_session("app");
	pg_do(writer, "INSERT INTO sale VALUES (94, 1)");
	pg_do(s.conn, "DROP SCHEMA viewd CASCADE");
	pg_do(writer, "INSERT INTO sale VALUES (95, 1)");
	pg_do(writer, "TRUNCATE sale");
}

/* Whatever is in the table, as it may have been written before it was bounded: others are served in the same look, and
 * nothing of any length is read. */
static void serves_many_requests_at_once(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.conn, "INSERT INTO viewd.requests (view) SELECT 'nothing' || i % 7 FROM generate_series(1, 5000) AS i");
	pg_do(s.conn, "INSERT INTO viewd.requests (view) VALUES (repeat('x', 10000000))");
	pg_do(s.app, "SELECT viewd.request_refresh('totals')");
	s.requests = 0;
	for (int i = 0; i < 4; i++)
		pg_look_watch(&s, 200000);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.requests"), "0");
	CHECK(s.requests >= 9 && s.requests < 100);
}

static const struct harness_test gap_tests[] = {
	{"hears a write through another parent", hears_a_write_through_another_parent},
	{"notices what was loaded with triggers disabled", notices_what_was_loaded_with_triggers_disabled},
	{"stays awake in replica sessions", stays_awake_in_replica_sessions},
	{"polls what is disabled", polls_what_is_disabled},
	{"marks what a lost trigger has missed", marks_what_a_lost_trigger_has_missed},
	{"tells who asks of a detached partition", tells_who_asks_of_a_detached_partition},
	{"lets no writer become a victim", lets_no_writer_become_a_victim},
	{"leaves a trigger that is in use", leaves_a_trigger_that_is_in_use},
	{"recovers from a large log", recovers_from_a_large_log},
	{"marks everything when the log was dropped", marks_everything_when_the_log_was_dropped},
	{"writers survive the end of its schema", writers_survive_the_end_of_its_schema},
	{"serves many requests at once", serves_many_requests_at_once},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("pg gaps", gap_tests))
