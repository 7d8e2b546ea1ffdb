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

static const struct harness_test tests[] = {{"machine", machine}, {"fake", fake}, {"text", text}};
HARNESS_MAIN(SUITE("clock", tests))
