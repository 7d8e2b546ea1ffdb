/* SPDX-License-Identifier: MIT
 *
 * The dependencies of a view on SQLite, how each entry is heard, and that nothing of it changes unheard.
 */
#include "unit/plugins/sqlite_fixture.h"

#include "base/err.h"

#include <stdio.h>
#include <talloc.h>
#include <unistd.h>

#define SHORT INT64_C(20000)
#define PATIENCE INT64_C(10000000)

struct scene {
	struct fixture f;
	struct viewd_watch *watch;
	struct viewd_view_spec view;
	enum viewd_capture mode;
	char *list;  /* of dependencies, one a line */
	int64_t seq; /* told last; 0: nothing */
	int redefined;
	bool behind; /* the last look did not come to its end */
};

static bool hear(void *ctx, const struct viewd_signal *signal)
{
	struct scene *s = ctx;
	if (signal->kind == VIEWD_SIGNAL_STALE)
		s->seq = signal->seq;
	s->redefined += signal->kind == VIEWD_SIGNAL_REDEFINED;
	s->behind |= signal->kind == VIEWD_SIGNAL_BEHIND;
	return true;
}

static bool keep_entry(void *ctx, const struct viewd_dependency *entry)
{
	struct scene *s = ctx;
	static const char *const kinds[] = {
#define WORD(sym, word) word,
		VIEWD_DEPENDS(WORD)
#undef WORD
	};
	static const char *const heard[] = {
#define WORD(sym, word, doc) word,
		VIEWD_HEARD(WORD)
#undef WORD
	};
	s->list = talloc_asprintf_append(s->list, "%s|%s|%s\n", kinds[entry->kind], entry->name, heard[entry->heard_by]);
	return true;
}

