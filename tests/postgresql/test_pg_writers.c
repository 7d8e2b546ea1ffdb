/* SPDX-License-Identifier: MIT
 *
 * Nothing of viewd's makes a writer's statement fail, whatever has become of it, and what could not be told meanwhile
 * is made up for.
 */
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "pg_watch_support.h"

static struct viewd_conn *admin_of_shop(void)
{
	struct viewd_err err = {0};
	struct viewd_database_spec spec = pg_spec("postgres");
	spec.url = talloc_asprintf(harness_ctx(), "postgresql://postgres@/shop?%s", getenv("VIEWD_TEST_PG"));
	struct viewd_conn *admin = DIALECT->open(&pg_host, &spec, &err);
	REQUIRE_OK(admin != NULL, &err);
	return admin;
}

static void settle(struct pg_stage *s)
{
	do
		pg_stage_refresh(s);
	while (pg_told_within(s, 300000));
}

static bool is_same(struct pg_stage *s)
{
	return strcmp(pg_ask(s->conn, "SELECT (SELECT n FROM public.totals) = (SELECT count(*) FROM public.sale)"), "t") ==
	       0;
}

static int next_id = 1000;

/* The statement alone, so that nothing else is read again by the session. */
static void write_one(struct viewd_conn *writer)
{
	struct viewd_err err = {0};
	char sql[80];
	snprintf(sql, sizeof sql, "INSERT INTO public.sale VALUES (%d, 1)", next_id++);
	CHECK_OK(pg_exec(writer, sql, &err), &err);
}

/* One writer knows what there was, the other one looks for the first time. */
static void write_by_all(struct viewd_conn *writer, struct viewd_conn *late)
{
	write_one(writer);
	write_one(writer);
	write_one(late);
	pg_do(late, "TRUNCATE public.sale");
	write_one(late);
}

/* The words between | are statements. */
static void break_it(struct viewd_conn *by, const char *statements)
{
	char *text = talloc_strdup(harness_ctx(), statements);
	for (char *save = NULL, *one = strtok_r(text, "|", &save); one != NULL; one = strtok_r(NULL, "|", &save))
		pg_do(by, one);
}

static const char *const breaks[] = {
	"DROP TABLE viewd.changes",
	"ALTER TABLE viewd.changes RENAME TO elsewhere",
	("ALTER TABLE viewd.changes ADD COLUMN more int NOT NULL DEFAULT 1|ALTER TABLE viewd.changes ALTER COLUMN more "
     "DROP DEFAULT"),
	"ALTER TABLE viewd.changes DROP COLUMN source",
	"TRUNCATE viewd.changes|ALTER TABLE viewd.changes ALTER COLUMN source TYPE int USING 1",
	"ALTER TABLE viewd.changes ADD CONSTRAINT never CHECK (source = '') NOT VALID",
	"ALTER TABLE viewd.changes ENABLE ROW LEVEL SECURITY|ALTER TABLE viewd.changes FORCE ROW LEVEL SECURITY",
	"CREATE UNIQUE INDEX one ON viewd.changes ((length(source) / 0))",
	"REVOKE ALL ON viewd.changes FROM viewd",
	"DROP TABLE viewd.changes|CREATE VIEW viewd.changes AS SELECT 'x'::text AS source",
	"DROP SEQUENCE viewd.flood_1",
	"REVOKE ALL ON SEQUENCE viewd.flood_1 FROM viewd",
	"ALTER SEQUENCE viewd.flood_1 RENAME TO elsewhere_1",
	"DROP FUNCTION viewd.log_is_good(regclass, regclass)",
	"DROP FUNCTION viewd.log_is_good(regclass, regclass)|DROP FUNCTION viewd.note_with_care(bigint, text)",
	"REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA viewd FROM viewd",
	"ALTER FUNCTION viewd.note_1() SECURITY INVOKER",
	"CREATE OR REPLACE FUNCTION viewd.note_1() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
	"DROP TABLE viewd.changes|DROP SEQUENCE viewd.flood_1|DROP FUNCTION viewd.request_refresh(text)",
};

