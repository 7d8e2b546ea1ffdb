/* SPDX-License-Identifier: MIT
 *
 * Attacks of one role on another through viewd.
 */
#include "pg_watch_support.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

static struct viewd_conn *admin_of_shop(void)
{
	struct viewd_err err = {0};
	struct viewd_database_spec spec = pg_spec("postgres");
	spec.url = talloc_asprintf(harness_ctx(), "postgresql://postgres@/shop?%s", getenv("VIEWD_TEST_PG"));
	struct viewd_conn *admin = DIALECT->open(&pg_host, &spec, &err);
	REQUIRE_OK(admin != NULL, &err);
	return admin;
}

/* ---- run_as */

/* Ways back to viewd's role: each notes who reads the secret, or nobody when the server refuses. */
static const char *const escapes[] = {
	"PERFORM pg_catalog.set_config('role', 'none', true)",
	"EXECUTE 'RESET ROLE'",
	"EXECUTE 'SET ROLE NONE'",
	"EXECUTE 'SET SESSION AUTHORIZATION DEFAULT'",
	"EXECUTE 'DECLARE held CURSOR WITH HOLD FOR SELECT public.note(''cursor'')'",
	"INSERT INTO public.bait VALUES (1)", /* a deferred trigger */
	"PERFORM pg_catalog.set_config('search_path', 'trap, pg_catalog', false)",
};

static struct viewd_conn *stage(struct viewd_conn **conn_r)
{
	pg_fresh();
	struct viewd_conn *admin = admin_of_shop();
	static const char *const setup[] = {
		"DO $$ BEGIN CREATE ROLE low; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
		"GRANT low TO viewd",
		"GRANT CREATE ON SCHEMA public TO low",
		"GRANT CREATE ON DATABASE shop TO low",
		"CREATE SCHEMA trap AUTHORIZATION low",
		"CREATE TABLE public.loot (who text, how text)",
		"GRANT INSERT ON public.loot TO PUBLIC",
		"CREATE TABLE public.secret (x text)",
		"INSERT INTO public.secret VALUES ('the secret')",
		"GRANT SELECT ON public.secret TO viewd",
		"CREATE TABLE public.src (k int PRIMARY KEY, v int)",
		"INSERT INTO public.src VALUES (1, 1), (2, 2)",
		"GRANT SELECT ON public.src TO viewd, low",
		"CREATE FUNCTION public.note(how text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN"
		" BEGIN INSERT INTO public.loot SELECT current_user, how || ' ' || x FROM public.secret; EXCEPTION WHEN OTHERS "
		"THEN"
		" INSERT INTO public.loot VALUES (current_user, 'no'); END; RETURN 1; END $$",
		"CREATE TABLE public.bait (i int)",
		"ALTER TABLE public.bait OWNER TO low",
		"CREATE FUNCTION public.spring() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM public.note('trigger'); "
		"RETURN NULL; END $$",
		"CREATE CONSTRAINT TRIGGER late AFTER INSERT ON public.bait DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE "
		"FUNCTION public.spring()",
	};
	for (size_t i = 0; i < ARRAY_LEN(setup); i++)
		pg_do(admin, setup[i]);
	*conn_r = pg_session("viewd");
	pg_prepared(*conn_r);
	return admin;
}

static void arm(struct viewd_conn *admin, const char *escape)
{
	pg_do(admin,
	      talloc_asprintf(
			  harness_ctx(),
			  "CREATE OR REPLACE FUNCTION public.f(i int) RETURNS int LANGUAGE plpgsql AS $f$ BEGIN"
			  " BEGIN %s; EXCEPTION WHEN OTHERS THEN NULL; END; PERFORM public.note('function'); RETURN i; END $f$",
			  escape));
	pg_do(admin, "ALTER FUNCTION public.f(int) OWNER TO low");
	pg_do(admin, "DELETE FROM public.loot");
}

static void verify(struct viewd_conn *conn, const struct viewd_view_spec *view)
{
	struct viewd_verdict verdict = {0};
	struct viewd_err err = {0};
	REQUIRE_OK(DIALECT->verify(conn, view, &verdict, &err), &err);
	CHECK_INT(verdict.missing + verdict.unexpected, 0);
}

/* A kept table has others than low in it only when somebody came back. */
#define NOBODY_ELSE(admin) \
	CHECK_STR(pg_ask(admin, "SELECT DISTINCT who, how FROM public.loot WHERE who <> 'low' OR how <> 'no'"), "")

static void use_all_ways(struct viewd_conn *admin, struct viewd_conn *conn, struct viewd_view_spec *view,
                         const char *escape)
{
	arm(admin, escape);
	pg_apply(conn, view, VIEWD_CHANGE_CREATE);
	pg_look(conn, view);
	pg_refreshed(conn, view);
	verify(conn, view);
	view->definition = "SELECT k, f(v) + 1 AS v FROM src";
	pg_apply(conn, view, VIEWD_CHANGE_REPLACE);
	view->definition = "SELECT k, f(v)::text AS v FROM src";
	pg_apply(conn, view, VIEWD_CHANGE_REPLACE);
	verify(conn, view);
	NOBODY_ELSE(admin);
	CHECK_STR(pg_ask(conn, "SHOW search_path"), "pg_catalog, \"public\", pg_temp");
	pg_apply(conn, view, VIEWD_CHANGE_DROP);
}

