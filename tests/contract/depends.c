/* SPDX-License-Identifier: MIT
 *
 * The dependencies of a view are listed, through plain views. A definition that becomes another one is told.
 */
#include "contract/contract.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define PATIENCE INT64_C(60000000) /* only a failure takes that long */

struct scene {
	struct contract c;
	struct viewd_watch *watch;
	struct viewd_view_spec v;
	char *entries;
	int n_redefined;
	int64_t seq;
};

static bool keep_entry(void *ctx, const struct viewd_dependency *entry)
{
	struct scene *s = ctx;

	s->entries = talloc_asprintf_append(s->entries, "%s %d\n", entry->name, entry->heard_by);
	return true;
}

static bool keep_quiet(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static bool keep_source(void *ctx UNUSED, const struct viewd_source *source UNUSED)
{
	return true;
}

static bool hear(void *ctx, const struct viewd_signal *signal)
{
	struct scene *s = ctx;

	CHECK_INT(signal->struct_size, sizeof *signal);
	s->n_redefined += signal->kind == VIEWD_SIGNAL_REDEFINED;
	if (signal->kind == VIEWD_SIGNAL_STALE)
		s->seq = signal->seq;
	return true;
}

static void set_up(struct scene *s)
{
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_AUTO, .dependencies = {keep_entry, s}};
	struct viewd_captured out;

	s->entries = talloc_strdup(harness_ctx(), "");
	REQUIRE_OK(
		s->c.dialect->inspect(s->c.conn, &s->v, &s->c.found, (struct viewd_source_sink){keep_source, NULL}, &s->c.err),
		&s->c.err);
	REQUIRE_OK(
		s->c.dialect->capture->set(s->c.conn, &s->v, &req, &out, (struct viewd_text_sink){keep_quiet, NULL}, &s->c.err),
		&s->c.err);
}

static void look(struct scene *s)
{
	s->c.dialect->capture->watch_wake(s->watch);
	REQUIRE_OK(s->c.dialect->capture->watch_next(s->watch, PATIENCE, (struct viewd_signal_sink){hear, s}, &s->c.err),
	           &s->c.err);
}

static void begin(struct scene *s)
{
	*s = (struct scene){.n_redefined = 0};
	contract_begin(&s->c);
	contract_need_capture(&s->c);
	contract_sql("CREATE TABLE one (id integer PRIMARY KEY, a integer); INSERT INTO one VALUES (1, 1), (2, 2);"
	             "CREATE TABLE two (id integer PRIMARY KEY, a integer); INSERT INTO two VALUES (1, 100);"
	             "CREATE VIEW mid AS SELECT id, a FROM one WHERE a > 1; CREATE VIEW top AS SELECT id, a FROM mid");
	s->v = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id, a FROM top");
	s->v.captured = true;
	APPLY(&s->c, &s->v, VIEWD_CHANGE_CREATE);
	set_up(s);
	s->watch = s->c.dialect->capture->watch_open(&s->c.host, &s->c.db, &s->c.err);
	REQUIRE_OK(s->watch != NULL, &s->c.err);
	look(s);
	REFRESH(&s->c, &s->v);
	look(s);
	s->n_redefined = 0;
}

static void end(struct scene *s)
{
	s->c.dialect->capture->watch_close(&s->watch);
	contract_end(&s->c);
}

static void redefine(const char *text)
{
	contract_sql("DROP VIEW top; DROP VIEW mid; CREATE VIEW mid AS %s; CREATE VIEW top AS SELECT id, a FROM mid", text);
}

/* ---- tests */

static void plain_views_are_read_through(void)
{
	struct scene s;

	begin(&s);
	CHECK_CONTAINS(s.entries, "top");
	CHECK_CONTAINS(s.entries, "mid");
	CHECK_CONTAINS(s.entries, "one");
	CHECK(strstr(s.entries, "two") == NULL);
	end(&s);
}

static void another_definition_is_told_at_the_next_look(void)
{
	struct scene s;

	begin(&s);
	int64_t before = s.seq;
	redefine("SELECT id, a FROM one");
	look(&s);
	CHECK(s.n_redefined > 0);
	CHECK(s.seq > before);
	set_up(&s);
	REFRESH(&s.c, &s.v);
	VERIFY_EQUAL(&s.c, &s.v);
	end(&s);
}

