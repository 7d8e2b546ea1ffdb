/* SPDX-License-Identifier: MIT
 *
 * From a definition to all that it depends on, and seeing each of that change.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/depends/dependencies.h"
#include "common/depends/objects.h"
#include "pg_watch_support.h"

/* One entry a line: name, why nothing hears it. */
static bool entry_row(void *ctx, const struct viewd_dependency *entry)
{
	char **text = ctx;
	if (entry->heard_by == VIEWD_HEARD_NONE)
		*text = talloc_asprintf_append(*text, "%s: none (%s)\n", entry->name, entry->reason);
	else
		*text = talloc_asprintf_append(*text, "%s: %s\n", entry->name,
		                               entry->heard_by == VIEWD_HEARD_LOOK      ? "look"
		                               : entry->heard_by == VIEWD_HEARD_KEPT    ? "kept"
		                               : entry->heard_by == VIEWD_HEARD_VOUCHED ? "vouched"
		                                                                        : "rows");
	return true;
}

static const char *captured(struct viewd_conn *conn, const struct viewd_view_spec *view,
                            const struct viewd_capture_request *more)
{
	char *text = talloc_strdup(harness_ctx(), "");
	struct viewd_capture_request req =
		more != NULL ? *more : (struct viewd_capture_request){.mode = VIEWD_CAPTURE_AUTO};
	struct viewd_captured out;
	struct viewd_err err = {0};
	req.struct_size = sizeof req;
	req.dependencies = (struct viewd_dependency_sink){entry_row, &text};
	REQUIRE_OK(DIALECT->capture->set(conn, view, &req, &out, (struct viewd_text_sink){NULL, NULL}, &err), &err);
	return text;
}

/* The dependencies of a view with this definition. */
static const char *walked(struct viewd_conn *conn, const char *definition)
{
	struct viewd_view_spec view = pg_followed_view("v", definition);
	return captured(conn, &view, NULL);
}

static bool knows_bodies(struct viewd_conn *conn)
{
	return PQserverVersion(conn->pg) >= 140000;
}

static void goes_through_views_and_functions(void)
{
	struct viewd_conn *app, *conn = pg_two_tables(&app);
	pg_do(app, "CREATE FUNCTION f(i int) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM other WHERE id > "
	           "f.i -- end'");
	pg_do(app, "CREATE FUNCTION g() RETURNS bigint LANGUAGE sql SET search_path = public AS 'SELECT f(1);'");
	pg_do(app, "CREATE VIEW mid AS SELECT id, g() AS n FROM sale");
	const char *text = walked(conn, "SELECT id, n FROM mid");
	CHECK_CONTAINS(text, "\"public\".\"mid\": look\n");
	CHECK_CONTAINS(text, "\"public\".\"sale\": rows\n");
	if (!knows_bodies(conn)) {
		CHECK_CONTAINS(text, "function public.g(): none (");
		return;
	}
	CHECK_CONTAINS(text, "\"public\".\"other\": rows\n");
	CHECK_CONTAINS(text, "function public.f(integer): look\n");
	CHECK_CONTAINS(text, "function public.g(): look\n");
	pg_do(app, "CREATE FUNCTION h() RETURNS bigint LANGUAGE sql STABLE BEGIN ATOMIC SELECT count(*) FROM other; END");
	text = walked(conn, "SELECT h() AS n");
	CHECK_STR(text, "\"public\".\"other\": rows\nfunction public.h(): look\n");
}

/* Bodies that end early, or that cannot be parsed with these arguments. */
static void runs_nothing_of_a_body(void)
{
	struct viewd_conn *app, *conn = pg_two_tables(&app);
	pg_do(app, "SET check_function_bodies = off");
	pg_do(app, "CREATE FUNCTION evil() RETURNS int LANGUAGE sql AS 'SELECT 1; END; DROP TABLE sale; SELECT 2'");
	pg_do(app, "CREATE FUNCTION any_type(x anyelement) RETURNS anyelement LANGUAGE sql STABLE AS 'SELECT x FROM other "
	           "LIMIT 1'");
	CHECK_CONTAINS(walked(conn, "SELECT evil() AS n"), "function public.evil(): none (");
	CHECK_CONTAINS(walked(conn, "SELECT any_type(1) AS n"), "function public.any_type(anyelement): none (");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM pg_class WHERE relname = 'sale'"), "1");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM pg_proc WHERE pronamespace = pg_my_temp_schema()"), "0");
}

