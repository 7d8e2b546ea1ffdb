/* SPDX-License-Identifier: MIT
 *
 * Floods: while a source is written without pause its writers leave no log rows, and nothing is lost by that.
 */
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "pg_watch_support.h"

#define SALE "\"public\".\"sale\""

static enum pg_flood_state state(const struct pg_stage *s)
{
	return pg_flood_state(s->watch, SALE);
}

static void begin_flood(struct pg_stage *s)
{
	struct viewd_err err = {0};
	REQUIRE_OK(pg_flood_begin(s->watch, SALE, &err), &err);
	REQUIRE(state(s) == PG_FLOOD_OPEN);
}

/* Looks until the flood has come so far; what is told on the way is refreshed. */
static void look_until(struct pg_stage *s, enum pg_flood_state wanted)
{
	for (int i = 0; i < 400 && state(s) != wanted; i++)
		if (pg_told_within(s, 50000))
			pg_stage_refresh(s);
	REQUIRE(state(s) == wanted);
}

static void refresh_until_quiet(struct pg_stage *s)
{
	do
		pg_stage_refresh(s);
	while (pg_told_within(s, 300000));
}

static const char *n_of(struct pg_stage *s)
{
	return pg_ask(s->conn, "SELECT n FROM public.totals");
}

static const char *logged(struct pg_stage *s)
{
	return pg_ask(s->conn, "SELECT count(*) FROM viewd.changes");
}

static const char *recorded(struct pg_stage *s)
{
	return pg_ask(s->conn, "SELECT count(*) FROM viewd.sources WHERE flood IS NOT NULL");
}

static struct viewd_conn *open_writer(const char *sql)
{
	struct viewd_conn *writer = pg_session("app");
	pg_do(writer, "BEGIN");
	pg_do(writer, sql);
	return writer;
}

static void notices_without_a_log(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	begin_flood(&s);
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	CHECK_STR(logged(&s), "0");
	CHECK(pg_told(&s));
	pg_stage_refresh(&s);
	CHECK_STR(n_of(&s), "3");
	look_until(&s, PG_FLOOD_NONE);
	CHECK_STR(recorded(&s), "0");
	refresh_until_quiet(&s);
	pg_do(s.app, "INSERT INTO sale VALUES (11, 1)");
	CHECK_STR(logged(&s), "1");
	CHECK(pg_told(&s));
	pg_do(s.app, "TRUNCATE sale");
	CHECK(pg_told(&s));
}

/* The source is forgotten and registered anew while its flood closes: the next one's flag is another one, and that
 * comes down. */
static void lowers_the_flag_of_a_source_registered_anew(void)
{
	struct pg_stage s;
	static const char *const sale[] = {"sale"}, *const other[] = {"other_source"};
	struct viewd_err err = {0};
	pg_stage_open(&s);
	pg_do(s.app, "DROP TABLE sale");
	pg_do(s.conn, "CREATE TABLE sale (id int)");
	pg_do(s.conn, "CREATE TABLE other_source (id int)");
	pg_stage_capture(&s, VIEWD_CAPTURE_TRIGGER, "SELECT count(*) AS n FROM sale", sale, 1);
	begin_flood(&s);
	struct viewd_conn *late = pg_session("app");
	pg_do(late, "BEGIN");
	pg_do(late, "CREATE TABLE keeps_an_id (id int)");
	look_until(&s, PG_FLOOD_CLOSING);
	s.names = other;
	REQUIRE_OK(pg_try_capture(&s, VIEWD_CAPTURE_TRIGGER, &err), &err);
	s.names = sale;
	REQUIRE_OK(pg_try_capture(&s, VIEWD_CAPTURE_TRIGGER, &err), &err);
	begin_flood(&s);
	pg_do(late, "COMMIT");
	look_until(&s, PG_FLOOD_NONE);
	CHECK_STR(pg_ask(s.conn, "SELECT pg_sequence_last_value(('viewd.flood_' || id)::regclass) FROM viewd.sources "
	                         "WHERE source = '" SALE "'"),
	          "null");
}

/* Locks all marks, for a while: the server ends the session. */
static void lock_marks(struct viewd_conn *conn)
{
	pg_do(conn, "SET idle_in_transaction_session_timeout = '800ms'");
	pg_do(conn, "BEGIN");
	pg_do(conn, "SELECT * FROM viewd.captures FOR UPDATE");
}

