/* SPDX-License-Identifier: MIT
 *
 * More changes of a SQLite source than its triggers count: none may be lost, and a writer is spared the writing of
 * marks.
 */
#include "common/state/marks.h"
#include "unit/plugins/sqlite_fixture.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define INSERT_MANY(n) \
	"WITH RECURSIVE r (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM r WHERE i < " #n \
	") INSERT INTO src (a) SELECT i FROM r"
#define COUNTED "SELECT dirty_seq - clean_seq FROM viewd_captures"
#define SAME "SELECT (SELECT n FROM v) = (SELECT count(*) FROM src)"

struct scene {
	struct fixture f;
	struct viewd_view_spec view;
	const char *place, *write; /* at this place of a refresh the application runs this, once */
};

static bool keep_quiet(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static void write_at(void *ctx, const char *place)
{
	struct scene *s = ctx;

	if (s->place == NULL || strcmp(place, s->place) != 0)
		return;
	s->place = NULL;
	fixture_user_sql(&s->f, s->write);
}

static void begin(struct scene *s)
{
	const struct viewd_source source = {"", "src", VIEWD_KIND_TABLE};
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_TRIGGER, .sources = &source, .n_sources = 1};
	struct viewd_captured out;

	*s = (struct scene){.place = NULL};
	fixture_open_all(&s->f);
	fixture_user_sql(&s->f, "CREATE TABLE src (id INTEGER PRIMARY KEY, a)");
	s->view = fixture_table_of("SELECT count(*) AS n FROM src");
	s->view.mode = VIEWD_MODE_FULL; /* auto would go by logs on a slow machine */
	APPLY(&s->f, &s->view, VIEWD_CHANGE_CREATE);
	REQUIRE_OK(s->f.dialect->capture->set(s->f.conn, &s->view, &req, &out, (struct viewd_text_sink){keep_quiet, NULL},
	                                      &s->f.err),
	           &s->f.err);
	s->view.captured = true;
	s->f.host.ctx = s;
	s->f.host.failpoint = write_at;
	REQUIRE_OK(fixture_refresh(&s->f, &s->view), &s->f.err);
	CHECK_STR(fixture_user_rows(&s->f, COUNTED), "0\n");
}

static const char *rows(struct scene *s, const char *sql)
{
	return fixture_user_rows(&s->f, sql);
}

static void refresh(struct scene *s)
{
	CHECK_OK(fixture_refresh(&s->f, &s->view), &s->f.err);
}

static void writers_stop_counting(void)
{
	struct scene s;

	begin(&s);
	fixture_user_sql(&s.f, INSERT_MANY(99));
	CHECK_STR(rows(&s, COUNTED), "99\n");
	fixture_user_sql(&s.f, INSERT_MANY(1000));
	CHECK_STR(rows(&s, COUNTED), "100\n");
	fixture_user_sql(
		&s.f, "PRAGMA wal_checkpoint(TRUNCATE); UPDATE src SET a = 1 WHERE id = 1; PRAGMA wal_checkpoint(PASSIVE)");
	CHECK_STR(rows(&s, COUNTED), "100\n");
	refresh(&s);
	CHECK_STR(rows(&s, COUNTED), "0\n"); /* one refresh has covered all */
	CHECK_STR(rows(&s, SAME), "1\n");
	fixture_close_all(&s.f);
}

/* Whatever comes after the data was read keeps the view stale, however much came before. */
static void a_change_meanwhile_is_kept(void)
{
	static const char *const places[] = {"refresh:counting", "refresh:staged"};
	static const char *const writes[] = {INSERT_MANY(1), INSERT_MANY(99), INSERT_MANY(100), INSERT_MANY(1000)};
	struct scene s;

	begin(&s);
	for (size_t i = 0; i < ARRAY_LEN(places) * ARRAY_LEN(writes); i++) {
		fixture_user_sql(&s.f, INSERT_MANY(1000));
		s.place = places[i / ARRAY_LEN(writes)];
		s.write = writes[i % ARRAY_LEN(writes)];
		refresh(&s);
		CHECK(s.place == NULL);
		bool stale = strcmp(rows(&s, COUNTED), "0\n") != 0;
		harness_check(stale || strcmp(rows(&s, SAME), "1\n") == 0, __FILE__, __LINE__, "stale or right, %zu", i);
		refresh(&s);
		CHECK_STR(rows(&s, SAME), "1\n");
		refresh(&s);
		CHECK_STR(rows(&s, COUNTED), "0\n");
	}
	fixture_close_all(&s.f);
}