static void what_is_read_newly_is_followed(void)
{
	struct scene s;

	begin(&s);
	redefine("SELECT id, a FROM two");
	look(&s);
	set_up(&s);
	CHECK_CONTAINS(s.entries, "two");
	REFRESH(&s.c, &s.v);
	look(&s);
	int64_t before = s.seq;
	contract_sql("UPDATE two SET a = 200");
	look(&s);
	CHECK(s.seq > before);
	REFRESH(&s.c, &s.v);
	VERIFY_EQUAL(&s.c, &s.v);
	end(&s);
}

/* The walk for the first of two views that read the changed object is told to both. */
static void what_a_walk_meets_is_told(void)
{
	struct scene s;

	begin(&s);
	struct viewd_view_spec v = s.v;
	s.v = contract_view("w", VIEWD_METHOD_TABLE, "SELECT count(*) AS n FROM top");
	s.v.captured = true;
	APPLY(&s.c, &s.v, VIEWD_CHANGE_CREATE);
	set_up(&s);
	look(&s);
	REFRESH(&s.c, &s.v);
	look(&s);
	s.n_redefined = 0;
	redefine("SELECT id, a FROM two");
	set_up(&s);
	look(&s);
	CHECK(s.n_redefined > 1);
	set_up(&s);
	s.v = v;
	set_up(&s);
	CHECK_CONTAINS(s.entries, "two");
	s.n_redefined = 0;
	look(&s);
	CHECK_INT(s.n_redefined, 0);
	end(&s);
}

/* A view over what viewd writes with each refresh would wake itself. */
static void what_viewd_writes_is_not_followed(void)
{
	struct scene s;

	begin(&s);
	const char *quote = getenv("VIEWD_CONTRACT_QUOTE");
	s.v.definition =
		talloc_asprintf(harness_ctx(), "SELECT 1 AS id, count(*) AS a FROM %s", contract_state("refresh_history"));
	APPLY(&s.c, &s.v, VIEWD_CHANGE_REPLACE);
	set_up(&s);
	CHECK_CONTAINS(s.entries, talloc_asprintf(harness_ctx(), "refresh_history%c %d\n", quote[0], VIEWD_HEARD_NONE));
	REFRESH(&s.c, &s.v);
	look(&s);
	int64_t before = s.seq;
	REFRESH(&s.c, &s.v);
	look(&s);
	CHECK_INT(s.seq, before);
	end(&s);
}

static void what_defines_nothing_is_not_told(void)
{
	struct scene s;

	begin(&s);
	contract_sql("CREATE INDEX one_a ON one (a); CREATE TABLE other (id integer); INSERT INTO other VALUES (1)");
	look(&s);
	CHECK_INT(s.n_redefined, 0);
	end(&s);
}

static void what_is_gone_is_told(void)
{
	struct scene s;

	begin(&s);
	contract_sql("DROP VIEW top; DROP VIEW mid");
	look(&s);
	CHECK(s.n_redefined > 0);
	CHECK(!contract_refresh(&s.c, &s.v));
	end(&s);
}

/* The walk of a capture comes first; what was looked up before it is of another definition. */
static void what_a_walk_sees_first_is_told_all_the_same(void)
{
	struct scene s;

	begin(&s);
	int64_t before = s.seq;
	redefine("SELECT id, a FROM one");
	set_up(&s);
	look(&s);
	CHECK(s.n_redefined > 0);
	CHECK(s.seq > before);
	s.n_redefined = 0;
	set_up(&s);
	look(&s);
	CHECK_INT(s.n_redefined, 0);
	REFRESH(&s.c, &s.v);
	VERIFY_EQUAL(&s.c, &s.v);
	contract_sql("DROP VIEW top; CREATE VIEW top AS SELECT id, a + 1 AS a FROM one");
	set_up(&s);
	set_up(&s);
	look(&s);
	CHECK(s.n_redefined > 0);
	end(&s);
}

static const struct harness_test tests[] = {
	{"what a walk sees first is told all the same", what_a_walk_sees_first_is_told_all_the_same},
	{"plain views are read through", plain_views_are_read_through},
	{"another definition is told at the next look", another_definition_is_told_at_the_next_look},
	{"what is read newly is followed", what_is_read_newly_is_followed},
	{"what a walk meets is told", what_a_walk_meets_is_told},
	{"what viewd writes is not followed", what_viewd_writes_is_not_followed},
	{"what defines nothing is not told", what_defines_nothing_is_not_told},
	{"what is gone is told", what_is_gone_is_told},
};
const struct harness_suite contract_depends = SUITE("depends", tests);
