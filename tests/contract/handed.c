/* SPDX-License-Identifier: MIT
 *
 * A view hands over to those that read it the rows that its refresh has changed, whatever its own mode is; likewise
 * within a group, whose members are refreshed by what has changed as well.
 */
#include "base/err.h"
#include "contract/kept.h"

#include <string.h>
#include <talloc.h>

static const char *const key[] = {"id"};

static struct viewd_view_spec keyed_view(const char *name, enum viewd_refresh_mode mode, const char *definition)
{
	struct viewd_view_spec view = contract_view(name, VIEWD_METHOD_TABLE, definition);
	view.mode = mode;
	view.unique_key = key;
	view.n_unique_key = ARRAY_LEN(key);
	return view;
}

static void make_source(void)
{
	contract_sql("CREATE TABLE src (id integer PRIMARY KEY, part integer NOT NULL, amount integer NOT NULL);"
	             "INSERT INTO src VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30), (4, 2, 40), (5, 3, 50);");
}

/* ---- alone ---- */

static void a_difference_is_handed_over(void)
{
	struct contract c;
	kept_begin(&c);
	make_source();
	struct viewd_view_spec below = keyed_view("below", VIEWD_MODE_DIFF, "SELECT id, part, amount FROM src");
	struct viewd_view_spec rows = kept_view("v", "SELECT id, amount + 1 AS amount FROM below");
	struct viewd_view_spec groups =
		kept_view("w", "SELECT part, count(*) AS n, sum(amount) AS amount FROM below GROUP BY part");
	APPLY(&c, &below, VIEWD_CHANGE_CREATE);
	kept_make(&c, &rows);
	kept_make(&c, &groups);
	REFRESH(&c, &rows); /* the log has got a column more */
	contract_sql("UPDATE src SET amount = 11 WHERE id = 1; DELETE FROM src WHERE id = 5; INSERT INTO src VALUES (6, 2, "
	             "60);");
	REFRESH(&c, &below);
	CHECK_INT(c.outcome.did, VIEWD_DID_DIFF);
	kept_keeps(&c, &rows);
	CHECK_CONTAINS(c.outcome.reason, "incremental: 3 keys of 4 images");
	kept_keeps(&c, &groups);
	REFRESH(&c, &below);
	CHECK_INT(c.outcome.did, VIEWD_DID_NO_DATA);
	kept_keeps_by(&c, &rows, 0);
	kept_keeps_by(&c, &groups, 0);
	contract_end(&c);
}

static void all_rows_are_handed_over(void)
{
	struct contract c;
	kept_begin(&c);
	make_source();
	struct viewd_view_spec below = keyed_view("below", VIEWD_MODE_FULL, "SELECT id, part, amount FROM src");
	struct viewd_view_spec groups =
		kept_view("w", "SELECT part, count(*) AS n, sum(amount) AS amount FROM below GROUP BY part");
	APPLY(&c, &below, VIEWD_CHANGE_CREATE);
	kept_make(&c, &groups);
	for (int i = 0; i < 3; i++) {
		contract_sql("UPDATE src SET amount = amount + 1, part = 4 - part WHERE id < 4;");
		REFRESH(&c, &below);
		REFRESH(&c, &groups);
		VERIFY_EQUAL(&c, &groups);
	}
	contract_end(&c);
}

/* ---- in a group ---- */

struct kept_group {
	struct contract c;
	struct viewd_view_spec views[3];
	struct viewd_outcome outcomes[3];
	size_t n, failed;
};

static void begin(struct kept_group *g)
{
	*g = (struct kept_group){.n = 0};
	kept_begin(&g->c);
	contract_need("groups");
	if (g->c.dialect->refresh_group == NULL)
		harness_skip("the dialect has no groups");
	make_source();
}

static void add(struct kept_group *g, struct viewd_view_spec view)
{
	view.refresh_group = "g";
	g->views[g->n] = view;
	APPLY(&g->c, &g->views[g->n], VIEWD_CHANGE_CREATE);
	g->n++;
}

