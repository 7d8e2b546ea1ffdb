/* SPDX-License-Identifier: MIT
 *
 * test_due.c: schedules in a running engine whose clocks are set, stand still and sleep.
 */
#include "core/engine/clock_step.h"
#include "core/engine/on_due.h"
#include "core/plan/due.h"
#include "unit/core/rig.h"

#define TIMED(name, keys) "[view " name "]\ndatabase = d\nmethod = table\ndefinition = 'SELECT * FROM t_x'\n" keys
/* The first time of the rig's clock: 15 January 2027, 08:00 UTC. */
#define RIG_START (INT64_C(1800000000) * SPAN_SECOND)

static size_t runs(const char *view)
{
	return fake_calls("d", "refresh", view);
}

static void advance(struct rig *rig, int64_t us)
{
	rig_advance(rig, us);
	rig_settle(rig);
}

/* As the system does it: the wall clock jumps, then the watch is told. */
static void set_clock(struct rig *rig, int64_t by)
{
	rig->clock.wall_us += by;
	fake_set_now(rig->clock.wall_us);
	clock_step_check(rig->eng);
	on_due(rig->eng);
	rig_settle(rig);
}

static int64_t due_in(struct rig *rig, const char *view)
{
	return due_wall(rig_view(rig, view)) - rig->clock.wall_us;
}

static void rhythms_under_a_step(int64_t step)
{
	struct rig *rig = rig_start(DB TIMED("e", "every = 10m\n") TIMED("a", "after = 10m\n") TIMED(
		"s", "max_staleness = 10m\n") TIMED("l", "target_lag = 10m\n") TIMED("r", ""));
	advance(rig, 4 * SPAN_MINUTE);
	fake_do("d", "fail refresh r conflict");
	expect_log("view 'r', refresh failed");
	rig_refresh_now(rig, "r");
	int64_t before = due_in(rig, "e"), retry = due_in(rig, "r");
	set_clock(rig, step);
	CHECK(due_in(rig, "e") == before && due_in(rig, "r") == retry && retry > 0);
	CHECK_INT(fake_calls("d", "refresh", NULL), 1);
	advance(rig, 5 * SPAN_MINUTE);
	CHECK(runs("e") == 0 && runs("a") == 0 && runs("s") == 0 && runs("r") == 2);
	advance(rig, 2 * SPAN_MINUTE);
	CHECK(runs("e") == 1 && runs("a") == 1 && runs("s") == 1 && runs("l") == 1);
	advance(rig, SPAN_MINUTE);
	CHECK_INT(fake_calls("d", "refresh", NULL), 6);
	rig_free(&rig);
}

static void rhythms_do_not_see_the_wall_clock(void)
{
	rhythms_under_a_step(SPAN_HOUR);
	rhythms_under_a_step(-SPAN_HOUR);
	rhythms_under_a_step(365 * SPAN_DAY);
	rhythms_under_a_step(-RIG_START + SPAN_DAY); /* 1970 */
}

