/* SPDX-License-Identifier: MIT
 *
 * A SQLite file that others write to, whose disk fills up, whose daemon is killed.
 */
#include "base/err.h"
#include "unit/plugins/sqlite_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

/* ---- the application's writers ---- */

/* Runs inside the refresh, when the definition's rows are there but nothing is written yet. */
static void write_meanwhile(void *ctx, const char *place)
{
	struct fixture *f = ctx;
	if (strcmp(place, "refresh:staged") == 0)
		fixture_user_sql(f, "BEGIN IMMEDIATE; UPDATE t SET id = id + 1; COMMIT");
}

static void writers_go_on_while_the_definition_runs(void)
{
	struct fixture f;
	static const char *const key[] = {"id"};
	static const enum viewd_refresh_mode modes[] = {VIEWD_MODE_FULL, VIEWD_MODE_DIFF};
	fixture_open_all(&f);
	f.host.ctx = &f;
	fixture_user_sql(&f, "CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1);");
	struct viewd_view_spec view = fixture_table_of("SELECT id FROM t");
	view.unique_key = key;
	view.n_unique_key = 1;
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		view.mode = modes[i];
		const char *before = fixture_user_rows(&f, "SELECT id FROM t");
		f.host.failpoint = write_meanwhile;
		CHECK_OK(fixture_refresh(&f, &view), &f.err);
		f.host.failpoint = NULL;
		CHECK_STR(fixture_user_rows(&f, "SELECT id FROM v"), before);
		CHECK(strcmp(fixture_user_rows(&f, "SELECT id FROM t"), before) != 0);
		CHECK_OK(fixture_refresh(&f, &view), &f.err);
		CHECK_STR(fixture_user_rows(&f, "SELECT id FROM v"), fixture_user_rows(&f, "SELECT id FROM t"));
	}
	CHECK_STR(fixture_user_rows(&f, "SELECT count(*) FROM pragma_table_list WHERE name LIKE 'viewd_stage%'"), "0\n");
	fixture_close_all(&f);
}

/* Somebody writes into viewd's table between the comparison and the write. */
static void delete_meanwhile(void *ctx, const char *place)
{
	if (strcmp(place, "refresh:staged") == 0)
		fixture_user_sql(ctx, "DELETE FROM v");
}

static void a_tampered_diff_is_refused(void)
{
	struct fixture f;
	static const char *const key[] = {"id"};
	fixture_open_all(&f);
	f.host.ctx = &f;
	fixture_user_sql(&f, "CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1);");
	struct viewd_view_spec view = fixture_table_of("SELECT id FROM t");
	view.unique_key = key;
	view.n_unique_key = 1;
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	fixture_user_sql(&f, "UPDATE t SET id = 2");
	f.host.failpoint = delete_meanwhile;
	CHECK(!fixture_refresh(&f, &view));
	CHECK_INT(f.err.cls, VIEWD_ERR_CONFLICT);
	f.host.failpoint = NULL;
	CHECK_OK(fixture_refresh(&f, &view), &f.err);
	CHECK_STR(fixture_user_rows(&f, "SELECT id FROM v"), "2\n");
	fixture_close_all(&f);
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
	} places[] = {{"refresh:staged", "1\n"}, {"refresh:begin", "1\n"},    {"refresh:emptied", "1\n"},
	              {"refresh:filled", "1\n"}, {"refresh:recorded", "1\n"}, {"refresh:committed", "2\n"}};
	struct fixture f;
	fixture_open_all(&f);
	fixture_user_sql(&f, "CREATE TABLE t (id INTEGER); INSERT INTO t VALUES (1);");
	struct viewd_view_spec view = fixture_table_of("SELECT id FROM t");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	fixture_user_sql(&f, "UPDATE t SET id = 2");
	fixture_close_all(&f);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		int status = 0;
		pid_t pid = fork();
		if (pid == 0)
			refresh_and_die(&f, &view, places[i].place);
		REQUIRE(waitpid(pid, &status, 0) == pid);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		REQUIRE(sqlite3_open(harness_path("test.db"), &f.user) == SQLITE_OK);
		CHECK_STR(fixture_user_rows(&f, "SELECT id FROM v"), places[i].rows);
		CHECK_STR(fixture_user_rows(&f, "PRAGMA integrity_check"), "ok\n");
		CHECK_STR(fixture_user_rows(&f, "SELECT count(*) FROM viewd_refresh_history WHERE trigger = 'MANUAL'"),
		          places[i].rows[0] == '2' ? "1\n" : "0\n");
		sqlite3_close(f.user);
	}
}