static void no_way_back_to_viewds_role(void)
{
	static const char *const key[] = {"k"};
	struct viewd_conn *conn, *admin = stage(&conn);
	for (size_t e = 0; e < ARRAY_LEN(escapes); e++)
		for (int m = VIEWD_METHOD_SIMPLE; m <= VIEWD_METHOD_TABLE; m++)
			for (size_t n_key = 0; n_key < 2; n_key++) {
				struct viewd_view_spec view = pg_view("v", (enum viewd_method)m, "SELECT k, f(v) AS v FROM src");
				if (m != VIEWD_METHOD_TABLE && n_key > 0)
					continue;
				view.run_as = "low";
				view.unique_key = key;
				view.n_unique_key = n_key;
				use_all_ways(admin, conn, &view, escapes[e]);
			}
	DIALECT->close(&admin);
}

static void a_table_with_code_is_not_written(void)
{
	static const struct {
		const char *add, *told, *remove;
	} rows[] = {
		{"ALTER TABLE public.v ADD CONSTRAINT k CHECK (public.note('check') > 0) NOT VALID", "constraint k",
	     "ALTER TABLE public.v DROP CONSTRAINT k"},
		{"CREATE TRIGGER t AFTER DELETE ON public.v FOR EACH STATEMENT EXECUTE FUNCTION public.spring()", "trigger t",
	     "DROP TRIGGER t ON public.v"},
		{"CREATE RULE r AS ON INSERT TO public.v DO ALSO SELECT public.note('rule')", "rule r",
	     "DROP RULE r ON public.v"},
		{"ALTER TABLE public.v ENABLE ROW LEVEL SECURITY", "row security",
	     "ALTER TABLE public.v DISABLE ROW LEVEL SECURITY"},
		{"CREATE TABLE public.child () INHERITS (public.v)", "inheritance", "DROP TABLE public.child"},
		{"CREATE INDEX i ON public.v (public.same(k))", "index i", "DROP INDEX public.i"},
	};
	struct viewd_outcome out = {0};
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	struct viewd_conn *conn, *admin = stage(&conn);
	struct viewd_view_spec view = pg_view("v", VIEWD_METHOD_TABLE, "SELECT k, v FROM src");
	view.run_as = "low";
	pg_do(admin,
	      "CREATE FUNCTION public.same(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN i; END $$");
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	CHECK_STR(pg_ask(admin, "SELECT relowner::regrole FROM pg_class WHERE relname = 'v'"), "low");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct viewd_err err = {0};
		pg_do(admin, rows[i].add);
		pg_do(admin, "DELETE FROM public.loot");
		CHECK(!DIALECT->refresh(conn, &view, &req, &out, &err));
		CHECK_INT(err.cls, VIEWD_ERR_DENIED);
		CHECK_CONTAINS(err.msg, rows[i].told);
		CHECK_STR(pg_ask(admin, "SELECT count(*) FROM public.loot"), "0");
		pg_do(admin, rows[i].remove);
		pg_refreshed(conn, &view);
	}
	DIALECT->close(&admin);
}

/* The definition itself puts a trigger on the table, in the very session that is to write. */
static void the_definition_adds_a_trigger(void)
{
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	struct viewd_conn *conn, *admin = stage(&conn);
	struct viewd_view_spec view = pg_view("v", VIEWD_METHOD_TABLE, "SELECT k, f(v) AS v FROM src");
	view.run_as = "low";
	arm(admin, "NULL");
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	arm(admin,
	    "EXECUTE 'CREATE TRIGGER t AFTER INSERT ON public.v FOR EACH STATEMENT EXECUTE FUNCTION public.spring()'");
	CHECK(!DIALECT->refresh(conn, &view, &req, &out, &err));
	CHECK_CONTAINS(err.msg, "trigger t");
	NOBODY_ELSE(admin);
	DIALECT->close(&admin);
}

/* Triggers of viewd's on the table of a view with run_as hand its rows over; they may have no condition. */
static void what_reads_it_is_told(void)
{
	static const char *const key[] = {"k"};
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	struct viewd_conn *conn, *admin = stage(&conn);
	struct viewd_view_spec view = pg_view("v", VIEWD_METHOD_TABLE, "SELECT k, v FROM src"),
						   above = pg_view("w", VIEWD_METHOD_TABLE, "SELECT v, count(*) AS n FROM v GROUP BY v");
	view.run_as = "low";
	view.unique_key = key;
	view.n_unique_key = 1;
	above.mode = VIEWD_MODE_INCREMENTAL;
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	pg_apply(conn, &above, VIEWD_CHANGE_CREATE);
	pg_refreshed(conn, &above);
	pg_do(admin, "UPDATE src SET v = 3 WHERE k = 1");
	CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_DIFF);
	CHECK_CONTAINS(pg_refreshed(conn, &above).reason, "incremental: ");
	verify(conn, &above);
	pg_do(admin, "CREATE TRIGGER t AFTER INSERT ON public.v FOR EACH ROW WHEN (public.note('when') > 0) EXECUTE "
	             "FUNCTION viewd.log_1_row()");
	CHECK(!DIALECT->refresh(conn, &view, &req, &out, &err));
	CHECK_CONTAINS(err.msg, "trigger t");
	NOBODY_ELSE(admin);
	DIALECT->close(&admin);
}

