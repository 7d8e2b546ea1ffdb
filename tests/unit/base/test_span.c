/* SPDX-License-Identifier: MIT
 *
 * test_span.c: durations and sizes.
 */
#include "base/span.h"
#include "support/harness.h"

static void wants_span(const char *text, int64_t us, const char *formatted)
{
	struct viewd_err err = {0};
	int64_t value = -1;
	char buf[64];
	CHECK_OK(span_parse(text, &value, &err), &err);
	CHECK_INT(value, us);
	CHECK_STR(span_format(value, buf, sizeof buf), formatted);
}

static void spans(void)
{
	wants_span("0", 0, "0");
	wants_span("0s", 0, "0");
	wants_span("1us", 1, "1us");
	wants_span("250ms", 250000, "250ms");
	wants_span("30s", 30 * SPAN_SECOND, "30s");
	wants_span("90s", 90 * SPAN_SECOND, "1m30s");
	wants_span("1h30m", 90 * SPAN_MINUTE, "1h30m");
	wants_span("1w1d1h1m1s1ms1us", SPAN_WEEK + SPAN_DAY + SPAN_HOUR + SPAN_MINUTE + SPAN_SECOND + SPAN_MS + 1,
	           "1w1d1h1m1s1ms1us");
	wants_span("007s", 7 * SPAN_SECOND, "7s");
	wants_span("14d", 14 * SPAN_DAY, "2w");
}

static void wrong_spans(void)
{
	static const char *const wrong[] = {"",
	                                    "5",
	                                    "s",
	                                    "1x",
	                                    "1 h",
	                                    " 1h",
	                                    "1h ",
	                                    "-1s",
	                                    "+1s",
	                                    "1.5h",
	                                    "30m1h",
	                                    "1h1h",
	                                    "1H",
	                                    "1min",
	                                    "9223372036854775808us",
	                                    "99999999999999w",
	                                    "15250285w",
	                                    "1h30",
	                                    "1m1",
	                                    "\xc2\xb5s"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct viewd_err err = {0};
		int64_t value = -7;
		if (span_parse(wrong[i], &value, &err) || value != -7)
			CHECK_STR(wrong[i], "refused, value untouched");
		CHECK_INT(err.cls, VIEWD_ERR_CONFIG);
		CHECK_CONTAINS(err.hint, "1h30m");
	}
}

static void for_people(void)
{
	char buf[32];
	CHECK_STR(span_human(0, buf, sizeof buf), "0.0ms");
	CHECK_STR(span_human(1234, buf, sizeof buf), "1.2ms");
	CHECK_STR(span_human(3400000, buf, sizeof buf), "3.4s");
	CHECK_STR(span_human(312 * SPAN_SECOND, buf, sizeof buf), "5m12s");
	CHECK_STR(span_human(123 * SPAN_MINUTE, buf, sizeof buf), "2h3m");
	CHECK_STR(span_human(98 * SPAN_HOUR, buf, sizeof buf), "4d2h");
}

static void sizes(void)
{
	static const struct {
		const char *text;
		int64_t bytes;
		const char *formatted;
	} rows[] = {{"0", 0, "0"},
	            {"512", 512, "512"},
	            {"4KiB", 4096, "4KiB"},
	            {"64MiB", 64 << 20, "64MiB"},
	            {"1024KiB", 1 << 20, "1MiB"},
	            {"2GiB", INT64_C(2) << 30, "2GiB"},
	            {"1KiB1B", 1025, "1025"},
	            {"1TiB", INT64_C(1) << 40, "1TiB"}};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct viewd_err err = {0};
		int64_t bytes = -1;
		char buf[64];
		CHECK_OK(size_parse(rows[i].text, &bytes, &err), &err);
		CHECK_INT(bytes, rows[i].bytes);
		CHECK_STR(size_format(bytes, buf, sizeof buf), rows[i].formatted);
	}
	static const char *const wrong[] = {"", "x", "1K", "1kib", "1 KiB", "-1", "9999999999TiB", "1.5GiB"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct viewd_err err = {0};
		int64_t bytes = -7;
		CHECK(!size_parse(wrong[i], &bytes, &err));
		CHECK_INT(bytes, -7);
		CHECK_CONTAINS(err.hint, "64MiB");
	}
}

static const struct harness_test tests[] = {
	{"spans", spans},
	{"wrong spans", wrong_spans},
	{"for people", for_people},
	{"sizes", sizes},
};
HARNESS_MAIN(SUITE("span", tests))
