/* SPDX-License-Identifier: MIT
 *
 * Answers of a server and contents of viewd's own tables are not believed: another shape is a failure that says what
 * was asked for, and numbers that cannot be are unknown. Best run with -fsanitize=undefined.
 */
#include "base/err.h"
#include "common/dialect.h"
#include "common/state/marks.h"
#include "common/state/state.h"
#include "common/text/number.h"
#include "support/harness.h"
#include "unit/plugins/fake_db.h"
#include "unit/plugins/plugins_support.h"

#include <talloc.h>

static void numbers_are_whole_and_in_range(void)
{
	static const char *const bad[] = {"",
	                                  "-",
	                                  "+1",
	                                  " 1",
	                                  "1 ",
	                                  "1.0",
	                                  "1e3",
	                                  "0x10",
	                                  "abc",
	                                  "9223372036854775808",
	                                  "-9223372036854775809",
	                                  "99999999999999999999999"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK_INT(number_or(bad[i], -7), -7);
	CHECK_INT(number_or(NULL, -7), -7);
	CHECK_INT(number_or("0", -7), 0);
	CHECK_INT(number_or("-0", -7), 0);
	CHECK(number_or("9223372036854775807", 0) == INT64_MAX);
	CHECK(number_or("-9223372036854775808", 0) == INT64_MIN);
	CHECK(number_sum(INT64_MAX, 1) == INT64_MAX);
	CHECK(number_sum(INT64_MIN, -1) == INT64_MIN);
	CHECK(number_difference(INT64_MIN, 1) == INT64_MIN);
	CHECK(number_difference(0, INT64_MIN) == INT64_MAX);
	CHECK_INT(number_difference(5, 7), -2);
}

/* ---- shapes ---- */

struct got {
	int rows;
	size_t n;
};

static bool count(void *ctx, const char *const *values UNUSED, size_t n)
{
	struct got *got = ctx;
	got->rows++;
	got->n = n;
	return got->rows < 3;
}

/* How a reader of these columns takes the answer: "" well, else what the error says. */
static const char *verdict(const char *columns, const char *answer, int rows)
{
	static struct viewd_err err;
	const struct db_reader reader = {count, columns, "the weather"};
	struct fake_db fake;
	struct got got = {0};
	err = (struct viewd_err){0};
	fake_db_init(&fake, &like_postgresql, answer);
	bool good = fake.db.ops->query(&fake.db, "", NULL, 0, &reader, &got, &err);
	CHECK_INT(got.rows, rows);
	CHECK(good || err.cls == VIEWD_ERR_QUERY);
	return good ? "" : err.msg;
}

static void answers_have_the_columns_asked_for(void)
{
	CHECK_STR(verdict("tn", "a\t1\nb\t2\n", 2), "");
	CHECK_STR(verdict("tn", "", 0), "");
	CHECK_STR(verdict("tn", "a\n", 0), "answer about the weather has 1 columns (2 were asked for)");
	CHECK_STR(verdict("tn", "a\t1\tx\n", 0), "answer about the weather has 3 columns (2 were asked for)");
	CHECK_STR(verdict("tn", "a\t1\nb\n", 1), "answer about the weather has 1 columns (2 were asked for)");
	CHECK_STR(verdict("t*", "a\n", 1), "");
	CHECK_STR(verdict("t*", "a\t\\N\tc\n", 1), "");
	CHECK_STR(verdict("tt*", "a\n", 0), "answer about the weather has 1 columns (2 were asked for)");
	CHECK_STR(verdict("*", "\\N\n", 1), "");
	CHECK_STR(verdict("T", "1\n2\n3\n4\n5\n", 3), "");
}

static void answers_are_of_the_kind_asked_for(void)
{
	CHECK_STR(verdict("t", "\\N\n", 0), "answer about the weather cannot be read (column 1 is NULL)");
	CHECK_STR(verdict("tn", "a\t\\N\n", 0), "answer about the weather cannot be read (column 2 is NULL)");
	CHECK_STR(verdict("TN", "\\N\t\\N\n", 1), "");
	CHECK_STR(verdict("N", "12a\n", 0), "answer about the weather cannot be read (column 1 is not a number)");
	CHECK_STR(verdict("n", "99999999999999999999\n", 0),
	          "answer about the weather cannot be read (column 1 is not a number)");
	CHECK_STR(verdict("n", "-5\n", 1), "");
}

/* ---- viewd's own tables ---- */

static struct state_row loaded(const char *answer)
{
	struct fake_db fake;
	struct state_row row = {.rows = 77};
	struct viewd_err err = {0};
	fake_db_init(&fake, &like_sqlite, answer);
	CHECK_OK(state_load(&fake.db, "v", false, &row, &err), &err);
	return row;
}

static void any_state_row_can_be_read(void)
{
	struct state_row row = loaded("v\ttable\th\ti\tid\tc\tkeep\tx\t2026-01-01T00:00:00.000000Z\t2026-01-01T00:00:"
	                              "00Z\t1500\t7\t1\t2025-12-31T00:00:00Z\n");
	CHECK(row.present && row.method == VIEWD_METHOD_TABLE);
	CHECK_INT(row.duration_us, 1500000);
	CHECK_INT(row.rows, 7);
	CHECK(row.kept);
	CHECK_INT(row.last_success_us, row.data_timestamp_us);
	CHECK_INT(row.all_rows_us, row.data_timestamp_us - INT64_C(86400000000));
	row = loaded("\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\t\\N\n");
	CHECK(row.present && row.method == VIEWD_METHOD_TABLE && !row.kept && row.relation[0] == '\0');
	CHECK_INT(row.duration_us, 0);
	CHECK_INT(row.rows, -1);
	static const char *const never[] = {
		"9223372036854775807", "-9223372036854775808", "-1", "99999999999999999999", "soon", ""};
	for (size_t i = 0; i < ARRAY_LEN(never); i++) {
		row = loaded(talloc_asprintf(
			harness_ctx(), "v\twhatever\th\ti\tid\tc\tkeep\tx\t%s\t9999-99-99T99:99:99.9999999999Z\t%s\t%s\t%s\t%s\n",
			never[i], never[i], i == 0 ? "-9" : never[i], i == 0 ? "-9" : never[i], never[i]));
		CHECK(!row.kept);
		CHECK_INT(row.duration_us, 0);
		CHECK_INT(row.rows, -1);
		CHECK_INT(row.last_success_us, 0);
		CHECK_INT(row.all_rows_us, 0);
	}
}

static bool take_history(void *ctx, const struct viewd_history_row *row)
{
	*(struct viewd_history_row *)ctx = *row;
	return true;
}

static void any_history_can_be_read(void)
{
	struct fake_db fake;
	struct viewd_history_row row = {.rows = 77};
	struct viewd_err err = {0};
	fake_db_init(&fake, &like_mysql, "\\N\t\\N\t\\N\t\\N\t9223372036854775807\t-3\tx\t-\n");
	CHECK_OK(state_history(&fake.db, "v", 1, (struct viewd_history_sink){take_history, &row}, &err), &err);
	CHECK_INT(row.duration_us, 0);
	CHECK_INT(row.rows, -1);
	CHECK_INT(row.rows_written, -1);
	CHECK_INT(row.started_us, 0);
}

static struct marks marks_of(const char *answer)
{
	struct fake_db fake;
	struct marks marks = {.seq = -1};
	struct viewd_err err = {0};
	fake_db_init(&fake, &like_sqlite, answer);
	CHECK_OK(marks_read(&fake.db, harness_ctx(), "v", &marks, &err), &err);
	return marks;
}

static void any_marks_can_be_read(void)
{
	struct marks marks = marks_of("a\t5\t3\ttrigger\nb\t7\t7\tlook\n");
	CHECK_INT(marks.seq, 12);
	CHECK_INT(marks.n, 1);
	CHECK(marks.defined);
	marks = marks_of("a\t9223372036854775807\t-9223372036854775808\ttrigger\nb\t9223372036854775807\t0\tpoll\n");
	CHECK(marks.seq > 0 && marks.n == 2 && !marks.defined);
	marks =
		marks_of("a\t-9223372036854775808\t9223372036854775807\t?\nb\t-9223372036854775808\t0\t\nc\tmany\t\\N\tpoll\n");
	CHECK_INT(marks.n, 0);
	struct fake_db fake;
	struct viewd_err err = {0};
	fake_db_init(&fake, &like_sqlite, "\\N\t5\t3\ttrigger\n");
	CHECK(!marks_read(&fake.db, harness_ctx(), "v", &marks, &err));
	CHECK_CONTAINS(err.msg, "the marks of a view");
}

static bool never(void *ctx, const struct viewd_signal *signal UNUSED)
{
	*(bool *)ctx = true;
	return true;
}

/* Requests are anybody's rows. */
static void requests_name_a_view(void)
{
	struct fake_db fake;
	struct viewd_err err = {0};
	bool told = false;
	fake_db_init(&fake, &like_sqlite, "1\t\\N\n");
	CHECK(!marks_requests(&fake.db, (struct viewd_signal_sink){never, &told}, &err));
	CHECK_INT(err.cls, VIEWD_ERR_QUERY);
	CHECK(!told);
}

/* ---- what a dialect lacks ---- */

static bool keep_quiet(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static void a_dialect_that_cannot_leave_says_so(void)
{
	struct fake_db fake;
	fake_db_init(&fake, &like_postgresql, "");
	for (int print = 0; print < 2; print++) {
		const struct viewd_uninstall_request req = {.struct_size = sizeof req, .print = print};
		struct viewd_err err = {0};
		CHECK(!dialect_uninstall((struct viewd_conn *)(void *)&fake.db, &req,
		                         (struct viewd_text_sink){keep_quiet, NULL}, &err));
		CHECK_INT(err.cls, VIEWD_ERR_CONFIG);
	}
}

static const struct harness_test tests[] = {
	{"numbers are whole and in range", numbers_are_whole_and_in_range},
	{"answers have the columns asked for", answers_have_the_columns_asked_for},
	{"answers are of the kind asked for", answers_are_of_the_kind_asked_for},
	{"any state row can be read", any_state_row_can_be_read},
	{"any history can be read", any_history_can_be_read},
	{"any marks can be read", any_marks_can_be_read},
	{"requests name a view", requests_name_a_view},
	{"a dialect that cannot leave says so", a_dialect_that_cannot_leave_says_so},
};
HARNESS_MAIN(SUITE("answers", tests))
