/* SPDX-License-Identifier: MIT
 *
 * Behaviour of SQLite's own: URLs, types, what a replacement keeps. The shared behaviour is in tests/contract.
 */
#include "base/err.h"
#include "unit/plugins/sqlite_fixture.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

/* ---- opening ---- */

static const char *url_fault(struct fixture *f, const char *url)
{
	f->db.url = url;
	f->err = (struct viewd_err){0};
	if (f->dialect->check_database(&f->db, &f->err))
		return "";
	CHECK_INT(f->err.cls, VIEWD_ERR_CONFIG);
	return f->err.msg;
}

static void urls_are_judged(void)
{
	struct fixture f;
	fixture_load(&f);
	CHECK_STR(url_fault(&f, "sqlite:///x.db"), "");
	CHECK_STR(url_fault(&f, "sqlite+pysqlite:////tmp/x.db?mode=rwc"), "");
	CHECK_CONTAINS(url_fault(&f, "sqlite://"), "memory");
	CHECK_CONTAINS(url_fault(&f, "sqlite:///:memory:"), "memory");
	CHECK_CONTAINS(url_fault(&f, "sqlite:///file:x?mode=rw"), "file:");
	CHECK_CONTAINS(url_fault(&f, "sqlite://host/x.db"), "no host");
	CHECK_CONTAINS(url_fault(&f, "sqlite:///x.db?mode=ro"), "mode=ro");
	CHECK_CONTAINS(url_fault(&f, "sqlite:///x.db?cache=shared"), "unknown parameter 'cache'");
	static const struct viewd_kv bad[] = {{"sqlite_allow_network", "perhaps"}};
	f.db.options = bad;
	f.db.n_options = 1;
	CHECK_CONTAINS(url_fault(&f, "sqlite:///x.db"), "yes or no");
}

static void an_absent_file_is_made_only_when_asked_for(void)
{
	struct fixture f;
	struct stat st;
	fixture_load(&f);
	CHECK(f.dialect->open(&f.host, &f.db, &f.err) == NULL);
	CHECK_INT(f.err.cls, VIEWD_ERR_CONNECT);
	CHECK_CONTAINS(f.err.hint, "mode=rwc");
	CHECK(stat(harness_path("test.db"), &st) != 0);
	f.db.url = "sqlite:///test.db?mode=rwc";
	f.conn = f.dialect->open(&f.host, &f.db, &f.err);
	REQUIRE_OK(f.conn != NULL, &f.err);
	CHECK_OK(f.dialect->prepare(f.conn, (struct viewd_recorded_sink){0}, &f.err), &f.err);
	CHECK(f.dialect->alive(f.conn));
	f.dialect->close(&f.conn);
	f.dialect->close(&f.conn);
}

static void what_is_no_database_is_refused(void)
{
	struct fixture f;
	fixture_load(&f);
	harness_file("test.db",
	             "this is a text of more than sixteen bytes, and no database at all, whatever its name may say");
	CHECK(f.dialect->open(&f.host, &f.db, &f.err) == NULL);
	CHECK_CONTAINS(f.err.msg, "not a database");
	f.db.url = "sqlite:///.";
	CHECK(f.dialect->open(&f.host, &f.db, &f.err) == NULL);
	CHECK_CONTAINS(f.err.msg, "not a regular file");
}

static void a_replaced_file_is_noticed(void)
{
	struct fixture f;
	fixture_open_all(&f);
	CHECK(f.dialect->alive(f.conn));
	REQUIRE(rename(harness_path("test.db"), harness_path("old.db")) == 0);
	CHECK(!f.dialect->alive(f.conn));
	harness_file("test.db", "");
	CHECK(!f.dialect->alive(f.conn));
	fixture_close_all(&f);
}

/* The file goes at one place of a refresh. */
static void replace_at(void *ctx, const char *place)
{
	if (strcmp(place, ctx) == 0)
		REQUIRE(rename(harness_path("test.db"), harness_path("old.db")) == 0);
}

/* The contents of a file that has lost its name are nobody's. Its marks say nothing of the file that took its place. */
static void nothing_is_done_to_a_replaced_file(void)
{
	static const char *const places[] = {"", "refresh:staged", "refresh:recorded"};
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct fixture f;
		fixture_open_all(&f);
		struct viewd_view_spec view = fixture_table_of("SELECT a FROM t");
		fixture_user_sql(&f, "CREATE TABLE t (a integer)");
		APPLY(&f, &view, VIEWD_CHANGE_CREATE);
		fixture_user_sql(&f, "INSERT INTO t VALUES (1)");
		f.host.ctx = (void *)(uintptr_t)places[i];
		f.host.failpoint = replace_at;
		replace_at((void *)(uintptr_t)places[i], "");
		CHECK(!fixture_refresh(&f, &view));
		CHECK_INT(f.err.cls, VIEWD_ERR_CONNECT);
		CHECK_CONTAINS(f.err.msg, "replaced");
		f.host.failpoint = NULL;
		CHECK_STR(fixture_user_rows(&f, "SELECT count(*) FROM v"), "0\n");
		fixture_close_all(&f);
		unlink(harness_path("old.db"));
		unlink(harness_path("old.db-wal"));
		unlink(harness_path("test.db-wal"));
		unlink(harness_path("test.db-shm"));
	}
}

