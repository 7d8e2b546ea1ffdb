/* SPDX-License-Identifier: MIT
 *
 * Inner nodes: sums and counts that are moved, and what puts them right when they are not as they should be.
 */
#include "pg_support.h"

#include <string.h>
#include <talloc.h>

#include "base/err.h"

#define TOTALS "SELECT product, count(*) AS n, sum(amount) AS total FROM sale GROUP BY product"

struct scene {
	struct viewd_conn *conn, *app;
	struct viewd_view_spec view;
};

static void begin_table(struct scene *s)
{
	pg_fresh();
	s->app = pg_session("app");
	pg_do(s->app, "CREATE TABLE sale (id int PRIMARY KEY, product text NOT NULL, amount bigint NOT NULL)");
	pg_do(s->app, "INSERT INTO sale SELECT g, 'p' || g % 10, g FROM generate_series(1, 100) g");
	pg_do(s->app, "GRANT TRIGGER, UPDATE ON sale TO viewd");
}

static void begin_view(struct scene *s, enum viewd_refresh_mode mode, const char *definition, const char *pre_hook)
{
	s->conn = pg_session("viewd");
	pg_prepared(s->conn);
	s->view = pg_view("totals", VIEWD_METHOD_TABLE, definition);
	s->view.mode = mode;
	s->view.pre_hook = pre_hook;
	pg_apply(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s->conn, &s->view);
}

static void begin(struct scene *s, const char *definition, const char *pre_hook)
{
	begin_table(s);
	begin_view(s, VIEWD_MODE_INCREMENTAL, definition, pre_hook);
}

static bool refresh(struct scene *s, bool full, struct viewd_outcome *out, struct viewd_err *err)
{
	struct viewd_refresh_request req = {
		.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1, .force_full = full};
	*out = (struct viewd_outcome){0};
	return DIALECT->refresh(s->conn, &s->view, &req, out, err);
}

static void refreshed(struct scene *s, bool full, const char *by)
{
	struct viewd_outcome out;
	struct viewd_err err = {0};
	REQUIRE_OK(refresh(s, full, &out, &err), &err);
	CHECK_CONTAINS(out.reason, by);
}

static void is_refreshed(struct scene *s, const char *by)
{
	refreshed(s, false, by);
	CHECK_STR(pg_differing(s->conn, &s->view), "0");
}

/* Whatever a node holds, all rows are those of the definition, and the node is filled again. */
static void all_rows_put_a_node_right(void)
{
	struct scene s;
	begin(&s, TOTALS, NULL);
	pg_do(s.app, "UPDATE sale SET amount = 7 WHERE id = 1");
	is_refreshed(&s, "incremental: ");
	pg_do(s.conn, "UPDATE viewd.node_1 SET s2 = s2 + 1");
	pg_do(s.app, "UPDATE sale SET amount = 8 WHERE id = 1");
	refreshed(&s, false, "incremental: ");
	CHECK_STR(pg_differing(s.conn, &s.view), "2");
	refreshed(&s, true, "all rows: it was asked for");
	CHECK_STR(pg_differing(s.conn, &s.view), "0");
	pg_do(s.app, "UPDATE sale SET amount = 9 WHERE id = 2");
	is_refreshed(&s, "incremental: ");
}

/* In the refresh's own transaction: the next one would read the same images. */
static void what_a_pre_hook_writes_counts_once(void)
{
	struct scene s;
	begin(&s, TOTALS, "UPDATE sale SET amount = amount + 1 WHERE id = 1");
	for (int i = 0; i < 4; i++) {
		is_refreshed(&s, "incremental: ");
		pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id < 4");
	}
}

static void the_least_number_has_no_opposite(void)
{
	struct scene s;
	begin(&s, TOTALS, NULL);
	pg_do(s.app, "INSERT INTO sale VALUES (1001, 'p1', -9223372036854775808)");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "DELETE FROM sale WHERE id = 1001");
	is_refreshed(&s, "incremental: ");
}

/* A sum has as many digits as its longest term; when that goes the digits go. */
static void digits_come_and_go(void)
{
	struct scene s;
	begin(&s,
	      "SELECT product, sum(CASE WHEN amount > 50 THEN amount * 1.25 ELSE 0 END) AS big, avg(CASE WHEN amount < 5 "
	      "THEN 2 ELSE amount * 0.5 END) AS half, 100.0 * sum(CASE WHEN amount > 98 THEN amount * 1.00 ELSE 0 END) / "
	      "sum(amount) AS share FROM sale GROUP BY product",
	      NULL);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.nodes"), "1");
	pg_do(s.app, "UPDATE sale SET amount = 1 WHERE product = 'p1'");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "UPDATE sale SET amount = 99 WHERE id IN (11, 12, 13)");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "DELETE FROM sale WHERE amount > 50");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "UPDATE sale SET amount = 51 WHERE id = 21");
	is_refreshed(&s, "incremental: ");
}

