/* SPDX-License-Identifier: MIT */
#include "sched/schedule.h"

#include "base/span.h"

/* Being this late is no miss: timers and other work take their time. */
#define LATE SPAN_SECOND
/* A clock that goes back by more was wrong before; by less, it is summer time or a small correction (cron(8)). */
#define CORRECTION (3 * SPAN_HOUR)
#define MOST_MARGIN (10 * SPAN_SECOND)

/* SplitMix64's finaliser (Steele, Lea, Flood 2014): spreads consecutive seeds evenly. */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static bool is_missed(const struct schedule *sch, int64_t time, int64_t now)
{
	return sch->skip_missed && now - time > sch->jitter + LATE;
}

static int64_t next_every(const struct schedule *sch, int64_t last_due, int64_t now)
{
	if (last_due == SCHEDULE_NEVER)
		return now;
	if (last_due > now)
		last_due = now;
	int64_t next = last_due + sch->every;
	if (next > now)
		return next;
	/* Periods that have passed whole: the latest of them stands for all, or the one to come. */
	next += (now - next) / sch->every * sch->every;
	return is_missed(sch, next, now) ? next + sch->every : next;
}

static int64_t next_after(const struct schedule *sch, int64_t last_end, int64_t now)
{
	if (last_end == SCHEDULE_NEVER)
		return now;
	if (last_end > now)
		last_end = now;
	int64_t next = last_end + sch->after;
	return is_missed(sch, next, now) ? now + sch->after : next;
}

static int64_t floor_seconds(int64_t us)
{
	return us / SPAN_SECOND - (us % SPAN_SECOND < 0);
}

/* Wall clock; SCHEDULE_NEVER: no such time. */
static int64_t next_cron(const struct schedule *sch, int64_t served, int64_t now)
{
	if (served == SCHEDULE_NEVER || served - now > CORRECTION)
		served = now;
	int64_t next = cron_next(&sch->cron, sch->zone, floor_seconds(served));
	if (next != 0 && is_missed(sch, next * SPAN_SECOND, now))
		next = cron_next(&sch->cron, sch->zone, floor_seconds(now));
	return next == 0 ? SCHEDULE_NEVER : next * SPAN_SECOND;
}

int64_t schedule_lag_start(const struct schedule *sch, const struct schedule_past *past, int64_t since)
{
	int64_t expected = schedule_expected(&past->runs);
	int64_t margin = sch->target_lag / 20 < MOST_MARGIN ? sch->target_lag / 20 : MOST_MARGIN;
	int64_t start = since + sch->target_lag - expected - margin;
	if (past->last_end != SCHEDULE_NEVER && start < past->last_end + expected / 10)
		start = past->last_end + expected / 10;
	return start;
}

static int64_t next_lag(const struct schedule *sch, const struct schedule_past *past, int64_t now)
{
	return past->data == SCHEDULE_NEVER ? now : schedule_lag_start(sch, past, past->data);
}

static void earlier(struct schedule_due *due, enum schedule_kind kind, int64_t mono)
{
	if (due->kind == SCHEDULE_NONE || mono < due->mono)
		*due = (struct schedule_due){.kind = kind, .mono = mono};
}

struct schedule_due schedule_next(const struct schedule *sch, const struct schedule_past *past,
                                  struct schedule_clock now)
{
	struct schedule_due due = {.kind = SCHEDULE_NONE};
	if (sch->every > 0)
		earlier(&due, SCHEDULE_EVERY, next_every(sch, past->last_due, now.mono));
	if (sch->after > 0)
		earlier(&due, SCHEDULE_AFTER, next_after(sch, past->last_end, now.mono));
	if (sch->target_lag > 0)
		earlier(&due, SCHEDULE_LAG, next_lag(sch, past, now.mono));
	int64_t wall = sch->zone != NULL ? next_cron(sch, past->cron_served, now.wall) : SCHEDULE_NEVER;
	if (wall != SCHEDULE_NEVER)
		earlier(&due, SCHEDULE_CRON, now.mono + (wall - now.wall));
	if (due.kind == SCHEDULE_CRON)
		due.wall = wall;
	return due;
}

int64_t schedule_jitter(const struct schedule *sch, uint64_t seed)
{
	return sch->jitter > 0 ? (int64_t)(mix(seed) % (uint64_t)sch->jitter) : 0;
}

void schedule_served(const struct schedule *sch, struct schedule_past *past, struct schedule_clock began)
{
	if (past->last_due == SCHEDULE_NEVER)
		past->last_due = began.mono;
	else if (sch->every > 0 && began.mono > past->last_due)
		past->last_due += (began.mono - past->last_due) / sch->every * sch->every;
	bool ahead = past->cron_served > began.wall && past->cron_served - began.wall <= CORRECTION;
	if (past->cron_served == SCHEDULE_NEVER || !ahead)
		past->cron_served = began.wall;
}

void schedule_learn(struct schedule_learnt *runs, int64_t duration)
{
	if (duration < 1)
		duration = 1;
	if (runs->mean == 0) {
		*runs = (struct schedule_learnt){.mean = duration, .deviation = duration / 2};
		return;
	}
	int64_t off = duration - runs->mean;
	runs->mean += off / 8;
	runs->deviation += ((off < 0 ? -off : off) - runs->deviation) / 4;
}

int64_t schedule_expected(const struct schedule_learnt *runs)
{
	return runs->mean + 4 * runs->deviation;
}
