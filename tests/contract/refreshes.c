/* SPDX-License-Identifier: MIT
 *
 * Refreshing, verifying and the history.
 */
#include "base/err.h"
#include "contract/contract.h"

#include <stdio.h>

static const char *const category_key[] = {"category"};
static const char *const id_key[] = {"id"};

static void a_refresh_shows_what_changed(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const enum viewd_method methods[] = {VIEWD_METHOD_MATERIALIZED, VIEWD_METHOD_TABLE};
	static const char *const names[] = {"v_materialized", "v_table"};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		struct viewd_view_spec view = contract_view(names[i], methods[i], contract_stats_definition);
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		int64_t created = c.outcome.data_timestamp_us;
		contract_sql("UPDATE products SET in_stock = 0 WHERE name = 'Laptop';");
		CHECK_STR(contract_sql("SELECT product_count FROM %s WHERE category = 'Electronics';", names[i]), "3");
		REQUIRE_OK(contract_verify(&c, &view), &c.err);
		CHECK_INT(c.verdict.missing, 1);
		CHECK_INT(c.verdict.unexpected, 1);
		REFRESH(&c, &view);
		CHECK_INT(c.outcome.rows, 4);
		CHECK(c.outcome.data_timestamp_us > created);
		CHECK_STR(contract_sql("SELECT product_count, max_price FROM %s WHERE category = 'Electronics';", names[i]),
		          "2|499.99");
		VERIFY_EQUAL(&c, &view);
		INSPECT(&c, &view);
		CHECK_INT(c.found.rows, 4);
		CHECK(c.found.last_success_us >= c.found.data_timestamp_us && c.found.data_timestamp_us > 0);
		contract_sql("UPDATE products SET in_stock = 1 WHERE name = 'Laptop';");
	}
	contract_end(&c);
}

static void a_simple_view_needs_no_refresh(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_SIMPLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	REFRESH(&c, &view);
	CHECK_INT(c.outcome.did, VIEWD_DID_NO_DATA);
	CHECK(c.outcome.reason[0] != '\0');
	VERIFY_EQUAL(&c, &view);
	contract_end(&c);
}

static void a_diff_writes_only_what_differs(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id, name, in_stock FROM products");
	view.mode = VIEWD_MODE_DIFF;
	view.unique_key = id_key;
	view.n_unique_key = 1;
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	REFRESH(&c, &view);
	CHECK_INT(c.outcome.did, VIEWD_DID_NO_DATA);
	CHECK_INT(c.outcome.rows_written, 0);
	CHECK_INT(c.outcome.rows, 10);
	contract_sql("UPDATE products SET name = 'laptop' WHERE id = 1; DELETE FROM products WHERE id = 2;"
	             "INSERT INTO products VALUES (11, 'Pen', 'Office', 1.5, NULL);"
	             "UPDATE products SET in_stock = NULL WHERE id = 3;");
	REFRESH(&c, &view);
	CHECK_INT(c.outcome.did, VIEWD_DID_DIFF);
	CHECK(c.outcome.rows_written >= 4 && c.outcome.rows_written <= 6);
	CHECK_INT(c.outcome.rows, 10);
	VERIFY_EQUAL(&c, &view);
	REFRESH(&c, &view);
	CHECK_INT(c.outcome.did, VIEWD_DID_NO_DATA);
	contract_end(&c);
}

static void a_wrong_key_fails_every_mode(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	static const enum viewd_refresh_mode modes[] = {VIEWD_MODE_FULL, VIEWD_MODE_DIFF, VIEWD_MODE_AUTO};
	static const char *const names[] = {"v_full", "v_diff", "v_auto"};
	contract_sql("UPDATE products SET category = name;");
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct viewd_view_spec view = contract_view(names[i], VIEWD_METHOD_TABLE, "SELECT category, id FROM products");
		view.mode = modes[i];
		view.unique_key = category_key;
		view.n_unique_key = 1;
		APPLY(&c, &view, VIEWD_CHANGE_CREATE);
		contract_sql("UPDATE products SET category = 'Jeans' WHERE id = 8;");
		CHECK_REFUSED(contract_refresh(&c, &view), &c, VIEWD_ERR_QUERY);
		CHECK_STR(contract_sql("SELECT count(*), min(id), max(id) FROM %s WHERE category = 'Coffee Maker';", names[i]),
		          "1|8|8");
		CHECK_STR(contract_sql("SELECT count(*) FROM %s;", names[i]), "10");
		contract_sql("UPDATE products SET category = name;");
		REFRESH(&c, &view);
		VERIFY_EQUAL(&c, &view);
	}
	contract_end(&c);
}

static void force_full_is_obeyed(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id, name FROM products");
	view.unique_key = id_key;
	view.n_unique_key = 1;
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .force_full = true};
	REQUIRE_OK(c.dialect->refresh(c.conn, &view, &req, &c.outcome, &c.err), &c.err);
	CHECK_INT(c.outcome.did, VIEWD_DID_FULL);
	CHECK_INT(c.outcome.rows, 10);
	VERIFY_EQUAL(&c, &view);
	contract_end(&c);
}

