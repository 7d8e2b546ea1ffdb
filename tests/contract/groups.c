/* SPDX-License-Identifier: MIT
 *
 * Refreshing several views as one: all switch together, none when one fails, one sees what another has got. Skipped
 * where the dialect has no groups.
 */
#include "base/err.h"
#include "contract/contract.h"

#include <talloc.h>

struct group_scene {
	struct contract c;
	struct viewd_view_spec views[3];
	struct viewd_refresh_request req;
	struct viewd_outcome outcomes[3];
	size_t failed;
};

static void begin(struct group_scene *s)
{
	*s = (struct group_scene){.failed = 0};
	contract_begin(&s->c);
	contract_need("groups");
	if (s->c.dialect->refresh_group == NULL)
		harness_skip("the dialect has no groups");
	s->req = (struct viewd_refresh_request){.struct_size = sizeof s->req, .trigger = "CHANGE", .run_id = 1};
	contract_sql("CREATE TABLE src (id integer PRIMARY KEY, amount integer NOT NULL); INSERT INTO src VALUES (1, 10), "
	             "(2, 20), (3, 30);");
}

static void add(struct group_scene *s, size_t i, const char *name, enum viewd_method method, const char *definition)
{
	s->views[i] = contract_view(name, method, definition);
	s->views[i].refresh_group = "g";
	APPLY(&s->c, &s->views[i], VIEWD_CHANGE_CREATE);
}

static bool refresh(struct group_scene *s, size_t n)
{
	struct viewd_group_item items[3];
	const struct viewd_group_item *list[3];
	for (size_t i = 0; i < n; i++) {
		items[i] = (struct viewd_group_item){
			.struct_size = sizeof items[i], .view = &s->views[i], .request = &s->req, .outcome = &s->outcomes[i]};
		list[i] = &items[i];
	}
	s->failed = n;
	return s->c.dialect->refresh_group(s->c.conn, list, n, &s->failed, &s->c.err);
}

#define REFRESH_GROUP(s, n) REQUIRE_OK(refresh((s), (n)), &(s)->c.err)

static bool add_run(void *ctx, const struct viewd_history_row *row)
{
	char **text = ctx;
	*text = talloc_asprintf_append(*text, "%s/%s ", row->trigger, row->result);
	return true;
}

static const char *history_of(struct group_scene *s, size_t i)
{
	char *text = talloc_strdup(harness_ctx(), "");
	struct viewd_history_sink sink = {add_run, &text};
	REQUIRE_OK(s->c.dialect->history(s->c.conn, &s->views[i], 1, sink, &s->c.err), &s->c.err);
	return text;
}

static void all_members_switch(void)
{
	struct group_scene s;
	begin(&s);
	add(&s, 0, "one", VIEWD_METHOD_TABLE, "SELECT id, amount FROM src");
	add(&s, 1, "two", VIEWD_METHOD_MATERIALIZED, "SELECT sum(amount) AS total FROM src");
	contract_sql("INSERT INTO src VALUES (4, 40);");
	REFRESH_GROUP(&s, 2);
	CHECK_STR(contract_sql("SELECT (SELECT count(*) FROM one), (SELECT total FROM two);"), "4|100");
	CHECK_INT(s.outcomes[0].rows, 4);
	CHECK_INT(s.outcomes[1].rows, 1);
	CHECK_INT(s.outcomes[0].data_timestamp_us, s.outcomes[1].data_timestamp_us);
	for (size_t i = 0; i < 2; i++) {
		VERIFY_EQUAL(&s.c, &s.views[i]);
		INSPECT(&s.c, &s.views[i]);
		CHECK(s.c.found.ours);
		CHECK_INT(s.c.found.rows, s.outcomes[i].rows);
		CHECK_INT(s.c.found.data_timestamp_us, s.outcomes[0].data_timestamp_us);
		CHECK_STR(history_of(&s, i), "CHANGE/SUCCEEDED ");
		REFRESH(&s.c, &s.views[i]); /* and by itself as ever */
	}
	contract_end(&s.c);
}

static void one_failure_leaves_all(void)
{
	struct group_scene s;
	begin(&s);
	add(&s, 0, "one", VIEWD_METHOD_TABLE, "SELECT id, amount FROM src");
	add(&s, 1, "two", VIEWD_METHOD_TABLE, "SELECT id, amount AS k FROM src");
	static const char *const key[] = {"k"};
	struct viewd_view_spec *two = &s.views[1];
	two->unique_key = key;
	two->n_unique_key = 1;
	APPLY(&s.c, two, VIEWD_CHANGE_REPLACE);
	contract_sql("INSERT INTO src VALUES (4, 40), (5, 40);"); /* not unique */
	for (size_t i = 0; i < 2; i++) {
		CHECK_REFUSED(refresh(&s, 2), &s.c, VIEWD_ERR_QUERY);
		CHECK_INT(s.failed, 1);
		CHECK_STR(contract_sql("SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two);"), "3|3");
	}
	contract_sql("DELETE FROM src WHERE id = 5;");
	REFRESH_GROUP(&s, 2);
	CHECK_STR(contract_sql("SELECT (SELECT count(*) FROM one), (SELECT count(*) FROM two);"), "4|4");
	contract_end(&s.c);
}

