/* SPDX-License-Identifier: MIT
 *
 * Change logs of SQLite: which statements leave images, and what others can do to a log.
 */
#include "base/err.h"
#include "unit/plugins/sqlite_fixture.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define IMAGES "SELECT count(*) FROM viewd_change_1 WHERE viewd_sign <> 0"

static struct viewd_view_spec kept(const char *name, const char *definition)
{
	struct viewd_view_spec view = fixture_table_of(definition);
	view.name = view.relation = name;
	view.mode = VIEWD_MODE_INCREMENTAL;
	return view;
}

/* The relation is what the definition yields, after a refresh for that reason. */
static void refreshes(struct fixture *f, const struct viewd_view_spec *view, const char *reason)
{
	struct viewd_verdict verdict = {0};
	REQUIRE_OK(fixture_refresh(f, view), &f->err);
	CHECK_CONTAINS(f->out.reason, reason);
	REQUIRE_OK(f->dialect->verify(f->conn, view, &verdict, &f->err), &f->err);
	CHECK_INT(verdict.missing, 0);
	CHECK_INT(verdict.unexpected, 0);
}

static void begin(struct fixture *f, struct viewd_view_spec *view, const char *tables, const char *definition)
{
	fixture_open_all(f);
	fixture_user_sql(f, tables);
	*view = kept("v", definition);
	APPLY(f, view, VIEWD_CHANGE_CREATE);
	refreshes(f, view, "all rows");
	refreshes(f, view, "no row");
}

/* ---- what is logged ---- */