/* Everything but writing goes on while another process holds the write lock. */
static void a_writer_does_not_stop_readers(void)
{
	struct fixture f;
	fixture_open_all(&f);
	struct viewd_view_spec view = fixture_table_of("SELECT 1 AS a");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	fixture_user_sql(&f, "BEGIN IMMEDIATE");
	f.dialect->close(&f.conn);
	f.conn = f.dialect->open(&f.host, &f.db, &f.err);
	REQUIRE_OK(f.conn != NULL, &f.err);
	CHECK_OK(f.dialect->prepare(f.conn, (struct viewd_recorded_sink){0}, &f.err), &f.err);
	CHECK_OK(f.dialect->inspect(f.conn, &view, &f.found, (struct viewd_source_sink){0}, &f.err), &f.err);
	CHECK(f.found.ours);
	CHECK(!fixture_refresh(&f, &view));
	CHECK_INT(f.err.cls, VIEWD_ERR_CONFLICT);
	CHECK_INT(f.err.native & 0xff, SQLITE_BUSY);
	fixture_user_sql(&f, "COMMIT");
	CHECK_OK(fixture_refresh(&f, &view), &f.err);
	fixture_close_all(&f);
}

/* ---- types and values ---- */

static void types_follow_the_origin(void)
{
	struct fixture f;
	fixture_open_all(&f);
	fixture_user_sql(&f,
	                 "CREATE TABLE t (id INTEGER PRIMARY KEY, code VARCHAR(10), amount DECIMAL(10,2), any_ anything);"
	                 "CREATE VIEW w AS SELECT code AS c FROM t; INSERT INTO t VALUES (1, '007', 1.5, '12');");
	struct viewd_view_spec view = fixture_table_of("SELECT t.id, code, amount, w.c, id + 1 AS next, any_, CAST(code AS "
	                                               "INTEGER) AS n, CAST(amount AS REAL) AS r,"
	                                               " (SELECT max(c.code) FROM t AS c) AS m, (SELECT id FROM t) AS "
	                                               "first, CAST(id AS TEXT) AS x FROM t, w");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	CHECK_STR(fixture_user_rows(&f, "SELECT name, type FROM pragma_table_info('v')"),
	          "id|INTEGER\ncode|VARCHAR(10)\namount|DECIMAL(10,2)\nc|VARCHAR(10)\nnext|\nany_|anything\n"
	          "n|INT\nr|REAL\nm|\nfirst|INTEGER\nx|TEXT\n");
	fixture_close_all(&f);
}

/* A declared type must never change a value: compounds, ANY and expressions get none. */
static void values_are_never_converted(void)
{
	struct fixture f;
	fixture_open_all(&f);
	fixture_user_sql(&f, "CREATE TABLE t (id INTEGER, code TEXT); INSERT INTO t VALUES (1, 'x');"
	                     "CREATE TABLE s (a ANY) STRICT; INSERT INTO s VALUES ('12'), (12), (12.0), (x'00');"
	                     "CREATE VIEW both AS SELECT id AS a FROM t UNION ALL SELECT '12';");
	static const char *const definitions[] = {
		"SELECT id AS a FROM t UNION ALL SELECT '12' UNION ALL SELECT 1.0",
		"SELECT a FROM s",
		"SELECT a FROM both",
		"SELECT code || 1 AS a FROM t",
		"WITH RECURSIVE r(a) AS (SELECT id FROM t UNION ALL SELECT a || '0' FROM r LIMIT 3) SELECT a FROM r",
	};
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		struct viewd_view_spec view = fixture_table_of(definitions[i]);
		struct viewd_verdict verdict = {0};
		APPLY(&f, &view, VIEWD_CHANGE_CREATE);
		CHECK_OK(f.dialect->verify(f.conn, &view, &verdict, &f.err), &f.err);
		CHECK(verdict.rows > 0);
		CHECK_INT(verdict.missing, 0);
		CHECK_INT(verdict.unexpected, 0);
		CHECK_STR(fixture_user_rows(&f, "SELECT group_concat(quote(a)) FROM v"),
		          fixture_user_rows(
					  &f, talloc_asprintf(harness_ctx(), "SELECT group_concat(quote(a)) FROM (%s)", definitions[i])));
		APPLY(&f, &view, VIEWD_CHANGE_DROP);
	}
	fixture_close_all(&f);
}

