/* SPDX-License-Identifier: MIT
 *
 * test_schedule.c: years of schedules in a moment, clocks that jump, and how long to wait after failures.
 */
#include "base/span.h"
#include "sched/backoff.h"
#include "sched/schedule.h"
#include "support/harness.h"

#define NOW (INT64_C(1800000000) * SPAN_SECOND)

static void by_hand_only(void)
{
	const struct schedule sch = {.jitter = SPAN_HOUR};
	CHECK_INT(schedule_next(&sch, NOW, NOW, NOW + SPAN_DAY), 0);
}

static void never_ran_is_due_now(void)
{
	const struct schedule every = {.every = SPAN_HOUR}, after = {.after = SPAN_HOUR}, skip = {.every = SPAN_HOUR, .skip_missed = true};
	CHECK_INT(schedule_next(&every, 0, 0, NOW), NOW);
	CHECK_INT(schedule_next(&after, 0, 0, NOW), NOW);
	CHECK_INT(schedule_next(&skip, 0, 0, NOW), NOW);
}

/* Ten years of runs that take a tenth of the period: how many, and without drift. */
static void years_without_drift(void)
{
	const struct schedule sch = {.every = 5 * SPAN_MINUTE};
	int64_t due = NOW, now = NOW, runs = 0;
	while (due < NOW + 3650 * SPAN_DAY) {
		now = due + SPAN_SECOND; /* a little late */
		int64_t end = now + 30 * SPAN_SECOND;
		now = end;
		due = schedule_next(&sch, due, end, now);
		CHECK(due > now);
		runs++;
	}
	CHECK_INT(runs, 3650 * 24 * 12);
	CHECK_INT((due - NOW) % sch.every, 0);
}

static void after_counts_from_the_end(void)
{
	const struct schedule sch = {.after = SPAN_HOUR};
	CHECK_INT(schedule_next(&sch, NOW, NOW + 10 * SPAN_MINUTE, NOW + 10 * SPAN_MINUTE), NOW + 70 * SPAN_MINUTE);
}

static void the_earlier_of_both(void)
{
	const struct schedule sch = {.every = SPAN_HOUR, .after = 10 * SPAN_MINUTE};
	CHECK_INT(schedule_next(&sch, NOW, NOW + SPAN_MINUTE, NOW + SPAN_MINUTE), NOW + 11 * SPAN_MINUTE);
	CHECK_INT(schedule_next(&sch, NOW, NOW + 55 * SPAN_MINUTE, NOW + 55 * SPAN_MINUTE), NOW + SPAN_HOUR);
}

static void missed_runs(void)
{
	const struct schedule once = {.every = SPAN_HOUR}, skip = {.every = SPAN_HOUR, .skip_missed = true};
	const struct schedule after = {.after = SPAN_HOUR, .skip_missed = true};
	int64_t now = NOW + 5 * SPAN_HOUR + 20 * SPAN_MINUTE;
	CHECK_INT(schedule_next(&once, NOW, NOW, now), NOW + 5 * SPAN_HOUR); /* one stands for all five */
	CHECK_INT(schedule_next(&once, NOW + 5 * SPAN_HOUR, now, now), NOW + 6 * SPAN_HOUR);
	CHECK_INT(schedule_next(&skip, NOW, NOW, now), NOW + 6 * SPAN_HOUR);
	CHECK_INT(schedule_next(&after, NOW, NOW, now), now + SPAN_HOUR);
}

static void exactly_at_the_time(void)
{
	const struct schedule once = {.every = SPAN_HOUR}, skip = {.every = SPAN_HOUR, .skip_missed = true};
	CHECK_INT(schedule_next(&once, NOW, NOW, NOW + SPAN_HOUR), NOW + SPAN_HOUR);
	CHECK_INT(schedule_next(&skip, NOW, NOW, NOW + SPAN_HOUR), NOW + SPAN_HOUR);
}