static const struct case_row {
	const char *table, *fill, *definition, *change;
} replacing[] = {
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u UNIQUE, x)", "(1, 10, 1), (2, 20, 2), (3, 30, 3)",
     "SELECT id, u, x FROM t", "REPLACE INTO t VALUES (1, 30, 9)"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u UNIQUE, x)", "(1, 10, 1), (2, 20, 2), (3, 30, 3)",
     "SELECT id, u, x FROM t", "UPDATE OR REPLACE t SET id = 2, u = 30 WHERE id = 1"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u UNIQUE, x)", "(1, 10, 1), (2, 20, 2), (3, 30, 3)",
     "SELECT id, x FROM t", "UPDATE OR REPLACE t SET rowid = 3 WHERE id = 1"},
	{"CREATE TABLE t (a, b, x UNIQUE, PRIMARY KEY (a, b)) WITHOUT ROWID", "(1, 1, 1), (1, 2, 2), (2, 1, 3)",
     "SELECT a, b, x FROM t", "REPLACE INTO t VALUES (1, 2, 3)"},
	{"CREATE TABLE t (a, b, x UNIQUE, PRIMARY KEY (a, b)) WITHOUT ROWID", "(1, 1, 1), (1, 2, 2), (2, 1, 3)",
     "SELECT a, b, x FROM t", "UPDATE OR REPLACE t SET b = 2 WHERE b = 1 AND a = 1"},
	{"CREATE TABLE t (a NOT NULL, x)", "(1, 1), (2, 2), (2, 3)", "SELECT a, count(*) AS n FROM t GROUP BY a",
     "INSERT OR REPLACE INTO t (rowid, a, x) VALUES (1, 7, 7)"},
	{"CREATE TABLE t (a NOT NULL, x)", "(1, 1), (2, 2), (2, 3)", "SELECT a, count(*) AS n FROM t GROUP BY a",
     "UPDATE OR REPLACE t SET oid = 1 WHERE x = 3"},
	{"CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL ON CONFLICT REPLACE DEFAULT 'b', x)", "('a', 1), ('b', 2), ('c', 3)",
     "SELECT id, x FROM t", "INSERT OR REPLACE INTO t VALUES (NULL, 5)"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY ON CONFLICT REPLACE, u UNIQUE ON CONFLICT REPLACE)",
     "(1, 10), (2, 20), (3, 30)", "SELECT id, u FROM t", "INSERT INTO t VALUES (1, 20)"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u, x); CREATE UNIQUE INDEX p ON t (u) WHERE x > 1",
     "(1, 5, 0), (2, 5, 2), (3, 6, 3)", "SELECT id, u, x FROM t", "REPLACE INTO t VALUES (4, 5, 9)"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u, x); CREATE UNIQUE INDEX p ON t (u) WHERE x > 1",
     "(1, 5, 0), (2, 5, 2), (3, 6, 3)", "SELECT id, u FROM t", "UPDATE OR REPLACE t SET x = 9 WHERE id = 1"},
	{"CREATE TABLE t (a PRIMARY KEY, u, x) WITHOUT ROWID; CREATE UNIQUE INDEX p ON t (u) WHERE x > 1",
     "(1, 5, 0), (2, 5, 2), (3, 6, 3)", "SELECT a, u FROM t", "UPDATE OR REPLACE t SET x = 9 WHERE a = 1"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u, x); CREATE UNIQUE INDEX \"a(b\" ON t (u) /* WHERE */ WHERE "
     "\"t\" . x /* it's */ > 1 AND (`t`.\"x\" <> 'WHERE t.x' OR t.u IS 7)",
     "(1, 5, 0), (2, 5, 2), (3, 6, 3)", "SELECT id, u FROM t", "UPDATE OR REPLACE t SET x = 9 WHERE id = 1"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u, x); CREATE UNIQUE INDEX p ON t (u) WHERE x = \"it's \"\" so\"",
     "(1, 5, 0), (2, 5, 'it''s \" so'), (3, 6, 3)", "SELECT id, u FROM t",
     "UPDATE OR REPLACE t SET x = 'it''s \" so' WHERE id = 1"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u, nocase); CREATE UNIQUE INDEX p ON t (u) WHERE nocase COLLATE "
     "\"nocase\" = 'A' AND \"length\"(nocase) = CAST('1' AS \"int\")",
     "(1, 5, 'b'), (2, 5, 'a'), (3, 6, 'c')", "SELECT id, u FROM t",
     "UPDATE OR REPLACE t SET nocase = 'A' WHERE id = 1"},
	{"CREATE TABLE t (u, x); CREATE UNIQUE INDEX p ON t (u) WHERE rowid > 1", "(5, 0), (5, 2), (6, 3)",
     "SELECT u, count(*) AS n FROM t GROUP BY u", "UPDATE OR REPLACE t SET rowid = 7 WHERE rowid = 1"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u, x); CREATE UNIQUE INDEX p ON t (u) WHERE id>=2",
     "(1, 5, 0), (2, 5, 2), (3, 6, 3)", "SELECT u, count(*) AS n FROM t GROUP BY u",
     "UPDATE OR REPLACE t SET id = 7 WHERE id = 1"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u UNIQUE, x)", "(1, 10, 1), (2, 20, 2), (3, 30, 3)",
     "SELECT id, x FROM t", "UPDATE OR REPLACE t SET id = 2 WHERE id = 1"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u, x)", "(1, 10, 1), (2, 20, 2), (3, 30, 3)",
     "SELECT u, count(*) AS n FROM t GROUP BY u", "UPDATE OR REPLACE t SET id = 2 WHERE id = 1"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT); CREATE UNIQUE INDEX p ON t (u COLLATE NOCASE)",
     "(1, 'a'), (2, 'b')", "SELECT id, u FROM t", "REPLACE INTO t VALUES (4, 'B')"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, x, g AS (x + 1) UNIQUE)", "(1, 1), (2, 2)", "SELECT id, g FROM t",
     "UPDATE OR REPLACE t SET x = 1 WHERE id = 2"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u UNIQUE, x)", "(1, 10, 1), (2, 20, 2)", "SELECT id, u, x FROM t",
     "PRAGMA recursive_triggers = on; REPLACE INTO t VALUES (1, 20, 3)"},
	{"CREATE TABLE t (id INTEGER PRIMARY KEY, u UNIQUE, x)", "(1, 10, 1), (2, 20, 2)", "SELECT id, u, x FROM t",
     "INSERT INTO t VALUES (5, 20, 3) ON CONFLICT (u) DO UPDATE SET id = 9; INSERT OR IGNORE INTO t VALUES (1, 1, 1)"},
};

