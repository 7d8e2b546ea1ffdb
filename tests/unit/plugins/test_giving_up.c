/* SPDX-License-Identifier: MIT
 *
 * When refresh_mode auto finds that an incremental refresh does not pay.
 */
#include "common/incremental/cost.h"
#include "support/harness.h"

#include <math.h>

/* Rounds until it is known that all rows would take less; 0: never. Every tenth round takes other. Where that is
 * doubted all rows take now_us. */
static size_t dear_after(int64_t plain_us, int64_t now_us, int64_t round_us, int64_t other_us)
{
	struct cost cost = {0};
	CHECK(!cost_learn_round(&cost, round_us, 0)); /* nothing is known */
	cost_learn_plain(&cost, plain_us);
	for (size_t i = 1; i < 500; i++) {
		if (cost_learn_round(&cost, i % 10 == 0 ? other_us : round_us, 0))
			return i;
		if (cost_doubts(&cost))
			cost_learn_plain(&cost, now_us);
	}
	return 0;
}

/* A machine that is busy for twelve rounds makes all of them slow; then all is as before. */
static void a_busy_time_does_not_decide(void)
{
	struct cost cost = {0};
	size_t measured = 0;
	cost_learn_plain(&cost, 40000);
	for (size_t i = 0; i < 100; i++) {
		bool busy = i < 12 || (i > 60 && i < 72);
		CHECK(!cost_learn_round(&cost, busy ? 100000 : 20000, 0));
		if (!cost_doubts(&cost))
			continue;
		CHECK(!cost_learn_round(&cost, 1000000, 0)); /* all rows: that says nothing */
		cost_learn_plain(&cost, busy ? 200000 : 40000);
		measured++;
	}
	CHECK(measured <= 3);
}

static void the_whole_refresh_is_compared(void)
{
	struct cost cost = {0};
	cost_learn_before(&cost, 5500);
	cost_learn_plain(&cost, 3000);
	CHECK(fabs(cost.plain_us - 5500) < 10);
	for (size_t i = 0; i < 50; i++)
		CHECK(!cost_learn_round(&cost, 3500, 5800));
	CHECK(!cost_doubts(&cost));
	for (size_t i = 0; i < 50 && !cost_doubts(&cost); i++)
		CHECK(!cost_learn_round(&cost, 3500, 8000));
	CHECK(cost_doubts(&cost));
}

static void what_never_pays_is_found(void)
{
	size_t soon = dear_after(40000, 40000, 300000, 300000);
	CHECK(soon >= 10 && soon <= 20);
	CHECK(dear_after(40000, 40000, 60000, 5000) > 0);
	CHECK(dear_after(400000, 40000, 60000, 60000) == 0); /* nobody asks what all rows take now */
	CHECK_INT(dear_after(40000, 300000, 300000, 300000), 0);
	CHECK_INT(dear_after(40000, 40000, 5000, 5000), 0);
	CHECK_INT(dear_after(40000, 40000, 42000, 42000), 0);
	CHECK_INT(dear_after(40000, 40000, 5000, 10000000), 0); /* one in ten, for whatever reason */
	CHECK_INT(dear_after(1000, 1000, 1900, 1900), 0);       /* is little */
}

/* Writing what differs takes three times as long as a refresh took before. */
static void what_was_before_counts(void)
{
	struct cost cost = {0};
	int rounds = 0;
	cost_learn_before(&cost, 100000);
	cost_learn_plain(&cost, 300000);
	CHECK(fabs(cost.plain_us - 100000) < 1000);
	cost_learn_plain(&cost, 600000);
	CHECK(cost.plain_us < 200000);
	while (!cost_learn_round(&cost, 250000, 0)) {
		CHECK(rounds++ < 20);
		if (cost_doubts(&cost))
			cost_learn_plain(&cost, 600000);
	}
	cost = (struct cost){0};
	cost_learn_before(&cost, 500000);
	cost_learn_plain(&cost, 300000);
	CHECK(fabs(cost.plain_us - 303000) < 1000);
}

static const struct harness_test tests[] = {
	{"what never pays is found", what_never_pays_is_found},
	{"a busy time does not decide", a_busy_time_does_not_decide},
	{"the whole refresh is compared", the_whole_refresh_is_compared},
	{"what was before counts", what_was_before_counts},
};
HARNESS_MAIN(SUITE("giving up", tests))