/* 1 and 1.0, x and X are equal to SQLite's comparison, but not the same value. */
static void a_diff_sees_small_differences(void)
{
	struct fixture f;
	static const char *const key[] = {"id"};
	fixture_open_all(&f);
	fixture_user_sql(&f, "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b TEXT COLLATE NOCASE); INSERT INTO t VALUES (1, "
	                     "1, 'x'), (2, NULL, 'y');");
	struct viewd_view_spec view = fixture_table_of("SELECT id, a, b FROM t");
	view.mode = VIEWD_MODE_DIFF;
	view.unique_key = key;
	view.n_unique_key = 1;
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	fixture_user_sql(&f, "UPDATE t SET a = 1.0, b = 'X' WHERE id = 1");
	CHECK_OK(fixture_refresh(&f, &view), &f.err);
	CHECK_INT(f.out.rows_written, 2);
	CHECK_STR(fixture_user_rows(&f, "SELECT quote(a), b FROM v ORDER BY id"), "1.0|X\nNULL|y\n");
	fixture_close_all(&f);
}

/* ---- replacing ---- */

static void what_users_added_survives(void)
{
	struct fixture f;
	fixture_open_all(&f);
	fixture_user_sql(
		&f, "CREATE TABLE t (id INTEGER, name TEXT); INSERT INTO t VALUES (1, 'a'); CREATE TABLE log (id INTEGER);");
	struct viewd_view_spec view = fixture_table_of("SELECT id, name FROM t");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	fixture_user_sql(&f, "CREATE INDEX mine ON v (id); CREATE INDEX lost ON v (name);"
	                     "CREATE TRIGGER told AFTER INSERT ON v BEGIN INSERT INTO log VALUES (new.id); END;");
	expect_log("'lost' was not made again");
	view.definition = "SELECT id FROM t";
	APPLY(&f, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(
		fixture_user_rows(&f, "SELECT name FROM sqlite_master WHERE tbl_name = 'v' AND name <> 'v' ORDER BY name"),
		"mine\ntold\n");
	CHECK_OK(fixture_refresh(&f, &view), &f.err);
	CHECK_STR(fixture_user_rows(&f, "SELECT id FROM log"), "1\n");
	CHECK_INT(f.out.rows, 1);
	fixture_close_all(&f);
}

/* A copy of the file through .dump keeps what is ours. */
static void a_dump_keeps_the_ownership(void)
{
	struct fixture f;
	fixture_open_all(&f);
	struct viewd_view_spec view = fixture_table_of("SELECT 1 AS a");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	fixture_user_sql(&f, "VACUUM");
	CHECK_OK(f.dialect->inspect(f.conn, &view, &f.found, (struct viewd_source_sink){0}, &f.err), &f.err);
	CHECK(f.found.ours && !f.found.touched_outside);
	CHECK_CONTAINS(fixture_user_rows(&f, "SELECT sql FROM sqlite_master WHERE name = 'v'"), "/* viewd:");
	fixture_close_all(&f);
}

static void a_tag_elsewhere_proves_nothing(void)
{
	struct fixture f;
	fixture_open_all(&f);
	struct viewd_view_spec view = fixture_table_of("SELECT 1 AS a");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	const char *tag = fixture_user_rows(&f, "SELECT substr(identity, 5) FROM viewd_view_state");
	static const char *const texts[] = {
		"CREATE TABLE v (a /* viewd:%.32s */)",  "CREATE TABLE v (a DEFAULT '/* viewd:%.32s */')",
		"CREATE TABLE v (a) /* viewd:%.32s */",  "CREATE TABLE v /* other */ /* viewd:%.32s */ (a)",
		"CREATE TABLE v /* viewd:%.31sx */ (a)",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char sql[256];
		size_t len = strcspn(texts[i], "%");
		int digits = texts[i][len + 2] == '3' && texts[i][len + 3] == '1' ? 31 : 32;
		snprintf(sql, sizeof sql, "%.*s%.*s%s", (int)len, texts[i], digits, tag, texts[i] + len + 5);
		fixture_user_sql(&f, "DROP TABLE v");
		fixture_user_sql(&f, sql);
		CHECK_OK(f.dialect->inspect(f.conn, &view, &f.found, (struct viewd_source_sink){0}, &f.err), &f.err);
		harness_check(!f.found.ours, __FILE__, __LINE__, "%s is not ours", sql);
		CHECK(!fixture_apply(&f, &view, VIEWD_CHANGE_DROP));
		CHECK_INT(f.err.cls, VIEWD_ERR_EXISTS);
	}
	fixture_close_all(&f);
}

static const struct harness_test tests[] = {
	{"urls are judged", urls_are_judged},
	{"an absent file is made only when asked for", an_absent_file_is_made_only_when_asked_for},
	{"what is no database is refused", what_is_no_database_is_refused},
	{"a replaced file is noticed", a_replaced_file_is_noticed},
	{"nothing is done to a replaced file", nothing_is_done_to_a_replaced_file},
	{"a writer does not stop readers", a_writer_does_not_stop_readers},
	{"types follow the origin", types_follow_the_origin},
	{"values are never converted", values_are_never_converted},
	{"a diff sees small differences", a_diff_sees_small_differences},
	{"what users added survives", what_users_added_survives},
	{"a dump keeps the ownership", a_dump_keeps_the_ownership},
	{"a tag elsewhere proves nothing", a_tag_elsewhere_proves_nothing},
};
HARNESS_MAIN(SUITE("sqlite", tests))
