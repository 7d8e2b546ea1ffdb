/* SPDX-License-Identifier: MIT
 *
 * The freshness of views as any SQL client reads it: `viewd.views`, `viewd_views`. No watch is open unless a test opens
 * one, so this is also what is read while viewd is off.
 */
#include "contract/contract.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define SHORT INT64_C(200000)
#define PATIENCE INT64_C(60000000)

struct scene {
	struct contract c;
	struct viewd_view_spec v; /* over src */
	const char *views, *state, *captures;
	bool trigger; /* writers themselves say what they changed */
};

struct sources {
	struct viewd_source items[4];
	size_t n;
};

static bool keep_source(void *ctx, const struct viewd_source *source)
{
	struct sources *all = ctx;
	REQUIRE(all->n < ARRAY_LEN(all->items));
	all->items[all->n++] = (struct viewd_source){talloc_strdup(harness_ctx(), source->schema),
	                                             talloc_strdup(harness_ctx(), source->name), source->kind};
	return true;
}

static bool keep_quiet(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static enum viewd_capture wanted_mode(void)
{
	static const char *const words[] = {"auto", "trigger", "binlog", "poll"};
	const char *mode = getenv("VIEWD_CONTRACT_CAPTURE");
	for (size_t i = 0; mode != NULL && i < ARRAY_LEN(words); i++)
		if (strcmp(mode, words[i]) == 0)
			return (enum viewd_capture)i;
	return VIEWD_CAPTURE_AUTO;
}

/* Sets the capture of a view up. Its sources are tables, or with kept other views of viewd's. */
static enum viewd_capture follow(struct scene *s, struct viewd_view_spec *view, enum viewd_capture mode, bool kept)
{
	struct sources found = {.n = 0};
	struct viewd_captured out = {.mode = VIEWD_CAPTURE_NONE};
	REQUIRE_OK(
		s->c.dialect->inspect(s->c.conn, view, &s->c.found, (struct viewd_source_sink){keep_source, &found}, &s->c.err),
		&s->c.err);
	struct viewd_capture_request req = {.struct_size = sizeof req,
	                                    .mode = mode,
	                                    .sources = found.items,
	                                    .n_sources = kept ? 0 : found.n,
	                                    .kept = found.items,
	                                    .n_kept = kept ? found.n : 0};
	REQUIRE_OK(
		s->c.dialect->capture->set(s->c.conn, view, &req, &out, (struct viewd_text_sink){keep_quiet, NULL}, &s->c.err),
		&s->c.err);
	view->captured = mode != VIEWD_CAPTURE_NONE;
	return out.mode;
}

static bool forget(void *ctx UNUSED, const struct viewd_signal *signal UNUSED)
{
	return true;
}

static const char *ask(struct scene *s, const char *what, const char *view)
{
	return contract_sql("SELECT %s FROM %s WHERE name = '%s'", what, s->views, view);
}

#define FRESHNESS(s, view) ask((s), "freshness", (view))

/* Marks what the logs hold, as the daemon does. */
static void watch_until(struct scene *s, const char *view, const char *word)
{
	int64_t deadline = harness_deadline(PATIENCE);
	struct viewd_watch *watch = s->c.dialect->capture->watch_open(&s->c.host, &s->c.db, &s->c.err);
	REQUIRE_OK(watch != NULL, &s->c.err);
	do
		REQUIRE_OK(s->c.dialect->capture->watch_next(watch, SHORT, (struct viewd_signal_sink){forget, NULL}, &s->c.err),
		           &s->c.err);
	while (strcmp(FRESHNESS(s, view), word) != 0 && harness_pause(deadline));
	s->c.dialect->capture->watch_close(&watch);
	CHECK_STR(FRESHNESS(s, view), word);
}

static void begin(struct scene *s)
{
	*s = (struct scene){.trigger = false};
	contract_begin(&s->c);
	contract_need_capture(&s->c);
	s->views = contract_state("views");
	s->state = contract_state("view_state");
	s->captures = contract_state("captures");
	contract_sql(
		"CREATE TABLE src (id integer PRIMARY KEY, a integer); INSERT INTO src VALUES (1, 1), (2, 2), (3, 3);");
	s->v = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id, a FROM src");
	APPLY(&s->c, &s->v, VIEWD_CHANGE_CREATE);
	s->trigger = follow(s, &s->v, wanted_mode(), false) == VIEWD_CAPTURE_TRIGGER;
}

/* Everything that was written is in v. */
static void settle(struct scene *s)
{
	struct viewd_watch *watch = s->c.dialect->capture->watch_open(&s->c.host, &s->c.db, &s->c.err);
	REQUIRE_OK(watch != NULL, &s->c.err);
	REQUIRE_OK(s->c.dialect->capture->watch_next(watch, SHORT, (struct viewd_signal_sink){forget, NULL}, &s->c.err),
	           &s->c.err);
	REFRESH(&s->c, &s->v);
	s->c.dialect->capture->watch_close(&watch);
	CHECK_STR(FRESHNESS(s, "v"), "FRESH");
}

#define TRUTH(text) truth(ask(&s, "CASE WHEN " text " THEN 'yes' ELSE 'no' END", "v"))

static bool truth(const char *answer)
{
	return strcmp(answer, "yes") == 0;
}

static void a_change_makes_stale_and_a_refresh_fresh(void)
{
	struct scene s;
	begin(&s);
	CHECK_STR(FRESHNESS(&s, "v"), "STALE"); /* what was written before it was followed */
	settle(&s);
	CHECK(TRUTH("stale_since IS NULL AND lag_seconds = 0 AND age_seconds BETWEEN 0 AND 3600"));
	contract_sql("INSERT INTO src VALUES (10, 1)");
	if (s.trigger)
		CHECK_STR(FRESHNESS(&s, "v"), "STALE"); /* nobody has drained the log */
	watch_until(&s, "v", "STALE");
	CHECK(TRUTH("stale_since >= data_timestamp AND lag_seconds BETWEEN 0 AND 3600 AND age_seconds >= 0"));
	settle(&s);
	contract_end(&s.c);
}

/* The first of many changes counts, and none that the data has. */
static void stale_since_is_the_first_missing_change(void)
{
	struct scene s;
	begin(&s);
	settle(&s);
	contract_sql("INSERT INTO src VALUES (10, 1)");
	watch_until(&s, "v", "STALE");
	const char *first = ask(&s, "stale_since", "v");
	int64_t before = atoll(contract_sql("SELECT dirty_seq FROM %s", s.captures));
	contract_sql("UPDATE src SET a = a + 1");
	struct viewd_watch *watch = s.c.dialect->capture->watch_open(&s.c.host, &s.c.db, &s.c.err);
	REQUIRE_OK(watch != NULL, &s.c.err);
	int64_t deadline = harness_deadline(PATIENCE);
	while (atoll(contract_sql("SELECT dirty_seq FROM %s", s.captures)) == before && harness_pause(deadline))
		REQUIRE_OK(s.c.dialect->capture->watch_next(watch, SHORT, (struct viewd_signal_sink){forget, NULL}, &s.c.err),
		           &s.c.err);
	s.c.dialect->capture->watch_close(&watch);
	CHECK_STR(ask(&s, "stale_since", "v"), first);
	settle(&s);
	contract_sql("UPDATE %s SET dirty_seq = dirty_seq + 1", s.captures); /* by a change of while it was read */
	CHECK(TRUTH("freshness = 'STALE' AND stale_since = data_timestamp"));
	contract_end(&s.c);
}

static void what_nobody_follows_is_unknown(void)
{
	struct scene s;
	begin(&s);
	settle(&s);
	follow(&s, &s.v, VIEWD_CAPTURE_NONE, false);
	CHECK_STR(FRESHNESS(&s, "v"), "UNKNOWN");
	CHECK(TRUTH("stale_since IS NULL AND lag_seconds IS NULL AND age_seconds >= 0"));
	contract_sql("INSERT INTO src VALUES (10, 1)");
	CHECK_STR(FRESHNESS(&s, "v"), "UNKNOWN");
	contract_end(&s.c);
}

static void what_nothing_hears_is_unknown_unless_stale(void)
{
	struct scene s;
	begin(&s);
	settle(&s);
	contract_sql("INSERT INTO %s (%s, source, %s, dirty_seq, clean_seq) VALUES ('v', 'function f()', 'none', 3, 3)",
	             s.captures, contract_quote("view"), contract_quote("mode"));
	CHECK_STR(FRESHNESS(&s, "v"), "UNKNOWN");
	CHECK(TRUTH("lag_seconds IS NULL"));
	contract_sql("UPDATE %s SET dirty_seq = 4 WHERE source = 'function f()'", s.captures);
	CHECK_STR(FRESHNESS(&s, "v"), "STALE");
	contract_end(&s.c);
}

static void followed_without_any_source_is_fresh(void)
{
	struct scene s;
	struct viewd_view_spec one = contract_view("one", VIEWD_METHOD_TABLE, "SELECT 1 AS a");
	begin(&s);
	APPLY(&s.c, &one, VIEWD_CHANGE_CREATE);
	CHECK_STR(FRESHNESS(&s, "one"), "UNKNOWN");
	follow(&s, &one, wanted_mode(), false);
	REFRESH(&s.c, &one);
	CHECK_STR(FRESHNESS(&s, "one"), "FRESH");
	follow(&s, &one, VIEWD_CAPTURE_NONE, false);
	CHECK_STR(FRESHNESS(&s, "one"), "UNKNOWN");
	contract_end(&s.c);
}

static void never_filled_is_stale(void)
{
	struct scene s;
	struct viewd_view_spec empty = contract_view("empty", VIEWD_METHOD_TABLE, "SELECT 1 AS a");
	begin(&s);
	empty.with_data = false;
	APPLY(&s.c, &empty, VIEWD_CHANGE_CREATE);
	follow(&s, &empty, wanted_mode(), false);
	CHECK_STR(FRESHNESS(&s, "empty"), "STALE");
	CHECK_STR(ask(&s, "CASE WHEN lag_seconds IS NULL AND age_seconds IS NULL THEN 'yes' ELSE 'no' END", "empty"),
	          "yes");
	contract_end(&s.c);
}

/* Two views above one another over v, each kept by viewd. */
static void what_is_above_is_no_fresher(void)
{
	struct scene s;
	struct viewd_view_spec above[] = {contract_view("above", VIEWD_METHOD_TABLE, "SELECT id FROM v"),
	                                  contract_view("top", VIEWD_METHOD_TABLE, "SELECT id FROM above")};
	begin(&s);
	settle(&s);
	for (size_t i = 0; i < ARRAY_LEN(above); i++) {
		APPLY(&s.c, &above[i], VIEWD_CHANGE_CREATE);
		follow(&s, &above[i], wanted_mode(), true);
		REFRESH(&s.c, &above[i]);
		CHECK_STR(FRESHNESS(&s, above[i].name), "FRESH");
	}
	contract_sql("INSERT INTO src VALUES (10, 1)");
	watch_until(&s, "top", "STALE");
	CHECK_STR(FRESHNESS(&s, "above"), "STALE");
	CHECK_STR(ask(&s, "stale_since", "top"), ask(&s, "stale_since", "v"));
	settle(&s);
	CHECK_STR(FRESHNESS(&s, "top"), "STALE"); /* v has been refreshed, what reads it has not */
	REFRESH(&s.c, &above[0]);
	REFRESH(&s.c, &above[1]);
	CHECK_STR(FRESHNESS(&s, "top"), "FRESH");
	follow(&s, &s.v, VIEWD_CAPTURE_NONE, false);
	CHECK_STR(FRESHNESS(&s, "above"), "UNKNOWN");
	CHECK_STR(FRESHNESS(&s, "top"), "UNKNOWN");
	contract_end(&s.c);
}

/* Nothing is written down of what it reads. */
static void a_simple_view_is_as_fresh_as_all(void)
{
	struct scene s;
	struct viewd_view_spec simple = contract_view("simple", VIEWD_METHOD_SIMPLE, "SELECT id FROM v");
	begin(&s);
	APPLY(&s.c, &simple, VIEWD_CHANGE_CREATE);
	CHECK_STR(FRESHNESS(&s, "simple"), "UNKNOWN");
	settle(&s);
	CHECK_STR(FRESHNESS(&s, "simple"), "FRESH");
	contract_end(&s.c);
}

static void no_definition_is_shown(void)
{
	struct scene s;
	begin(&s);
	const char *all = contract_sql("SELECT * FROM %s", s.views);
	CHECK_CONTAINS(all, "STALE");
	CHECK(strstr(all, "SELECT") == NULL);
	CHECK_STR(contract_sql("SELECT count(*) FROM %s", s.views), "1");
	contract_end(&s.c);
}

/* A database that an earlier version has set up keeps what was written there, and a second start finds nothing to
 * do. */
static void the_table_of_before_is_taken_over(void)
{
	struct scene s;
	begin(&s);
	settle(&s);
	const char *old = strchr(s.views, '.') != NULL ? "views" : "viewd_views";
	const char *filled = ask(&s, "last_success_time", "v");
	contract_sql("DROP VIEW %s; ALTER TABLE %s DROP COLUMN followed; ALTER TABLE %s DROP COLUMN place; ALTER TABLE %s "
	             "DROP COLUMN kept; ALTER TABLE %s DROP COLUMN all_rows_time; ALTER TABLE %s RENAME TO %s",
	             s.views, s.state, s.state, s.state, s.state, s.state, old);
	for (int i = 0; i < 2; i++) {
		contract_reconnect(&s.c);
		INSPECT(&s.c, &s.v);
		CHECK(s.c.found.ours && s.c.found.last_success_us != 0);
		CHECK_STR(ask(&s, "last_success_time", "v"), filled);
		CHECK_STR(FRESHNESS(&s, "v"), "FRESH");
	}
	contract_sql("INSERT INTO src VALUES (10, 1)");
	watch_until(&s, "v", "STALE");
	settle(&s);
	contract_end(&s.c);
}

/* An earlier version has made the table without what has come since. */
static void a_table_that_lacks_columns_is_completed(void)
{
	struct scene s;
	begin(&s);
	settle(&s);
	const char *filled = ask(&s, "last_success_time", "v");
	contract_sql("DROP VIEW %s; UPDATE %s SET place = NULL; ALTER TABLE %s DROP COLUMN all_rows_time; ALTER TABLE %s "
	             "DROP COLUMN kept",
	             s.views, s.state, s.state, s.state);
	s.v.only_look = true; /* before a viewd of this version has been started */
	INSPECT(&s.c, &s.v);
	CHECK(s.c.found.ours && !s.c.found.kept && s.c.found.all_rows_us == 0);
	s.v.only_look = false;
	for (int i = 0; i < 2; i++) {
		contract_reconnect(&s.c);
		INSPECT(&s.c, &s.v);
		CHECK(s.c.found.ours && s.c.found.all_rows_us == 0);
		CHECK_STR(ask(&s, "last_success_time", "v"), filled);
	}
	contract_sql("INSERT INTO src VALUES (10, 1)");
	watch_until(&s, "v", "STALE");
	settle(&s);
	INSPECT(&s.c, &s.v);
	CHECK(s.c.found.all_rows_us == s.c.found.data_timestamp_us);
	contract_end(&s.c);
}

static void another_form_of_it_is_made_anew(void)
{
	struct scene s;
	begin(&s);
	settle(&s);
	contract_sql("DROP VIEW %s", s.views);
	contract_reconnect(&s.c);
	CHECK_STR(FRESHNESS(&s, "v"), "FRESH");
	contract_sql("DROP VIEW %s; CREATE VIEW %s AS SELECT name FROM %s", s.views, s.views, s.state);
	contract_reconnect(&s.c);
	CHECK_STR(FRESHNESS(&s, "v"), "FRESH");
	contract_end(&s.c);
}

static const struct harness_test tests[] = {
	{"a change makes stale and a refresh fresh", a_change_makes_stale_and_a_refresh_fresh},
	{"stale_since is the first missing change", stale_since_is_the_first_missing_change},
	{"what nobody follows is unknown", what_nobody_follows_is_unknown},
	{"what nothing hears is unknown unless stale", what_nothing_hears_is_unknown_unless_stale},
	{"followed without any source is fresh", followed_without_any_source_is_fresh},
	{"never filled is stale", never_filled_is_stale},
	{"what is above is no fresher", what_is_above_is_no_fresher},
	{"a simple view is as fresh as all", a_simple_view_is_as_fresh_as_all},
	{"no definition is shown", no_definition_is_shown},
	{"the table of before is taken over", the_table_of_before_is_taken_over},
	{"a table that lacks columns is completed", a_table_that_lacks_columns_is_completed},
	{"another form of it is made anew", another_form_of_it_is_made_anew},
};
const struct harness_suite contract_words = SUITE("words", tests);