static void a_sum_that_is_stuck_is_computed_otherwise(void)
{
	struct scene s;
	begin(&s, TOTALS, NULL);
	pg_do(s.app, "CREATE TABLE money (id int PRIMARY KEY, kind int, price numeric(12,2))");
	pg_do(s.app, "GRANT SELECT, TRIGGER ON money TO viewd");
	pg_do(s.app, "INSERT INTO money SELECT g, nullif(g % 5, 2), g FROM generate_series(1, 50) g");
	s.view.name = "totals2";
	s.view.relation = "totals";
	pg_do(s.conn, "DROP TABLE totals");
	s.view.definition = "SELECT kind, sum(price) AS total FROM money GROUP BY kind";
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s.conn, &s.view);
	pg_do(s.app, "UPDATE money SET price = 7 WHERE id IN (1, 2)");
	is_refreshed(&s, "incremental: ");
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.nodes WHERE view = 'totals2'"), "1");
	pg_do(s.app, "UPDATE money SET price = 'NaN' WHERE id = 1");
	is_refreshed(&s, "");
	pg_do(s.app, "UPDATE money SET price = 9 WHERE id = 1");
	is_refreshed(&s, "incremental: ");
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.nodes WHERE view = 'totals2'"), "0");
}

/* The position in the logs is the view's: a connection that has moved it may have kept other nodes, or none. */
static void connections_have_the_same_nodes(void)
{
	struct scene s, other;
	begin(&s, TOTALS, NULL);
	other = s;
	other.conn = pg_session("viewd");
	pg_prepared(other.conn);
	struct scene *turns[] = {&s, &other};
	for (int i = 0; i < 10; i++) {
		pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id < 9");
		is_refreshed(turns[i % 2], i != 4 && i != 6 ? "incremental: " : "all rows: ");
		if (i == 3) { /* the first one opens its chain anew, and finds that there are to be no nodes */
			pg_do(s.conn, "INSERT INTO viewd.learnt (view, fact, digest, text, learnt_time) SELECT 'totals', 'plain', "
			              "definition_hash, '', now() FROM viewd.view_state WHERE name = 'totals'");
			pg_do(s.conn, "UPDATE viewd.log_readers SET looked = 'x'");
		}
	}
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.nodes"), "0");
}

/* All rows come from one derived table: the part's key goes through it. */
static void derived_tables_are_rolled(void)
{
	struct scene s;
	begin(&s,
	      "SELECT product, half, sum(double) AS total, count(*) AS n FROM (SELECT s.product, s.amount * 2 AS double, "
	      "s.id % 2 AS half FROM sale s JOIN sale t ON t.id = s.id WHERE t.amount > 3) AS q WHERE double > 10 GROUP BY "
	      "product, half HAVING count(*) > 1",
	      NULL);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.nodes"), "2");
	pg_do(s.app, "UPDATE sale SET amount = 99, product = 'p3' WHERE id IN (11, 12, 13)");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "DELETE FROM sale WHERE id % 10 = 7 AND id > 10");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "INSERT INTO sale SELECT g, 'p7', g FROM generate_series(200, 220) g");
	is_refreshed(&s, "incremental: ");
}

/* Groups of groups: how many customers have how many orders. */
static void groups_are_counted(void)
{
	struct scene s;
	begin(
		&s,
		"SELECT n, count(*) AS customers, sum(n) AS sales FROM (SELECT s.id, count(t.id) FROM sale s LEFT JOIN sale t "
		"ON t.amount = s.id AND t.product <> 'p3' GROUP BY s.id HAVING count(*) < 9) AS q (who, n) GROUP BY n",
		NULL);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.nodes"), "2");
	pg_do(s.app, "UPDATE sale SET amount = 5 WHERE id IN (6, 7, 8, 23)");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "UPDATE sale SET amount = 5 WHERE id BETWEEN 30 AND 50");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "DELETE FROM sale WHERE id IN (5, 6, 90)");
	pg_do(s.app, "INSERT INTO sale VALUES (101, 'p9', 1), (102, 'p3', 1)");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "UPDATE sale SET id = 5 WHERE id = 99");
	is_refreshed(&s, "incremental: ");
}