static void probes_are_made_as_the_role(void)
{
	struct viewd_conn *conn, *admin = stage(&conn);
	pg_do(admin, "CREATE TABLE trap.own AS SELECT 1 AS a");
	pg_do(admin, "ALTER TABLE trap.own OWNER TO low");
	pg_do(admin, "ALTER ROLE viewd NOINHERIT");
	struct viewd_view_spec view = pg_view("v", VIEWD_METHOD_TABLE, "SELECT a FROM trap.own");
	view.run_as = "low";
	CHECK_INT(pg_look(conn, &view).sources_unknown, false);
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	CHECK_STR(pg_ask(admin, "SELECT a FROM public.v"), "1");
	pg_do(admin, "ALTER ROLE viewd INHERIT");
	DIALECT->close(&admin);
}

static void a_declared_type_runs_nothing(void)
{
	static const struct viewd_column columns[] = {{"a", "d"}};
	struct viewd_conn *conn, *admin = stage(&conn);
	pg_do(admin, "CREATE FUNCTION public.seen(i int) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN PERFORM "
	             "public.note('domain'); RETURN true; END $$");
	pg_do(admin, "CREATE DOMAIN public.d AS int CHECK (public.seen(VALUE))");
	struct viewd_view_spec view = pg_view("v", VIEWD_METHOD_SIMPLE, "SELECT 1::d AS a");
	view.columns = columns;
	view.n_columns = 1;
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	CHECK_STR(pg_ask(admin, "SELECT count(*) FROM public.loot"), "0");
	DIALECT->close(&admin);
}

/* ---- requests and locks */

static void requests_do_not_flood(void)
{
	struct pg_stage s;
	pg_stage_begin(&s, VIEWD_CAPTURE_TRIGGER);
	struct viewd_conn *other = pg_session("other"), *late = pg_session("other");
	pg_do(other, "SELECT viewd.request_refresh('totals') FROM generate_series(1, 3000)");
	pg_do(other, "SELECT viewd.request_refresh('nothing' || i) FROM generate_series(1, 3000) AS i");
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.requests"), "16");
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.changes"), "16");
	/* One who asks beyond that, and is still to commit, is served afterwards. */
	pg_do(late, "BEGIN");
	pg_do(late, "SELECT viewd.request_refresh('totals')");
	s.requests = 0;
	while (s.requests == 0)
		pg_look_watch(&s, 1000000);
	CHECK_INT(s.requests, 1);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.requests"), "1");
	pg_do(late, "COMMIT");
	pg_beat(&s);
	pg_look_watch(&s, 1000000);
	CHECK_INT(s.requests, 2);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.requests"), "0");
}

static void names_who_holds_the_lock(void)
{
	struct viewd_err err = {0};
	struct viewd_database_spec spec = pg_spec("viewd");
	pg_fresh();
	struct viewd_conn *conn = pg_session("viewd"), *other = pg_session("other");
	pg_prepared(conn);
	const char *pid = pg_ask(other, "SELECT pg_backend_pid()");
	pg_do(other, "SELECT pg_advisory_lock(" PG_LOCK_LEADER ")");
	CHECK(DIALECT->capture->watch_open(&pg_host, &spec, &err) == NULL);
	CHECK_INT(err.cls, VIEWD_ERR_STANDBY);
	CHECK_CONTAINS(err.msg,
	               talloc_asprintf(harness_ctx(), "session %s of role 'other', application 'viewd:test'", pid));
	CHECK_CONTAINS(err.msg, "which is no viewd");
	CHECK_CONTAINS(err.hint, talloc_asprintf(harness_ctx(), "pg_terminate_backend(%s)", pid));
	pg_do(other, "SELECT pg_advisory_unlock_all()");
	pid = pg_ask(conn, "SELECT pg_backend_pid()");
	pg_do(conn, "SELECT pg_advisory_lock(" PG_LOCK_LEADER ")");
	CHECK(DIALECT->capture->watch_open(&pg_host, &spec, &err) == NULL);
	CHECK_CONTAINS(err.msg, talloc_asprintf(harness_ctx(), "session %s of role 'viewd'", pid));
}

static const struct harness_test tests[] = {
	{"no way back to viewd's role", no_way_back_to_viewds_role},
	{"a table with code is not written", a_table_with_code_is_not_written},
	{"the definition adds a trigger", the_definition_adds_a_trigger},
	{"what reads it is told", what_reads_it_is_told},
	{"probes are made as the role", probes_are_made_as_the_role},
	{"a declared type runs nothing", a_declared_type_runs_nothing},
	{"requests do not flood", requests_do_not_flood},
	{"names who holds the lock", names_who_holds_the_lock},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("pg roles", tests))
