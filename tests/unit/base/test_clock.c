/* SPDX-License-Identifier: MIT
 *
 * test_clock.c: the machine's clocks, the fake one, and times as text.
 */
#include "base/clock.h"
#include "support/harness.h"

static void machine(void)
{
	const struct clock *clk = clock_system();
	int64_t mono = clk->mono(clk);
	CHECK(clk->wall(clk) > INT64_C(1700000000) * 1000000);
	CHECK(clk->mono(clk) >= mono && mono > 0);
}

static void fake(void)
{
	struct clock_fake f;
	clock_fake_init(&f, 1000);
	CHECK_INT(f.clock.wall(&f.clock), 1000);
	CHECK_INT(f.clock.mono(&f.clock), 0);
	clock_fake_advance(&f, 5);
	CHECK_INT(f.clock.wall(&f.clock), 1005);
	CHECK_INT(f.clock.mono(&f.clock), 5);
}

static void text(void)
{
	char buf[32];
	CHECK_STR(clock_format(0, buf, sizeof buf), "1970-01-01T00:00:00.000Z");
	CHECK_STR(clock_format(INT64_C(1795337041123456), buf, sizeof buf), "2026-11-22T08:44:01.123Z");
	CHECK_STR(clock_format(INT64_C(951782400999999), buf, sizeof buf), "2000-02-29T00:00:00.999Z");
	CHECK_STR(clock_format(-1000, buf, sizeof buf), "1969-12-31T23:59:59.999Z");
}

static void offsets(void)
{
	static const struct {
		const char *text;
		int64_t seconds; /* of the day */
	} good[] = {{"2026-11-22T08:44:01Z", 31441},
	            {"2026-11-22 09:44:01+01", 31441},
	            {"2026-11-22T09:44:01.5+01:00", 31441},
	            {"2026-11-22 05:14:01-03:30", 31441}};
	static const char *const bad[] = {"2026-11-22 09:44:01",     "2026-11-22 09:44:01+1",
	                                  "2026-11-22 09:44:01+24",  "2026-11-22 09:44:01+0100",
	                                  "2026-11-22 09:44:01+01:", "2026-11-22 09:44:01+01:60"};
	int64_t us = 0;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		CHECK(clock_parse(good[i].text, &us));
		CHECK_INT(us / 1000000 % 86400, good[i].seconds);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		harness_check(!clock_parse(bad[i], &us), __FILE__, __LINE__, "%s", bad[i]);
}

static const struct harness_test tests[] = {{"offsets", offsets}, {"machine", machine}, {"fake", fake}, {"text", text}};
HARNESS_MAIN(SUITE("clock", tests))