/* Groups with NULL in them, and a relation that compares its groups in another way than the definition does. */
static void groups_are_those_of_the_relation(void)
{
	static const char *const changes[] = {
		"UPDATE sale SET amount = 1000 WHERE id IN (1, 2, 13)", "UPDATE sale SET product = NULL WHERE id IN (2, 3)",
		"UPDATE sale SET amount = id WHERE id IN (2, 13)", "DELETE FROM sale WHERE id IN (2, 3, 4)",
		"INSERT INTO sale VALUES (3, 'P1', 5), (4, 'p1', 1000)"};
	struct scene s;
	begin_table(&s);
	pg_do(s.app, "ALTER TABLE sale ALTER COLUMN product DROP NOT NULL");
	begin_view(&s, VIEWD_MODE_INCREMENTAL,
	           "SELECT t.product AS p, s.product AS q, count(*) AS n, sum(s.amount) AS total FROM sale s LEFT JOIN "
	           "sale t ON t.id = s.amount GROUP BY t.product, s.product",
	           NULL);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.nodes"), "2");
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		pg_do(s.app, changes[i]);
		is_refreshed(&s, "incremental: ");
		pg_do(s.conn, "ALTER TABLE totals ALTER COLUMN p TYPE text COLLATE pg_catalog.\"C\"");
	}
}

/* Mode auto always works: what cannot be done incrementally is done otherwise, and not tried each time. */
static void auto_has_another_way(void)
{
	struct scene s;
	begin(&s, TOTALS, NULL);
	s.view.mode = VIEWD_MODE_AUTO;
	s.view.captured = true;
	pg_do(s.app, "UPDATE sale SET amount = 7 WHERE id = 1");
	is_refreshed(&s, "incremental: ");
	pg_do(s.conn, "REVOKE ALL ON viewd.node_1 FROM viewd");
	pg_do(s.app, "UPDATE sale SET amount = 8 WHERE id = 1");
	expect_log("is not refreshed incrementally any more");
	is_refreshed(&s, "permission denied");
	pg_do(s.app, "UPDATE sale SET amount = 9 WHERE id = 1");
	is_refreshed(&s, "full: without unique_key");
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.log_readers"), "0");
}

/* ---- what the next connection knows ---- */

/* The one before is closed after the test. */
static void reconnect(struct scene *s)
{
	s->conn = pg_session("viewd");
	pg_prepared(s->conn);
}

static void all_rows_as_found_wrong(struct scene *s)
{
	pg_do(s->app, "UPDATE sale SET amount = amount + 1 WHERE id = 1");
	is_refreshed(s, "all rows: an audit has found a difference");
}

/* A group that is a text is one by its bytes, unless its collation knows better. */
static void groups_of_texts_are_audited(void)
{
	struct scene s;
	begin(&s, TOTALS, NULL);
	pg_do(s.conn, "UPDATE totals SET n = n + 1");
	pg_do(s.app, "UPDATE sale SET amount = 7 WHERE id = 1");
	expect_log("an incremental refresh was wrong");
	is_refreshed(&s, "all rows: an audit has found a difference");
}

/* The audit's transaction is rolled back, by a constraint of somebody's; its finding is not forgotten. */
static void what_was_found_wrong_stays_so(void)
{
	struct scene s;
	struct viewd_outcome out;
	struct viewd_err err = {0};
	begin(&s, "SELECT id, amount FROM sale", NULL);
	pg_do(s.conn, "UPDATE totals SET amount = amount + 1");
	pg_do(s.conn, "ALTER TABLE viewd.refresh_history ADD CONSTRAINT nothing CHECK (error IS NULL)");
	pg_do(s.app, "UPDATE sale SET amount = 7 WHERE id = 1");
	expect_log(" rows were not as their definition says");
	CHECK(!refresh(&s, false, &out, &err));
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.learnt"), "0");
	pg_do(s.conn, "ALTER TABLE viewd.refresh_history DROP CONSTRAINT nothing");
	all_rows_as_found_wrong(&s);
	reconnect(&s);
	all_rows_as_found_wrong(&s);
	refreshed(&s, true, "all rows: it was asked for");
	pg_do(s.app, "UPDATE sale SET amount = 9 WHERE id = 2");
	is_refreshed(&s, "incremental: ");
}

/* The fourth one is tried incrementally, should nobody have refused that. */
static void slowly_refreshed(struct scene *s, const char *by)
{
	for (int i = 0; i < 4; i++)
		refreshed(s, false, i == 3 ? by : "");
}

/* The text that stands in the table tells where the reason comes from. */
static void what_was_refused_is_not_tried_again(void)
{
	struct scene s;
	begin_table(&s);
	begin_view(&s, VIEWD_MODE_AUTO, TOTALS " LIMIT (SELECT 5 FROM pg_sleep(0.06))", NULL);
	pg_do(s.conn, "INSERT INTO viewd.captures (view, source, mode, dirty_seq, clean_seq) VALUES ('totals', 'sale', "
	              "'trigger', 1, 1)");
	s.view.captured = true;
	slowly_refreshed(&s, "cannot be refreshed incrementally");
	pg_do(s.conn, "UPDATE viewd.learnt SET text = 'as somebody has found'");
	reconnect(&s);
	slowly_refreshed(&s, "as somebody has found");
	pg_do(s.conn, "UPDATE viewd.learnt SET learnt_time = now() - interval '2 days'");
	reconnect(&s);
	slowly_refreshed(&s, "cannot be refreshed incrementally");
	pg_do(s.conn, "UPDATE viewd.learnt SET text = 'as somebody has found'");
	reconnect(&s);
	slowly_refreshed(&s, "as somebody has found");
	refreshed(&s, true, "");
	slowly_refreshed(&s, "cannot be refreshed incrementally");
}

