/* SPDX-License-Identifier: MIT
 *
 * Queries of sums run in the writers' statements: what becomes of the types that they read, and what a writer's session
 * has set, fails no writer and changes no sum.
 */
#include "pg_support.h"

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

static const struct harness_test tests[] = {
	{"no writer fails", no_writer_fails},
	{"moments mean the same", moments_mean_the_same},
};

HARNESS_SERVER_MAIN(PG_SERVER, SUITE("harmless sums", tests))