/* REPLACE removes rows and runs no DELETE trigger for them. */
static void rows_that_replace_removes_are_logged(void)
{
	for (size_t i = 0; i < ARRAY_LEN(replacing); i++) {
		const struct case_row *row = &replacing[i];
		struct viewd_view_spec view;
		struct fixture f;
		char *table = talloc_asprintf(harness_ctx(), "DROP TABLE IF EXISTS t; %s; INSERT INTO t %sVALUES %s",
		                              row->table, strstr(row->table, " AS (") != NULL ? "(id, x) " : "", row->fill);
		begin(&f, &view, table, row->definition);
		fixture_user_sql(&f, row->change);
		refreshes(&f, &view, strstr(row->table, "DEFAULT") != NULL ? "all rows: a default" : "incremental: ");
		if (!CHECK(f.out.rows_written > 0))
			fprintf(stderr, "# %s\n", row->change);
		fixture_user_sql(&f, "DROP TABLE t; DROP TABLE v");
		fixture_close_all(&f);
		remove(harness_path("test.db"));
	}
}

static void only_other_bytes_are_logged(void)
{
	static const struct {
		const char *change;
		int images;
	} rows[] = {
		{"UPDATE t SET x = x, n = n, id = id", 0},
		{"UPDATE t SET other = 5", 0},
		{"UPDATE t SET n = 'A' WHERE id = 1", 2},
		{"UPDATE t SET x = 1.0 WHERE id = 1", 2},
		{"UPDATE t SET x = '1' WHERE id = 1", 2},
		{"UPDATE t SET x = NULL WHERE id = 1", 2},
		{"BEGIN; UPDATE t SET x = 5; DELETE FROM t; ROLLBACK", 0},
		{"INSERT INTO t VALUES (7, 7, 'b', 7)", 1},
		{"DELETE FROM t WHERE id = 7", 1},
		{"UPDATE t SET _rowid_ = 8 WHERE id = 1", 2},
	};
	struct viewd_view_spec view;
	struct fixture f;
	begin(
		&f, &view,
		"CREATE TABLE t (id INTEGER PRIMARY KEY, x, n TEXT COLLATE NOCASE, other); INSERT INTO t VALUES (1, 1, 'a', 1)",
		"SELECT id, x, n FROM t");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		fixture_user_sql(&f, rows[i].change);
		if (!CHECK_STR(fixture_user_rows(&f, IMAGES), talloc_asprintf(harness_ctx(), "%d\n", rows[i].images)))
			fprintf(stderr, "# %s\n", rows[i].change);
		refreshes(&f, &view, rows[i].images > 0 ? "incremental: " : "no row");
		CHECK_STR(fixture_user_rows(&f, IMAGES), "0\n");
	}
	fixture_close_all(&f);
}

static int rows_scanned(struct fixture *f, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	REQUIRE(sqlite3_prepare_v2(f->user, sql, -1, &stmt, NULL) == SQLITE_OK);
	CHECK_INT(sqlite3_step(stmt), SQLITE_DONE);
	int scanned = sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
	sqlite3_finalize(stmt);
	return scanned;
}

/* A row that is in the way of a new one is found by the index that it is in the way of. */
static void writers_scan_nothing(void)
{
	static const char *const writes[] = {
		"INSERT INTO t VALUES (500, 700, 2)",
		"UPDATE t SET u = 800 WHERE id = 1",
		"UPDATE t SET x = 3 WHERE id = 2",
		"REPLACE INTO t VALUES (501, 700, 2)",
	};
	struct viewd_view_spec view;
	struct fixture f;
	begin(&f, &view,
	      "CREATE TABLE t (id INTEGER PRIMARY KEY, u, x); CREATE UNIQUE INDEX p ON t (u) WHERE t.x>1 AND x "
	      "IS NOT \"no\"; CREATE UNIQUE INDEX q ON t (x, u) WHERE NOT (u BETWEEN 1 AND 7);"
	      "WITH RECURSIVE r (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM r WHERE i < 99) INSERT INTO t SELECT i, i, "
	      "i % 5 FROM r",
	      "SELECT id, u FROM t");
	for (size_t i = 0; i < ARRAY_LEN(writes); i++)
		if (!CHECK_INT(rows_scanned(&f, writes[i]), 0))
			fprintf(stderr, "# %s\n", writes[i]);
	refreshes(&f, &view, "incremental: ");
	fixture_user_sql(&f, "UPDATE t SET x = 4 WHERE id = 4");
	refreshes(&f, &view, "no row");
	fixture_close_all(&f);
}