static void cron_follows_the_wall_clock(void)
{
	struct rig *rig = rig_start(DB TIMED("c", "cron = 0 12 * * *\ntimezone = Europe/Berlin\n"));
	CHECK_STR(rig_status(rig, "c").schedule, "cron 0 12 * * * (Europe/Berlin)");
	CHECK_INT(due_in(rig, "c"), 3 * SPAN_HOUR); /* 11:00 UTC */
	set_clock(rig, SPAN_HOUR);
	CHECK_INT(due_in(rig, "c"), 2 * SPAN_HOUR);
	set_clock(rig, -2 * SPAN_HOUR);
	CHECK_INT(due_in(rig, "c"), 4 * SPAN_HOUR);
	CHECK_INT(runs("c"), 0);
	advance(rig, 4 * SPAN_HOUR);
	CHECK_INT(runs("c"), 1);
	CHECK_INT(rig_status(rig, "c").trigger, VIEW_TRIGGER_SCHEDULED);
	CHECK_INT(due_in(rig, "c"), 24 * SPAN_HOUR);
	set_clock(rig, -30 * SPAN_MINUTE); /* not twice */
	CHECK_INT(due_in(rig, "c"), 24 * SPAN_HOUR + 30 * SPAN_MINUTE);
	set_clock(rig, 365 * SPAN_DAY); /* one run makes up for a year */
	advance(rig, SPAN_SECOND);
	CHECK_INT(runs("c"), 2);
	CHECK_INT(rig_status(rig, "c").trigger, VIEW_TRIGGER_CATCH_UP);
	set_clock(rig, SPAN_HOUR - rig->clock.wall_us); /* 1970, at 01:00 UTC, 02:00 in Berlin */
	CHECK_INT(runs("c"), 2);
	CHECK_INT(due_in(rig, "c"), 10 * SPAN_HOUR);
	CHECK_INT(harness_log_count("clock, set "), 5);
	rig_free(&rig);
}

static void missed_times_may_be_left_out(void)
{
	static const char *const text = DB TIMED("c", "cron = 0 12 * * *\nmissed = skip\n")
		TIMED("e", "every = 1h\nmissed = skip\n") TIMED("o", "cron = 0 12 * * *\n");
	struct rig *rig = rig_start(text);
	engine_stop(rig->eng);
	clock_fake_advance(&rig->clock, 26 * SPAN_HOUR + 30 * SPAN_MINUTE); /* 10:30 UTC the next day */
	fake_set_now(rig->clock.wall_us);
	rig_restart(rig, text);
	advance(rig, SPAN_SECOND);
	CHECK_INT(runs("c"), 0);
	CHECK_INT(runs("e"), 0);
	CHECK_INT(runs("o"), 1);
	advance(rig, SPAN_HOUR);
	CHECK_INT(runs("e"), 1);
	advance(rig, SPAN_HOUR);
	CHECK_INT(runs("c"), 1);
	CHECK_INT(runs("o"), 2);
	rig_free(&rig);
}

/* By the wall clock the monotonic one is a little fast: at the time of cron it is not yet time. */
static void a_drifting_clock(void)
{
	struct rig *rig = rig_start(DB TIMED("c", "cron = @hourly\n"));
	rig->clock.wall_us -= 2 * SPAN_SECOND;
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK_INT(runs("c"), 0);
	CHECK_INT(due_in(rig, "c"), 2 * SPAN_SECOND);
	advance(rig, 2 * SPAN_SECOND);
	CHECK_INT(runs("c"), 1);
	CHECK_INT(due_in(rig, "c"), SPAN_HOUR);
	rig_free(&rig);
}

static void a_sleeping_machine(void)
{
	struct rig *rig =
		rig_start(DB TIMED("e", "every = 1h\n") TIMED("s", "max_staleness = 1h\n") TIMED("n", "every = 1d\n"));
	advance(rig, 10 * SPAN_MINUTE);
	clock_fake_sleep(&rig->clock, 2 * SPAN_HOUR);
	fake_set_now(rig->clock.wall_us);
	clock_step_check(rig->eng);
	advance(rig, SPAN_SECOND);
	CHECK_INT(runs("e"), 1);
	CHECK_INT(rig_status(rig, "e").trigger, VIEW_TRIGGER_CATCH_UP);
	CHECK_INT(runs("s"), 1);
	CHECK_INT(runs("n"), 0);
	CHECK_INT(due_in(rig, "n"), SPAN_DAY - 2 * SPAN_HOUR - 10 * SPAN_MINUTE - SPAN_SECOND);
	CHECK_INT(harness_log_count("clock, the machine has slept for"), 1);
	CHECK_INT(harness_log_count("clock, set"), 0);
	rig_free(&rig);
}

