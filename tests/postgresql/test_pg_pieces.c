/* SPDX-License-Identifier: MIT
 *
 * Small queries over pieces that are kept by themselves: what a definition means stays what it means.
 */
#include "pg_support.h"

#include <string.h>
#include <talloc.h>

#include "base/err.h"

struct meant {
	const char *definition;
	bool refused;
	const char *changes[3];
};

static void begin(struct pg_scene *s, const char *definition)
{
	pg_fresh();
	s->app = pg_session("app");
	pg_do(s->app, "CREATE TABLE r1 (id int PRIMARY KEY, g int, a int, x int)");
	pg_do(s->app, "CREATE TABLE r2 (id int PRIMARY KEY, a int, b int)");
	pg_do(s->app, "CREATE TABLE r3 (id int PRIMARY KEY, b int, h int)");
	pg_do(s->app, "INSERT INTO r1 SELECT n, n % 3, n % 5, n % 7 FROM generate_series(1, 40) n");
	pg_do(s->app, "INSERT INTO r2 SELECT n, n % 5, n % 4 FROM generate_series(1, 20) n");
	pg_do(s->app, "INSERT INTO r3 SELECT n, n % 6, n % 5 FROM generate_series(1, 20) n");
	pg_do(s->app, "GRANT TRIGGER, UPDATE ON r1, r2, r3 TO viewd");
	s->conn = pg_session("viewd");
	pg_prepared(s->conn);
	s->view = pg_view("v", VIEWD_METHOD_TABLE, definition);
	s->view.mode = VIEWD_MODE_INCREMENTAL;
	pg_apply(s->conn, &s->view, VIEWD_CHANGE_CREATE);
}

static void refresh(struct pg_scene *s, bool refused)
{
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	struct viewd_outcome out = {0};
	struct viewd_err err = {0};
	bool done = DIALECT->refresh(s->conn, &s->view, &req, &out, &err);
	CHECK_INT(err.cls, refused ? VIEWD_ERR_CONFIG : VIEWD_ERR_OK);
	if (done)
		CHECK_STR(pg_differing(s->conn, &s->view), "0");
}

static void keeps(const struct meant *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct pg_scene s;
		begin(&s, rows[i].definition);
		refresh(&s, rows[i].refused);
		for (size_t k = 0; k < ARRAY_LEN(rows[i].changes) && rows[i].changes[k] != NULL; k++) {
			pg_do(s.app, rows[i].changes[k]);
			refresh(&s, rows[i].refused);
		}
	}
}

#define EACH_TABLE \
	{ \
		"UPDATE r1 SET x = x + 1 WHERE id = 3", "UPDATE r2 SET b = b + 9 WHERE id = 4", \
			"UPDATE r3 SET b = 3, h = 1 WHERE id = 5" \
	}

/* A column of USING is none of the rows that are taken out; names of the list of columns are known in few places. */
static void names(void)
{
	static const struct meant rows[] = {
		{("SELECT id, b, h FROM r3 AS o WHERE h IN (SELECT b FROM r2 JOIN r3 USING (b) WHERE r2.id > (SELECT avg(x) "
	      "FROM "
	      "r1))"),
	     false, EACH_TABLE},
		{("SELECT id, b FROM r3 WHERE b IN (SELECT b FROM (SELECT id AS i, a AS b, x FROM r1) AS r JOIN r2 USING (b) "
	      "WHERE r2.a > (SELECT avg(b) FROM r2))"),
	     false, EACH_TABLE},
		{"SELECT DISTINCT ON (id) a AS id, x, r1.id AS k FROM r1 ORDER BY id, x, r1.id",
	     false,
	     {"INSERT INTO r1 VALUES (100, 1, 2, 50)", "UPDATE r1 SET x = 60 WHERE id = 7"}},
		{("SELECT id, g FROM r1 WHERE a IN (SELECT r2.b AS x FROM r2 WHERE EXISTS (SELECT 1 FROM r3 WHERE r3.b = x))"),
	     true,
	     {"DELETE FROM r3 WHERE b = 5", "INSERT INTO r3 VALUES (200, 6, 1)"}},
		{"SELECT id, (x) FROM r1 WHERE x > (SELECT avg(b) FROM r2)", true, EACH_TABLE},
		{"SELECT id, x::bigint AS x FROM r1 WHERE x > (SELECT avg(b) FROM r2)", false, EACH_TABLE},
	};
	keeps(rows, ARRAY_LEN(rows));
}

/* A table has none. */
static void orders(void)
{
	static const struct meant rows[] = {
		{"SELECT ARRAY(SELECT sum(b) FROM r2 GROUP BY a ORDER BY a DESC) AS l, count(*) AS n FROM r1",
	     true,
	     {"UPDATE r2 SET b = 50 WHERE a = 4 AND id < 5"}},
		{"SELECT h, ARRAY(SELECT sum(b) FROM r2 GROUP BY a) AS l, count(*) AS n FROM r3 GROUP BY h",
	     true,
	     {"UPDATE r2 SET b = 50 WHERE a = 4 AND id < 5"}},
		{("SELECT id, ARRAY(SELECT sum(b) FROM r2 GROUP BY a ORDER BY a DESC) AS l FROM r1 WHERE x > (SELECT avg(b) "
	      "FROM "
	      "r2)"),
	     false,
	     {"UPDATE r2 SET b = 50 WHERE a = 4 AND id < 5", "DELETE FROM r2 WHERE a = 3"}},
		{"SELECT id, ARRAY(SELECT b FROM r2 WHERE r2.a = r1.a ORDER BY r2.id) AS l FROM r1",
	     false,
	     {"UPDATE r2 SET b = 50 WHERE a = 4 AND id < 5", "DELETE FROM r2 WHERE a = 3"}},
	};
	keeps(rows, ARRAY_LEN(rows));
}

/* Tables of nodes have the types that the sources had when they were made. */
static void types(void)
{
#define DIGITS \
	{ \
		"ALTER TABLE r1 ALTER x TYPE numeric(10,2)", "UPDATE r1 SET x = 1.55 WHERE id < 9" \
	}
	static const struct meant rows[] = {
		{"SELECT id FROM r1 WHERE x > (SELECT avg(b) FROM r2)", false, DIGITS},
		{"SELECT g, avg(x) AS m FROM r1 GROUP BY g", false, DIGITS},
		{"SELECT r1.g, avg(r1.x) AS m FROM r1 JOIN r2 ON r2.id = r1.a GROUP BY r1.g", false, DIGITS},
	};
	expect_log("is made again (it does not fit the source)");
	keeps(rows, ARRAY_LEN(rows));
}

static const struct harness_test tops_tests[] = {
	{"names mean what they mean", names},
	{"an order is kept where it counts", orders},
	{"types of the sources change", types},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("postgresql pieces", tops_tests))