/* ---- keys ---- */

/* Texts in them are compared by the column's collation. */
static void columns_of_numbers_hold_texts(void)
{
	static const char definition[] =
		"SELECT n1.k, count(*) AS n, sum(n2.v) AS v FROM n1 JOIN n2 ON n1.k = n2.k GROUP BY n1.k";
	static const struct {
		const char *one, *two;
		bool kept;
	} rows[] = {{"INTEGER COLLATE NOCASE", "INTEGER", false},
	            {"INT", "BIGINT COLLATE RTRIM", false},
	            {"INTEGER COLLATE NOCASE", "NUMERIC COLLATE nocase", true},
	            {"INTEGER", "DECIMAL(9,2)", true}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct viewd_view_spec view = kept("v", definition);
		struct fixture f;
		fixture_open_all(&f);
		fixture_user_sql(
			&f, talloc_asprintf(harness_ctx(),
		                        "CREATE TABLE n1 (k %s); INSERT INTO n1 VALUES ('Xy'), ('z '), (1); "
		                        "CREATE TABLE n2 (k %s, v); INSERT INTO n2 VALUES ('xY', 1), ('z', 2), ('1', 3)",
		                        rows[i].one, rows[i].two));
		APPLY(&f, &view, VIEWD_CHANGE_CREATE);
		if (CHECK_INT(fixture_refresh(&f, &view), rows[i].kept) && rows[i].kept) {
			fixture_user_sql(&f, "UPDATE n2 SET v = v + 1");
			refreshes(&f, &view, "incremental: ");
		}
		fixture_user_sql(&f, "DROP TABLE n1; DROP TABLE n2; DROP TABLE IF EXISTS v");
		fixture_close_all(&f);
		remove(harness_path("test.db"));
	}
}

/* ---- inner nodes ---- */

#define NODES "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name GLOB 'viewd_node_*'"

