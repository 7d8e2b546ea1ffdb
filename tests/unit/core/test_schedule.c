/* SPDX-License-Identifier: MIT
 *
 * test_schedule.c: years of schedules in a moment, clocks that jump, and how long to wait after failures.
 */
#include "base/span.h"
#include "sched/backoff.h"
#include "sched/schedule.h"
#include "support/harness.h"

#define NOW (INT64_C(1800000000) * SPAN_SECOND)

static struct schedule_due next_due(const struct schedule *sch, int64_t due, int64_t end, int64_t now)
{
	const struct schedule_past past = {.last_due = due, .last_end = end, .data = end, .cron_served = SCHEDULE_NEVER};
	return schedule_next(sch, &past, (struct schedule_clock){.mono = now, .wall = now});
}

/* Both clocks tell the same. */
static int64_t next(const struct schedule *sch, int64_t due, int64_t end, int64_t now)
{
	return next_due(sch, due, end, now).mono;
}

static void by_hand_only(void)
{
	const struct schedule sch = {.jitter = SPAN_HOUR};
	CHECK_INT(next_due(&sch, NOW, NOW, NOW + SPAN_DAY).kind, SCHEDULE_NONE);
}

static void never_ran_is_due_now(void)
{
	const struct schedule every = {.every = SPAN_HOUR}, after = {.after = SPAN_HOUR},
						  skip = {.every = SPAN_HOUR, .skip_missed = true};
	CHECK_INT(next(&every, SCHEDULE_NEVER, SCHEDULE_NEVER, NOW), NOW);
	CHECK_INT(next(&after, SCHEDULE_NEVER, SCHEDULE_NEVER, NOW), NOW);
	CHECK_INT(next(&skip, SCHEDULE_NEVER, SCHEDULE_NEVER, NOW), NOW);
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
		due = next(&sch, due, end, now);
		CHECK(due > now);
		runs++;
	}
	CHECK_INT(runs, 3650 * 24 * 12);
	CHECK_INT((due - NOW) % sch.every, 0);
}

static void after_counts_from_the_end(void)
{
	const struct schedule sch = {.after = SPAN_HOUR};
	CHECK_INT(next(&sch, NOW, NOW + 10 * SPAN_MINUTE, NOW + 10 * SPAN_MINUTE), NOW + 70 * SPAN_MINUTE);
}

static void the_earlier_of_both(void)
{
	const struct schedule sch = {.every = SPAN_HOUR, .after = 10 * SPAN_MINUTE};
	CHECK_INT(next(&sch, NOW, NOW + SPAN_MINUTE, NOW + SPAN_MINUTE), NOW + 11 * SPAN_MINUTE);
	CHECK_INT(next(&sch, NOW, NOW + 55 * SPAN_MINUTE, NOW + 55 * SPAN_MINUTE), NOW + SPAN_HOUR);
}

static void missed_runs(void)
{
	const struct schedule once = {.every = SPAN_HOUR}, skip = {.every = SPAN_HOUR, .skip_missed = true};
	const struct schedule after = {.after = SPAN_HOUR, .skip_missed = true};
	int64_t now = NOW + 5 * SPAN_HOUR + 20 * SPAN_MINUTE;
	CHECK_INT(next(&once, NOW, NOW, now), NOW + 5 * SPAN_HOUR); /* one stands for all five */
	CHECK_INT(next(&once, NOW + 5 * SPAN_HOUR, now, now), NOW + 6 * SPAN_HOUR);
	CHECK_INT(next(&skip, NOW, NOW, now), NOW + 6 * SPAN_HOUR);
	CHECK_INT(next(&after, NOW, NOW, now), now + SPAN_HOUR);
}

static void exactly_at_the_time(void)
{
	const struct schedule once = {.every = SPAN_HOUR}, skip = {.every = SPAN_HOUR, .skip_missed = true};
	CHECK_INT(next(&once, NOW, NOW, NOW + SPAN_HOUR), NOW + SPAN_HOUR);
	CHECK_INT(next(&skip, NOW, NOW, NOW + SPAN_HOUR), NOW + SPAN_HOUR);
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
	CHECK_INT(next(&sch, NOW, NOW, earlier), earlier + SPAN_HOUR);
	CHECK_INT(next(&after, NOW, NOW, earlier), earlier + SPAN_HOUR);
	CHECK_INT(next(&sch, NOW, NOW, SPAN_SECOND), SPAN_SECOND + SPAN_HOUR); /* 1970 */
}

