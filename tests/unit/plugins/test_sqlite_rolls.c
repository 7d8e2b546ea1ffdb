/* SPDX-License-Identifier: MIT
 *
 * Sums and averages on SQLite that are moved by what changed, and when they cannot be.
 */
#include "unit/plugins/sqlite_fixture.h"

#include <talloc.h>

#include "base/err.h"

#define TABLE \
	"CREATE TABLE sale (id INTEGER PRIMARY KEY, code INTEGER UNIQUE, product TEXT NOT NULL, amount INTEGER); " \
	"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) " \
	"INSERT INTO sale SELECT i, i, 'p' || i % 4, i FROM n"
#define MEANS "SELECT product, count(*) AS n, sum(amount) AS total, avg(amount * 3) AS mean FROM sale GROUP BY product"

#define EXTREMES "SELECT product, count(*) AS n, min(amount) AS total, max(amount) AS mean FROM sale GROUP BY product"

/* Rows that differ in a byte or a type. */
static const char *differing(struct fixture *f, const char *definition)
{
	static const char columns[] = "SELECT product, n, typeof(total) || quote(total), typeof(mean) || quote(mean) FROM ";
	return fixture_user_rows(
		f, talloc_asprintf(harness_ctx(),
	                       "WITH a AS (%sv), b AS (%s(%s)) SELECT count(*) FROM (SELECT * FROM (SELECT * FROM a EXCEPT "
	                       "SELECT * FROM b) UNION ALL SELECT * FROM (SELECT * FROM b EXCEPT SELECT * FROM a))",
	                       columns, columns, definition));
}

static void refreshes(struct fixture *f, const struct viewd_view_spec *view, const char *change, const char *by)
{
	fixture_user_sql(f, change);
	REQUIRE_OK(fixture_refresh(f, view), &f->err);
	CHECK_CONTAINS(f->out.reason, by);
	CHECK_STR(differing(f, view->definition), "0\n");
}

static void begin_view(struct fixture *f, struct viewd_view_spec *view, const char *definition)
{
	fixture_open_all(f);
	fixture_user_sql(f, "DROP TABLE IF EXISTS sale; DROP TABLE IF EXISTS v; DELETE FROM viewd_learnt");
	fixture_user_sql(f, TABLE);
	*view = fixture_table_of(definition);
	view->mode = VIEWD_MODE_INCREMENTAL;
	APPLY(f, view, VIEWD_CHANGE_CREATE);
	refreshes(f, view, "SELECT 1", "all rows");
	refreshes(f, view, "UPDATE sale SET amount = 5 WHERE id = 7", "incremental: ");
}

static void begin(struct fixture *f, struct viewd_view_spec *view)
{
	begin_view(f, view, MEANS);
}

static const char *nodes(struct fixture *f)
{
	return fixture_user_rows(f, "SELECT count(*) FROM viewd_nodes");
}

static void rows_of_one_table_are_a_part(void)
{
	struct fixture f;
	struct viewd_view_spec view;
	begin(&f, &view);
	CHECK_STR(nodes(&f), "2\n");
	refreshes(&f, &view, "REPLACE INTO sale VALUES (8, 9, 'p1', -4), (3000, 10, 'p9', 1)", "incremental: ");
	refreshes(&f, &view, "UPDATE sale SET product = 'p0', amount = NULL WHERE id % 50 = 1", "incremental: ");
	refreshes(&f, &view, "DELETE FROM sale WHERE product = 'p9'", "incremental: ");
	CHECK_STR(nodes(&f), "2\n");
	fixture_close_all(&f);
}

/* avg() adds floats: 2^53 + 1 is none. */
static void a_large_term_has_no_exact_average(void)
{
	struct fixture f;
	struct viewd_view_spec view;
	static const char *const changes[] = {
		"UPDATE sale SET amount = 3002399751580331 WHERE id = 1",
		"UPDATE sale SET amount = -22369622 WHERE id = 1",
	};
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		begin(&f, &view);
		CHECK_STR(nodes(&f), "2\n");
		refreshes(&f, &view, changes[i], "");
		refreshes(&f, &view, "UPDATE sale SET amount = 6 WHERE id IN (1, 7)", "incremental: ");
		CHECK_STR(nodes(&f), "0\n");
		fixture_close_all(&f);
	}
}