static const struct {
	const char *definition, *name;
} unheard[] = {
	{"SELECT id, now() AS t FROM sale", "clock now()"},
	{"SELECT id FROM sale WHERE age(now()) IS NOT NULL OR id > extract(epoch FROM CURRENT_TIMESTAMP)",
     "clock CURRENT_TIMESTAMP"},
	{"SELECT id, age(timestamp '2020-01-01') AS a FROM sale", "clock age()"},
	{"SELECT id, 'today'::date AS d FROM sale", "clock 'today'"},
	{"SELECT id, timestamptz ' Now ' AS d FROM sale", "clock 'now'"},
	{"SELECT id, 'tomorrow'::text::date AS d FROM sale", "clock 'now' as text"},
	{"SELECT id, random() AS r FROM sale", "clock random()"},
	{"SELECT count(*) AS n FROM pg_class", "catalogue pg_catalog.pg_class"},
	{"SELECT count(*) AS n FROM information_schema.tables", "catalogue information_schema.tables"},
	{"SELECT last_value FROM seq", "sequence public.seq"},
	{"SELECT nextval('seq') AS n", "function pg_catalog.nextval(regclass)"},
	{"SELECT query_to_xml('SELECT * FROM sale', true, false, '')::text AS x",
     "function pg_catalog.query_to_xml(text, boolean, boolean, text)"},
	{"SELECT word FROM ts_stat('SELECT to_tsvector(word) FROM sale')", "function pg_catalog.ts_stat(text)"},
	{"SELECT pl() AS n", "function public.pl()"},
	{"SELECT id FROM sale TABLESAMPLE SYSTEM (50)", "other TABLESAMPLE"},
	{"SELECT id FROM clocked", "clock clock_timestamp()"},
	{"SELECT total(id) AS n FROM sale", "function public.step(bigint, integer)"},
	{"SELECT secret FROM guarded", "function public.pl()"},
	{"SELECT 5::checked AS c", "function public.pl()"},
};

static void names_what_nothing_hears(void)
{
	struct viewd_conn *app, *conn = pg_two_tables(&app);
	pg_do(app, "CREATE SEQUENCE seq");
	pg_do(app, "GRANT SELECT, USAGE ON SEQUENCE seq TO viewd");
	pg_do(app, "CREATE FUNCTION pl() RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM "
	           "other); END'");
	pg_do(app,
	      "CREATE FUNCTION step(bigint, int) RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN $1 + $2; END'");
	pg_do(app, "CREATE AGGREGATE total (int) (SFUNC = step, STYPE = bigint)");
	pg_do(app, "CREATE VIEW clocked AS SELECT id FROM sale WHERE clock_timestamp() > '2020-01-01'");
	pg_do(app, "CREATE TABLE guarded (secret int)");
	pg_do(app, "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY");
	pg_do(app, "CREATE POLICY p ON guarded USING (secret < pl())");
	pg_do(app, "CREATE DOMAIN checked AS int CHECK (VALUE < 10 + pl())");
	for (size_t i = 0; i < ARRAY_LEN(unheard); i++)
		CHECK_CONTAINS(walked(conn, unheard[i].definition),
		               talloc_asprintf(harness_ctx(), "%s: none (", unheard[i].name));
}

static void takes_what_is_harmless_for_harmless(void)
{
	static const char *const definitions[] = {
		"SELECT to_char(id, '999') || concat(id, word) || upper(word) AS t FROM sale",
		"SELECT date_trunc('day', timestamptz '2020-01-01') AS t, json_agg(id) AS j FROM sale",
		"SELECT id FROM sale, generate_series(1, 3) AS g WHERE word IN ('now', 'today')",
		"SELECT word::date AS d, row_to_json(s)::text AS j FROM sale s",
	};
	struct viewd_conn *app, *conn = pg_two_tables(&app);
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++)
		CHECK_STR(walked(conn, definitions[i]), "\"public\".\"sale\": rows\n");
	pg_do(app, "CREATE FUNCTION imm(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN i + 1; END'");
	CHECK_STR(walked(conn, "SELECT imm(id) AS n FROM sale"),
	          "\"public\".\"sale\": rows\nfunction public.imm(integer): look\n");
}

static void sources_vouch_for_functions_only(void)
{
	struct viewd_conn *app, *conn = pg_two_tables(&app);
	pg_do(app, "CREATE FUNCTION pl() RETURNS bigint LANGUAGE plpgsql STABLE AS 'BEGIN RETURN (SELECT count(*) FROM "
	           "other); END'");
	static const char *const names[] = {"other"};
	struct viewd_view_spec view = pg_followed_view("v", "SELECT pl() AS n, now() AS t");
	struct viewd_capture_request req = {.mode = VIEWD_CAPTURE_AUTO, .names = names, .n_names = 1};
	const char *text = captured(conn, &view, &req);
	CHECK_CONTAINS(text, "function public.pl(): vouched\n");
	CHECK_CONTAINS(text, "clock now(): none (");
	CHECK_CONTAINS(text, "\"public\".\"other\": rows\n");
}