static void a_member_sees_what_another_has_got(void)
{
	struct group_scene s;
	begin(&s);
	add(&s, 0, "one", VIEWD_METHOD_TABLE, "SELECT id, amount FROM src WHERE amount > 10");
	add(&s, 1, "two", VIEWD_METHOD_TABLE,
	    "SELECT sum(o.amount) AS total, (SELECT max(id) FROM src) AS last FROM one o JOIN one p ON o.id = p.id");
	add(&s, 2, "three", VIEWD_METHOD_MATERIALIZED, "SELECT total + last AS n FROM two");
	contract_sql("INSERT INTO src VALUES (4, 40);");
	REFRESH_GROUP(&s, 3);
	CHECK_STR(contract_sql("SELECT total, last, n FROM two, three;"), "90|4|94");
	for (size_t i = 0; i < 3; i++)
		VERIFY_EQUAL(&s.c, &s.views[i]);
	contract_sql("INSERT INTO src VALUES (5, 5);");
	REFRESH_GROUP(&s, 3);
	CHECK_STR(contract_sql("SELECT total, last, n FROM two, three;"), "90|5|95");
	contract_end(&s.c);
}

static void an_object_of_somebody_else_is_not_touched(void)
{
	struct group_scene s;
	begin(&s);
	add(&s, 0, "one", VIEWD_METHOD_TABLE, "SELECT id, amount FROM src");
	add(&s, 1, "two", VIEWD_METHOD_TABLE, "SELECT id, amount FROM src");
	contract_sql("DROP TABLE two; CREATE TABLE two (id integer, amount integer); INSERT INTO two VALUES (7, 7);"
	             "INSERT INTO src VALUES (4, 40);");
	CHECK_REFUSED(refresh(&s, 2), &s.c, VIEWD_ERR_EXISTS);
	CHECK_INT(s.failed, 1);
	CHECK_STR(contract_sql("SELECT id, amount FROM two;"), "7|7");
	CHECK_STR(contract_sql("SELECT count(*) FROM one;"), "3");
	contract_sql("DROP TABLE two;");
	CHECK_REFUSED(refresh(&s, 2), &s.c, VIEWD_ERR_MISSING);
	CHECK_INT(s.failed, 1);
	CHECK_STR(contract_sql("SELECT count(*) FROM one;"), "3");
	contract_end(&s.c);
}

static void a_hook_that_fails_fails_all(void)
{
	struct group_scene s;
	begin(&s);
	contract_sql("CREATE TABLE runs (n integer);");
	add(&s, 0, "one", VIEWD_METHOD_TABLE, "SELECT id, amount FROM src");
	add(&s, 1, "two", VIEWD_METHOD_TABLE, "SELECT count(*) AS n FROM runs");
	s.views[1].pre_hook = "INSERT INTO runs VALUES (1)";
	REFRESH_GROUP(&s, 2);
	CHECK_STR(contract_sql("SELECT n FROM two;"), "1");
	contract_sql("INSERT INTO src VALUES (4, 40);");
	s.views[1].pre_hook = "INSERT INTO gone VALUES (1)";
	CHECK(!refresh(&s, 2));
	CHECK_INT(s.failed, 1);
	CHECK_CONTAINS(s.c.err.msg, "pre_hook");
	CHECK_STR(contract_sql("SELECT count(*) FROM one;"), "3");
	contract_end(&s.c);
}

/* The marks of a member that reads another one are settled by the run that refreshed both. */
static void marks_are_settled_together(void)
{
	struct group_scene s;
	struct viewd_captured captured;
	begin(&s);
	contract_need_capture(&s.c);
	add(&s, 0, "one", VIEWD_METHOD_TABLE, "SELECT id, amount FROM src");
	add(&s, 1, "two", VIEWD_METHOD_TABLE, "SELECT count(*) AS n FROM one");
	add(&s, 2, "apart", VIEWD_METHOD_TABLE, "SELECT max(id) AS n FROM one");
	for (size_t i = 0; i < 3; i++) {
		INSPECT(&s.c, &s.views[i]);
		const char *schema = talloc_strdup(harness_ctx(), s.c.found.schema);
		s.views[i].captured = true;
		const struct viewd_source src = {.schema = schema, .name = "src", .kind = VIEWD_KIND_TABLE},
								  one = {.schema = schema, .name = "one", .kind = VIEWD_KIND_TABLE};
		struct viewd_capture_request req = {.struct_size = sizeof req,
		                                    .mode = VIEWD_CAPTURE_AUTO,
		                                    .sources = i == 0 ? &src : NULL,
		                                    .n_sources = i == 0,
		                                    .kept = i > 0 ? &one : NULL,
		                                    .n_kept = i > 0};
		REQUIRE_OK(
			s.c.dialect->capture->set(s.c.conn, &s.views[i], &req, &captured, (struct viewd_text_sink){0}, &s.c.err),
			&s.c.err);
	}
	REFRESH(&s.c, &s.views[2]);
	contract_sql("INSERT INTO src VALUES (4, 40);");
	REFRESH_GROUP(&s, 2);
	CHECK_STR(contract_sql("SELECT view FROM %s WHERE dirty_seq > clean_seq AND mode = 'kept' ORDER BY view;",
	                       contract_state("captures")),
	          "apart");
	contract_end(&s.c);
}

static const struct harness_test tests[] = {
	{"all members switch", all_members_switch},
	{"one failure leaves all", one_failure_leaves_all},
	{"a member sees what another has got", a_member_sees_what_another_has_got},
	{"an object of somebody else is not touched", an_object_of_somebody_else_is_not_touched},
	{"a hook that fails fails all", a_hook_that_fails_fails_all},
	{"marks are settled together", marks_are_settled_together},
};
const struct harness_suite contract_groups = SUITE("groups", tests);