static bool refresh(struct kept_group *g)
{
	static const struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "CHANGE", .run_id = 1};
	struct viewd_group_item items[3];
	const struct viewd_group_item *list[3];
	for (size_t i = 0; i < g->n; i++) {
		items[i] = (struct viewd_group_item){
			.struct_size = sizeof items[i], .view = &g->views[i], .request = &req, .outcome = &g->outcomes[i]};
		list[i] = &items[i];
	}
	g->failed = g->n;
	return g->c.dialect->refresh_group(g->c.conn, list, g->n, &g->failed, &g->c.err);
}

static void takes(struct kept_group *g)
{
	REQUIRE_OK(refresh(g), &g->c.err);
	for (size_t i = 0; i < g->n; i++)
		VERIFY_EQUAL(&g->c, &g->views[i]);
}

/* All members by what has changed. */
static void keeps(struct kept_group *g)
{
	takes(g);
	for (size_t i = 0; i < g->n; i++)
		CHECK_CONTAINS(g->outcomes[i].reason, "incremental: ");
}

/* Until no log is made anew any more, since a member needs another column of it. */
static void settle(struct kept_group *g)
{
	takes(g);
	takes(g);
}

static void change(int i)
{
	contract_sql("UPDATE src SET amount = amount + %d WHERE id <= 2; UPDATE src SET part = 4 - part WHERE id = 3;"
	             "INSERT INTO src (id, part, amount) VALUES (%d, 3, %d); DELETE FROM src WHERE id = %d;",
	             i, 100 + i, i, 98 + i);
}

static void members_do_what_has_changed(void)
{
	struct kept_group g;
	begin(&g);
	add(&g, kept_view("one", "SELECT id, amount FROM src WHERE amount < 1000"));
	add(&g, kept_view("two", "SELECT part, count(*) AS n, sum(amount) AS amount FROM src GROUP BY part"));
	settle(&g);
	for (int i = 1; i < 6; i++) {
		change(i);
		keeps(&g);
		CHECK_INT(g.outcomes[0].did, VIEWD_DID_INCREMENTAL);
		CHECK_INT(g.outcomes[0].data_timestamp_us, g.outcomes[1].data_timestamp_us);
	}
	keeps(&g);
	CHECK_INT(g.outcomes[0].did, VIEWD_DID_NO_DATA);
	CHECK_INT(g.outcomes[1].did, VIEWD_DID_NO_DATA);
	for (size_t i = 0; i < g.n; i++) {
		change(7 + 2 * (int)i);
		kept_keeps(&g.c, &g.views[i]); /* and by itself as ever */
	}
	change(20);
	takes(&g);
	contract_end(&g.c);
}

/* The rows that the lower one has written in the same transaction are read once, and counted once. */
static void a_member_above_another_does_too(void)
{
	struct kept_group g;
	begin(&g);
	add(&g, kept_view("one", "SELECT id, part, amount FROM src WHERE amount < 1000"));
	add(&g, kept_view("two", "SELECT part, count(*) AS n, sum(amount) AS amount FROM one GROUP BY part"));
	add(&g, kept_view("three", "SELECT n, sum(amount) AS amount FROM two GROUP BY n"));
	settle(&g);
	for (int i = 1; i < 6; i++) {
		change(i);
		keeps(&g);
	}
	keeps(&g);
	contract_sql("UPDATE one SET amount = 0 WHERE id = 4;"); /* by hand, until it is computed again */
	REQUIRE_OK(refresh(&g), &g.c.err);
	VERIFY_EQUAL(&g.c, &g.views[1]);
	contract_sql("UPDATE src SET amount = 41 WHERE id = 4;");
	keeps(&g);
	contract_end(&g.c);
}

/* Where the engine writes the rows of each in place. */
static void beside_one_that_is_not_kept(void)
{
	struct kept_group g;
	begin(&g);
	add(&g, kept_view("one", "SELECT part, sum(amount) AS amount FROM src GROUP BY part"));
	add(&g, contract_view("two", VIEWD_METHOD_TABLE, "SELECT id, amount FROM src"));
	settle(&g);
	for (int i = 1; i < 4; i++) {
		change(i);
		takes(&g);
		CHECK_STR(contract_sql("SELECT (SELECT sum(amount) FROM one) - (SELECT sum(amount) FROM two);"), "0");
		bool kept = strstr(g.outcomes[0].reason, "incremental: ") != NULL;
		CHECK(kept || strstr(g.outcomes[0].reason, "with its group: ") != NULL);
	}
	contract_end(&g.c);
}