static void clock_set_forward(void)
{
	const struct schedule sch = {.every = SPAN_MINUTE};
	int64_t later = NOW + 365 * SPAN_DAY + 7 * SPAN_SECOND;
	int64_t due = next(&sch, NOW, NOW, later);
	CHECK(due <= later && due > later - SPAN_MINUTE); /* one run, no storm */
	due = next(&sch, due, later, later);
	CHECK(due > later && due <= later + SPAN_MINUTE);
}

/* ---- cron ---- */

#define MIDNIGHT (INT64_C(1800057600) * SPAN_SECOND) /* 16 January 2027, UTC */

static struct schedule daily_at_four(bool skip)
{
	struct schedule sch = {.skip_missed = skip};
	struct viewd_err err = {0};
	sch.zone = zone_open(harness_ctx(), "UTC", &err);
	REQUIRE(sch.zone != NULL);
	REQUIRE_OK(cron_parse("0 4 * * *", &sch.cron, &err), &err);
	return sch;
}

/* The wall clock of the next time, hours from midnight; the monotonic clock began with the machine, a day ago. */
static int64_t hours(const struct schedule *sch, int64_t served, int64_t now)
{
	struct schedule_past past = SCHEDULE_NO_PAST;
	past.cron_served = served == SCHEDULE_NEVER ? SCHEDULE_NEVER : MIDNIGHT + served * SPAN_HOUR;
	struct schedule_clock clock = {.mono = SPAN_DAY, .wall = MIDNIGHT + now * SPAN_HOUR};
	struct schedule_due due = schedule_next(sch, &past, clock);
	CHECK_INT(due.kind, SCHEDULE_CRON);
	CHECK_INT(due.mono - clock.mono, due.wall - clock.wall);
	return (due.wall - MIDNIGHT) / SPAN_HOUR;
}

static void cron_is_next(void)
{
	const struct schedule sch = daily_at_four(false), skip = daily_at_four(true);
	CHECK_INT(hours(&sch, SCHEDULE_NEVER, 3), 4);
	CHECK_INT(hours(&sch, SCHEDULE_NEVER, 5), 28);
	CHECK_INT(hours(&sch, 3, 3), 4);
	CHECK_INT(hours(&sch, 4, 4), 28);
	CHECK_INT(hours(&sch, 3, 5), 4); /* missed */
	CHECK_INT(hours(&skip, 3, 5), 28);
	CHECK_INT(hours(&skip, 3, 4), 4); /* now is not too late */
}

static void cron_after_a_step(void)
{
	const struct schedule sch = daily_at_four(false), skip = daily_at_four(true);
	CHECK_INT(hours(&sch, 4, 3), 28);            /* back by an hour: not again */
	CHECK_INT(hours(&sch, 5, -5), 4);            /* back by ten: as if it had always been so */
	CHECK_INT(hours(&sch, 4, 365 * 24 + 5), 28); /* a year ahead: one run makes up for all */
	CHECK_INT(hours(&skip, 4, 365 * 24 + 5), 366 * 24 + 4);
	CHECK_INT(hours(&sch, 4, -MIDNIGHT / SPAN_HOUR), 4 - MIDNIGHT / SPAN_HOUR); /* 1970 */
}

static void cron_with_a_rhythm(void)
{
	struct schedule sch = daily_at_four(false);
	sch.every = 90 * SPAN_MINUTE;
	struct schedule_past past = {.last_due = 0, .last_end = 0, .data = 0, .cron_served = MIDNIGHT};
	struct schedule_due due =
		schedule_next(&sch, &past, (struct schedule_clock){.mono = 0, .wall = MIDNIGHT + 2 * SPAN_HOUR});
	CHECK_INT(due.kind, SCHEDULE_EVERY);
	due = schedule_next(&sch, &past, (struct schedule_clock){.mono = 0, .wall = MIDNIGHT + 3 * SPAN_HOUR});
	CHECK_INT(due.kind, SCHEDULE_CRON);
	CHECK_INT(due.mono, SPAN_HOUR);
}

