/* SPDX-License-Identifier: MIT
 *
 * refresh_mode = diff: only rows that differ are written, and whatever differs in a byte does.
 */
#include "base/err.h"
#include "contract/contract.h"

#include <stdlib.h>
#include <talloc.h>

static struct viewd_view_spec diff_view(const char *definition, const char *const *key, size_t n)
{
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, definition);
	view.mode = VIEWD_MODE_DIFF;
	view.unique_key = key;
	view.n_unique_key = n;
	return view;
}

/* A refresh that writes this many rows, after which view and definition are the same; the next one writes none. */
static void wants_written(struct contract *c, const struct viewd_view_spec *view, int64_t written)
{
	REFRESH(c, view);
	CHECK_INT(c->outcome.did, written > 0 ? VIEWD_DID_DIFF : VIEWD_DID_NO_DATA);
	CHECK_INT(c->outcome.rows_written, written);
	VERIFY_EQUAL(c, view);
	REFRESH(c, view);
	CHECK_INT(c->outcome.did, VIEWD_DID_NO_DATA);
	CHECK_INT(c->outcome.rows_written, 0);
}

static void a_diff_needs_a_key_and_rows(void)
{
	struct contract c;
	contract_begin(&c);
	struct viewd_resolved resolved;
	struct viewd_text_sink none = {0};
	struct viewd_view_spec view = diff_view("SELECT 1 AS id", NULL, 0);
	CHECK_REFUSED(c.dialect->check_view(&c.db, &view, &resolved, none, &c.err), &c, VIEWD_ERR_CONFIG);
	CHECK_CONTAINS(c.err.msg, "none is set");
	static const char *const key[] = {"id"};
	view = diff_view("SELECT 1 AS id", key, 1);
	REQUIRE_OK(c.dialect->check_view(&c.db, &view, &resolved, none, &c.err), &c.err);
	view.method = VIEWD_METHOD_SIMPLE;
	CHECK_REFUSED(c.dialect->check_view(&c.db, &view, &resolved, none, &c.err), &c, VIEWD_ERR_CONFIG);
	CHECK_CONTAINS(c.err.msg, "a simple view");
	/* An engine that has materialized views changes their rows by its own means only. */
	view.method = VIEWD_METHOD_MATERIALIZED;
	view.materialized_as_table = true;
	bool table = c.dialect->check_view(&c.db, &view, &resolved, none, &c.err) && resolved.method == VIEWD_METHOD_TABLE;
	CHECK(table || strstr(c.err.msg, "method materialized") != NULL);
	contract_end(&c);
}

static void only_what_differs_is_written(void)
{
	static const char *const key[] = {"id"};
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = diff_view("SELECT id, name, in_stock FROM products", key, 1);
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	wants_written(&c, &view, 0);
	contract_sql("DELETE FROM products WHERE id = 2;");
	wants_written(&c, &view, 1);
	contract_sql("INSERT INTO products VALUES (11, 'Pen', 'Office', 1.5, NULL);");
	wants_written(&c, &view, 1);
	contract_sql("UPDATE products SET in_stock = NULL WHERE id = 3;");
	wants_written(&c, &view, 2);
	contract_sql("UPDATE products SET in_stock = 0 WHERE id = 3;");
	wants_written(&c, &view, 2);
	contract_sql("UPDATE products SET price = price + 1;"); /* not among the view's columns */
	wants_written(&c, &view, 0);
	contract_sql("UPDATE products SET id = id + 100;");
	wants_written(&c, &view, 20);
	contract_sql("DELETE FROM products;");
	wants_written(&c, &view, 10);
	contract_end(&c);
}

/* One change of src, in a row with that id: its text must arrive as it is. */
static void wants_text(struct contract *c, const struct viewd_view_spec *view, const char *text)
{
	contract_sql("UPDATE src SET name = '%s' WHERE id = 1;", text);
	wants_written(c, view, 2);
	char *wanted = talloc_strdup(harness_ctx(), contract_sql("SELECT name, id FROM src WHERE id = 1;"));
	CHECK_STR(contract_sql("SELECT name, id FROM v WHERE id = 1;"), wanted);
}

