/* SPDX-License-Identifier: MIT
 *
 * The statements that one refresh sends: each is a round trip, a definition of a table waits for the disk several
 * times. The bounds are today's counts; more needs a reason.
 */
#include "my_support.h"

static const char small[] = "SELECT region, count(*) AS n FROM sales GROUP BY region";
static const char many[] = "SELECT region, id, seq FROM sales, seq_1_to_1000";

struct cost {
	int64_t statements, definitions, commits;
};

/* A counter of this session, which counts the question as well. */
static int64_t counter(struct viewd_conn *conn, const char *names)
{
	struct viewd_err err = {0};
	int64_t sum = 0;
	char *sql = talloc_asprintf(harness_ctx(),
	                            "SELECT CAST(sum(VARIABLE_VALUE) AS INT) FROM "
	                            "information_schema.SESSION_STATUS WHERE VARIABLE_NAME IN (%s)",
	                            names);

	REQUIRE_OK(my_query_int(conn, sql, NULL, 0, &sum, &err), &err);
	return sum;
}

#define QUESTIONS 3 /* of costs() */

static struct cost costs(struct viewd_conn *conn)
{
	return (struct cost){
		.statements = counter(conn, "'QUESTIONS'"),
		.definitions = counter(
			conn, "'COM_CREATE_TABLE', 'COM_ALTER_TABLE', 'COM_RENAME_TABLE', 'COM_DROP_TABLE', 'COM_TRUNCATE'"),
		.commits = counter(conn, "'COM_COMMIT'"),
	};
}

static struct cost refresh_costs(struct viewd_conn *conn, const struct viewd_view_spec *view)
{
	struct cost before = costs(conn);
	my_refreshed(conn, view);
	struct cost after = costs(conn);
	return (struct cost){
		.statements = after.statements - before.statements - QUESTIONS,
		.definitions = after.definitions - before.definitions,
		.commits = after.commits - before.commits,
	};
}

static void check_cost(struct cost cost, struct cost at_most, const char *what)
{
	harness_check(cost.statements > 0 && cost.statements <= at_most.statements, __FILE__, __LINE__,
	              "%s: %lld statements", what, (long long)cost.statements);
	harness_check(cost.definitions <= at_most.definitions, __FILE__, __LINE__, "%s: %lld definitions", what,
	              (long long)cost.definitions);
	harness_check(cost.commits <= at_most.commits, __FILE__, __LINE__, "%s: %lld commits", what,
	              (long long)cost.commits);
}

/* A captured view that others read, as in a chain. */
static struct viewd_view_spec made(struct viewd_conn *conn, const char *definition, bool keyed)
{
	static const char *const key[] = {"region"};
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, definition);

	view.unique_key = key;
	view.n_unique_key = keyed;
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	my_refreshed(conn, &view); /* sets the session's limits */
	my_do("INSERT INTO viewd_captures (view, source, mode, dirty_seq, clean_seq) VALUES ('v', '`shop`.`sales`', "
	      "'binlog', 2, 1),"
	      " ('w', '`shop`.`v`', 'kept', 1, 1)");
	view.captured = true;
	return view;
}

static void a_small_table(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = made(conn, small, false);

	check_cost(refresh_costs(conn, &view), (struct cost){19, 0, 1}, "auto");
	view.mode = VIEWD_MODE_FULL;
	check_cost(refresh_costs(conn, &view), (struct cost){18, 0, 1}, "full");
}

/* A foreign key may refer to it. */
static void a_small_table_with_an_index(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = made(conn, small, true);

	check_cost(refresh_costs(conn, &view), (struct cost){20, 0, 1}, "auto, indexed");
}

static void a_swap(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = made(conn, many, false);

	check_cost(refresh_costs(conn, &view), (struct cost){30, 4, 2}, "auto, many rows");
}

static const struct harness_test tests[] = {
	{"a small table", a_small_table},
	{"a small table with an index", a_small_table_with_an_index},
	{"a swap", a_swap},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql cost", tests))