/* A caller that asks is told of everything that was committed before, whatever the pace, and not before it was possible
 * to look. */
static void tells_when_asked(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	begin_flood(&s);
	struct viewd_conn *writer = open_writer("INSERT INTO sale VALUES (11, 1)"), *lock = pg_session("viewd");
	pg_told_within(&s, 100000);
	pg_stage_refresh(&s);
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	s.stale = 0;
	DIALECT->capture->watch_wake(s.watch);
	pg_look_watch(&s, 1000000);
	CHECK(s.stale > 0);
	look_until(&s, PG_FLOOD_CLOSING);
	pg_told_within(&s, 2500000); /* its pace is slow now */
	pg_stage_refresh(&s);
	pg_do(writer, "COMMIT");
	lock_marks(lock);
	s.stale = 0;
	DIALECT->capture->watch_wake(s.watch);
	pg_look_watch(&s, 10000000);
	CHECK(s.stale > 0);
}

/* A log that cannot be drained now is no answer. */
static void answers_after_the_drain(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *lock = pg_session("viewd");
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	lock_marks(lock);
	s.stale = 0;
	DIALECT->capture->watch_wake(s.watch);
	pg_look_watch(&s, 10000000);
	CHECK(s.stale > 0);
}

/* Written during the flood, committed long after its end. */
static void hears_who_commits_after_the_end(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	begin_flood(&s);
	struct viewd_conn *first = open_writer("INSERT INTO sale VALUES (10, 1)"),
					  *second = open_writer("INSERT INTO sale VALUES (11, 1)");
	CHECK_STR(logged(&s), "0");
	look_until(&s, PG_FLOOD_CLOSING);
	refresh_until_quiet(&s);
	CHECK_STR(n_of(&s), "2");
	pg_do(first, "COMMIT");
	CHECK(pg_told(&s));
	refresh_until_quiet(&s);
	CHECK_STR(n_of(&s), "3");
	CHECK(state(&s) == PG_FLOOD_CLOSING);
	pg_do(second, "COMMIT");
	CHECK(pg_told(&s));
	refresh_until_quiet(&s);
	CHECK_STR(n_of(&s), "4");
	CHECK(state(&s) == PG_FLOOD_NONE);
	CHECK_STR(recorded(&s), "0");
}

static void hears_them_after_a_new_watch(void)
{
	static const enum pg_flood_state states[] = {PG_FLOOD_OPEN, PG_FLOOD_CLOSING};
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		begin_flood(&s);
		struct viewd_conn *writer =
			open_writer(talloc_asprintf(harness_ctx(), "INSERT INTO sale VALUES (%d, 1)", 10 + (int)i));
		look_until(&s, states[i]);
		pg_stage_rewatch(&s);
		/* Nobody watched for a moment: a flag that was still up had writers leave nothing. */
		pg_do(s.app, talloc_asprintf(harness_ctx(), "INSERT INTO sale VALUES (%d, 1)", 20 + (int)i));
		CHECK(pg_told(&s));
		refresh_until_quiet(&s);
		CHECK(state(&s) == PG_FLOOD_CLOSING);
		CHECK_STR(n_of(&s), talloc_asprintf(harness_ctx(), "%d", 3 + 2 * (int)i));
		pg_do(writer, "COMMIT");
		CHECK(pg_told(&s));
		refresh_until_quiet(&s);
		CHECK_STR(n_of(&s), talloc_asprintf(harness_ctx(), "%d", 4 + 2 * (int)i));
		CHECK(state(&s) == PG_FLOOD_NONE);
	}
}

/* A flood that begins while the last one is being ended carries that one on. */
static void floods_again_while_ending(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	begin_flood(&s);
	struct viewd_conn *writer = open_writer("INSERT INTO sale VALUES (10, 1)");
	look_until(&s, PG_FLOOD_CLOSING);
	begin_flood(&s);
	struct viewd_conn *other = open_writer("INSERT INTO sale VALUES (11, 1)");
	pg_do(writer, "COMMIT");
	look_until(&s, PG_FLOOD_CLOSING);
	refresh_until_quiet(&s);
	CHECK_STR(n_of(&s), "3");
	pg_do(other, "COMMIT");
	CHECK(pg_told(&s));
	refresh_until_quiet(&s);
	CHECK_STR(n_of(&s), "4");
	CHECK(state(&s) == PG_FLOOD_NONE);
}

