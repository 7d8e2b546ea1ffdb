/* SPDX-License-Identifier: MIT
 *
 * Changes of applications to a source in SQLite, which the watch must hear all the same.
 */
#include "unit/plugins/sqlite_fixture.h"

#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <talloc.h>
#include <unistd.h>

#define SHORT INT64_C(50000)
#define PATIENCE INT64_C(10000000)

/* Files whose names end so may be read by nobody. */
static const char *denied;

/* Stands before that of the C library, for the plugin as well. */
__attribute__((visibility("default"))) int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	if (denied == NULL || strstr(path, denied) == NULL)
		return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
	errno = EACCES;
	return -1;
}

struct scene {
	struct fixture f;
	struct viewd_watch *watch;
	int64_t seq;
};

static bool hear(void *ctx, const struct viewd_signal *signal)
{
	*(int64_t *)ctx = signal->seq;
	return true;
}

static bool keep_quiet(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static bool capture(struct scene *s, enum viewd_capture mode, const char *table)
{
	const struct viewd_source source = {"", table, VIEWD_KIND_TABLE};
	struct viewd_view_spec view =
		fixture_table_of(talloc_asprintf(harness_ctx(), "SELECT count(*) AS n FROM %s", table));
	struct viewd_capture_request req = {.struct_size = sizeof req, .mode = mode, .sources = &source, .n_sources = 1};
	struct viewd_captured out;

	s->f.err = (struct viewd_err){0};
	return s->f.dialect->capture->set(s->f.conn, &view, &req, &out, (struct viewd_text_sink){keep_quiet, NULL},
	                                  &s->f.err);
}

static void listen_once(struct scene *s)
{
	struct viewd_signal_sink sink = {hear, &s->seq};

	REQUIRE_OK(s->f.dialect->capture->watch_next(s->watch, SHORT, sink, &s->f.err), &s->f.err);
}

static void settle(struct scene *s)
{
	fixture_user_sql(&s->f, "UPDATE viewd_captures SET clean_seq = dirty_seq");
	s->seq = 0;
}

/* Everything before is told when this is. */
static bool tells(struct scene *s)
{
	int64_t deadline = harness_deadline(PATIENCE);

	while (s->seq == 0 && harness_pause(deadline))
		listen_once(s);
	return s->seq > 0;
}

static void begin(struct scene *s)
{
	*s = (struct scene){.seq = 0};
	fixture_open_all(&s->f);
	fixture_user_sql(&s->f,
	                 "CREATE TABLE src (id INTEGER PRIMARY KEY, a UNIQUE); INSERT INTO src VALUES (1, 1), (2, 2)");
	REQUIRE_OK(capture(s, VIEWD_CAPTURE_TRIGGER, "src"), &s->f.err);
	s->watch = s->f.dialect->capture->watch_open(&s->f.host, &s->f.db, &s->f.err);
	REQUIRE_OK(s->watch != NULL, &s->f.err);
	CHECK(tells(s));
}

static void end(struct scene *s)
{
	s->f.dialect->capture->watch_close(&s->watch);
	fixture_close_all(&s->f);
}

static void noticed(struct scene *s, const char *sql)
{
	settle(s);
	fixture_user_sql(&s->f, sql);
	harness_check(tells(s), __FILE__, __LINE__, "noticed: %s", sql);
}

static void every_way_to_write(void)
{
	struct scene s;

	begin(&s);
	noticed(&s, "REPLACE INTO src VALUES (3, 1)");
	noticed(&s, "INSERT INTO src VALUES (2, 5) ON CONFLICT DO UPDATE SET a = excluded.a + 1");
	noticed(&s, "UPDATE OR REPLACE src SET a = 6 WHERE id = 3");
	noticed(&s, "DELETE FROM src");
	noticed(&s, "PRAGMA recursive_triggers = ON; PRAGMA trusted_schema = OFF; INSERT INTO src VALUES (1, 1)");
	noticed(&s, "SAVEPOINT x; SAVEPOINT y; UPDATE src SET a = 9; ROLLBACK TO y; UPDATE src SET a = 10; RELEASE x");
	noticed(&s, "CREATE VIEW w AS SELECT * FROM src; CREATE TRIGGER t INSTEAD OF INSERT ON w BEGIN INSERT INTO src "
	            "VALUES (new.id, new.a); END;INSERT INTO w VALUES (77, 77)");
	noticed(&s, "VACUUM; PRAGMA wal_checkpoint(TRUNCATE); UPDATE src SET a = 11 WHERE id = 1");
	end(&s);
}

static void a_writer_that_attaches_the_file(void)
{
	struct scene s;
	sqlite3 *other;

	begin(&s);
	settle(&s);
	CHECK_INT(sqlite3_open(":memory:", &other), SQLITE_OK);
	char *attach = talloc_asprintf(harness_ctx(), "ATTACH '%s' AS shop", harness_path("test.db"));
	CHECK_INT(sqlite3_exec(other, attach, NULL, NULL, NULL), SQLITE_OK);
	CHECK_INT(
		sqlite3_exec(other, "CREATE TABLE viewd_captures (x); INSERT INTO shop.src VALUES (50, 50)", NULL, NULL, NULL),
		SQLITE_OK);
	CHECK(tells(&s));
	sqlite3_close(other);
	end(&s);
}

/* The triggers go with the old table, whatever it is called then. */
static void a_table_renamed_away_and_made_anew(void)
{
	struct scene s;

	begin(&s);
	expect_log("was made anew");
	noticed(&s, "ALTER TABLE src RENAME TO kept; CREATE TABLE src (id INTEGER PRIMARY KEY, a)");
	noticed(&s, "INSERT INTO src VALUES (1, 1)");
	noticed(&s, "ALTER TABLE src RENAME COLUMN a TO b; UPDATE src SET b = 2");
	noticed(&s, "CREATE TABLE new_src (id INTEGER PRIMARY KEY, c); DROP TABLE src; ALTER TABLE new_src RENAME TO src");
	noticed(&s, "INSERT INTO src VALUES (2, 2)");
	noticed(&s, "DROP TABLE src; CREATE TABLE SRC (id INTEGER PRIMARY KEY, a)");
	REQUIRE_OK(capture(&s, VIEWD_CAPTURE_TRIGGER, "src"), &s.f.err);
	CHECK_STR(
		fixture_user_rows(
			&s.f, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'SRC' COLLATE NOCASE"),
		"3\n");
	settle(&s);
	fixture_user_sql(&s.f, "INSERT INTO kept VALUES (100, 100)");
	for (int i = 0; i < 5; i++)
		listen_once(&s);
	CHECK_INT(s.seq, 0);
	end(&s);
}

static void no_trigger_is_left_behind(void)
{
	struct scene s;

	begin(&s);
	fixture_user_sql(&s.f, "ALTER TABLE src RENAME TO kept; DROP TABLE IF EXISTS src");
	REQUIRE_OK(capture(&s, VIEWD_CAPTURE_NONE, "src"), &s.f.err);
	CHECK_STR(fixture_user_rows(&s.f, "SELECT name FROM sqlite_master WHERE type = 'trigger'"), "");
	end(&s);
}

/* Writers work on the file that the name leads to, in its own directory. */
static void a_link_is_followed(void)
{
	struct scene s;
	struct viewd_watch *second;

	begin(&s);
	s.f.dialect->capture->watch_close(&s.watch);
	REQUIRE(mkdir(harness_path("links"), 0700) == 0 &&
	        symlink(harness_path("test.db"), harness_path("links/test.db")) == 0);
	s.f.db.base_dir = harness_path("links");
	s.watch = s.f.dialect->capture->watch_open(&s.f.host, &s.f.db, &s.f.err);
	REQUIRE_OK(s.watch != NULL, &s.f.err);
	CHECK(tells(&s));
	s.f.db.base_dir = harness_dir();
	second = s.f.dialect->capture->watch_open(&s.f.host, &s.f.db, &s.f.err);
	CHECK(second == NULL);
	CHECK_STR(err_class_word(s.f.err.cls), "standby");
	CHECK(access(harness_path("links/test.db-viewd"), F_OK) != 0);
	s.f.dialect->capture->watch_close(&second);
	end(&s);
}

static void what_has_no_triggers_is_refused(void)
{
	struct scene s;

	begin(&s);
	fixture_user_sql(&s.f, "CREATE VIRTUAL TABLE words USING fts5 (text)");
	CHECK(!capture(&s, VIEWD_CAPTURE_TRIGGER, "words"));
	CHECK_STR(err_class_word(s.f.err.cls), "config");
	CHECK_CONTAINS(s.f.err.msg, "no triggers on it");
	CHECK_CONTAINS(s.f.err.hint, "sources");
	end(&s);
}

static void a_replaced_file_is_found_out(void)
{
	struct scene s;
	bool good = true;

	begin(&s);
	fixture_user_sql(&s.f, talloc_asprintf(harness_ctx(), "VACUUM INTO '%s'", harness_path("copy.db")));
	REQUIRE(rename(harness_path("copy.db"), harness_path("test.db")) == 0);
	for (int i = 0; i < 20 && good; i++)
		good = s.f.dialect->capture->watch_next(s.watch, SHORT, (struct viewd_signal_sink){hear, &s.seq}, &s.f.err);
	CHECK(!good);
	CHECK_CONTAINS(s.f.err.msg, "replaced");
	end(&s);
}

/* Views would be called fresh for as long as a round takes. */
static void a_file_that_cannot_be_watched_ends_the_watch(void)
{
	struct scene s;
	bool good = true;

	begin(&s);
	REQUIRE(symlink("test.db-journal", harness_path("test.db-journal")) == 0);
	for (int i = 0; i < 20 && good; i++)
		good = s.f.dialect->capture->watch_next(s.watch, SHORT, (struct viewd_signal_sink){hear, &s.seq}, &s.f.err);
	CHECK(!good);
	CHECK_STR(err_class_word(s.f.err.cls), "resource");
	CHECK_CONTAINS(s.f.err.msg, "cannot watch ");
	end(&s);
}

/* SQLite makes it with the rights that the application's mask leaves, and widens them then. */
static void a_file_that_is_denied_at_first_does_not(void)
{
	struct scene s;

	begin(&s);
	settle(&s);
	denied = "test.db-journal";
	fclose(fopen(harness_path("test.db-journal"), "w"));
	for (int i = 0; i < 3; i++)
		listen_once(&s);
	denied = NULL;
	REQUIRE(chmod(harness_path("test.db-journal"), 0640) == 0);
	listen_once(&s);
	noticed(&s, "UPDATE src SET a = 12 WHERE id = 1");
	end(&s);
}

static const struct harness_test tests[] = {
	{"every way to write", every_way_to_write},
	{"a writer that attaches the file", a_writer_that_attaches_the_file},
	{"a table renamed away and made anew", a_table_renamed_away_and_made_anew},
	{"no trigger is left behind", no_trigger_is_left_behind},
	{"a link is followed", a_link_is_followed},
	{"what has no triggers is refused", what_has_no_triggers_is_refused},
	{"a replaced file is found out", a_replaced_file_is_found_out},
	{"a file that cannot be watched ends the watch", a_file_that_cannot_be_watched_ends_the_watch},
	{"a file that is denied at first does not", a_file_that_is_denied_at_first_does_not},
};
HARNESS_MAIN(SUITE("sqlite watch", tests))