/* The marks of a count that has come to its end again before the data is read cover all but the last change, and say
 * so. */
static void what_is_not_counted_is_not_covered(void)
{
	struct scene s;

	begin(&s);
	fixture_user_sql(&s.f, INSERT_MANY(1000));
	s.place = "refresh:counting";
	s.write = INSERT_MANY(1000);
	refresh(&s);
	CHECK_STR(rows(&s, COUNTED), "1\n");
	int64_t dirty = strtoll(rows(&s, "SELECT dirty_seq FROM viewd_captures"), NULL, 10);
	CHECK_INT(s.f.out.settled_seq, dirty - 1);
	refresh(&s);
	CHECK_STR(rows(&s, COUNTED), "0\n");
	CHECK_INT(s.f.out.settled_seq, dirty);
	fixture_close_all(&s.f);
}

static void a_failed_refresh_leaves_it_stale(void)
{
	struct scene s;

	begin(&s);
	fixture_user_sql(&s.f, INSERT_MANY(1000));
	s.place = "refresh:staged";
	s.write = "ALTER TABLE v RENAME TO w";
	CHECK(!fixture_refresh(&s.f, &s.view));
	CHECK_STR(rows(&s, COUNTED), "1\n");
	fixture_user_sql(&s.f, "ALTER TABLE w RENAME TO v");
	refresh(&s);
	CHECK_STR(rows(&s, COUNTED), "0\n");
	CHECK_STR(rows(&s, SAME), "1\n");
	fixture_close_all(&s.f);
}

/* The trigger of an earlier viewd counts without end: it is made anew when the view is captured. */
static void an_old_trigger_is_made_anew(void)
{
	const struct viewd_source source = {"", "src", VIEWD_KIND_TABLE};
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_TRIGGER, .sources = &source, .n_sources = 1};
	struct viewd_captured out;
	struct scene s;

	begin(&s);
	char *name = talloc_strdup(
		harness_ctx(), rows(&s, "SELECT name FROM sqlite_master WHERE type = 'trigger' AND sql LIKE '%AFTER INSERT%'"));
	name[strcspn(name, "\n")] = '\0';
	fixture_user_sql(
		&s.f, talloc_asprintf(harness_ctx(),
	                          "DROP TRIGGER %s; CREATE TRIGGER %s AFTER INSERT ON src BEGIN "
	                          "UPDATE viewd_captures SET dirty_seq = dirty_seq + 1 WHERE source = '\"src\"'; END",
	                          name, name));
	REQUIRE_OK(
		s.f.dialect->capture->set(s.f.conn, &s.view, &req, &out, (struct viewd_text_sink){keep_quiet, NULL}, &s.f.err),
		&s.f.err);
	fixture_user_sql(&s.f, INSERT_MANY(1000));
	CHECK_STR(rows(&s, COUNTED), "100\n");
	fixture_close_all(&s.f);
}

static bool hear(void *ctx, const struct viewd_signal *signal)
{
	*(int64_t *)ctx = signal->seq;
	return true;
}

/* A view that waits until writers rest (debounce) sees that they do not. */
static void changes_that_do_not_count_are_told_all_the_same(void)
{
	struct scene s;
	int64_t first = 0, seq = 0;

	begin(&s);
	fixture_user_sql(&s.f, INSERT_MANY(1000));
	struct viewd_watch *watch = s.f.dialect->capture->watch_open(&s.f.host, &s.f.db, &s.f.err);
	REQUIRE_OK(watch != NULL, &s.f.err);
	for (int64_t deadline = harness_deadline(10000000); (first == 0 || seq <= first) && harness_pause(deadline);) {
		fixture_user_sql(&s.f, INSERT_MANY(1));
		REQUIRE_OK(s.f.dialect->capture->watch_next(watch, 50000, (struct viewd_signal_sink){hear, &seq}, &s.f.err),
		           &s.f.err);
		first = first == 0 ? seq : first;
	}
	CHECK(seq > first);
	s.f.dialect->capture->watch_close(&watch);
	fixture_close_all(&s.f);
}

static const struct harness_test tests[] = {
	{"writers stop counting", writers_stop_counting},
	{"a change meanwhile is kept", a_change_meanwhile_is_kept},
	{"what is not counted is not covered", what_is_not_counted_is_not_covered},
	{"a failed refresh leaves it stale", a_failed_refresh_leaves_it_stale},
	{"an old trigger is made anew", an_old_trigger_is_made_anew},
	{"changes that do not count are told all the same", changes_that_do_not_count_are_told_all_the_same},
};
HARNESS_MAIN(SUITE("sqlite marks", tests))