/* A backup taken during a flood, or somebody with the right to it, puts a flag up that belongs to no flood. */
static void lowers_a_flag_of_nobody(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.conn, "SELECT setval('viewd.flood_1', 1)");
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	CHECK_STR(logged(&s), "0");
	CHECK(!pg_told_within(&s, 100000));
	pg_beat(&s);
	CHECK(pg_told(&s));
	refresh_until_quiet(&s);
	CHECK_STR(n_of(&s), "3");
	CHECK(state(&s) == PG_FLOOD_NONE);
	CHECK_STR(recorded(&s), "0");
	pg_do(s.app, "INSERT INTO sale VALUES (11, 1)");
	CHECK_STR(logged(&s), "1");
}

static void begins_when_rows_keep_coming(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.conn, "INSERT INTO viewd.changes SELECT '" SALE "' FROM generate_series(1, 50000)");
	for (int i = 0; i < 10; i++)
		pg_look_watch(&s, 50000);
	CHECK(state(&s) == PG_FLOOD_NONE); /* one large transaction */
	for (int i = 0; i < 100 && state(&s) == PG_FLOOD_NONE; i++) {
		pg_do(s.conn, "INSERT INTO viewd.changes SELECT '" SALE "' FROM generate_series(1, 5000)");
		pg_look_watch(&s, 50000);
	}
	CHECK(state(&s) == PG_FLOOD_OPEN);
	look_until(&s, PG_FLOOD_NONE);
}

static const char *function_of(struct pg_stage *s, const char *table)
{
	return pg_ask(s->conn,
	              talloc_asprintf(harness_ctx(),
	                              "SELECT p.proname FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid WHERE "
	                              "g.tgrelid = 'public.%s'::regclass",
	                              table));
}

static void replaces_triggers_of_the_first_form(void)
{
	struct pg_stage s;
	struct viewd_err err = {0};
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	const char *name = pg_ask(s.conn, "SELECT tgname FROM pg_trigger WHERE tgrelid = 'public.sale'::regclass");
	pg_do(s.app, talloc_asprintf(harness_ctx(), "DROP TRIGGER %s ON sale", name));
	pg_do(s.conn, talloc_asprintf(harness_ctx(),
	                              "CREATE TRIGGER %s AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON public.sale "
	                              "FOR EACH STATEMENT EXECUTE FUNCTION viewd.note_change('" SALE "')",
	                              name));
	struct viewd_conn *writer = open_writer("INSERT INTO sale VALUES (10, 1)");
	CHECK_OK(pg_try_capture(&s, VIEWD_CAPTURE_TRIGGER, &err), &err);
	CHECK_STR(function_of(&s, "sale"), "note_change"); /* not now: it does its work */
	pg_do(writer, "COMMIT");
	CHECK(pg_told(&s));
	CHECK_OK(pg_try_capture(&s, VIEWD_CAPTURE_TRIGGER, &err), &err);
	CHECK_STR(function_of(&s, "sale"), PQserverVersion(s.conn->pg) >= 140000 ? "note_1" : "note_change");
	refresh_until_quiet(&s);
	pg_do(s.app, "INSERT INTO sale VALUES (11, 1)");
	CHECK(pg_told(&s));
}

static void takes_any_name(void)
{
	static const char *const names[] = {"$viewd$ \\'\"); --"};
	struct pg_stage s;
	pg_stage_open(&s);
	pg_do(s.app, "CREATE TABLE \"$viewd$ \\'\"\"); --\" (id int)");
	pg_stage_capture(&s, VIEWD_CAPTURE_TRIGGER, "SELECT count(*) AS n FROM \"$viewd$ \\'\"\"); --\"", names, 1);
	pg_do(s.app, "SET standard_conforming_strings = off");
	pg_do(s.app, "INSERT INTO \"$viewd$ \\'\"\"); --\" VALUES (1)");
	CHECK(pg_told(&s));
}