static void jitter_stays_inside(void)
{
	const struct schedule sch = {.every = SPAN_HOUR, .jitter = SPAN_MINUTE}, none = {.every = SPAN_HOUR};
	int64_t least = INT64_MAX, most = 0;
	for (uint64_t seed = 0; seed < 10000; seed++) {
		int64_t d = schedule_jitter(&sch, seed);
		CHECK(d >= 0 && d < SPAN_MINUTE);
		least = d < least ? d : least;
		most = d > most ? d : most;
	}
	CHECK(least < SPAN_SECOND);
	CHECK(most > 59 * SPAN_SECOND);
	CHECK_INT(schedule_jitter(&sch, 7), schedule_jitter(&sch, 7));
	CHECK_INT(schedule_jitter(&none, 7), 0);
}

static void clock_set_back(void)
{
	const struct schedule sch = {.every = SPAN_HOUR}, after = {.after = SPAN_HOUR};
	int64_t earlier = NOW - 365 * SPAN_DAY;
	CHECK_INT(schedule_next(&sch, NOW, NOW, earlier), earlier + SPAN_HOUR);
	CHECK_INT(schedule_next(&after, NOW, NOW, earlier), earlier + SPAN_HOUR);
	CHECK_INT(schedule_next(&sch, NOW, NOW, SPAN_SECOND), SPAN_SECOND + SPAN_HOUR); /* 1970 */
}

static void clock_set_forward(void)
{
	const struct schedule sch = {.every = SPAN_MINUTE};
	int64_t later = NOW + 365 * SPAN_DAY + 7 * SPAN_SECOND;
	int64_t due = schedule_next(&sch, NOW, NOW, later);
	CHECK(due <= later && due > later - SPAN_MINUTE); /* one run, no storm */
	due = schedule_next(&sch, due, later, later);
	CHECK(due > later && due <= later + SPAN_MINUTE);
}

static void backoff_doubles_to_its_limit(void)
{
	for (int streak = 1; streak < 100; streak++)
		for (uint64_t seed = 0; seed < 50; seed++) {
			int64_t want = streak < 7 ? SPAN_SECOND << (streak - 1) : SPAN_MINUTE;
			int64_t d = backoff_delay(SPAN_SECOND, SPAN_MINUTE, streak, seed);
			CHECK(d >= want - want / 4 && d <= want + want / 4);
		}
}

static void backoff_extremes(void)
{
	CHECK(backoff_delay(0, 0, 1, 1) >= 0);
	CHECK(backoff_delay(INT64_MAX / 4, INT64_MAX / 2, 1000, 3) > 0);
	CHECK(backoff_delay(SPAN_HOUR, SPAN_SECOND, 1, 3) <= SPAN_SECOND + SPAN_SECOND / 4);
	CHECK(backoff_delay(SPAN_SECOND, SPAN_MINUTE, 0, 1) > 0);
}

static void backoff_differs_by_seed(void)
{
	size_t differs = 0;
	for (uint64_t seed = 1; seed <= 100; seed++)
		differs += backoff_delay(SPAN_MINUTE, SPAN_HOUR, 1, seed) != backoff_delay(SPAN_MINUTE, SPAN_HOUR, 1, seed + 1);
	CHECK(differs > 95);
}

static const struct harness_test schedule_tests[] = {
	{"by hand only", by_hand_only},
	{"never ran: due now", never_ran_is_due_now},
	{"ten years without drift", years_without_drift},
	{"after counts from the end", after_counts_from_the_end},
	{"the earlier of every and after", the_earlier_of_both},
	{"missed runs become one, or none", missed_runs},
	{"exactly at the time", exactly_at_the_time},
	{"jitter stays inside its bounds", jitter_stays_inside},
	{"clock set back", clock_set_back},
	{"clock set forward", clock_set_forward},
};
static const struct harness_test backoff_tests[] = {
	{"doubles to its limit", backoff_doubles_to_its_limit},
	{"extremes", backoff_extremes},
	{"differs by seed", backoff_differs_by_seed},
};
HARNESS_MAIN(SUITE("schedule", schedule_tests), SUITE("backoff", backoff_tests))