static bool ignore(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

/* Sums over a join move, as long as whole numbers alone are summed. */
static void sums_are_moved(void)
{
	struct viewd_view_spec view;
	struct fixture f;
	begin(
		&f, &view,
		"CREATE TABLE s (id INTEGER PRIMARY KEY, place TEXT); INSERT INTO s VALUES (1, 'a'), (2, 'b'), (3, NULL);"
		"CREATE TABLE t (id INTEGER PRIMARY KEY, s INTEGER, v INTEGER); INSERT INTO t VALUES (1, 1, 5), (2, 1, 6), (3, "
		"2, 7), (4, 3, 8), (5, 3, NULL)",
		"SELECT s.place, count(*) AS n, sum(t.v) AS v FROM t JOIN s ON s.id = t.s GROUP BY s.place HAVING count(*) < "
		"9");
	CHECK_STR(fixture_user_rows(&f, NODES), "2\n");
	fixture_user_sql(&f, "UPDATE t SET v = 9, s = 3 WHERE id = 1; DELETE FROM t WHERE id = 3");
	refreshes(&f, &view, "incremental: ");
	fixture_user_sql(&f, "UPDATE s SET place = 'b' WHERE id = 3; INSERT INTO t VALUES (6, 2, -9223372036854775808)");
	refreshes(&f, &view, "incremental: ");
	CHECK_STR(fixture_user_rows(&f, NODES), "2\n");
	fixture_user_sql(&f, "UPDATE t SET v = 0.5 WHERE id = 2; UPDATE t SET v = 1 WHERE id = 6");
	refreshes(&f, &view, "");
	CHECK_STR(fixture_user_rows(&f, NODES), "0\n");
	fixture_user_sql(&f, "UPDATE t SET v = 3 WHERE id = 2");
	refreshes(&f, &view, "incremental: ");
	fixture_close_all(&f);
}

static void nodes_go_with_viewd(void)
{
	struct viewd_uninstall_request req = {.struct_size = sizeof req};
	struct viewd_view_spec view;
	struct fixture f;
	begin(&f, &view,
	      "CREATE TABLE s (id INTEGER PRIMARY KEY, place TEXT); CREATE TABLE t (id INTEGER PRIMARY KEY, s INTEGER)",
	      "SELECT s.place, count(*) AS n FROM t JOIN s ON s.id = t.s GROUP BY s.place");
	CHECK_STR(fixture_user_rows(&f, NODES), "2\n");
	REQUIRE_OK(f.dialect->uninstall(f.conn, &req, (struct viewd_text_sink){ignore, NULL}, &f.err), &f.err);
	CHECK_STR(fixture_user_rows(&f, "SELECT name FROM sqlite_master WHERE name GLOB 'viewd_[^k]*'"), "");
	fixture_close_all(&f);
}

/* ---- readers ---- */

#define MANY "WITH RECURSIVE r (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM r WHERE i < 100100) "

static void a_log_holds_what_readers_need(void)
{
	struct viewd_view_spec one, two = kept("w", "SELECT id, x FROM t WHERE x > 1");
	struct fixture f;
	begin(&f, &one, "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 1), (2, 2)",
	      "SELECT id, x FROM t");
	APPLY(&f, &two, VIEWD_CHANGE_CREATE);
	refreshes(&f, &two, "all rows");
	fixture_user_sql(&f, "UPDATE t SET x = 3 WHERE id = 1");
	refreshes(&f, &one, "incremental: ");
	CHECK_STR(fixture_user_rows(&f, IMAGES), "2\n");
	refreshes(&f, &two, "incremental: ");
	CHECK_STR(fixture_user_rows(&f, IMAGES), "0\n");
	/* Nobody reads: the log ends. */
	fixture_user_sql(&f, MANY "INSERT INTO t SELECT i + 10, i FROM r");
	CHECK_STR(fixture_user_rows(&f, "SELECT count(*) BETWEEN 100000 AND 100005 FROM viewd_change_1"), "1\n");
	refreshes(&f, &one, "all rows: more was changed");
	CHECK_STR(fixture_user_rows(&f, IMAGES), "0\n");
	fixture_user_sql(&f, "UPDATE t SET x = 4 WHERE id = 1");
	refreshes(&f, &one, "incremental: ");
	refreshes(&f, &two, "all rows: it was emptied");
	fixture_user_sql(&f, "UPDATE t SET x = 5 WHERE id = 1");
	refreshes(&f, &two, "incremental: ");
	refreshes(&f, &one, "incremental: ");
	CHECK_STR(fixture_user_rows(&f, IMAGES), "0\n");
	fixture_close_all(&f);
}

static void rows_that_others_remove_are_missed(void)
{
	struct viewd_view_spec view;
	struct fixture f;
	begin(&f, &view, "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)",
	      "SELECT id, x FROM t");
	fixture_user_sql(&f, "UPDATE t SET x = x + 1; DELETE FROM viewd_change_1 WHERE viewd_id = (SELECT max(viewd_id) - "
	                     "1 FROM viewd_change_1)");
	refreshes(&f, &view, "all rows: somebody has removed");
	expect_log("is made again");
	fixture_user_sql(&f, "UPDATE t SET x = x + 1; DELETE FROM viewd_change_1; UPDATE t SET x = x + 1");
	refreshes(&f, &view, "all rows");
	fixture_user_sql(&f, "UPDATE t SET x = x + 1 WHERE id = 3");
	refreshes(&f, &view, "incremental: 1 keys");
	fixture_close_all(&f);
}

/* ---- what the source is ---- */

static void a_trigger_that_is_gone(void)
{
	static const char letters[] = "iudrs";
	struct viewd_view_spec view;
	struct fixture f;
	begin(&f, &view, "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 1), (2, 2)",
	      "SELECT id, x FROM t");
	expect_log("is made again");
	for (size_t i = 0; letters[i] != '\0'; i++) {
		char *drop = talloc_asprintf(
			harness_ctx(), "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE name GLOB 'viewd_change_*_%c'",
			letters[i]);
		fixture_user_sql(&f, fixture_user_rows(&f, drop));
		fixture_user_sql(&f, "UPDATE t SET x = x + 1 WHERE id = 1; INSERT INTO t (x) VALUES (9)");
		refreshes(&f, &view, "all rows");
		fixture_user_sql(&f, "UPDATE t SET x = x + 1 WHERE id = 1");
		refreshes(&f, &view, "incremental: 1 keys");
	}
	fixture_close_all(&f);
}

/* The next connection lets the writers go on. */
static void a_log_that_is_gone(void)
{
	struct viewd_view_spec view;
	struct fixture f;
	begin(&f, &view, "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 1), (2, 2)",
	      "SELECT id, x FROM t");
	expect_log("is made again");
	fixture_user_sql(&f, "DROP TABLE viewd_change_1");
	CHECK(sqlite3_exec(f.user, "UPDATE t SET x = 5", NULL, NULL, NULL) != SQLITE_OK);
	REQUIRE_OK(f.dialect->prepare(f.conn, (struct viewd_recorded_sink){0}, &f.err), &f.err);
	/* The connection that has dropped the table may still believe in its triggers. */
	CHECK_STR(fixture_user_rows(&f, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"), "0\n");
	fixture_user_sql(&f, "UPDATE t SET x = 5");
	refreshes(&f, &view, "all rows");
	fixture_user_sql(&f, "UPDATE t SET x = 6 WHERE id = 1");
	refreshes(&f, &view, "incremental: 1 keys");
	fixture_close_all(&f);
}

static bool pass_by_fn(void *ctx UNUSED, const struct viewd_signal *signal UNUSED)
{
	return true;
}

static void look(struct fixture *f, struct viewd_watch *watch)
{
	f->dialect->capture->watch_wake(watch);
	REQUIRE_OK(f->dialect->capture->watch_next(watch, 1000, (struct viewd_signal_sink){pass_by_fn, NULL}, &f->err),
	           &f->err);
}

/* The next look lets the writers go on. */
static void a_log_that_goes_while_the_watch_looks(void)
{
	struct viewd_view_spec view;
	struct fixture f;
	begin(&f, &view, "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 1), (2, 2)",
	      "SELECT id, x FROM t");
	struct viewd_watch *watch = f.dialect->capture->watch_open(&f.host, &f.db, &f.err);
	REQUIRE_OK(watch != NULL, &f.err);
	look(&f, watch);
	expect_log("is made again");
	for (int round = 0; round < 3; round++) {
		fixture_user_sql(&f, "UPDATE t SET x = x + 1");
		fixture_user_sql(&f, fixture_user_rows(&f, "SELECT 'DROP TABLE ' || name FROM sqlite_master WHERE type = "
		                                           "'table' AND name GLOB 'viewd_change_[0-9]*'"));
		look(&f, watch);
		CHECK_STR(fixture_user_rows(&f, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"), "0\n");
		fixture_user_sql(&f, "UPDATE t SET x = x + 1");
		refreshes(&f, &view, "all rows");
		fixture_user_sql(&f, "UPDATE t SET x = x + 1 WHERE id = 1");
		look(&f, watch);
		refreshes(&f, &view, "incremental: 1 keys");
	}
	f.dialect->capture->watch_close(&watch);
	fixture_close_all(&f);
}

static void an_index_over_an_expression(void)
{
	struct viewd_view_spec view;
	struct fixture f;
	begin(&f, &view, "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 1), (2, 2)",
	      "SELECT id, x FROM t");
	expect_log("is made again");
	fixture_user_sql(&f, "CREATE UNIQUE INDEX e ON t (x * 2); REPLACE INTO t VALUES (3, 2)");
	CHECK(!fixture_refresh(&f, &view));
	CHECK_CONTAINS(f.err.msg, "unique index over an expression");
	fixture_user_sql(&f, "DROP INDEX e");
	refreshes(&f, &view, "all rows");
	fixture_user_sql(&f, "UPDATE t SET x = x + 1 WHERE id = 1");
	refreshes(&f, &view, "incremental: 1 keys");
	fixture_user_sql(&f, "VACUUM");
	refreshes(&f, &view, "");
	fixture_user_sql(&f, "UPDATE t SET x = x + 1 WHERE id = 1");
	refreshes(&f, &view, "incremental: 1 keys");
	fixture_close_all(&f);
}

/* SQLite refuses it as long as a trigger names the column; docs/sqlite.md says what to do. */
static void a_column_that_is_dropped(void)
{
	static const char triggers[] = "SELECT 'DROP TRIGGER ' || name || ';' FROM sqlite_master WHERE type = 'trigger'"
								   " AND tbl_name = 't' COLLATE NOCASE AND name GLOB 'viewd_change_*'";
	struct viewd_view_spec view;
	struct fixture f;
	begin(&f, &view, "CREATE TABLE t (id INTEGER PRIMARY KEY, x, y); INSERT INTO t VALUES (1, 1, 1), (2, 2, 2)",
	      "SELECT id, x, y FROM t");
	view.definition = "SELECT id, x FROM t";
	APPLY(&f, &view, VIEWD_CHANGE_REPLACE);
	refreshes(&f, &view, "");
	CHECK(sqlite3_exec(f.user, "ALTER TABLE t DROP COLUMN y", NULL, NULL, NULL) != SQLITE_OK);
	CHECK_CONTAINS(sqlite3_errmsg(f.user), "error in trigger viewd_change_1_");
	expect_log("is made again");
	fixture_user_sql(&f, fixture_user_rows(&f, triggers));
	fixture_user_sql(&f, "ALTER TABLE t DROP COLUMN y; UPDATE t SET x = x + 1");
	refreshes(&f, &view, "all rows");
	fixture_user_sql(&f, "UPDATE t SET x = x + 1 WHERE id = 1");
	refreshes(&f, &view, "incremental: 1 keys");
	fixture_close_all(&f);
}

/* Rows of a key are found by an index, which viewd makes where the user has none. */
static void keys_have_an_index(void)
{
	static const char has[] = "SELECT count(*) FROM sqlite_master WHERE name GLOB 'viewd_key_*' AND tbl_name = 'v'";
	static const char *const key[] = {"g"};
	struct viewd_view_spec view;
	struct fixture f;
	begin(&f, &view, "CREATE TABLE t (id INTEGER PRIMARY KEY, g, x); INSERT INTO t VALUES (1, 1, 1), (2, 1, 2)",
	      "SELECT g, sum(x) AS x FROM t GROUP BY g");
	CHECK_STR(fixture_user_rows(&f, has), "1\n");
	view.definition = "SELECT g, count(*) AS n FROM t GROUP BY g";
	view.unique_key = key;
	view.n_unique_key = 1;
	APPLY(&f, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(fixture_user_rows(&f, has), "0\n");
	refreshes(&f, &view, "");
	fixture_user_sql(&f, "UPDATE t SET g = 2 WHERE id = 1");
	refreshes(&f, &view, "incremental: 2 keys");
	CHECK_STR(fixture_user_rows(&f, has), "0\n");
	fixture_close_all(&f);
}

static const struct harness_test logs_tests[] = {
	{"rows that REPLACE removes are logged", rows_that_replace_removes_are_logged},
	{"only other bytes are logged", only_other_bytes_are_logged},
	{"writers scan nothing", writers_scan_nothing},
	{"columns of numbers hold texts", columns_of_numbers_hold_texts},
	{"sums are moved", sums_are_moved},
	{"nodes go with viewd", nodes_go_with_viewd},
	{"a log holds what readers need", a_log_holds_what_readers_need},
	{"rows that others remove are missed", rows_that_others_remove_are_missed},
	{"a trigger that is gone", a_trigger_that_is_gone},
	{"a log that is gone", a_log_that_is_gone},
	{"a log that goes while the watch looks", a_log_that_goes_while_the_watch_looks},
	{"an index over an expression", an_index_over_an_expression},
	{"a column that is dropped", a_column_that_is_dropped},
	{"keys have an index", keys_have_an_index},
};
HARNESS_MAIN(SUITE("sqlite logs", logs_tests))