static bool keep_quiet(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static bool capture(struct scene *s)
{
	struct viewd_capture_request req = {.struct_size = sizeof req, .mode = s->mode, .dependencies = {keep_entry, s}};
	struct viewd_captured out;
	s->list = talloc_strdup(harness_ctx(), "");
	s->f.err = (struct viewd_err){0};
	return s->f.dialect->capture->set(s->f.conn, &s->view, &req, &out, (struct viewd_text_sink){keep_quiet, NULL},
	                                  &s->f.err);
}

static void look(struct scene *s)
{
	s->f.dialect->capture->watch_wake(s->watch);
	REQUIRE_OK(s->f.dialect->capture->watch_next(s->watch, SHORT, (struct viewd_signal_sink){hear, s}, &s->f.err),
	           &s->f.err);
}

/* Is the view told to be stale by the next look? The look was asked for, so it tells all. */
static bool is_stale(struct scene *s)
{
	s->seq = 0;
	s->behind = false;
	look(s);
	return s->seq != 0;
}

static void refresh(struct scene *s)
{
	REQUIRE_OK(fixture_refresh(&s->f, &s->view), &s->f.err);
}

static void begin(struct scene *s, const char *journal, const char *sql, const char *definition,
                  enum viewd_capture mode)
{
	*s = (struct scene){.mode = mode};
	fixture_open_all(&s->f);
	s->f.dialect->close(&s->f.conn);
	fixture_user_sql(&s->f, talloc_asprintf(harness_ctx(), "PRAGMA journal_mode = %s", journal));
	fixture_user_sql(&s->f, sql);
	s->f.conn = s->f.dialect->open(&s->f.host, &s->f.db, &s->f.err);
	REQUIRE_OK(s->f.conn != NULL, &s->f.err);
	s->view = fixture_table_of(definition);
	APPLY(&s->f, &s->view, VIEWD_CHANGE_CREATE);
	s->view.captured = true;
	REQUIRE_OK(capture(s), &s->f.err);
	s->watch = s->f.dialect->capture->watch_open(&s->f.host, &s->f.db, &s->f.err);
	REQUIRE_OK(s->watch != NULL, &s->f.err);
	CHECK(is_stale(s));
	refresh(s);
	CHECK(!is_stale(s));
}

static void end(struct scene *s)
{
	s->f.dialect->capture->watch_close(&s->watch);
	fixture_close_all(&s->f);
}

/* ---- the list ---- */

static void each_kind_is_listed(void)
{
	static const struct {
		const char *definition, *list;
	} cases[] = {
		{"SELECT a FROM t", "table|\"t\"|trigger\n"},
		{"SELECT count(*) AS n FROM outer_", "table|\"t\"|trigger\nview|\"inner_\"|look\nview|\"outer_\"|look\n"},
		{"SELECT count(*) AS n FROM blank", "view|\"blank\"|look\ntable|\"t\"|trigger\n"},
		{"SELECT count(*) AS n FROM blank AS x, blank AS y", "view|\"blank\"|look\ntable|\"t\"|trigger\n"},
		{"WITH q AS (SELECT a FROM t) SELECT a FROM q", "table|\"t\"|trigger\n"},
		{"SELECT value AS a FROM json_each('[1]')", ""},
		{"SELECT body FROM words", "virtual table|\"words\"|poll\n"},
		{"SELECT id FROM box JOIN t ON box.id = t.a", "virtual table|\"box\"|poll\ntable|\"t\"|trigger\n"},
		{"SELECT c0 FROM words_content", "table|\"words_content\"|poll\n"},
		{"SELECT seq FROM sqlite_sequence", "table|\"sqlite_sequence\"|poll\n"},
		{"SELECT name FROM sqlite_master", "catalogue|catalogue sqlite_master|look\n"},
		{"SELECT name FROM pragma_table_info('t')", "catalogue|catalogue pragma_table_info|look\n"},
		{"SELECT a FROM today",
	     "table|\"t\"|trigger\nview|\"today\"|look\nclock|clock datetime() in view today|none\n"},
		{"SELECT random() AS r, a FROM t", "table|\"t\"|trigger\nfunction|function random|none\n"},
		{"SELECT a FROM shaken", "table|\"t\"|trigger\nview|\"shaken\"|look\nfunction|function random|none\n"},
		{"SELECT name FROM dbstat", "virtual table|\"dbstat\"|poll\nother|the file, as viewd writes it|none\n"},
		{"SELECT name FROM viewd_view_state", "table|\"viewd_view_state\"|none\n"},
		{"SELECT name FROM viewd_views",
	     "table|\"viewd_view_state\"|none\ntable|\"viewd_captures\"|none\nview|\"viewd_views\"|none\n"
	     "clock|clock julianday() in view viewd_views|none\n"},
	};
	struct scene s = {.mode = VIEWD_CAPTURE_AUTO};
	fixture_open_all(&s.f);
	fixture_user_sql(&s.f,
	                 "CREATE TABLE t (a); CREATE VIEW inner_ AS SELECT a FROM t; CREATE VIEW outer_ AS SELECT a "
	                 "FROM inner_; CREATE VIEW blank AS SELECT 1 AS one FROM t;"
	                 "CREATE VIRTUAL TABLE words USING fts5(body); CREATE VIRTUAL TABLE box USING rtree(id, x, y);"
	                 "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT);"
	                 "CREATE VIEW today AS SELECT a FROM t WHERE a < datetime('now'); CREATE VIEW shaken AS "
	                 "SELECT a, abs(random()) AS r FROM t;");
	for (size_t i = 0; i < ARRAY_LEN(cases) * 2; i++) {
		s.view = fixture_table_of(cases[i / 2].definition);
		CHECK_OK(capture(&s), &s.f.err); /* the second time modules are open already */
		harness_check_str(s.list, cases[i / 2].list, __FILE__, __LINE__, s.view.definition);
	}
	fixture_close_all(&s.f);
}

static void a_mode_is_chosen_for_each_source(void)
{
	struct scene s = {.mode = VIEWD_CAPTURE_POLL};
	fixture_open_all(&s.f);
	fixture_user_sql(&s.f, "CREATE TABLE t (a); CREATE VIRTUAL TABLE words USING fts5(body)");
	s.view = fixture_table_of("SELECT a, body FROM t, words");
	CHECK_OK(capture(&s), &s.f.err);
	CHECK_STR(s.list, "table|\"t\"|poll\nvirtual table|\"words\"|poll\n");
	CHECK_STR(fixture_user_rows(&s.f, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'"), "0\n");
	s.mode = VIEWD_CAPTURE_TRIGGER;
	CHECK(!capture(&s));
	CHECK_CONTAINS(s.f.err.msg, "'words'");
	s.mode = VIEWD_CAPTURE_AUTO;
	CHECK_OK(capture(&s), &s.f.err);
	CHECK_STR(s.list, "table|\"t\"|trigger\nvirtual table|\"words\"|poll\n");
	fixture_close_all(&s.f);
}

/* ---- definitions ---- */

#define CHAIN \
	"CREATE TABLE t (a); INSERT INTO t VALUES (1); CREATE TABLE u (a); CREATE VIEW low AS SELECT a FROM t; " \
	"CREATE VIEW w AS SELECT a FROM low"

static void what_is_redefined_is_told(void)
{
	/* clang-format off */
	static const char *const ddl[] = {
		"DROP VIEW w; CREATE VIEW w AS SELECT a + 1 AS a FROM low", "DROP VIEW low; CREATE VIEW low AS SELECT a FROM u",
		"ALTER TABLE t ADD COLUMN b", "ALTER TABLE t RENAME TO t2", "DROP VIEW low", "DROP TABLE t",
		"DROP TABLE t; CREATE TABLE t (a TEXT COLLATE NOCASE)",
		"BEGIN; DROP VIEW w; CREATE TABLE w (a); INSERT INTO w VALUES (5); COMMIT",
	};
	/* clang-format on */
	expect_log("table \"t\" was made anew");
	for (size_t i = 0; i < ARRAY_LEN(ddl); i++) {
		struct scene s;
		unlink(harness_path("test.db"));
		begin(&s, i % 2 == 0 ? "wal" : "delete", CHAIN, "SELECT sum(a) AS n FROM w", VIEWD_CAPTURE_AUTO);
		fixture_user_sql(&s.f, "CREATE INDEX quiet ON u (a); ANALYZE; CREATE TABLE other (a); DROP TABLE other");
		harness_check(!is_stale(&s) && s.redefined == 0, __FILE__, __LINE__, "%s: nothing before", ddl[i]);
		fixture_user_sql(&s.f, ddl[i]);
		harness_check(is_stale(&s) && s.redefined > 0, __FILE__, __LINE__, "%s: told", ddl[i]);
		end(&s);
	}
}

/* A table that is read from now on is followed from now on. */
static void a_table_newly_read_is_followed(void)
{
	struct scene s;
	begin(&s, "wal", CHAIN, "SELECT sum(a) AS n FROM w", VIEWD_CAPTURE_AUTO);
	fixture_user_sql(&s.f, "DROP VIEW low; CREATE VIEW low AS SELECT a FROM u");
	CHECK(is_stale(&s) && s.redefined == 1);
	REQUIRE_OK(capture(&s), &s.f.err);
	CHECK_CONTAINS(s.list, "table|\"u\"|trigger");
	refresh(&s);
	CHECK(!is_stale(&s));
	fixture_user_sql(&s.f, "INSERT INTO t VALUES (7)");
	CHECK(!is_stale(&s));
	fixture_user_sql(&s.f, "INSERT INTO u VALUES (7)");
	CHECK(is_stale(&s));
	refresh(&s);
	CHECK_STR(fixture_user_rows(&s.f, "SELECT n FROM v"), "7\n");
	CHECK_INT(s.redefined, 1);
	end(&s);
}

/* A loss is told with the name of what is lost. */
static void what_is_lost_is_named(void)
{
	struct scene s;
	expect_log("table \"t\" was made anew");
	begin(&s, "wal", CHAIN, "SELECT sum(a) AS n FROM w", VIEWD_CAPTURE_AUTO);
	fixture_user_sql(&s.f, "DROP TABLE t");
	CHECK(is_stale(&s));
	CHECK_OK(s.f.dialect->inspect(s.f.conn, &s.view, &s.f.found, (struct viewd_source_sink){0}, &s.f.err), &s.f.err);
	CHECK(!fixture_refresh(&s.f, &s.view));
	CHECK_STR(err_class_word(s.f.err.cls), "missing");
	CHECK_CONTAINS(s.f.err.msg, "main.t");
	CHECK_STR(fixture_user_rows(&s.f, "SELECT n FROM v"), "1\n");
	fixture_user_sql(&s.f, "CREATE TABLE t (a); INSERT INTO t VALUES (3)");
	CHECK(is_stale(&s));
	REQUIRE_OK(capture(&s), &s.f.err);
	refresh(&s);
	CHECK_STR(fixture_user_rows(&s.f, "SELECT n FROM v"), "3\n");
	end(&s);
}

/* ---- every commit of others ---- */

#define POLLED \
	"CREATE TABLE t (id INTEGER PRIMARY KEY, a); CREATE TABLE other (a); CREATE VIRTUAL TABLE words USING fts5(body);" \
	"CREATE VIRTUAL TABLE box USING rtree(id, x, y)"

static void every_commit_of_others_counts(void)
{
	static const char *const journals[] = {"wal", "delete"};
	/* clang-format off */
	static const char *const writes[] = {
		"INSERT INTO t (a) VALUES (1)", "INSERT INTO other VALUES (1)", "INSERT INTO words VALUES ('x')",
		"INSERT INTO box (x, y) VALUES (1, 2)",
		"BEGIN; INSERT INTO t (a) VALUES (2); INSERT INTO words VALUES ('y'); COMMIT", "PRAGMA user_version = 3",
		"VACUUM",
		"INSERT INTO t (a) VALUES (3); PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO t (a) VALUES (4)",
	};
	/* clang-format on */
	for (size_t j = 0; j < ARRAY_LEN(journals); j++) {
		struct scene s;
		unlink(harness_path("test.db"));
		begin(&s, journals[j], POLLED,
		      "SELECT (SELECT count(*) FROM t) + (SELECT count(*) FROM words) + (SELECT count(*) FROM box) AS n",
		      VIEWD_CAPTURE_POLL);
		CHECK_STR(
			fixture_user_rows(&s.f, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%viewd%'"),
			"0\n");
		for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
			fixture_user_sql(&s.f, writes[i]);
			harness_check(is_stale(&s), __FILE__, __LINE__, "%s: %s", journals[j], writes[i]);
			refresh(&s);
			harness_check(!is_stale(&s), __FILE__, __LINE__, "%s: %s: a refresh settles it", journals[j], writes[i]);
			CHECK_STR(fixture_user_rows(&s.f, "SELECT n = (SELECT count(*) FROM t) + (SELECT count(*) FROM words) + "
			                                  "(SELECT count(*) FROM box) FROM v"),
			          "1\n");
		}
		fixture_user_sql(&s.f, "BEGIN; INSERT INTO t (a) VALUES (9); ROLLBACK");
		CHECK(!is_stale(&s));
		end(&s);
	}
}

/* The application commits in the middle of a refresh, where viewd's own commit comes last. */
static void write_beside(void *ctx, const char *place)
{
	struct scene *s = ctx;
	if (strcmp(place, "refresh:staged") == 0)
		fixture_user_sql(&s->f, "INSERT INTO words VALUES ('meanwhile')");
}

static void a_commit_during_a_refresh_counts(void)
{
	static const char *const journals[] = {"wal", "delete"};
	for (size_t j = 0; j < ARRAY_LEN(journals); j++) {
		struct scene s;
		unlink(harness_path("test.db"));
		begin(&s, journals[j], POLLED, "SELECT count(*) AS n FROM words", VIEWD_CAPTURE_AUTO);
		s.f.host.ctx = &s;
		s.f.host.failpoint = write_beside;
		refresh(&s);
		s.f.host.failpoint = NULL;
		CHECK(is_stale(&s));
		refresh(&s);
		CHECK(!is_stale(&s));
		CHECK_STR(fixture_user_rows(&s.f, "SELECT n FROM v"), "1\n");
		end(&s);
	}
}

/* viewd's own writes count where somebody's trigger carries them on. */
static void what_a_refresh_causes_counts(void)
{
	struct scene s;
	begin(&s, "wal", POLLED, "SELECT count(*) AS n FROM words", VIEWD_CAPTURE_AUTO);
	struct viewd_view_spec low = fixture_table_of("SELECT a FROM t");
	low.name = low.relation = "low";
	APPLY(&s.f, &low, VIEWD_CHANGE_CREATE);
	CHECK(!is_stale(&s));
	fixture_user_sql(&s.f, "CREATE TRIGGER found AFTER INSERT ON low BEGIN INSERT INTO words VALUES (new.a); END; "
	                       "INSERT INTO t (a) VALUES ('found')");
	CHECK(is_stale(&s));
	refresh(&s);
	CHECK(!is_stale(&s));
	CHECK_OK(fixture_refresh(&s.f, &low), &s.f.err);
	CHECK(is_stale(&s));
	refresh(&s);
	CHECK(!is_stale(&s));
	CHECK_STR(fixture_user_rows(&s.f, "SELECT n FROM v"), "1\n");
	end(&s);
}

/* While nobody watched. A file's number lasts, a log's begins anew. */
static void a_watch_that_begins_finds_out(void)
{
	static const char *const journals[] = {"wal", "delete"};
	for (size_t j = 0; j < ARRAY_LEN(journals); j++) {
		struct scene s;
		unlink(harness_path("test.db"));
		begin(&s, journals[j], POLLED, "SELECT count(*) AS n FROM words", VIEWD_CAPTURE_AUTO);
		for (int write = 1; write >= 0; write--) {
			s.f.dialect->capture->watch_close(&s.watch);
			if (write == 1)
				fixture_user_sql(&s.f, "INSERT INTO words VALUES ('away')");
			s.watch = s.f.dialect->capture->watch_open(&s.f.host, &s.f.db, &s.f.err);
			REQUIRE_OK(s.watch != NULL, &s.f.err);
			CHECK_INT(is_stale(&s), write == 1 || j == 0);
			refresh(&s);
			CHECK(!is_stale(&s));
		}
		end(&s);
	}
}

/* ---- an older copy in the file, and writers that take long ---- */

static void copy_file(sqlite3 *to, sqlite3 *from)
{
	sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
	REQUIRE(backup != NULL);
	CHECK_INT(sqlite3_backup_step(backup, -1), SQLITE_DONE);
	CHECK_INT(sqlite3_backup_finish(backup), SQLITE_OK);
}

static void write_rows(struct scene *s, int n)
{
	for (int i = 0; i < n; i++)
		fixture_user_sql(&s->f, "INSERT INTO t VALUES (10)");
}

/* The older copy gets as many changes as were lost, fewer, or more; seen one by one or at once. Each is told, with a
 * number above all that were told before. */
static void an_older_copy_in_the_file_is_found_out(void)
{
	expect_log("an older copy was put into the file");
	for (int lost = 1; lost <= 3; lost++)
		for (int later = 0; later <= 4; later++) {
			struct scene s;
			sqlite3 *copy;
			unlink(harness_path("test.db"));
			begin(&s, later % 2 == 0 ? "wal" : "delete", CHAIN, "SELECT sum(a) AS n FROM w", VIEWD_CAPTURE_AUTO);
			REQUIRE(sqlite3_open(":memory:", &copy) == SQLITE_OK);
			copy_file(copy, s.f.user);
			write_rows(&s, lost);
			CHECK(is_stale(&s));
			int64_t told = s.seq;
			refresh(&s);
			CHECK_INT(s.f.out.settled_seq, told);
			CHECK(!is_stale(&s));
			copy_file(s.f.user, copy);
			sqlite3_close(copy);
			write_rows(&s, later);
			harness_check(is_stale(&s) && s.seq > told, __FILE__, __LINE__, "%d lost, %d later: told", lost, later);
			refresh(&s);
			CHECK(!is_stale(&s));
			CHECK_STR(fixture_user_rows(&s.f, "SELECT n = (SELECT sum(a) FROM t) FROM v"), "1\n");
			write_rows(&s, 1);
			CHECK(is_stale(&s) && s.seq > told);
			end(&s);
		}
}

/* The copy comes between the reading of the data and the writing of it. */
static void restore_beside(void *ctx, const char *place)
{
	struct scene *s = ctx;
	if (strcmp(place, "refresh:staged") == 0)
		fixture_user_sql(&s->f, "DELETE FROM t WHERE a = 10; UPDATE viewd_captures SET dirty_seq = 1, clean_seq = 1");
}

static void an_older_copy_during_a_refresh_is_not_settled(void)
{
	struct scene s;
	begin(&s, "wal", CHAIN, "SELECT sum(a) AS n FROM w", VIEWD_CAPTURE_AUTO);
	write_rows(&s, 3);
	s.f.host.ctx = &s;
	s.f.host.failpoint = restore_beside;
	refresh(&s);
	s.f.host.failpoint = NULL;
	CHECK(is_stale(&s));
	refresh(&s);
	CHECK(!is_stale(&s));
	CHECK_STR(fixture_user_rows(&s.f, "SELECT n FROM v"), "1\n");
	end(&s);
}

/* The watch goes on, and says that it has not seen all. */
static void a_long_writer_is_waited_for(void)
{
	struct scene s;
	begin(&s, "wal", CHAIN, "SELECT sum(a) AS n FROM w", VIEWD_CAPTURE_AUTO);
	fixture_user_sql(&s.f, "CREATE INDEX late ON u (a); BEGIN IMMEDIATE; INSERT INTO u VALUES (1)");
	CHECK(!is_stale(&s) && s.behind);
	fixture_user_sql(&s.f, "INSERT INTO t VALUES (4); COMMIT");
	CHECK(is_stale(&s) && !s.behind);
	refresh(&s);
	CHECK_STR(fixture_user_rows(&s.f, "SELECT n FROM v"), "5\n");
	end(&s);
}

static const struct harness_test tests[] = {
	{"each kind is listed", each_kind_is_listed},
	{"a mode is chosen for each source", a_mode_is_chosen_for_each_source},
	{"what is redefined is told", what_is_redefined_is_told},
	{"a table newly read is followed", a_table_newly_read_is_followed},
	{"what is lost is named", what_is_lost_is_named},
	{"every commit of others counts", every_commit_of_others_counts},
	{"a commit during a refresh counts", a_commit_during_a_refresh_counts},
	{"what a refresh causes counts", what_a_refresh_causes_counts},
	{"a watch that begins finds out", a_watch_that_begins_finds_out},
	{"an older copy in the file is found out", an_older_copy_in_the_file_is_found_out},
	{"an older copy during a refresh is not settled", an_older_copy_during_a_refresh_is_not_settled},
	{"a long writer is waited for", a_long_writer_is_waited_for},
};
HARNESS_MAIN(SUITE("sqlite depends", tests))