/* The limit on file sizes stands for a full disk: SQLITE_FULL or SQLITE_IOERR, both RESOURCE. */
static void a_full_disk_leaves_the_old_rows(void)
{
	struct fixture f;
	fixture_open_all(&f);
	fixture_user_sql(&f, "CREATE TABLE t (id INTEGER, filler TEXT); INSERT INTO t VALUES (1, '');");
	struct viewd_view_spec view = fixture_table_of("SELECT id, filler FROM t");
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	fixture_user_sql(&f,
	                 "INSERT INTO t WITH RECURSIVE r AS (SELECT 2 AS i UNION ALL SELECT i + 1 FROM r WHERE i < 3000)"
	                 " SELECT i, hex(zeroblob(1000)) FROM r; PRAGMA wal_checkpoint(TRUNCATE)");
	struct rlimit old, small = {.rlim_cur = 256 * 1024};
	REQUIRE(getrlimit(RLIMIT_FSIZE, &old) == 0);
	small.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	REQUIRE(setrlimit(RLIMIT_FSIZE, &small) == 0);
	CHECK(!fixture_refresh(&f, &view));
	REQUIRE(setrlimit(RLIMIT_FSIZE, &old) == 0);
	CHECK_STR(err_class_word(f.err.cls), err_class_word(VIEWD_ERR_RESOURCE));
	CHECK_STR(fixture_user_rows(&f, "SELECT count(*) FROM v"), "1\n");
	CHECK_STR(fixture_user_rows(&f, "PRAGMA integrity_check"), "ok\n");
	CHECK_OK(fixture_refresh(&f, &view), &f.err);
	CHECK_INT(f.out.rows, 3000);
	fixture_close_all(&f);
}

static bool ignore_signal(void *ctx UNUSED, const struct viewd_signal *signal UNUSED)
{
	return true;
}

/* Somebody else's log file, for five seconds. */
static void write_beside(void)
{
	int fd = open(talloc_asprintf(harness_ctx(), "%s/other.log", harness_dir()), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	for (int64_t deadline = harness_deadline(5000000); fd >= 0 && harness_deadline(0) < deadline;)
		if (pwrite(fd, "x", 1, 0) != 1)
			_exit(1);
	_exit(0);
}

static void a_busy_file_beside_keeps_nobody_busy(void)
{
	struct fixture f;
	const struct viewd_signal_sink sink = {ignore_signal, NULL};

	fixture_load(&f);
	fixture_open_all(&f);
	struct viewd_watch *watch = f.dialect->capture->watch_open(&f.host, &f.db, &f.err);
	REQUIRE_OK(watch != NULL, &f.err);
	pid_t pid = fork();
	if (pid == 0)
		write_beside();
	int64_t longest = 0;
	for (int i = 0; i < 20 && longest < 300000; i++) {
		int64_t from = harness_deadline(0);
		REQUIRE_OK(f.dialect->capture->watch_next(watch, 5000000, sink, &f.err), &f.err);
		longest = harness_deadline(0) - from;
	}
	CHECK(longest >= 300000);                  /* its pauses grow until it sleeps: nothing of its own has changed */
	CHECK_INT(waitpid(pid, NULL, WNOHANG), 0); /* all that time the other file was written */
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	f.dialect->capture->watch_close(&watch);
	fixture_close_all(&f);
}

static void a_trigger_searches_for_its_marks(void)
{
	struct fixture f;

	fixture_load(&f);
	fixture_open_all(&f);
	CHECK_CONTAINS(fixture_user_rows(
					   &f, "EXPLAIN QUERY PLAN UPDATE viewd_captures SET dirty_seq = dirty_seq + 1 WHERE source = 's'"),
	               "viewd_captures_source");
	/* and who would drop them is told what that does */
	CHECK_CONTAINS(fixture_user_rows(&f, "SELECT sql FROM sqlite_master WHERE name = 'viewd_captures'"),
	               "viewctl uninstall");
	fixture_close_all(&f);
}

/* A column of a table keeps what it is given only where it has no type. */
static void having_no_type_is_another_type(void)
{
	struct fixture f;
	fixture_open_all(&f);
	fixture_user_sql(&f, "CREATE TABLE t (id INTEGER PRIMARY KEY, code); INSERT INTO t VALUES (1, '007')");
	struct viewd_view_spec view = fixture_table_of("SELECT id, code FROM t");
	view.compare_columns = VIEWD_COMPARE_TYPES;
	APPLY(&f, &view, VIEWD_CHANGE_CREATE);
	static const char *const types[] = {" INTEGER", "", " ANY", " TEXT"}, *const told[] = {"another type of code",
	                                                                                       "another type of code", "",
	                                                                                       "another type of code"};
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		fixture_user_sql(
			&f, talloc_asprintf(harness_ctx(),
		                        "CREATE TABLE u (id INTEGER PRIMARY KEY, code%s); INSERT INTO u SELECT * FROM t;"
		                        "DROP TABLE t; ALTER TABLE u RENAME TO t",
		                        types[i]));
		CHECK_OK(f.dialect->inspect(f.conn, &view, &f.found, (struct viewd_source_sink){0}, &f.err), &f.err);
		CHECK_STR(f.found.columns_differ, told[i]);
		APPLY(&f, &view, VIEWD_CHANGE_REPLACE);
		CHECK_STR(fixture_user_rows(
					  &f, "SELECT count(*) FROM (SELECT id, quote(code) FROM v EXCEPT SELECT id, quote(code) FROM t)"),
		          "0\n");
	}
	fixture_close_all(&f);
}

static const struct harness_test tests[] = {
	{"having no type is another type", having_no_type_is_another_type},
	{"writers go on while the definition runs", writers_go_on_while_the_definition_runs},
	{"a tampered diff is refused", a_tampered_diff_is_refused},
	{"a kill leaves the old rows or the new", a_kill_leaves_the_old_rows_or_the_new},
	{"a full disk leaves the old rows", a_full_disk_leaves_the_old_rows},
	{"a busy file beside keeps nobody busy", a_busy_file_beside_keeps_nobody_busy},
	{"a trigger searches for its marks", a_trigger_searches_for_its_marks},
};
HARNESS_MAIN(SUITE("sqlite live", tests))