static void a_run_serves_what_was_before_it(void)
{
	const struct schedule sch = {.every = SPAN_HOUR};
	struct schedule_past past = SCHEDULE_NO_PAST;
	schedule_served(&sch, &past, (struct schedule_clock){.mono = 5, .wall = NOW});
	CHECK(past.last_due == 5 && past.cron_served == NOW);
	schedule_served(&sch, &past,
	                (struct schedule_clock){.mono = 5 + 150 * SPAN_MINUTE, .wall = NOW + 150 * SPAN_MINUTE});
	CHECK_INT(past.last_due, 5 + 2 * SPAN_HOUR);
	CHECK_INT(past.cron_served, NOW + 150 * SPAN_MINUTE);
	schedule_served(&sch, &past, (struct schedule_clock){.mono = 6, .wall = NOW});
	CHECK_INT(past.last_due, 5 + 2 * SPAN_HOUR);
	CHECK_INT(past.cron_served, NOW + 150 * SPAN_MINUTE);
	schedule_served(&sch, &past, (struct schedule_clock){.mono = 7, .wall = SPAN_SECOND}); /* 1970 */
	CHECK_INT(past.cron_served, SPAN_SECOND);
}

/* ---- target_lag ---- */

/* Days of a view whose refreshes take what take(i) says: how old its data gets, and how much of the time it works. */
static void keep(const struct schedule *sch, int64_t (*takes)(int i), int64_t *oldest_r, int64_t *busy_r, int *runs_r)
{
	struct schedule_past past = SCHEDULE_NO_PAST;
	int64_t now = 0, oldest = 0, busy = 0;
	int n = 0;
	for (; now < 2 * SPAN_DAY; n++) {
		struct schedule_due due = schedule_next(sch, &past, (struct schedule_clock){.mono = now, .wall = NOW + now});
		int64_t start = due.mono > now ? due.mono : now, end = start + takes(n);
		CHECK_INT(due.kind, SCHEDULE_LAG);
		if (n > 10 && end - past.data > oldest)
			oldest = end - past.data;
		schedule_learn(&past.runs, end - start);
		past.data = start;
		past.last_end = now = end;
		busy += end - start;
	}
	*oldest_r = oldest;
	*busy_r = busy;
	*runs_r = n;
}

static int64_t half_a_minute(int i)
{
	return 30 * SPAN_SECOND + (i % 5) * SPAN_SECOND;
}

static int64_t slower_and_slower(int i)
{
	return SPAN_SECOND + i * SPAN_SECOND / 4;
}

static int64_t an_hour(int i)
{
	return i >= 0 ? SPAN_HOUR : 0;
}

static void lag_is_kept(void)
{
	const struct schedule sch = {.target_lag = 10 * SPAN_MINUTE};
	int64_t oldest, busy;
	int runs;
	keep(&sch, half_a_minute, &oldest, &busy, &runs);
	CHECK(oldest <= 10 * SPAN_MINUTE && oldest > 9 * SPAN_MINUTE);
	CHECK(runs < 2 * 24 * 60 / 8); /* and not more often than that takes */
	keep(&sch, slower_and_slower, &oldest, &busy, &runs);
	CHECK(oldest <= 10 * SPAN_MINUTE);
}

static void lag_that_cannot_be_kept_leaves_some_rest(void)
{
	const struct schedule sch = {.target_lag = 10 * SPAN_MINUTE};
	int64_t oldest, busy;
	int runs;
	keep(&sch, an_hour, &oldest, &busy, &runs);
	CHECK(busy < 2 * SPAN_DAY + SPAN_HOUR - 3 * SPAN_HOUR);
}

static void learning(void)
{
	struct schedule_learnt runs = {0};
	CHECK_INT(schedule_expected(&runs), 0);
	schedule_learn(&runs, 0);
	CHECK(schedule_expected(&runs) > 0);
	for (int i = 0; i < 200; i++)
		schedule_learn(&runs, SPAN_SECOND);
	CHECK(schedule_expected(&runs) >= 990 * SPAN_MS && schedule_expected(&runs) < 1100 * SPAN_MS);
	schedule_learn(&runs, 9 * SPAN_SECOND);
	CHECK(schedule_expected(&runs) > 9 * SPAN_SECOND);
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
	{"cron is next", cron_is_next},
	{"cron after a step of the clock", cron_after_a_step},
	{"cron with a rhythm", cron_with_a_rhythm},
	{"a run serves what was before it", a_run_serves_what_was_before_it},
	{"target_lag is kept", lag_is_kept},
	{"a target_lag that cannot be kept leaves some rest", lag_that_cannot_be_kept_leaves_some_rest},
	{"durations are learnt", learning},
};
static const struct harness_test backoff_tests[] = {
	{"doubles to its limit", backoff_doubles_to_its_limit},
	{"extremes", backoff_extremes},
	{"differs by seed", backoff_differs_by_seed},
};
HARNESS_MAIN(SUITE("schedule", schedule_tests), SUITE("backoff", backoff_tests))