static void leaves_nothing_behind(void)
{
	struct pg_stage s;
	struct viewd_err err = {0};
	pg_stage_own(&s);
	REQUIRE_OK(pg_flood_begin(s.watch, "\"public\".\"own\"", &err), &err);
	CHECK_OK(pg_try_capture(&s, VIEWD_CAPTURE_NONE, &err), &err);
	CHECK_STR(
		pg_ask(
			s.conn,
			"SELECT (SELECT count(*) FROM viewd.sources), (SELECT count(*) FROM pg_proc WHERE proname ~ '^note_[0-9]'),"
			" (SELECT count(*) FROM pg_class WHERE relname ~ '^flood_')"),
		"0,0,0");
	for (int i = 0; i < 100 && pg_flood_state(s.watch, "\"public\".\"own\"") != PG_FLOOD_NONE; i++)
		pg_look_watch(&s, 50000);
	CHECK(pg_flood_state(s.watch, "\"public\".\"own\"") == PG_FLOOD_NONE);
}

/* Partitions that come and go fire no trigger. */
static void notices_partitions_that_go(void)
{
	static const char *const changes[] = {
		"DROP TABLE part_1", "ALTER TABLE part DETACH PARTITION part_2",
		"ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES IN (2)",
		"ALTER TABLE part ALTER COLUMN amount TYPE bigint USING amount + 1", /* a new file with other values */
	};
	struct pg_stage s;
	pg_stage_open(&s);
	pg_do(s.app, "CREATE TABLE part (id int, amount int) PARTITION BY LIST (id)");
	pg_do(s.app, "CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1)");
	pg_do(s.app, "CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2)");
	pg_do(s.app, "INSERT INTO part VALUES (1, 1), (2, 1)");
	pg_stage_capture(&s, VIEWD_CAPTURE_TRIGGER, "SELECT count(*) AS n FROM part", (const char *const[]){"part"}, 1);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		pg_beat(&s);
		CHECK(!pg_told_within(&s, 200000));
		pg_do(s.app, changes[i]);
		pg_beat(&s);
		CHECK(pg_told(&s));
		pg_stage_refresh(&s);
	}
}

/* A request to cancel that arrives in the middle of the set-up: with the server's first notice. */
static void cancel_at_notice(void *ctx, enum viewd_log_level level UNUSED, const char *msg)
{
	struct viewd_conn **conn = ctx;
	if (*conn != NULL && strstr(msg, "already exists") != NULL)
		atomic_store(&(*conn)->cancelled, true);
}

static void gives_the_lock_of_a_cancelled_setup_back(void)
{
	struct pg_stage s;
	struct viewd_err err = {0};
	struct viewd_conn *conn = NULL;
	struct viewd_host host = pg_host;
	struct viewd_database_spec spec = pg_spec("viewd");
	host.log = cancel_at_notice;
	host.ctx = &conn;
	pg_stage_open(&s);
	conn = DIALECT->open(&host, &spec, &err);
	REQUIRE_OK(conn != NULL, &err);
	CHECK(!pg_objects_make(conn, &err));
	CHECK_INT(err.cls, VIEWD_ERR_CANCELLED);
	CHECK_OK(pg_objects_make(s.conn, &err), &err);
	DIALECT->close(&conn);
}

/* ---- a log that has become too long ---- */

#define LOOP(n, statement) "DO $$ BEGIN FOR i IN 1.." n " LOOP " statement "; END LOOP; END $$"
#define MANY_ROWS LOOP("14000", "UPDATE public.sale SET amount = amount + 1 WHERE id = 1")

static int64_t blocks(struct pg_stage *s)
{
	return atoll(pg_ask(s->conn, "SELECT pg_relation_size('viewd.changes') / 8192"));
}

static const char *flag_of(struct pg_stage *s)
{
	return pg_ask(s->conn, "SELECT pg_sequence_last_value('viewd.flood_1')");
}

static void bounds_its_log(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	for (int i = 0; i < 3; i++)
		pg_do(s.app, MANY_ROWS);
	CHECK(blocks(&s) <= 65);
	CHECK_STR(flag_of(&s), "2");
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	CHECK_STR(pg_ask(s.conn, "SELECT freshness FROM viewd.views"), "STALE");
	CHECK(pg_told(&s));
	look_until(&s, PG_FLOOD_NONE);
	refresh_until_quiet(&s);
	CHECK_STR(n_of(&s), "3");
	CHECK_STR(flag_of(&s), "null");
	CHECK_STR(recorded(&s), "0");
	CHECK_INT(blocks(&s), 0);
	pg_do(s.app, "INSERT INTO sale VALUES (11, 1)");
	CHECK_STR(logged(&s), "1");
	CHECK(pg_told(&s));
}

