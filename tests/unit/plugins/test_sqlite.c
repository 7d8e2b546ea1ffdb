/* SPDX-License-Identifier: MIT
 *
 * What is SQLite's own: URLs, hardening, types, what a replacement keeps, crashes. The shared behaviour is in tests/contract.
 */
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "support/harness.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

struct fixture {
	const struct viewd_dialect *dialect;
	struct viewd_host host;
	struct viewd_database_spec db;
	struct viewd_conn *conn;
	struct viewd_err err;
	struct viewd_outcome out;
	struct viewd_found found;
	sqlite3 *user; /* the application */
};

static void on_log(void *ctx UNUSED, enum viewd_log_level level, const char *msg)
{
	log_event(level, "%s", msg);
}

static int64_t on_now(void *ctx UNUSED)
{
	return clock_system()->wall(clock_system());
}

static void user_sql(struct fixture *f, const char *sql)
{
	char *why = NULL;
	int rc = sqlite3_exec(f->user, sql, NULL, NULL, &why);
	harness_check(rc == SQLITE_OK, __FILE__, __LINE__, "%s: %s", sql, why != NULL ? why : "");
	sqlite3_free(why);
}

static int append_row(void *ctx, int n, char **values, char **names UNUSED)
{
	char **out = ctx;
	for (int i = 0; i < n; i++)
		*out = talloc_asprintf_append_buffer(*out, "%s%s", i > 0 ? "|" : "", values[i] != NULL ? values[i] : "");
	*out = talloc_strdup_append_buffer(*out, "\n");
	return 0;
}

static const char *user_rows(struct fixture *f, const char *sql)
{
	char *out = talloc_strdup(harness_ctx(), "");
	CHECK_INT(sqlite3_exec(f->user, sql, append_row, &out, NULL), SQLITE_OK);
	return out;
}

static void load(struct fixture *f)
{
	const char *build = getenv("VIEWD_BUILD");
	*f = (struct fixture){0};
	void *handle = dlopen(talloc_asprintf(harness_ctx(), "%s/.libs/viewd_sqlite.so", build != NULL ? build : "."),
	                      RTLD_NOW | RTLD_LOCAL);
	REQUIRE(handle != NULL);
	f->dialect = dlsym(handle, "viewd_dialect");
	REQUIRE(f->dialect != NULL);
	f->host = (struct viewd_host){.struct_size = sizeof f->host, .log = on_log, .now = on_now};
	f->db = (struct viewd_database_spec){.struct_size = sizeof f->db, .name = "files", .url = "sqlite:///test.db",
	                                     .base_dir = harness_dir()};
}

static void open_all(struct fixture *f)
{
	load(f);
	REQUIRE(sqlite3_open(harness_path("test.db"), &f->user) == SQLITE_OK);
	user_sql(f, "PRAGMA journal_mode = WAL");
	f->conn = f->dialect->open(&f->host, &f->db, &f->err);
	REQUIRE_OK(f->conn != NULL, &f->err);
	REQUIRE_OK(f->dialect->prepare(f->conn, (struct viewd_recorded_sink){0}, &f->err), &f->err);
}

static void close_all(struct fixture *f)
{
	f->dialect->close(&f->conn);
	sqlite3_close(f->user);
}

static struct viewd_view_spec table_of(const char *definition)
{
	return (struct viewd_view_spec){.struct_size = sizeof(struct viewd_view_spec), .name = "v", .relation = "v",
	                                .definition = definition, .method = VIEWD_METHOD_TABLE, .with_data = true,
	                                .materialized_as_table = true, .on_remove = "keep", .lock_timeout_us = 500000};
}

static bool apply(struct fixture *f, const struct viewd_view_spec *view, enum viewd_change change)
{
	f->err = (struct viewd_err){0};
	return f->dialect->apply(f->conn, view, change, &f->out, &f->err);
}

static bool refresh(struct fixture *f, const struct viewd_view_spec *view)
{
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	f->err = (struct viewd_err){0};
	return f->dialect->refresh(f->conn, view, &req, &f->out, &f->err);
}

#define APPLY(f, view, change) REQUIRE_OK(apply((f), (view), (change)), &(f)->err)

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
	load(&f);
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
	load(&f);
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
	load(&f);
	harness_file("test.db", "this is a text of more than sixteen bytes, and no database at all, whatever its name may say");
	CHECK(f.dialect->open(&f.host, &f.db, &f.err) == NULL);
	CHECK_CONTAINS(f.err.msg, "not a database");
	f.db.url = "sqlite:///.";
	CHECK(f.dialect->open(&f.host, &f.db, &f.err) == NULL);
	CHECK_CONTAINS(f.err.msg, "not a regular file");
}