/* A function that fails in the second form alone, and not for rows that the view has: those may be audited. */
static void a_form_that_fails_gives_way(void)
{
	struct scene s;
	struct viewd_outcome out;
	struct viewd_err err = {0};
	begin_table(&s);
	pg_do(s.app, "CREATE FUNCTION good(n bigint) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS $$BEGIN IF n < 0 AND "
	             "current_query() LIKE '%= ANY (%' AND current_query() NOT LIKE '%LATERAL%' THEN RAISE 'bad'; END IF; "
	             "RETURN n > 0; END$$");
	begin_view(&s, VIEWD_MODE_INCREMENTAL, "SELECT id, amount FROM sale WHERE good(amount)", NULL);
	for (int i = 0; i < 16; i++) {
		pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id = 1");
		is_refreshed(&s, "incremental: ");
	}
	pg_do(s.conn, "UPDATE viewd.learnt SET text = 'part 1 1e+06 1e+06 5 50 5e+06 500 5e+07 5 50 500 500 5000'");
	reconnect(&s);
	pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id = 1");
	is_refreshed(&s, "in the second form");
	for (int i = 2; i < 5; i++) {
		pg_do(s.app, talloc_asprintf(harness_ctx(), "UPDATE sale SET amount = -1 WHERE id = %d", i));
		REQUIRE_OK(refresh(&s, false, &out, &err), &err);
		CHECK_CONTAINS(out.reason, "incremental: 1 keys of 2 images");
		CHECK(strstr(out.reason, "second form") == NULL);
		CHECK_STR(pg_differing(s.conn, &s.view), "0");
	}
}

/* ---- what does not pay ---- */

static int64_t later_us;

static int64_t late_now(void *ctx)
{
	return pg_host.now(ctx) + later_us;
}

static void take_long(void *ctx UNUSED, const char *place)
{
	if (strcmp(place, "refresh:applied") == 0)
		later_us += 1000000;
}

/* The logs of a view that is given up go too, and are not made again when the view is refreshed. */
static void auto_gives_up_what_does_not_pay(void)
{
	struct scene s;
	struct viewd_outcome out = {0};
	begin(&s, TOTALS, NULL);
	struct viewd_host host = pg_host;
	host.now = late_now;
	host.failpoint = take_long;
	s.conn->db.host = &host;
	s.view.captured = true;
	for (int mode = 0; mode < 2; mode++) {
		s.view.mode = mode == 0 ? VIEWD_MODE_INCREMENTAL : VIEWD_MODE_AUTO;
		for (int i = 0; i < 12; i++) {
			pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id < 4");
			out = pg_refreshed(s.conn, &s.view);
			CHECK_STR(pg_differing(s.conn, &s.view), "0");
		}
		CHECK(mode == 0 ? strncmp(out.reason, "incremental: ", 13) == 0
		                : strstr(out.reason, "an incremental refresh has taken ") != NULL);
		CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.log_readers"), mode == 0 ? "1" : "0");
	}
	s.conn->db.host = &pg_host;
}

static const struct harness_test tests[] = {
	{"all rows put a node right", all_rows_put_a_node_right},
	{"what a pre_hook writes counts once", what_a_pre_hook_writes_counts_once},
	{"the least number has no opposite", the_least_number_has_no_opposite},
	{"digits come and go", digits_come_and_go},
	{"a sum that is stuck is computed otherwise", a_sum_that_is_stuck_is_computed_otherwise},
	{"connections have the same nodes", connections_have_the_same_nodes},
	{"derived tables are rolled", derived_tables_are_rolled},
	{"groups are counted", groups_are_counted},
	{"groups of texts are audited", groups_of_texts_are_audited},
	{"groups are those of the relation", groups_are_those_of_the_relation},
	{"auto has another way", auto_has_another_way},
	{"what was found wrong stays so", what_was_found_wrong_stays_so},
	{"a form that fails gives way", a_form_that_fails_gives_way},
	{"what was refused is not tried again", what_was_refused_is_not_tried_again},
	{"auto gives up what does not pay", auto_gives_up_what_does_not_pay},
};

HARNESS_SERVER_MAIN(PG_SERVER, SUITE("rolls", tests))