static void equal_texts_of_other_bytes_differ(void)
{
	static const char *const by_id[] = {"id"}, *const by_name[] = {"name"};
	struct contract c;
	contract_begin(&c);
	contract_sql("CREATE TABLE src (id integer PRIMARY KEY, name %s); INSERT INTO src VALUES (1, 'resume'), (2, 'x'), "
	             "(3, NULL);",
	             getenv("VIEWD_CONTRACT_ALIKE"));
	for (size_t i = 0; i < 2; i++) {
		struct viewd_view_spec view = diff_view("SELECT id, name FROM src", i == 0 ? by_id : by_name, 1);
		APPLY(&c, &view, i == 0 ? VIEWD_CHANGE_CREATE : VIEWD_CHANGE_REPLACE);
		wants_written(&c, &view, 0);
		wants_text(&c, &view, "Resume");
		wants_text(&c, &view, "R\xc3\xa9sum\xc3\xa9");
		wants_text(&c, &view, "Re\xcc\x81sum\xc3\xa9"); /* the same letters, composed in another way */
		wants_text(&c, &view, "R\xc3\xa9sum\xc3\xa9 ");
		wants_text(&c, &view, "resume");
	}
	contract_end(&c);
}

/* A value that the engine stores in another way, or tells apart when it is read, must arrive. A value that the engine
 * does not tell apart is no difference. */
static void equal_numbers_of_other_bytes_differ(void)
{
	static const char *const key[] = {"id"}, *const values[] = {"'-0'", "'0'", "'1e15'", "'1e-7'"};
	struct contract c;
	contract_begin(&c);
	contract_sql(
		"CREATE TABLE src (id integer PRIMARY KEY, x double precision); INSERT INTO src VALUES (1, 0), (2, NULL);");
	struct viewd_view_spec view = diff_view("SELECT id, x FROM src", key, 1);
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	char *before = talloc_strdup(harness_ctx(), contract_sql("SELECT x FROM src WHERE id = 1;"));
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		contract_sql("UPDATE src SET x = %s WHERE id = 1;", values[i]);
		char *after = talloc_strdup(harness_ctx(), contract_sql("SELECT x FROM src WHERE id = 1;"));
		wants_written(&c, &view, strcmp(before, after) != 0 ? 2 : 0);
		CHECK_STR(contract_sql("SELECT x FROM v WHERE id = 1;"), after);
		before = after;
	}
	contract_end(&c);
}

static void rows_without_a_key_are_compared_too(void)
{
	static const char *const key[] = {"k"}, *const both[] = {"k", "n"};
	struct contract c;
	contract_begin(&c);
	contract_sql("CREATE TABLE src (k integer, n varchar(9)); INSERT INTO src VALUES (1, 'a'), (2, NULL), (NULL, 'b'), "
	             "(NULL, 'b'), (NULL, NULL);");
	struct viewd_view_spec view = diff_view("SELECT k, n FROM src", key, 1);
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	wants_written(&c, &view, 0);
	contract_sql("UPDATE src SET n = 'A' WHERE k = 1;");
	wants_written(&c, &view, 2);
	contract_sql("INSERT INTO src VALUES (NULL, 'b');");
	wants_written(&c, &view, 7);
	contract_sql("UPDATE src SET k = 3 WHERE n IS NULL AND k IS NULL;");
	wants_written(&c, &view, 4 + 3 + 1);
	contract_sql("DELETE FROM src WHERE k IS NULL;");
	wants_written(&c, &view, 3);
	view.unique_key = both;
	view.n_unique_key = 2;
	APPLY(&c, &view, VIEWD_CHANGE_REPLACE);
	wants_written(&c, &view, 0);
	contract_sql("UPDATE src SET n = '' WHERE k = 2;");
	wants_written(&c, &view, 1 + 2 + 1);
	contract_end(&c);
}

static void two_rows_of_one_key_change_nothing(void)
{
	static const char *const key[] = {"k"};
	struct contract c;
	contract_begin(&c);
	contract_sql(
		"CREATE TABLE src (k integer, n integer); INSERT INTO src VALUES (1, 1), (2, 2), (NULL, 3), (NULL, 3);");
	struct viewd_view_spec view = diff_view("SELECT k, n FROM src", key, 1);
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	contract_sql("INSERT INTO src VALUES (2, 2), (5, 5); DELETE FROM src WHERE k IS NULL;");
	CHECK_REFUSED(contract_refresh(&c, &view), &c, VIEWD_ERR_QUERY);
	CHECK_STR(contract_sql("SELECT count(*), count(k), sum(n) FROM v;"), "4|2|9");
	contract_sql("DELETE FROM src WHERE k = 2;");
	wants_written(&c, &view, 1 + 1 + 2);
	contract_end(&c);
}

static const struct harness_test tests[] = {
	{"a diff needs a key and rows", a_diff_needs_a_key_and_rows},
	{"only what differs is written", only_what_differs_is_written},
	{"equal texts of other bytes differ", equal_texts_of_other_bytes_differ},
	{"equal numbers of other bytes differ", equal_numbers_of_other_bytes_differ},
	{"rows without a key are compared too", rows_without_a_key_are_compared_too},
	{"two rows of one key change nothing", two_rows_of_one_key_change_nothing},
};
const struct harness_suite contract_diffs = SUITE("diffs", tests);