static void a_replaced_file_is_noticed(void)
{
	struct fixture f;
	open_all(&f);
	CHECK(f.dialect->alive(f.conn));
	REQUIRE(rename(harness_path("test.db"), harness_path("old.db")) == 0);
	CHECK(!f.dialect->alive(f.conn));
	harness_file("test.db", "");
	CHECK(!f.dialect->alive(f.conn));
	close_all(&f);
}

/* Everything but writing goes on while another process holds the write lock. */
static void a_writer_does_not_stop_readers(void)
{
	struct fixture f;
	open_all(&f);
	struct viewd_view_spec view = table_of("SELECT 1 AS a");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	user_sql(&f, "BEGIN IMMEDIATE");
	f.dialect->close(&f.conn);
	f.conn = f.dialect->open(&f.host, &f.db, &f.err);
	REQUIRE_OK(f.conn != NULL, &f.err);
	CHECK_OK(f.dialect->prepare(f.conn, (struct viewd_recorded_sink){0}, &f.err), &f.err);
	CHECK_OK(f.dialect->inspect(f.conn, &view, &f.found, (struct viewd_source_sink){0}, &f.err), &f.err);
	CHECK(f.found.ours);
	CHECK(!refresh(&f, &view));
	CHECK_INT(f.err.cls, VIEWD_ERR_CONFLICT);
	CHECK_INT(f.err.native & 0xff, SQLITE_BUSY);
	user_sql(&f, "COMMIT");
	CHECK_OK(refresh(&f, &view), &f.err);
	close_all(&f);
}

/* ---- hardening ---- */

static void dangerous_definitions_fail(void)
{
	struct fixture f;
	open_all(&f);
	user_sql(&f, "CREATE TABLE t (id INTEGER)");
	static const struct {
		const char *definition;
		enum viewd_err_class cls;
	} cases[] = {
		{"SELECT load_extension('x') AS a", VIEWD_ERR_DENIED}, {"SELECT \"no_such_col\" AS a FROM t", VIEWD_ERR_MISSING},
		{"SELECT fts3_tokenizer('x') AS a", VIEWD_ERR_DENIED}, {"SELECT readfile('/etc/passwd') AS a", VIEWD_ERR_MISSING},
		{"SELECT a FROM (VALUES (1)) AS q(a)", VIEWD_ERR_QUERY}, {"SELECT ?1 + id AS a FROM t", VIEWD_ERR_CONFIG}, {"SELECT :x AS a", VIEWD_ERR_CONFIG},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct viewd_view_spec view = table_of(cases[i].definition);
		bool made = apply(&f, &view, VIEWD_CHANGE_CREATE);
		harness_check(!made && (f.err.cls == cases[i].cls || f.err.cls == VIEWD_ERR_QUERY || f.err.cls == VIEWD_ERR_DENIED), __FILE__,
		              __LINE__, "%s: made %d, %s: %s", cases[i].definition, made, err_class_word(f.err.cls), f.err.msg);
	}
	CHECK_STR(user_rows(&f, "SELECT name FROM sqlite_master WHERE name = 'v'"), "");
	close_all(&f);
}

/* ---- types and values ---- */

static void types_follow_the_origin(void)
{
	struct fixture f;
	open_all(&f);
	user_sql(&f, "CREATE TABLE t (id INTEGER PRIMARY KEY, code VARCHAR(10), amount DECIMAL(10,2), any_ anything);"
	             "CREATE VIEW w AS SELECT code AS c FROM t; INSERT INTO t VALUES (1, '007', 1.5, '12');");
	struct viewd_view_spec view = table_of("SELECT t.id, code, amount, w.c, id + 1 AS next, any_ FROM t, w");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	CHECK_STR(user_rows(&f, "SELECT name, type FROM pragma_table_info('v')"),
	          "id|INTEGER\ncode|VARCHAR(10)\namount|DECIMAL(10,2)\nc|VARCHAR(10)\nnext|\nany_|anything\n");
	close_all(&f);
}

/* A declared type must never change a value: compounds, ANY and expressions get none. */
static void values_are_never_converted(void)
{
	struct fixture f;
	open_all(&f);
	user_sql(&f, "CREATE TABLE t (id INTEGER, code TEXT); INSERT INTO t VALUES (1, 'x');"
	             "CREATE TABLE s (a ANY) STRICT; INSERT INTO s VALUES ('12'), (12), (12.0), (x'00');"
	             "CREATE VIEW both AS SELECT id AS a FROM t UNION ALL SELECT '12';");
	static const char *const definitions[] = {
		"SELECT id AS a FROM t UNION ALL SELECT '12' UNION ALL SELECT 1.0", "SELECT a FROM s", "SELECT a FROM both",
		"SELECT code || 1 AS a FROM t", "WITH RECURSIVE r(a) AS (SELECT id FROM t UNION ALL SELECT a || '0' FROM r LIMIT 3) SELECT a FROM r",
	};
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		struct viewd_view_spec view = table_of(definitions[i]);
		struct viewd_verdict verdict = {0};
		APPLY(&f, &view, VIEWD_CHANGE_CREATE);
		CHECK_OK(f.dialect->verify(f.conn, &view, &verdict, &f.err), &f.err);
		CHECK(verdict.rows > 0);
		CHECK_INT(verdict.missing, 0);
		CHECK_INT(verdict.unexpected, 0);
		CHECK_STR(user_rows(&f, "SELECT group_concat(quote(a)) FROM v"),
		          user_rows(&f, talloc_asprintf(harness_ctx(), "SELECT group_concat(quote(a)) FROM (%s)", definitions[i])));
		APPLY(&f, &view, VIEWD_CHANGE_DROP);
	}
	close_all(&f);
}