static void broken_things_stop_nobody(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	expect_log("is not as this version makes it");
	for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
		write_one(s.app);
		CHECK(pg_told(&s));
		settle(&s);
		struct viewd_conn *late = pg_session("app");
		break_it(s.conn, breaks[i]);
		write_by_all(s.app, late);
		pg_beat(&s);
		harness_check(pg_told(&s), __FILE__, __LINE__, "told after %s", breaks[i]);
		settle(&s);
		harness_check(is_same(&s), __FILE__, __LINE__, "made up for after %s", breaks[i]);
		write_one(s.app);
		CHECK(pg_told_within(&s, 2000000));
		settle(&s);
		CHECK(is_same(&s));
	}
}

/* Nothing is broken afterwards, so no look at what writers use would find out. */
static void a_lock_that_comes_too_late_hides_nothing(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	write_one(s.app);
	CHECK(pg_told(&s));
	settle(&s);
	struct viewd_conn *holder = pg_session("viewd"), *hasty = pg_session("app");
	pg_do(holder, "BEGIN");
	pg_do(holder, "ALTER SEQUENCE viewd.flood_1 CACHE 1");
	pg_do(hasty, "SET lock_timeout = 50");
	write_one(hasty);
	pg_do(holder, "ROLLBACK");
	CHECK(pg_told(&s));
	settle(&s);
	CHECK(is_same(&s));
}

/* Damage that viewd cannot mend by itself. */
static void nor_does_a_lost_schema(void)
{
	static const struct {
		const char *end, *back;
	} rows[] = {
		{"ALTER SCHEMA viewd RENAME TO elsewhere", "ALTER SCHEMA elsewhere RENAME TO viewd"},
		{"ALTER SCHEMA viewd RENAME TO elsewhere|CREATE SCHEMA viewd",
	     "DROP SCHEMA viewd|ALTER SCHEMA elsewhere RENAME TO viewd"},
		{"REVOKE ALL ON SCHEMA viewd FROM viewd, PUBLIC",
	     "GRANT ALL ON SCHEMA viewd TO viewd|GRANT USAGE ON SCHEMA viewd TO PUBLIC"},
		{"ALTER SCHEMA viewd OWNER TO postgres|REVOKE USAGE ON SCHEMA viewd FROM PUBLIC",
	     "ALTER SCHEMA viewd OWNER TO viewd"},
		{"ALTER TABLE viewd.changes OWNER TO postgres", "ALTER TABLE viewd.changes OWNER TO viewd"},
		{"ALTER TABLE viewd.changes SET SCHEMA public", "ALTER TABLE public.changes SET SCHEMA viewd"},
		{"ALTER SEQUENCE viewd.flood_1 OWNER TO postgres", "ALTER SEQUENCE viewd.flood_1 OWNER TO viewd"},
		{"CREATE FUNCTION viewd.fail() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''never''; END'"
	     "|CREATE TRIGGER never BEFORE INSERT ON viewd.changes EXECUTE FUNCTION viewd.fail()",
	     "DROP FUNCTION viewd.fail() CASCADE"},
		{"CREATE RULE never AS ON INSERT TO viewd.changes DO INSTEAD SELECT 1/0", "DROP RULE never ON viewd.changes"},
		{"ALTER FUNCTION viewd.note_1() OWNER TO other", "ALTER FUNCTION viewd.note_1() OWNER TO viewd"},
		{"REVOKE EXECUTE ON FUNCTION pg_catalog.pg_notify(text, text) FROM PUBLIC",
	     "GRANT EXECUTE ON FUNCTION pg_catalog.pg_notify(text, text) TO PUBLIC"},
	};
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *admin = admin_of_shop();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct viewd_conn *late = pg_session("app");
		write_one(s.app);
		break_it(admin, rows[i].end);
		write_by_all(s.app, late);
		break_it(admin, rows[i].back);
		write_by_all(s.app, late);
	}
	DIALECT->close(&admin);
}