/* ---- the look */

static bool count(void *ctx, const struct viewd_signal *signal)
{
	*(int *)ctx += signal->kind == VIEWD_SIGNAL_REDEFINED;
	return true;
}

static int look(struct viewd_conn *conn)
{
	int n = 0;
	struct viewd_err err = {0};
	REQUIRE_OK(objects_look(&conn->db, (struct viewd_signal_sink){count, &n}, NULL, &err), &err);
	return n;
}

struct change {
	const char *sql;
	bool silent;
};

static const struct change changes[] = {
	{"ANALYZE sale, part", true},
	{"CREATE INDEX ON sale (amount)", true},
	{"GRANT SELECT ON sale TO other", true},
	{"ALTER TABLE sale ALTER amount SET STATISTICS 10", true},
	{"ALTER TABLE sale SET (fillfactor = 80)", true},
	{"CLUSTER sale USING sale_pkey", true},
	{"COMMENT ON TABLE sale IS 'x'", true},
	{"ALTER FUNCTION imm(int) COST 5", true},
	{"GRANT EXECUTE ON FUNCTION imm(int) TO other", true},
	{"INSERT INTO sale VALUES (1, 1, 'a')", true},
	{"ALTER TABLE sale ADD CHECK (amount < 1000000)", true},
	{"CREATE OR REPLACE VIEW mid AS SELECT id, amount FROM sale WHERE amount > 1", false},
	{"CREATE OR REPLACE VIEW mid AS SELECT id, amount FROM sale WHERE amount > 1", true},
	{"ALTER VIEW mid SET (security_barrier = true)", false},
	{"CREATE OR REPLACE FUNCTION imm(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i + 2'", false},
	{"CREATE FUNCTION imm(i bigint) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 0'", false},
	{"ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'", false},
	{"ALTER TYPE mood ADD VALUE 'better'", false},
	{"ALTER DOMAIN small DROP CONSTRAINT small_check", false},
	{"ALTER TABLE sale ADD COLUMN extra int", false},
	{"ALTER TABLE typed ALTER v TYPE int USING v * 2", false},
	{"VACUUM FULL sale", true},
	{"CREATE TABLE part_2 PARTITION OF part FOR VALUES IN (2)", false},
	{"ALTER TABLE part DETACH PARTITION part_1", false},
	{"ALTER TABLE part ATTACH PARTITION part_1 FOR VALUES IN (1)", false},
	{"DROP TABLE part_2", false},
	{"CREATE TABLE heir () INHERITS (sale)", false},
	{"DROP TABLE heir", false},
	{"ALTER POLICY p ON guarded USING (id > 1)", false},
	{"CREATE POLICY q ON guarded USING (id > 5)", false},
	{"ALTER TABLE guarded DISABLE ROW LEVEL SECURITY", false},
	{"REFRESH MATERIALIZED VIEW theirs", false},
	{"ALTER TABLE typed RENAME v TO w", false},
	{"ALTER TABLE typed RENAME TO typed_2", false},
	{"DROP TABLE typed_2", false},
	{"ANALYZE sale", true},
	{"CREATE TABLE typed (id int, v int)", false},
	{"INSERT INTO typed VALUES (1, 1)", true},
	{"DROP TABLE typed", false},
};

static void a_look_sees_what_matters(void)
{
	struct viewd_conn *app, *conn = pg_two_tables(&app);
	static const char *const ddl[] = {
		"CREATE TYPE mood AS ENUM ('ok', 'bad')",
		"CREATE DOMAIN small AS int CHECK (VALUE < 10)",
		"CREATE TABLE typed (id int, v int)",
		"CREATE TABLE kinds (m mood, s small)",
		"CREATE TABLE part (id int) PARTITION BY LIST (id)",
		"CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1)",
		"CREATE TABLE guarded (id int)",
		"ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
		"CREATE POLICY p ON guarded USING (id > 0)",
		"CREATE VIEW mid AS SELECT id, amount FROM sale WHERE amount > 0",
		"CREATE FUNCTION imm(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i + 1'",
		"CREATE MATERIALIZED VIEW theirs AS SELECT count(*) AS n FROM sale",
	};
	for (size_t i = 0; i < ARRAY_LEN(ddl); i++)
		pg_do(app, ddl[i]);
	walked(conn, "SELECT m.id, imm(m.id) AS i, k.m::text AS mood, k.s, t.v, p.id AS p, g.id AS g, x.n FROM mid m, "
	             "kinds k, typed t, part p, guarded g, theirs x");
	look(conn); /* viewd's own triggers */
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		pg_do(app, changes[i].sql);
		int n = look(conn);
		harness_check(n == !changes[i].silent, __FILE__, __LINE__, "%s: told %d times", changes[i].sql, n);
		CHECK_INT(look(conn), 0);
	}
}