/* 1 and 1.0, x and X are equal to SQLite's comparison, but not the same value. */
static void a_diff_sees_small_differences(void)
{
	struct fixture f;
	static const char *const key[] = {"id"};
	open_all(&f);
	user_sql(&f, "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b TEXT COLLATE NOCASE); INSERT INTO t VALUES (1, 1, 'x'), (2, NULL, 'y');");
	struct viewd_view_spec view = table_of("SELECT id, a, b FROM t");
	view.mode = VIEWD_MODE_DIFF;
	view.unique_key = key;
	view.n_unique_key = 1;
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	user_sql(&f, "UPDATE t SET a = 1.0, b = 'X' WHERE id = 1");
	CHECK_OK(refresh(&f, &view), &f.err);
	CHECK_INT(f.out.rows_written, 2);
	CHECK_STR(user_rows(&f, "SELECT quote(a), b FROM v ORDER BY id"), "1.0|X\nNULL|y\n");
	close_all(&f);
}

/* ---- replacing ---- */

static void what_users_added_survives(void)
{
	struct fixture f;
	open_all(&f);
	user_sql(&f, "CREATE TABLE t (id INTEGER, name TEXT); INSERT INTO t VALUES (1, 'a'); CREATE TABLE log (id INTEGER);");
	struct viewd_view_spec view = table_of("SELECT id, name FROM t");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	user_sql(&f, "CREATE INDEX mine ON v (id); CREATE INDEX lost ON v (name);"
	             "CREATE TRIGGER told AFTER INSERT ON v BEGIN INSERT INTO log VALUES (new.id); END;");
	expect_log("'lost' was not made again");
	view.definition = "SELECT id FROM t";
	APPLY(&f, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(user_rows(&f, "SELECT name FROM sqlite_master WHERE tbl_name = 'v' AND name <> 'v' ORDER BY name"), "mine\ntold\n");
	CHECK_OK(refresh(&f, &view), &f.err);
	CHECK_STR(user_rows(&f, "SELECT id FROM log"), "1\n");
	CHECK_INT(f.out.rows, 1);
	close_all(&f);
}

/* A copy of the file through .dump keeps what is ours. */
static void a_dump_keeps_the_ownership(void)
{
	struct fixture f;
	open_all(&f);
	struct viewd_view_spec view = table_of("SELECT 1 AS a");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	user_sql(&f, "VACUUM");
	CHECK_OK(f.dialect->inspect(f.conn, &view, &f.found, (struct viewd_source_sink){0}, &f.err), &f.err);
	CHECK(f.found.ours && !f.found.touched_outside);
	CHECK_CONTAINS(user_rows(&f, "SELECT sql FROM sqlite_master WHERE name = 'v'"), "/* viewd:");
	close_all(&f);
}

static void a_tag_elsewhere_proves_nothing(void)
{
	struct fixture f;
	open_all(&f);
	struct viewd_view_spec view = table_of("SELECT 1 AS a");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	const char *tag = user_rows(&f, "SELECT substr(identity, 5) FROM viewd_views");
	static const char *const texts[] = {
		"CREATE TABLE v (a /* viewd:%.32s */)", "CREATE TABLE v (a DEFAULT '/* viewd:%.32s */')", "CREATE TABLE v (a) /* viewd:%.32s */",
		"CREATE TABLE v /* other */ /* viewd:%.32s */ (a)", "CREATE TABLE v /* viewd:%.31sx */ (a)",
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char sql[256];
		size_t len = strcspn(texts[i], "%");
		int digits = texts[i][len + 2] == '3' && texts[i][len + 3] == '1' ? 31 : 32;
		snprintf(sql, sizeof sql, "%.*s%.*s%s", (int)len, texts[i], digits, tag, texts[i] + len + 5);
		user_sql(&f, "DROP TABLE v");
		user_sql(&f, sql);
		CHECK_OK(f.dialect->inspect(f.conn, &view, &f.found, (struct viewd_source_sink){0}, &f.err), &f.err);
		harness_check(!f.found.ours, __FILE__, __LINE__, "%s is not ours", sql);
		CHECK(!apply(&f, &view, VIEWD_CHANGE_DROP));
		CHECK_INT(f.err.cls, VIEWD_ERR_EXISTS);
	}
	close_all(&f);
}

/* ---- crashes and full disks ---- */

static void die_when_staged(void *ctx, const char *place)
{
	if (strcmp(place, ctx) == 0)
		kill(getpid(), SIGKILL);
}

/* In a process of its own: opens, refreshes, is killed at the place. */
static void refresh_and_die(struct fixture *f, const struct viewd_view_spec *view, const char *place)
{
	char text[64];
	snprintf(text, sizeof text, "%s", place);
	f->host.failpoint = die_when_staged;
	f->host.ctx = text;
	struct viewd_conn *conn = f->dialect->open(&f->host, &f->db, &f->err);
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	if (conn != NULL && f->dialect->prepare(conn, (struct viewd_recorded_sink){0}, &f->err))
		f->dialect->refresh(conn, view, &req, &f->out, &f->err);
	_exit(1);
}

static void a_kill_leaves_the_old_rows_or_the_new(void)
{
	static const struct {
		const char *place;
		const char *rows;
	} places[] = {{"refresh:begin", "1\n"}, {"refresh:emptied", "1\n"}, {"refresh:filled", "1\n"}, {"refresh:recorded", "1\n"},
	              {"refresh:committed", "2\n"}};
	struct fixture f;
	open_all(&f);
	user_sql(&f, "CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1);");
	struct viewd_view_spec view = table_of("SELECT id FROM t");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	user_sql(&f, "UPDATE t SET id = 2");
	close_all(&f);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		int status = 0;
		pid_t pid = fork();
		if (pid == 0)
			refresh_and_die(&f, &view, places[i].place);
		REQUIRE(waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		REQUIRE(sqlite3_open(harness_path("test.db"), &f.user) == SQLITE_OK);
		CHECK_STR(user_rows(&f, "SELECT id FROM v"), places[i].rows);
		CHECK_STR(user_rows(&f, "PRAGMA integrity_check"), "ok\n");
		CHECK_STR(user_rows(&f, "SELECT count(*) FROM viewd_refresh_history WHERE trigger = 'MANUAL'"),
		          places[i].rows[0] == '2' ? "1\n" : "0\n");
		sqlite3_close(f.user);
	}
}

/* The limit on file sizes stands for a full disk: SQLITE_FULL or SQLITE_IOERR, both RESOURCE. */
static void a_full_disk_leaves_the_old_rows(void)
{
	struct fixture f;
	open_all(&f);
	user_sql(&f, "CREATE TABLE t (id INTEGER, filler TEXT); INSERT INTO t VALUES (1, '');");
	struct viewd_view_spec view = table_of("SELECT id, filler FROM t");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	user_sql(&f, "INSERT INTO t WITH RECURSIVE r AS (SELECT 2 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 3000)"
	             " SELECT i, hex(zeroblob(1000)) FROM r; PRAGMA wal_checkpoint(TRUNCATE)");
	struct rlimit old, small = {.rlim_cur = 256 * 1024};
	REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
	CHECK(!refresh(&f, &view));
	REQUIRE(setrlimit(RLIMIT_FSIZE, &old) == 0);
	CHECK_STR(err_class_word(f.err.cls), err_class_word(VIEWD_ERR_RESOURCE));
	CHECK_STR(user_rows(&f, "SELECT count(*) FROM v"), "1\n");
	CHECK_STR(user_rows(&f, "PRAGMA integrity_check"), "ok\n");
	CHECK_OK(refresh(&f, &view), &f.err);
	CHECK_INT(f.out.rows, 3000);
	close_all(&f);
}

static const struct harness_test tests[] = {
	{"urls are judged", urls_are_judged},
	{"an absent file is made only when asked for", an_absent_file_is_made_only_when_asked_for},
	{"what is no database is refused", what_is_no_database_is_refused},
	{"a replaced file is noticed", a_replaced_file_is_noticed},
	{"a writer does not stop readers", a_writer_does_not_stop_readers},
	{"dangerous definitions fail", dangerous_definitions_fail},
	{"types follow the origin", types_follow_the_origin},
	{"values are never converted", values_are_never_converted},
	{"a diff sees small differences", a_diff_sees_small_differences},
	{"what users added survives", what_users_added_survives},
	{"a dump keeps the ownership", a_dump_keeps_the_ownership},
	{"a tag elsewhere proves nothing", a_tag_elsewhere_proves_nothing},
	{"a kill leaves the old rows or the new", a_kill_leaves_the_old_rows_or_the_new},
	{"a full disk leaves the old rows", a_full_disk_leaves_the_old_rows},
};
HARNESS_MAIN(SUITE("sqlite", tests))