/* Whatever a session has set, and wherever its names lead to. */
static void settings_do_not_matter(void)
{
	static const char *const settings[] = {
		"SET quote_all_identifiers = on",
		"SET standard_conforming_strings = off",
		"SET backslash_quote = off",
		"SET row_security = off",
		"SET plpgsql.extra_errors = 'all'",
		"SET check_function_bodies = off",
		"SET transform_null_equals = on",
		"SET plan_cache_mode = force_custom_plan",
		"SET default_transaction_isolation = serializable",
		"SET default_transaction_read_only = on",
		"SET lock_timeout = '1ms'",
		"SET statement_timeout = '3s'",
		"SET client_encoding = 'SQL_ASCII'",
		"SET search_path = trap, pg_catalog",
		"SET search_path = ''",
		"SET default_tablespace = pg_default",
		"SET array_nulls = off",
		"SET DateStyle = 'SQL, DMY'",
		"SET bytea_output = 'escape'",
	};
	struct pg_stage s;
	struct viewd_err err = {0};
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *admin = admin_of_shop();
	pg_do(admin, "CREATE SCHEMA trap AUTHORIZATION app");
	break_it(s.app, "CREATE FUNCTION trap.ge(tid, tid) RETURNS boolean LANGUAGE sql AS 'SELECT (1/0) = 1'"
	                "|CREATE OPERATOR trap.>= (LEFTARG = tid, RIGHTARG = tid, FUNCTION = trap.ge)"
	                "|CREATE FUNCTION trap.to_regclass(text) RETURNS regclass LANGUAGE sql AS 'SELECT NULL::regclass'"
	                "|CREATE TABLE trap.changes (source int)");
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		struct viewd_conn *writer = pg_session("app");
		CHECK_OK(pg_exec(writer, settings[i], &err), &err);
		CHECK_OK(pg_exec(writer, "BEGIN READ WRITE", &err), &err);
		write_one(writer);
		CHECK_OK(pg_exec(writer, "COMMIT", &err), &err);
		harness_check(pg_told_within(&s, 2000000), __FILE__, __LINE__, "told with %s", settings[i]);
		settle(&s);
		CHECK(is_same(&s));
	}
	pg_do(admin, "SET session_replication_role = replica");
	write_one(admin);
	DIALECT->close(&admin);
}

/* Kinds of tables: the trigger sees no row, so columns do not matter. */
static void nor_do_the_columns(void)
{
	static const char *const names[] = {"odd", "none"};
	struct pg_stage s;
	pg_stage_open(&s);
	break_it(s.app, "CREATE DOMAIN d AS int CHECK (VALUE > 0)|CREATE TYPE pair AS (a d, b text)"
	                "|CREATE TABLE odd (place pg_catalog.tid, up int8, source pair, \"viewd\" d, ctidx xml, g int "
	                "GENERATED ALWAYS AS (1) STORED)|CREATE TABLE none ()");
	pg_stage_capture(&s, VIEWD_CAPTURE_TRIGGER, "SELECT (SELECT count(*) FROM odd) + (SELECT count(*) FROM none) AS n",
	                 names, 2);
	pg_do(s.app, "INSERT INTO odd (source, \"viewd\") VALUES (ROW(1, 'x'), 2)");
	CHECK(pg_told(&s));
	settle(&s);
	pg_do(s.app, "INSERT INTO none DEFAULT VALUES");
	CHECK(pg_told(&s));
	settle(&s);
	CHECK_STR(pg_ask(s.conn, "SELECT n FROM public.totals"), "2");
}

/* A writer that wrote before the things were made again, and commits afterwards. */
static void waits_for_who_was_not_heard(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *late = pg_session("app");
	pg_do(s.conn, "DROP SEQUENCE viewd.flood_1");
	pg_do(s.conn, "DROP TABLE viewd.changes");
	pg_do(late, "BEGIN");
	write_one(late);
	expect_log("is not as this version makes it");
	pg_beat(&s);
	CHECK(pg_told(&s));
	settle(&s);
	pg_do(late, "COMMIT");
	CHECK(pg_told(&s));
	settle(&s);
	CHECK(is_same(&s));
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.sources WHERE flood IS NOT NULL"), "0");
}