static void its_own_triggers_change_no_definition(void)
{
	struct viewd_conn *app, *conn = pg_two_tables(&app);
	pg_do(app, "CREATE TABLE part (id int) PARTITION BY LIST (id)");
	pg_do(app, "CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1)");
	walked(conn, "SELECT s.id, p.id AS p FROM sale s, part p");
	CHECK_INT(look(conn), 0);
	struct viewd_view_spec other = pg_followed_view("w", "SELECT id FROM part_1");
	captured(conn, &other, NULL);
	CHECK_INT(look(conn), 0);
}

/* Refreshes of viewd's own relations are told otherwise. */
static void its_own_refreshes_change_no_definition(void)
{
	struct viewd_conn *app, *conn = pg_two_tables(&app);
	struct viewd_view_spec low = pg_view("low", VIEWD_METHOD_MATERIALIZED, "SELECT id FROM sale");
	pg_apply(conn, &low, VIEWD_CHANGE_CREATE);
	struct viewd_source kept = {.schema = "public", .name = "low", .kind = VIEWD_KIND_MATVIEW};
	struct viewd_view_spec top = pg_followed_view("top", "SELECT count(*) AS n FROM low");
	struct viewd_capture_request req = {.mode = VIEWD_CAPTURE_AUTO, .kept = &kept, .n_kept = 1};
	CHECK_STR(captured(conn, &top, &req), "\"public\".\"low\": kept\n");
	pg_refreshed(conn, &low);
	CHECK_INT(look(conn), 0);
}

/* Between two looks: the first one has not seen it, and the walk of another view comes first. */
static void a_walk_overwrites_nothing_unseen(void)
{
	struct viewd_conn *app, *conn = pg_two_tables(&app);
	struct viewd_view_spec v = pg_followed_view("v", "SELECT sum(amount) AS n FROM sale"),
						   w = pg_followed_view("w", "SELECT max(amount) AS n FROM sale");
	pg_apply(conn, &v, VIEWD_CHANGE_CREATE);
	captured(conn, &v, NULL);
	pg_refreshed(conn, &v);
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM viewd.captures WHERE view = 'v' AND dirty_seq > clean_seq"), "0");
	pg_do(app, "ALTER TABLE sale ALTER amount TYPE int USING amount * 2");
	captured(conn, &w, NULL);
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM viewd.captures WHERE view = 'v' AND dirty_seq > clean_seq"), "1");
}

/* Redefined and back between two looks, with a refresh in between that has read the other. */
static const struct {
	const char *there, *back;
	bool silent; /* nothing that a refresh could have read */
} returns[] = {
	{"ALTER TABLE part DETACH PARTITION part_1", "ALTER TABLE part ATTACH PARTITION part_1 FOR VALUES IN (1)", false},
	{"CREATE OR REPLACE VIEW mid AS SELECT id, amount FROM sale WHERE amount > 1",
     "CREATE OR REPLACE VIEW mid AS SELECT id, amount FROM sale", false},
	{"CREATE OR REPLACE FUNCTION imm(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i + 2'",
     "CREATE OR REPLACE FUNCTION imm(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i + 1'", false},
	{"ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'", "ALTER TYPE mood RENAME VALUE 'fine' TO 'ok'", false},
	{"ALTER POLICY p ON guarded USING (id > 5)", "ALTER POLICY p ON guarded USING (id > 0)", false},
	{"ALTER TABLE guarded DISABLE ROW LEVEL SECURITY", "ALTER TABLE guarded ENABLE ROW LEVEL SECURITY", false},
	{"ALTER TABLE sale ENABLE ROW LEVEL SECURITY", "ALTER TABLE sale DISABLE ROW LEVEL SECURITY", false},
	{"DO 'BEGIN ALTER TABLE kinds RENAME TO x; CREATE TABLE kinds (m mood); END'",
     "DO 'BEGIN DROP TABLE kinds; ALTER TABLE x RENAME TO kinds; END'", false},
	{"ALTER VIEW mid ALTER amount SET DEFAULT 1", "ALTER VIEW mid ALTER amount DROP DEFAULT", false},
	{"GRANT SELECT ON sale TO other", "CREATE INDEX ON sale (amount)", true},
	{"ANALYZE sale, part", "ALTER TABLE sale SET (fillfactor = 80)", true},
};

