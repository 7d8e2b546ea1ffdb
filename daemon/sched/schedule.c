/* SPDX-License-Identifier: MIT */
#include "sched/schedule.h"

/* SplitMix64's finaliser (Steele, Lea, Flood 2014): spreads consecutive seeds evenly. */
static uint64_t mix(uint64_t x)
{
	x += UINT64_C(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static int64_t next_every(const struct schedule *sch, int64_t last_due, int64_t now)
{
	if (last_due <= 0 || last_due > now)
		last_due = last_due <= 0 ? now - sch->every : now;
	int64_t next = last_due + sch->every;
	if (next > now)
		return next;
	/* Periods that have passed whole: the latest of them stands for all, or the one to come. */
	int64_t passed = (now - next) / sch->every;
	return next + (passed + (sch->skip_missed && now > next ? 1 : 0)) * sch->every;
}

static int64_t next_after(const struct schedule *sch, int64_t last_end, int64_t now)
{
	if (last_end <= 0)
		return now;
	if (last_end > now)
		last_end = now;
	int64_t next = last_end + sch->after;
	return next <= now && sch->skip_missed ? now + sch->after : next;
}

int64_t schedule_next(const struct schedule *sch, int64_t last_due, int64_t last_end, int64_t now)
{
	int64_t next = 0;
	if (sch->every > 0)
		next = next_every(sch, last_due, now);
	if (sch->after > 0) {
		int64_t after = next_after(sch, last_end, now);
		if (next == 0 || after < next)
			next = after;
	}
	return next;
}

int64_t schedule_jitter(const struct schedule *sch, uint64_t seed)
{
	return sch->jitter > 0 ? (int64_t)(mix(seed) % (uint64_t)sch->jitter) : 0;
}