/* A row may move a sum by more than 64 bits hold, though each sum has room. */
static void a_move_beyond_64_bits(void)
{
	struct fixture f;
	struct viewd_view_spec view;
	begin_view(&f, &view,
	           "SELECT product, count(*) AS n, sum(amount) AS total, count(amount) AS mean FROM sale GROUP BY product");
	refreshes(&f, &view, "UPDATE sale SET amount = -9000000000000000000, product = 'p9' WHERE id = 9", "incremental: ");
	CHECK_STR(nodes(&f), "2\n");
	refreshes(&f, &view, "UPDATE sale SET amount = 9000000000000000000 WHERE id = 9", "");
	refreshes(&f, &view, "UPDATE sale SET amount = 6 WHERE id IN (1, 9)", "incremental: ");
	fixture_close_all(&f);
}

static void terms_that_are_no_whole_numbers(void)
{
	struct fixture f;
	struct viewd_view_spec view;
	static const char *const changes[] = {
		"UPDATE sale SET amount = 0.5 WHERE id = 1",
		"UPDATE sale SET amount = 'a3' WHERE id = 1",
		"UPDATE sale SET amount = x'31' WHERE id = 1",
	};
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		begin(&f, &view);
		CHECK_STR(nodes(&f), "2\n");
		refreshes(&f, &view, changes[i], "");
		refreshes(&f, &view, "UPDATE sale SET amount = 6 WHERE id IN (1, 7)", "incremental: ");
		fixture_close_all(&f);
	}
}

/* The next value is found when an extreme one has left; one that came and went within a batch leaves nothing. */
static void least_and_greatest_values_move(void)
{
	struct fixture f;
	struct viewd_view_spec view;
	static const char *const changes[] = {
		"DELETE FROM sale WHERE amount = (SELECT max(amount) FROM sale)",
		"DELETE FROM sale WHERE amount <= 8",
		"INSERT INTO sale VALUES (5000, 5000, 'p1', 90000); DELETE FROM sale WHERE id = 5000",
		"UPDATE sale SET amount = -3 WHERE id = 900; UPDATE sale SET amount = NULL WHERE id = 901",
		"UPDATE sale SET amount = amount WHERE id = 900",
		"UPDATE sale SET product = 'p7' WHERE id = 900",
		"UPDATE sale SET amount = NULL WHERE product = 'p7'",
		"DELETE FROM sale WHERE product = 'p7'",
		"UPDATE sale SET amount = 1 WHERE id = 950; UPDATE sale SET amount = 99999 WHERE id = 951",
		"DELETE FROM sale WHERE product = 'p2'",
		"REPLACE INTO sale VALUES (950, 60000, 'p2', NULL), (951, 60001, 'p3', 4)",
	};
	begin_view(&f, &view, EXTREMES);
	CHECK_STR(nodes(&f), "2\n");
	for (size_t i = 0; i < ARRAY_LEN(changes); i++)
		refreshes(&f, &view, changes[i], "incremental: ");
	CHECK_STR(nodes(&f), "2\n");
	fixture_close_all(&f);
}

/* 7 and 7.0 are equal, so which of them is the least one is not known. */
static void extremes_that_are_no_whole_numbers(void)
{
	struct fixture f;
	struct viewd_view_spec view;
	static const char *const changes[] = {
		"UPDATE sale SET amount = 0.5 WHERE id = 1",
		"UPDATE sale SET amount = 'a3' WHERE id = 1",
	};
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		begin_view(&f, &view, EXTREMES);
		CHECK_STR(nodes(&f), "2\n");
		refreshes(&f, &view, changes[i], "");
		CHECK_STR(nodes(&f), "0\n");
		refreshes(&f, &view, "UPDATE sale SET amount = 6 WHERE id IN (1, 7)", "incremental: ");
		fixture_close_all(&f);
	}
}

static const struct harness_test rolls_tests[] = {
	{"rows of one table are a part", rows_of_one_table_are_a_part},
	{"a large term has no exact average", a_large_term_has_no_exact_average},
	{"a move beyond 64 bits", a_move_beyond_64_bits},
	{"terms that are no whole numbers", terms_that_are_no_whole_numbers},
	{"least and greatest values move", least_and_greatest_values_move},
	{"extremes that are no whole numbers", extremes_that_are_no_whole_numbers},
};
HARNESS_MAIN(SUITE("sqlite rolls", rolls_tests))
