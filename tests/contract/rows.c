/* SPDX-License-Identifier: MIT
 *
 * Anybody who may write viewd's own tables may have written anything there: what cannot be is unknown, the view still
 * follows its definition. Best run with -fsanitize=undefined.
 */
#include "contract/contract.h"

#include "base/err.h"

#include <talloc.h>

struct own_tables {
	const char *views, *history;
};

static struct own_tables own_tables(void)
{
	return (struct own_tables){contract_state("view_state"), contract_state("refresh_history")};
}

static bool judge_run(void *ctx, const struct viewd_history_row *row)
{
	++*(int *)ctx;
	CHECK(row->duration_us >= 0 && row->rows >= -1 && row->rows_written >= -1);
	return true;
}

static bool keep_row(void *ctx, const struct viewd_recorded *row UNUSED)
{
	++*(int *)ctx;
	return true;
}

static void everything_still_works(struct contract *c, const struct viewd_view_spec *view)
{
	int runs = 0, views = 0;
	REQUIRE_OK(c->dialect->prepare(c->conn, (struct viewd_recorded_sink){keep_row, &views}, &c->err), &c->err);
	CHECK_INT(views, 1);
	INSPECT(c, view);
	CHECK(c->found.ours && c->found.duration_us >= 0 && c->found.rows >= -1);
	REQUIRE_OK(c->dialect->history(c->conn, view, 20, (struct viewd_history_sink){judge_run, &runs}, &c->err), &c->err);
	CHECK(runs > 0);
	REFRESH(c, view);
	VERIFY_EQUAL(c, view);
}

static void numbers_that_cannot_be_are_unknown(void)
{
	static const char *const numbers[] = {"9223372036854775807", "-9223372036854775808", "-1", "NULL"};
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct own_tables own = own_tables();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	REFRESH(&c, &view);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		const char *n = numbers[i], *rows = contract_quote("rows");
		contract_sql(
			"UPDATE %s SET duration_ms = %s, %s = %s, rows_written = %s, consecutive_errors = coalesce(%s, 0);",
			own.views, n, rows, n, n, n);
		contract_sql("UPDATE %s SET duration_ms = %s, %s = %s, rows_written = %s, %s = NULL, action = NULL;",
		             own.history, n, rows, n, n, contract_quote("trigger"));
		everything_still_works(&c, &view);
	}
	contract_end(&c);
}

static void words_that_are_none_are_passed_over(void)
{
	struct contract c;
	contract_begin(&c);
	contract_products();
	struct own_tables own = own_tables();
	struct viewd_view_spec view = contract_view("v", VIEWD_METHOD_TABLE, "SELECT id FROM products");
	APPLY(&c, &view, VIEWD_CHANGE_CREATE);
	REFRESH(&c, &view);
	contract_sql(
		"UPDATE %s SET method = '%%s%%n', definition_hash = '', index_hash = '%s', on_remove = 'no word of "
		"viewd''s that is as long as this'"
		", last_trigger = '', last_action = 'x', last_result = 'x', last_success_time = NULL, data_timestamp = NULL;",
		own.views, "0123456789012345678901234567890123456789012345678901234567890123");
	contract_sql("UPDATE %s SET result = '', action = '%%n';", own.history);
	everything_still_works(&c, &view);
	contract_end(&c);
}

static const struct harness_test tests[] = {
	{"numbers that cannot be are unknown", numbers_that_cannot_be_are_unknown},
	{"words that are none are passed over", words_that_are_none_are_passed_over},
};
const struct harness_suite contract_rows = SUITE("own tables", tests);