static void verify_counts_duplicates_and_nulls(void)
{
	struct contract c;
	contract_begin(&c);
	contract_sql("CREATE TABLE src (a integer, b varchar(20)); INSERT INTO src VALUES (1, 'x'), (1, 'x'), (NULL, "
	             "NULL), (NULL, 'x'), (2, '');");
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT a, b FROM src");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	VERIFY_EQUAL(&c, &view);
	CHECK_INT(c.verdict.rows, 5);
	contract_sql("DELETE FROM v WHERE a IS NULL AND b IS NULL; INSERT INTO v VALUES (1, 'x'), (1, 'X'), (2, 'x ');");
	REQUIRE_OK(contract_verify(&c, &view), &c.err);
	CHECK_INT(c.verdict.missing, 1);
	CHECK_INT(c.verdict.unexpected, 3);
	REFRESH(&c, &view);
	VERIFY_EQUAL(&c, &view);
	contract_end(&c);
}

static void values_keep_their_types(void)
{
	struct contract c;
	contract_begin(&c);
	contract_sql("CREATE TABLE src (id integer PRIMARY KEY, code varchar(10), amount decimal(12,4), ratio double "
	             "precision, big bigint, day date);"
	             "INSERT INTO src VALUES (1, '007', 1.5, 0.1, 9007199254740993, '2026-03-29'), (2, '1e3', 10.0, 1e300, "
	             "-1, NULL),"
	             " (3, ' pad ', 0.0001, -0.5, 0, '1999-12-31');");
	struct viewd_view_spec view =
		contract_view("v", VIEWD_METHOD_TABLE,
	                  "SELECT id, code, amount, ratio, big, day, sum(amount) OVER (ORDER BY id) AS running,"
	                  " CASE WHEN id = 1 THEN code ELSE 'n/a' END AS label FROM src");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	VERIFY_EQUAL(&c, &view);
	REFRESH(&c, &view);
	VERIFY_EQUAL(&c, &view);
	CHECK_STR(contract_sql("SELECT code, big, label FROM v WHERE id = 1;"), "007|9007199254740993|007");
	contract_end(&c);
}

struct runs {
	int n;
	char text[512];
};

static bool collect_run(void *ctx, const struct viewd_history_row *row)
{
	struct runs *runs = ctx;
	size_t len = strlen(runs->text);
	runs->n++;
	snprintf(runs->text + len, sizeof runs->text - len, "%s/%s/%s ", row->trigger,
	         row->action != NULL ? row->action : "-", row->result);
	CHECK(row->started_us > INT64_C(1600000000000000) && row->duration_us >= 0);
	return true;
}

static void runs_are_remembered(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "SCHEDULED", .run_id = 7};
	struct viewd_err failure = {.cls = VIEWD_ERR_QUERY, .msg = "division by 'zero'"};
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	REFRESH(&c, &view);
	REQUIRE_OK(c.dialect->record_failure(c.conn, &view, &req, VIEWD_FAILURE_FAILED, &failure, &c.err), &c.err);
	REQUIRE_OK(c.dialect->record_failure(c.conn, &view, &req, VIEWD_FAILURE_CANCELLED, &failure, &c.err), &c.err);
	struct runs runs = {0};
	REQUIRE_OK(c.dialect->history(c.conn, &view, 10, (struct viewd_history_sink){collect_run, &runs}, &c.err), &c.err);
	CHECK_STR(runs.text, "SCHEDULED/-/CANCELLED SCHEDULED/-/FAILED MANUAL/FULL/SUCCEEDED "
	                     "INITIAL/REINITIALIZE/SUCCEEDED ");
	runs = (struct runs){0};
	REQUIRE_OK(c.dialect->history(c.conn, &view, 1, (struct viewd_history_sink){collect_run, &runs}, &c.err), &c.err);
	CHECK_INT(runs.n, 1);
	INSPECT(&c, &view);
	CHECK(c.found.last_success_us > 0);
	REFRESH(&c, &view);
	contract_end(&c);
}

static void the_history_is_trimmed(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_SIMPLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL"};
	for (req.run_id = 1; req.run_id <= 250; req.run_id++)
		REQUIRE_OK(c.dialect->refresh(c.conn, &view, &req, &c.outcome, &c.err), &c.err);
	struct runs runs = {0};
	REQUIRE_OK(c.dialect->history(c.conn, &view, 1000, (struct viewd_history_sink){collect_run, &runs}, &c.err),
	           &c.err);
	CHECK(runs.n >= 200 && runs.n <= 216);
	contract_end(&c);
}

static void what_is_gone_cannot_be_refreshed(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	contract_sql("DROP TABLE v;");
	CHECK_REFUSED(contract_refresh(&c, &view), &c, VIEWD_ERR_MISSING);
	CHECK_REFUSED(contract_verify(&c, &view), &c, VIEWD_ERR_MISSING);
	INSPECT(&c, &view);
	CHECK(c.found.kind == VIEWD_KIND_NONE && c.found.recorded && !c.found.ours);
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	VERIFY_EQUAL(&c, &view);
	contract_end(&c);
}

static const struct harness_test tests[] = {
	{"a refresh shows what changed", a_refresh_shows_what_changed},
	{"a simple view needs no refresh", a_simple_view_needs_no_refresh},
	{"a diff writes only what differs", a_diff_writes_only_what_differs},
	{"a wrong key fails every mode", a_wrong_key_fails_every_mode},
	{"force full is obeyed", force_full_is_obeyed},
	{"verify counts duplicates and nulls", verify_counts_duplicates_and_nulls},
	{"values keep their types", values_keep_their_types},
	{"runs are remembered", runs_are_remembered},
	{"the history is trimmed", the_history_is_trimmed},
	{"what is gone cannot be refreshed", what_is_gone_cannot_be_refreshed},
};
const struct harness_suite contract_refreshes = SUITE("refreshes", tests);
