/* SPDX-License-Identifier: MIT
 *
 * Small queries over pieces on SQLite: what a definition means stays what it means.
 */
#include "unit/plugins/sqlite_fixture.h"

#include <talloc.h>

#include "base/err.h"

#define TABLES \
	"CREATE TABLE r1 (id INTEGER PRIMARY KEY, g INTEGER, a INTEGER, x INTEGER); CREATE TABLE r2 (id INTEGER PRIMARY " \
	"KEY, a INTEGER, b INTEGER); CREATE TABLE r3 (id INTEGER PRIMARY KEY, b INTEGER, h INTEGER); CREATE TABLE q1 (id " \
	"INTEGER PRIMARY KEY, t TEXT, n, r REAL, m NUMERIC, i INTEGER); WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL " \
	"SELECT n + 1 FROM s WHERE n < 40) INSERT INTO r1 SELECT n, n % 3, n % 5, n % 7 FROM s; INSERT INTO r2 SELECT " \
	"id, " \
	"id % 5, id % 4 FROM r1 WHERE id <= 20; INSERT INTO r3 SELECT id, id % 6, id % 5 FROM r1 WHERE id <= 20; INSERT " \
	"INTO q1 SELECT id, x, CASE WHEN x > 3 THEN x || '' ELSE x END, x, x, x FROM r1"

struct meant {
	const char *definition; /* of two columns: k and v */
	bool refused;
	const char *changes[3];
};

/* Rows that differ in a byte or a type. */
static const char *differing(struct fixture *f, const char *definition)
{
	return fixture_user_rows(
		f, talloc_asprintf(harness_ctx(),
	                       "WITH d AS (SELECT quote(k) AS k, typeof(v) || quote(v) AS v FROM (%s)), s AS (SELECT "
	                       "quote(k) AS k, typeof(v) || quote(v) AS v FROM v) SELECT count(*) FROM (SELECT * FROM "
	                       "(SELECT * FROM d EXCEPT SELECT * FROM s) UNION ALL SELECT * FROM (SELECT * FROM s EXCEPT "
	                       "SELECT * FROM d))",
	                       definition));
}

static void refresh(struct fixture *f, const struct viewd_view_spec *view, bool refused)
{
	bool done = fixture_refresh(f, view);
	CHECK_INT(f->err.cls, refused ? VIEWD_ERR_CONFIG : VIEWD_ERR_OK);
	if (done)
		CHECK_STR(differing(f, view->definition), "0\n");
	f->err = (struct viewd_err){0};
}

static void keeps(const struct meant *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct fixture f;
		fixture_open_all(&f);
		fixture_user_sql(&f, "DROP TABLE IF EXISTS v; DROP TABLE IF EXISTS r1; DROP TABLE IF EXISTS r2; DROP TABLE IF "
		                     "EXISTS r3; DROP TABLE IF EXISTS q1; DELETE FROM viewd_learnt; " TABLES);
		struct viewd_view_spec view = fixture_table_of(rows[i].definition);
		view.mode = VIEWD_MODE_INCREMENTAL;
		APPLY(&f, &view, VIEWD_CHANGE_CREATE);
		refresh(&f, &view, rows[i].refused);
		for (size_t k = 0; k < ARRAY_LEN(rows[i].changes) && rows[i].changes[k] != NULL; k++) {
			fixture_user_sql(&f, rows[i].changes[k]);
			refresh(&f, &view, rows[i].refused);
		}
		fixture_close_all(&f);
	}
}