/* A view outside the group reads the changes of a member, whatever way the engine has to write all of them at once. */
static void a_group_hands_over_to_a_view_outside(void)
{
	struct kept_group g;
	begin(&g);
	add(&g, contract_view("one", VIEWD_METHOD_TABLE, "SELECT id, part, amount FROM src"));
	add(&g, contract_view("two", VIEWD_METHOD_TABLE, "SELECT count(*) AS n FROM src"));
	for (size_t i = 0; i < g.n; i++) {
		g.views[i].mode = VIEWD_MODE_FULL;
		g.views[i].unique_key = i == 0 ? key : NULL;
		g.views[i].n_unique_key = i == 0 ? 1 : 0;
	}
	takes(&g);
	struct viewd_view_spec outside =
		kept_view("v", "SELECT part, count(*) AS n, sum(amount) AS amount FROM one GROUP BY part");
	kept_make(&g.c, &outside);
	for (int i = 1; i < 4; i++) {
		change(i);
		takes(&g);
		CHECK(g.outcomes[0].rows_written > 0);
		kept_keeps(&g.c, &outside);
	}
	takes(&g);
	REFRESH(&g.c, &outside);
	VERIFY_EQUAL(&g.c, &outside);
	contract_end(&g.c);
}

/* Another view needs a column that the log lacks: it is made anew, and the group goes on by that. */
static void a_log_made_anew_is_found(void)
{
	struct kept_group g;
	begin(&g);
	contract_sql("ALTER TABLE src ADD COLUMN note varchar(9);");
	add(&g, kept_view("one", "SELECT id, amount FROM src"));
	add(&g, kept_view("two", "SELECT part, sum(amount) AS amount FROM src GROUP BY part"));
	settle(&g);
	struct viewd_view_spec other = kept_view("v", "SELECT id, note FROM src");
	kept_make(&g.c, &other);
	change(1);
	takes(&g);
	change(2);
	keeps(&g);
	contract_end(&g.c);
}

/* Nothing is read that was not written: the next one does it. */
static void a_failure_takes_nothing_from_the_logs(void)
{
	struct kept_group g;
	begin(&g);
	add(&g, kept_view("one", "SELECT id, amount FROM src"));
	add(&g, kept_view("two", "SELECT id, 100 / amount AS share FROM src"));
	settle(&g);
	contract_sql("UPDATE src SET amount = 25 WHERE id = 2;");
	g.views[1].relation = "gone";
	CHECK(!refresh(&g));
	CHECK_INT(g.failed, 1);
	CHECK_STR(contract_sql("SELECT amount FROM one WHERE id = 2;"), "20");
	g.views[1].relation = NULL;
	keeps(&g);
	CHECK_STR(contract_sql("SELECT amount FROM one WHERE id = 2;"), "25");
	contract_end(&g.c);
}

static void one_that_cannot_be_kept_says_so(void)
{
	struct kept_group g;
	begin(&g);
	add(&g, kept_view("one", "SELECT id, amount FROM src"));
	add(&g, kept_view("two", "SELECT id FROM src ORDER BY id LIMIT 2"));
	CHECK_REFUSED(refresh(&g), &g.c, VIEWD_ERR_CONFIG);
	CHECK_INT(g.failed, 1);
	CHECK_CONTAINS(g.c.err.msg, "LIMIT");
	contract_end(&g.c);
}

static const struct harness_test tests[] = {
	{"a difference is handed over", a_difference_is_handed_over},
	{"all rows are handed over", all_rows_are_handed_over},
	{"members do what has changed", members_do_what_has_changed},
	{"a member above another does too", a_member_above_another_does_too},
	{"beside one that is not kept", beside_one_that_is_not_kept},
	{"a group hands over to a view outside", a_group_hands_over_to_a_view_outside},
	{"a log made anew is found", a_log_made_anew_is_found},
	{"a failure takes nothing from the logs", a_failure_takes_nothing_from_the_logs},
	{"one that cannot be kept says so", one_that_cannot_be_kept_says_so},
};
const struct harness_suite contract_handed = SUITE("handed over", tests);
