/* SPDX-License-Identifier: MIT
 *
 * Queries of sums run in the writers' statements: what becomes of the types that they read, and what a writer's session
 * has set, fails no writer and changes no sum. Nor does a log of either kind that somebody has broken.
 */
#include "pg_support.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"

struct scene {
	struct viewd_conn *conn, *app;
	struct viewd_view_spec view;
};

/* Statements with semicolons between. */
static bool run(struct viewd_conn *conn, const char *sql, struct viewd_err *err)
{
	char *rest = talloc_strdup(harness_ctx(), sql), *one;
	while ((one = strsep(&rest, ";")) != NULL)
		if (!pg_exec(conn, one, err))
			return false;
	return true;
}

static void must_run(struct viewd_conn *conn, const char *sql)
{
	struct viewd_err err = {0};
	REQUIRE_OK(run(conn, sql, &err), &err);
}

static void begin(struct scene *s, const char *definition)
{
	pg_fresh();
	s->app = pg_session("app");
	must_run(s->app,
	         "SET search_path = public; CREATE TYPE mood AS ENUM ('open', 'shut'); CREATE DOMAIN money_of AS numeric; "
	         "CREATE TABLE sale (id int PRIMARY KEY, product text, amount int, price numeric, state mood, paid "
	         "money_of, de text COLLATE \"C\", fr text COLLATE \"POSIX\", moment timestamptz); INSERT INTO sale SELECT "
	         "g, 'p' || g % 10, g, g, 'open', g, 'x', NULL, '2024-01-01 00:00+00' FROM generate_series(1, 100) g; "
	         "GRANT TRIGGER ON sale TO viewd");
	s->conn = pg_session("viewd");
	pg_prepared(s->conn);
	s->view = pg_view("totals", VIEWD_METHOD_TABLE, definition);
	s->view.mode = VIEWD_MODE_INCREMENTAL;
	pg_apply(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	pg_do(s->conn,
	      talloc_asprintf(harness_ctx(),
	                      "INSERT INTO viewd.learnt (view, fact, digest, text, learnt_time) VALUES ('totals', 'sums', "
	                      "encode(sha256(convert_to($viewd$%s$viewd$, 'UTF8')), 'hex'), 'sums', now())",
	                      definition));
	pg_refreshed(s->conn, &s->view);
}

/* Does the log hold sums? */
static const char *kinds(struct scene *s)
{
	return pg_ask(s->conn, "SELECT string_agg((columns LIKE 'viewd_sums %')::text, ' ' ORDER BY log) FROM "
	                       "viewd.change_logs");
}

/* The definition may fail from then on. Whoever writes does not. */
static void no_writer_fails(void)
{
	static const struct {
		const char *condition, *change, *write;
	} cases[] = {
		{"state = 'open'", "ALTER TYPE mood RENAME VALUE 'open' TO 'opened'",
	     "INSERT INTO sale (id, product, state) VALUES (501, 'p1', 'shut')"},
		{"state IN ('open')", "ALTER TYPE mood RENAME VALUE 'open' TO 'opened'", "DELETE FROM sale WHERE id = 1"},
		{"paid * paid > 5", "SELECT 1", "INSERT INTO sale (id, product, paid) VALUES (501, 'p1', 1e100000)"},
		{"paid > 5", "ALTER DOMAIN money_of ADD CONSTRAINT c CHECK (VALUE IS NOT NULL) NOT VALID",
	     "INSERT INTO sale (id, product, paid) VALUES (501, 'p1', 7)"},
		{"de < fr", "SELECT 1", "UPDATE sale SET fr = 'y' WHERE id = 1"},
		{"de IN (fr)", "SELECT 1", "UPDATE sale SET fr = 'y' WHERE id = 1"},
		{"amount = ANY ('{1,2,NULL}')", "SET array_nulls = off", "UPDATE sale SET product = 'p2' WHERE id = 1"},
		{"product = U&'p1'", "SET standard_conforming_strings = off", "UPDATE sale SET product = 'p2' WHERE id = 1"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene s;
		struct viewd_err err = {0};
		begin(&s, talloc_asprintf(harness_ctx(), "SELECT product, count(*) AS n FROM sale WHERE %s GROUP BY product",
		                          cases[i].condition));
		struct viewd_conn *late = pg_session("app");
		must_run(late, "SET search_path = public");
		must_run(late, cases[i].change);
		CHECK_OK(run(late, cases[i].write, &err), &err);
	}
}

/* A moment is what viewd's session takes it for. Where a writer's may take it for another one, the log holds images. */
static void moments_mean_the_same(void)
{
	static const struct {
		const char *moment, *sums;
	} cases[] = {
		{"'2024-01-01 02:00 IST'", "false"},
		{"$$2024-01-01 02:00 IST$$", "false"},
		{"'2024-01-01T00:00:00Z'", "true"},
		{"'2024-01-01 02:00+02' AND product <> 'x'", "true"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene s;
		begin(&s, talloc_asprintf(harness_ctx(),
		                          "SELECT product, count(*) AS n FROM sale WHERE moment < %s GROUP BY product",
		                          cases[i].moment));
		CHECK_STR(kinds(&s), cases[i].sums);
		must_run(s.app, "SET timezone_abbreviations = 'India'; UPDATE public.sale SET moment = '2023-12-31 22:00+00' "
		                "WHERE id < 50");
		CHECK_CONTAINS(pg_refreshed(s.conn, &s.view).reason, "incremental: ");
		CHECK_STR(pg_differing(s.conn, &s.view), "0");
		CHECK_STR(pg_ask(s.conn, "SELECT sum(n) FROM totals"), "49");
	}
}

/* ---- logs of images ---- */

static const char *const breaks[] = {
	"DROP TABLE viewd.change_1",
	"ALTER TABLE viewd.change_1 RENAME TO elsewhere",
	("ALTER TABLE viewd.change_1 ADD COLUMN more int NOT NULL DEFAULT 1; ALTER TABLE viewd.change_1 ALTER COLUMN more "
     "DROP DEFAULT"),
	"ALTER TABLE viewd.change_1 DROP COLUMN amount",
	"ALTER TABLE viewd.change_1 ADD CONSTRAINT never CHECK (viewd_sign = 0) NOT VALID",
	"ALTER TABLE viewd.change_1 ENABLE ROW LEVEL SECURITY; ALTER TABLE viewd.change_1 FORCE ROW LEVEL SECURITY",
	"CREATE UNIQUE INDEX never ON viewd.change_1 (viewd_xid)",
	"CREATE RULE never AS ON INSERT TO viewd.change_1 DO INSTEAD SELECT 1/0",
	"REVOKE ALL ON viewd.change_1 FROM viewd",
	"DROP SEQUENCE viewd.full_1",
	"REVOKE ALL ON SEQUENCE viewd.full_1 FROM viewd",
	"DROP FUNCTION viewd.change_is_good(regclass, regclass, regclass)",
	"REVOKE EXECUTE ON FUNCTION viewd.change_is_good(regclass, regclass, regclass) FROM viewd",
	"ALTER SCHEMA viewd RENAME TO elsewhere",
	"ALTER SCHEMA viewd OWNER TO postgres; REVOKE USAGE ON SCHEMA viewd FROM viewd, PUBLIC",
	"ALTER TABLE public.sale RENAME COLUMN amount TO sum",
	"ALTER TABLE public.sale DROP COLUMN amount",
	"ALTER TABLE public.sale ALTER COLUMN amount TYPE text",
};

/* A session that may do anything. */
static struct viewd_conn *superuser(void)
{
	struct viewd_database_spec spec = pg_spec("postgres");
	spec.url = talloc_asprintf(harness_ctx(), "postgresql://postgres@/shop?%s", getenv("VIEWD_TEST_PG"));
	return pg_session_of(&spec);
}

static void must_write(struct viewd_conn *by, const char *behind, const char *write)
{
	struct viewd_err err = {0};
	must_run(by, "BEGIN");
	must_run(by, behind);
	harness_check(run(by, write, &err), __FILE__, __LINE__, "%s; %s: %s", behind, write, err.msg);
	must_run(by, "ROLLBACK");
}

static void broken_logs_stop_nobody(void)
{
	static const char *const writes[] = {"INSERT INTO public.sale (id, product) VALUES (501, 'p')",
	                                     "UPDATE public.sale SET product = 'q', id = id + 1000 WHERE id < 9",
	                                     "DELETE FROM public.sale WHERE id = 10", "TRUNCATE public.sale"};
	struct pg_scene s;
	pg_begin_sale(&s);
	pg_do(s.app, "ALTER TABLE sale ALTER COLUMN amount DROP NOT NULL");
	s.view = pg_view("rows", VIEWD_METHOD_TABLE, "SELECT id, product, amount FROM sale");
	s.view.mode = VIEWD_MODE_INCREMENTAL;
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s.conn, &s.view);
	struct viewd_conn *any = superuser();
	for (size_t i = 0; i < ARRAY_LEN(breaks); i++)
		for (size_t k = 0; k < ARRAY_LEN(writes); k++) {
			must_write(any, "SELECT 1", writes[k]);
			must_write(any, breaks[i], writes[k]); /* with plans that were made before */
			must_run(any, "DISCARD PLANS");
			must_write(any, breaks[i], writes[k]);
		}
}

static const struct harness_test tests[] = {
	{"no writer fails", no_writer_fails},
	{"moments mean the same", moments_mean_the_same},
	{"broken logs stop nobody", broken_logs_stop_nobody},
};

HARNESS_SERVER_MAIN(PG_SERVER, SUITE("harmless logs", tests))