/* A column of USING is none of the rows that are taken out. */
static void names(void)
{
#define EACH_TABLE \
	{ \
		"UPDATE r1 SET x = x + 1 WHERE id = 3", "UPDATE r2 SET b = b + 9 WHERE id = 4", \
			"UPDATE r3 SET b = 3, h = 1 WHERE id = 5" \
	}
	static const struct meant rows[] = {
		{("SELECT id AS k, h AS v FROM r3 AS o WHERE h IN (SELECT b FROM r2 JOIN r3 USING (b) WHERE r2.id > (SELECT "
	      "avg(x) FROM r1))"),
	     false, EACH_TABLE},
		{("SELECT b * 10 AS v, r2.id * 100 + r3.id AS k, r2.a * 2 AS b, r2.id, r3.id AS i FROM r2 JOIN r3 USING (b) "
	      "WHERE "
	      "b > (SELECT avg(x) FROM r1)"),
	     false, EACH_TABLE},
		{"SELECT id AS k, x + 0, 1 AS v FROM r1 WHERE x > (SELECT avg(b) FROM r2)", true, EACH_TABLE},
	};
	keeps(rows, ARRAY_LEN(rows));
}

/* An ORDER BY tells which row is the first one, and a table has no order. */
static void orders(void)
{
	static const struct meant rows[] = {
		{"SELECT id AS k, x AS v FROM r1 WHERE x > (SELECT sum(b) - 7 FROM r2 GROUP BY a ORDER BY a DESC) AND x > "
	     "(SELECT avg(b) - 1 FROM r2)",
	     false,
	     {"UPDATE r2 SET b = 1 WHERE a = 4", "UPDATE r2 SET b = 0 WHERE a = 2"}},
	};
	keeps(rows, ARRAY_LEN(rows));
}

/* Tables of nodes have the affinities that the sources had when they were made. */
static void types(void)
{
	static const struct meant rows[] = {
		{"SELECT id AS k, 1 AS v FROM r1 WHERE x > (SELECT avg(b) FROM r2)",
	     false,
	     {"UPDATE r1 SET x = 3 WHERE id = 4",
	      ("CREATE TABLE r0 (id INTEGER PRIMARY KEY, g INTEGER, a INTEGER, x TEXT); INSERT INTO r0 SELECT id, g, a, "
	       "'0' "
	       "|| x FROM r1; DROP TABLE r1; ALTER TABLE r0 RENAME TO r1"),
	      "UPDATE r1 SET x = '09' WHERE id = 9; UPDATE r1 SET x = '1' WHERE id = 12"}},
	};
	expect_log("is made again");
	keeps(rows, ARRAY_LEN(rows));
}

/* Values that are not of their column's type. */
static void affinities(void)
{
#define ODD_VALUES \
	{ \
		"UPDATE q1 SET t = 5, n = '5', r = 5, m = '5', i = '5' WHERE id = 3", \
			"UPDATE q1 SET t = '05', n = '05', r = '05', m = '05', i = '05' WHERE id = 4", \
			"UPDATE q1 SET t = x'35', n = x'35', r = 'a', m = 4.5, i = 4.5 WHERE id = 6" \
	}
	static const struct meant rows[] = {
		{"SELECT id AS k, t AS v FROM q1 WHERE t > (SELECT avg(b) FROM r2)", false, ODD_VALUES},
		{"SELECT id AS k, m AS v FROM q1 WHERE r > (SELECT avg(b) FROM r2) AND i < (SELECT max(b) + 2 FROM r2)", false,
	     ODD_VALUES},
		{"SELECT id AS k, t AS v FROM q1 WHERE t IN (SELECT count(*) FROM r2 GROUP BY a)", false, ODD_VALUES},
		{"SELECT id AS k, n AS v FROM q1 WHERE t IN (SELECT a FROM r2 GROUP BY a HAVING count(*) > 2)", false,
	     ODD_VALUES},
		{"SELECT id AS k, x AS v FROM r1 WHERE x IN (SELECT t FROM q1 GROUP BY t HAVING count(*) > 2)", false,
	     ODD_VALUES},
	};
	keeps(rows, ARRAY_LEN(rows));
}

static const struct harness_test tops_tests[] = {
	{"names mean what they mean", names},
	{"an order is kept where it counts", orders},
	{"types of the sources change", types},
	{"values are of other types than their columns", affinities},
};
HARNESS_MAIN(SUITE("sqlite tops", tops_tests))