/* Rows that nobody can drain, and that are rolled back in the end, have put the flag up for others. */
static void hears_others_behind_a_long_log(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *late = pg_session("app");
	pg_do(s.app, "BEGIN");
	pg_do(s.app, MANY_ROWS);
	CHECK_STR(flag_of(&s), "2");
	for (int i = 0; i < 3; i++) {
		pg_do(late, talloc_asprintf(harness_ctx(), "INSERT INTO sale VALUES (%d, 1)", 20 + i));
		CHECK(pg_told_within(&s, 2000000));
		s.watch->rate.n = 0; /* as often as this test puts it up a flag may be a flood, which never puts it to 2 */
		pg_stage_refresh(&s);
		CHECK_STR(n_of(&s), talloc_asprintf(harness_ctx(), "%d", 3 + i));
	}
	/* The next one writes before the log is emptied, and commits afterwards. */
	while (strcmp(flag_of(&s), "2") != 0)
		pg_do(late, "UPDATE sale SET amount = 5 WHERE id = 2");
	pg_do(late, "BEGIN");
	pg_do(late, "INSERT INTO sale VALUES (30, 1)");
	pg_do(s.app, "ROLLBACK");
	for (int i = 0; i < 100 && blocks(&s) > 0; i++)
		if (pg_told_within(&s, 50000))
			pg_stage_refresh(&s);
	CHECK_INT(blocks(&s), 0);
	refresh_until_quiet(&s);
	CHECK_STR(n_of(&s), "5");
	pg_do(late, "COMMIT");
	CHECK(pg_told_within(&s, 2000000));
	refresh_until_quiet(&s);
	CHECK_STR(n_of(&s), "6");
	CHECK_STR(recorded(&s), "0");
	CHECK_STR(flag_of(&s), "null");
}

/* A caller that asks is told of a change that only the flag knows. */
static void tells_who_asks_of_a_long_log(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *long_one = pg_session("app");
	pg_do(long_one, "BEGIN");
	pg_do(long_one, MANY_ROWS);
	pg_do(s.app, "INSERT INTO sale VALUES (40, 1)");
	s.stale = 0;
	DIALECT->capture->watch_wake(s.watch);
	pg_look_watch(&s, 10000000);
	CHECK(s.stale > 0);
	pg_stage_rewatch(&s);
	pg_do(s.app, "INSERT INTO sale VALUES (41, 1)");
	s.stale = 0;
	pg_look_watch(&s, 10000000);
	CHECK(s.stale > 0);
	pg_do(long_one, "COMMIT");
	CHECK(pg_told(&s));
	look_until(&s, PG_FLOOD_NONE);
	refresh_until_quiet(&s);
	CHECK_STR(n_of(&s), "4");
}

static const struct harness_test flood_tests[] = {
	{"lowers the flag of a source registered anew", lowers_the_flag_of_a_source_registered_anew},
	{"notices without a log", notices_without_a_log},
	{"tells when asked", tells_when_asked},
	{"answers after the drain", answers_after_the_drain},
	{"hears who commits after the end", hears_who_commits_after_the_end},
	{"hears them after a new watch", hears_them_after_a_new_watch},
	{"floods again while ending", floods_again_while_ending},
	{"lowers a flag of nobody", lowers_a_flag_of_nobody},
	{"begins when rows keep coming", begins_when_rows_keep_coming},
	{"replaces triggers of the first form", replaces_triggers_of_the_first_form},
	{"takes any name", takes_any_name},
	{"leaves nothing behind", leaves_nothing_behind},
	{"notices partitions that go", notices_partitions_that_go},
	{"bounds its log", bounds_its_log},
	{"hears others behind a long log", hears_others_behind_a_long_log},
	{"tells who asks of a long log", tells_who_asks_of_a_long_log},
	{"gives the lock of a cancelled set-up back", gives_the_lock_of_a_cancelled_setup_back},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("pg flood", flood_tests))
