/* SPDX-License-Identifier: MIT
 *
 * `SELECT *`, and the table gets other columns: the view goes on with those it has, verify compares those, and inspect
 * tells what differs.
 */
#include "contract/contract.h"

#include "base/err.h"

static struct viewd_view_spec begin(struct contract *c, enum viewd_method method, const char *definition)
{
	contract_begin(c);
	contract_sql("CREATE TABLE items (id integer PRIMARY KEY, n integer)");
	contract_sql("INSERT INTO items VALUES (1, 10)");
	struct viewd_view_spec view = contract_view("v", method, definition);
	APPLY(c, &view, VIEWD_CHANGE_CREATE);
	REFRESH(c, &view);
	return view;
}

static void goes_on(struct contract *c, const struct viewd_view_spec *view, const char *rows)
{
	REFRESH(c, view);
	CHECK_STR(contract_sql("SELECT count(*) FROM v"), rows);
	VERIFY_EQUAL(c, view);
}

static void tells(struct contract *c, struct viewd_view_spec *view, enum viewd_compare compare, const char *text)
{
	view->compare_columns = compare;
	INSPECT(c, view);
	CHECK_STR(c->found.columns_differ, text);
	view->compare_columns = VIEWD_COMPARE_NONE;
}

static void a_column_comes(enum viewd_method method)
{
	struct contract c;
	struct viewd_view_spec view = begin(&c, method, "SELECT * FROM items");
	tells(&c, &view, VIEWD_COMPARE_TYPES, "");
	contract_sql("ALTER TABLE items ADD COLUMN extra integer DEFAULT 7");
	contract_sql("INSERT INTO items (id, n) VALUES (2, 20)");
	tells(&c, &view, VIEWD_COMPARE_NAMES, "new extra");
	tells(&c, &view, VIEWD_COMPARE_NONE, "");
	goes_on(&c, &view, "2");
	APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
	tells(&c, &view, VIEWD_COMPARE_TYPES, "");
	CHECK_STR(contract_sql("SELECT sum(extra) FROM v"), "14");
	VERIFY_EQUAL(&c, &view);
	contract_end(&c);
}

static void a_column_comes_to_a_table(void)
{
	a_column_comes(VIEWD_METHOD_TABLE);
}

static void a_column_comes_to_a_materialized_view(void)
{
	a_column_comes(VIEWD_METHOD_MATERIALIZED);
}

/* Nothing can be put where it was. */
static void a_column_goes(void)
{
	struct contract c;
	struct viewd_view_spec view = begin(&c, VIEWD_METHOD_TABLE, "SELECT * FROM items");
	contract_sql("ALTER TABLE items RENAME COLUMN n TO amount");
	contract_sql("INSERT INTO items VALUES (2, 20)");
	tells(&c, &view, VIEWD_COMPARE_NAMES, "new amount, without n");
	CHECK(!contract_refresh(&c, &view));
	CHECK_STR(contract_sql("SELECT count(*) FROM v"), "1");
	CHECK(!contract_verify(&c, &view));
	CHECK_CONTAINS(c.err.msg, "no longer yields column 'n'");
	APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
	VERIFY_EQUAL(&c, &view);
	contract_end(&c);
}

/* Rows of the new type might not fit, or be cut, in columns of the old one: a view in between says what type it is. */
static void another_type(void)
{
	struct contract c;
	contract_begin(&c);
	if (!contract_has(&c, VIEWD_CAP_TYPES))
		harness_skip("the dialect does not tell types");
	contract_sql("CREATE TABLE items (id integer PRIMARY KEY, n integer, t varchar(20))");
	contract_sql("CREATE VIEW between_them AS SELECT id, n AS x FROM items");
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT * FROM between_them");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	tells(&c, &view, VIEWD_COMPARE_TYPES, "");
	contract_sql("DROP VIEW between_them");
	contract_sql("CREATE VIEW between_them AS SELECT id, t AS x FROM items");
	tells(&c, &view, VIEWD_COMPARE_NAMES, "");
	tells(&c, &view, VIEWD_COMPARE_TYPES, "another type of x");
	contract_end(&c);
}

/* Whatever the server calls what it has made, it is what the definition yields. */
static void nothing_differs_where_nothing_has_changed(void)
{
	static const char *const definitions[] = {
		"SELECT id, NULL AS a, '' AS b, 'x' AS c, 1 AS d, id + 1.5 AS e, count(*) OVER () AS f, sum(id) OVER () AS g "
		"FROM items",
		"SELECT id, n FROM items UNION ALL SELECT 2, NULL",
		"SELECT id, cast(n AS decimal(8, 2)) AS a, coalesce(n, 0) AS b, CASE WHEN n > 0 THEN 'yes' ELSE 'a little "
		"longer' END AS c FROM items",
	};
	static const struct viewd_column declared[] = {{.name = "id", .type = "integer"}, {.name = "n"}};
	struct contract c;
	struct viewd_view_spec view = begin(&c, VIEWD_METHOD_TABLE, "SELECT id, n FROM items");
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		view.definition = definitions[i];
		APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
		tells(&c, &view, VIEWD_COMPARE_TYPES, "");
	}
	view.definition = "SELECT n, id FROM items";
	view.columns = declared;
	view.n_columns = ARRAY_LEN(declared);
	APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
	tells(&c, &view, VIEWD_COMPARE_TYPES, "");
	contract_end(&c);
}

static const struct harness_test tests[] = {
	{"nothing differs where nothing has changed", nothing_differs_where_nothing_has_changed},
	{"a column comes to a table", a_column_comes_to_a_table},
	{"a column comes to a materialized view", a_column_comes_to_a_materialized_view},
	{"a column goes", a_column_goes},
	{"another type", another_type},
};

const struct harness_suite contract_columns = SUITE("columns", tests);