static const char *stale(struct viewd_conn *conn)
{
	return pg_ask(conn, "SELECT count(*) > 0 FROM viewd.captures WHERE view = 'v' AND dirty_seq > clean_seq");
}

static struct viewd_view_spec followed(struct viewd_conn *conn, struct viewd_conn *app)
{
	static const char *const ddl[] = {
		"CREATE TYPE mood AS ENUM ('ok', 'bad')",
		"CREATE TABLE kinds (m mood)",
		"CREATE TABLE part (id int) PARTITION BY LIST (id)",
		"CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1)",
		"CREATE TABLE guarded (id int)",
		"ALTER TABLE guarded ENABLE ROW LEVEL SECURITY",
		"CREATE POLICY p ON guarded USING (id > 0)",
		"CREATE VIEW mid AS SELECT id, amount FROM sale",
		"CREATE FUNCTION imm(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i + 1'",
	};
	for (size_t i = 0; i < ARRAY_LEN(ddl); i++)
		pg_do(app, ddl[i]);
	struct viewd_view_spec v =
		pg_followed_view("v", "SELECT imm(m.id) AS i, m.amount, p.id, g.id AS g, k.m::text AS mood FROM "
	                          "mid m, part p, guarded g, kinds k");
	pg_apply(conn, &v, VIEWD_CHANGE_CREATE);
	captured(conn, &v, NULL);
	pg_refreshed(conn, &v);
	look(conn); /* viewd's own triggers */
	return v;
}

static void what_is_as_it_was_may_have_been_another(void)
{
	struct viewd_conn *app, *conn = pg_two_tables(&app);
	struct viewd_view_spec v = followed(conn, app);
	for (size_t i = 0; i < ARRAY_LEN(returns); i++) {
		pg_refreshed(conn, &v);
		look(conn);
		pg_refreshed(conn, &v);
		CHECK_STR(stale(conn), "f");
		pg_do(app, returns[i].there);
		pg_refreshed(conn, &v);
		pg_do(app, returns[i].back);
		look(conn);
		harness_check(strcmp(stale(conn), returns[i].silent ? "f" : "t") == 0, __FILE__, __LINE__, "%s and back: %s",
		              returns[i].there, stale(conn));
		pg_refreshed(conn, &v);
		look(conn);
		CHECK_STR(stale(conn), "f");
	}
}

/* The same while nobody has read anything since the last look, and while somebody may be doing so. */
static void nothing_was_read_meanwhile(void)
{
	static const char again[] =
		"CREATE OR REPLACE FUNCTION imm(i int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT i + 1'";
	struct viewd_conn *app, *conn = pg_two_tables(&app), *other = pg_session("viewd");
	struct viewd_view_spec v = followed(conn, app);
	pg_refreshed(conn, &v);
	pg_do(conn, "UPDATE viewd.view_state SET last_success_time = last_success_time - interval '1 minute'");
	look(conn);
	pg_do(app, again);
	look(conn);
	CHECK_STR(stale(conn), "f");
	pg_do(other, "BEGIN");
	pg_do(other, "UPDATE viewd.view_state SET rows = 1 WHERE name = 'v'"); /* as a refresh does */
	pg_do(app, again);
	look(conn);
	CHECK_STR(stale(conn), "t");
	pg_do(other, "ROLLBACK");
	pg_refreshed(conn, &v);
	/* The clock was set back */
	pg_do(conn, "UPDATE viewd.view_state SET last_success_time = last_success_time + interval '1 day'");
	pg_do(app, again);
	look(conn);
	CHECK_STR(stale(conn), "t");
}

static const struct harness_test tests[] = {
	{"goes through views and functions", goes_through_views_and_functions},
	{"runs nothing of a body", runs_nothing_of_a_body},
	{"names what nothing hears", names_what_nothing_hears},
	{"takes what is harmless for harmless", takes_what_is_harmless_for_harmless},
	{"sources vouch for functions only", sources_vouch_for_functions_only},
	{"a look sees what matters", a_look_sees_what_matters},
	{"its own triggers change no definition", its_own_triggers_change_no_definition},
	{"its own refreshes change no definition", its_own_refreshes_change_no_definition},
	{"a walk overwrites nothing unseen", a_walk_overwrites_nothing_unseen},
	{"what is as it was may have been another", what_is_as_it_was_may_have_been_another},
	{"nothing was read meanwhile", nothing_was_read_meanwhile},
};

HARNESS_SERVER_MAIN(PG_SERVER, SUITE("pg walk", tests))