static void several_schedules(void)
{
	struct rig *rig =
		rig_start(DB TIMED("m", "every = 90m\ncron = 0 10,11 * * *\n") TIMED("v", "cron = @every 20m\nevery = 30m\n"));
	CHECK_STR(rig_status(rig, "m").schedule, "every 1h30m, cron 0 10,11 * * * (UTC)");
	CHECK_INT(due_in(rig, "m"), 90 * SPAN_MINUTE);
	CHECK_INT(due_in(rig, "v"), 20 * SPAN_MINUTE);
	advance(rig, 90 * SPAN_MINUTE);
	CHECK_INT(runs("m"), 1);
	CHECK_INT(due_in(rig, "m"), 30 * SPAN_MINUTE); /* 10:00 */
	advance(rig, 30 * SPAN_MINUTE);
	CHECK_INT(runs("m"), 2);
	CHECK_INT(due_in(rig, "m"), SPAN_HOUR); /* both at 11:00 */
	rig_free(&rig);
}

static void a_reload_changes_the_times(void)
{
	struct rig *rig = rig_start(DB TIMED("c", "cron = 0 12 * * *\n"));
	advance(rig, SPAN_HOUR); /* 09:00 */
	rig_commit(rig, DB TIMED("c", "cron = 30 8 * * *\n"));
	rig_settle(rig);
	advance(rig, SPAN_SECOND);
	CHECK_INT(runs("c"), 0); /* 08:30 has passed, but it was none of the times then */
	CHECK_INT(due_in(rig, "c"), 23 * SPAN_HOUR + 30 * SPAN_MINUTE - SPAN_SECOND);
	rig_commit(rig, DB TIMED("c", "cron = 30 8 * * *\ntimezone = America/New_York\n"));
	rig_settle(rig);
	CHECK_INT(due_in(rig, "c"), 4 * SPAN_HOUR + 30 * SPAN_MINUTE - SPAN_SECOND); /* 13:30 UTC */
	rig_commit(rig, DB TIMED("c", ""));
	rig_settle(rig);
	CHECK_INT(due_wall(rig_view(rig, "c")), 0);
	CHECK_STR(rig_status(rig, "c").schedule, "manual");
	rig_free(&rig);
}

struct lines {
	char text[2000];
};

static void keep_line(void *ctx, const char *line)
{
	struct lines *lines = ctx;
	size_t len = strlen(lines->text);
	snprintf(lines->text + len, sizeof lines->text - len, "%s\n", line);
}

static void lag_in_an_engine(void)
{
	struct rig *rig = rig_start(DB TIMED("l", "target_lag = 10m\n"));
	struct lines why = {""};
	int64_t in = due_in(rig, "l");
	CHECK(in > 9 * SPAN_MINUTE && in < 10 * SPAN_MINUTE);
	engine_why(rig->eng, rig_view(rig, "l"), keep_line, &why);
	CHECK_CONTAINS(why.text, "(target_lag)");
	CHECK_CONTAINS(why.text, "target_lag: a refresh is expected to take at most ");
	CHECK_STR(rig_status(rig, "l").schedule, "target lag 10m");
	advance(rig, in);
	CHECK_INT(runs("l"), 1);
	fake_do("d", "fail refresh l query");
	expect_log("view 'l', refresh failed");
	advance(rig, 10 * SPAN_MINUTE);
	CHECK_INT(runs("l"), 2);
	CHECK(due_in(rig, "l") > 9 * SPAN_MINUTE); /* a failure is not tried again at once */
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"rhythms do not see the wall clock", rhythms_do_not_see_the_wall_clock},
	{"cron follows the wall clock", cron_follows_the_wall_clock},
	{"missed times are made up once, or left out", missed_times_may_be_left_out},
	{"a drifting clock", a_drifting_clock},
	{"a sleeping machine", a_sleeping_machine},
	{"several schedules", several_schedules},
	{"a reload changes the times", a_reload_changes_the_times},
	{"target_lag in an engine", lag_in_an_engine},
};
HARNESS_MAIN(SUITE("due", tests))