/* Functions that know the numbers of another database's tables, as a dump brings them along, go by the names. */
static void works_where_it_was_loaded(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.conn, "DROP TABLE viewd.changes");
	pg_do(s.conn, "CREATE UNLOGGED TABLE viewd.changes (source text NOT NULL)");
	write_by_all(s.app, pg_session("app"));
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.changes"), "5");
	expect_log("is not as this version makes it");
	DIALECT->capture->watch_wake(s.watch);
	CHECK(pg_told(&s));
	settle(&s);
	CHECK(is_same(&s));
}

/* From a queue that fills nobody is to be kept by viewd: a full one makes commits fail. */
static void leaves_a_queue_that_fills(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *admin = admin_of_shop(), *ear = pg_session("other");
	pg_do(ear, "LISTEN viewd");
	write_one(s.app);
	pg_ask(ear, "SELECT 1");
	PGnotify *note = PQnotifies(ear->pg);
	CHECK(note != NULL);
	PQfreemem(note);
	CHECK(pg_told(&s));
	settle(&s);
	CHECK(s.watch->asleep);
	while ((note = PQnotifies(ear->pg)) != NULL)
		PQfreemem(note);
	pg_do(admin, "CREATE OR REPLACE FUNCTION pg_catalog.pg_notification_queue_usage() RETURNS double precision "
	             "LANGUAGE sql VOLATILE AS 'SELECT 0.6::double precision'");
	write_one(pg_session("app"));
	pg_ask(ear, "SELECT 1");
	CHECK(PQnotifies(ear->pg) == NULL);
	DIALECT->capture->watch_wake(s.watch);
	CHECK(pg_told(&s));
	settle(&s);
	CHECK(is_same(&s));
	DIALECT->close(&admin);
}

/* The log is emptied while somebody holds a row of it; others have no time to wait. */
static void keeps_nobody_waiting(void)
{
	struct pg_stage s;
	struct viewd_err err = {0};
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *late = pg_session("app"), *hasty = pg_session("app");
	pg_do(late, "BEGIN");
	pg_do(late, "INSERT INTO sale VALUES (50, 1)");
	pg_do(s.conn, "INSERT INTO viewd.changes SELECT '\"public\".\"sale\"' FROM generate_series(1, 9500)");
	CHECK_OK(pg_exec(hasty, "SET lock_timeout = '3ms'", &err), &err);
	REQUIRE(PQsendQuery(hasty->pg, "DO $$ BEGIN FOR i IN 1..3000 LOOP UPDATE public.sale SET amount = 1 WHERE id = 2; "
	                               "COMMIT; END LOOP; END $$") == 1);
	do {
		s.watch->log.empty_us = 0;
		s.watch->pace_us = 1;
		pg_look_watch(&s, 1000);
		REQUIRE(PQconsumeInput(hasty->pg) == 1);
	} while (PQisBusy(hasty->pg));
	for (PGresult *res; (res = PQgetResult(hasty->pg)) != NULL; PQclear(res))
		CHECK_STR(PQresultErrorMessage(res), "");
	pg_do(late, "COMMIT");
	CHECK(pg_told(&s));
	settle(&s);
	CHECK(is_same(&s));
}

static const struct harness_test writer_tests[] = {
	{"broken things stop nobody", broken_things_stop_nobody},
	{"nor does a lost schema", nor_does_a_lost_schema},
	{"a lock that comes too late hides nothing", a_lock_that_comes_too_late_hides_nothing},
	{"settings do not matter", settings_do_not_matter},
	{"nor do the columns", nor_do_the_columns},
	{"waits for who was not heard", waits_for_who_was_not_heard},
	{"works where it was loaded", works_where_it_was_loaded},
	{"leaves a queue that fills", leaves_a_queue_that_fills},
	{"keeps nobody waiting", keeps_nobody_waiting},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("pg writers", writer_tests))
