/* SPDX-License-Identifier: MIT
 *
 * schedule.h: the next time at which a view is due. Pure functions of (schedule, past runs, now). Microseconds. [any]
 *
 * Rhythms run on the monotonic clock, so that a step of the wall clock neither stalls them nor makes them storm; only
 * cron looks at the wall clock, and is computed anew after a step.
 */
#ifndef VIEWD_SCHED_SCHEDULE_H
#define VIEWD_SCHED_SCHEDULE_H

#include "base/macros.h"
#include "sched/cron.h"
#include "sched/zone.h"

#include <stdbool.h>
#include <stdint.h>

struct schedule {
	int64_t every;           /* from start to start; 0: not set */
	int64_t after;           /* from the end of the last run; 0: not set */
	int64_t target_lag;      /* start so that the data never gets older than this; 0: not set */
	int64_t jitter;          /* randomize_for: up to this much is added */
	bool skip_missed;        /* a time that passed while nobody watched is dropped, else made up once */
	const struct zone *zone; /* of cron; NULL: no cron */
	struct cron cron;
};

struct schedule_clock {
	int64_t mono, wall;
};

/* How long runs take: a mean and a mean deviation that forget (Jacobson 1988, as in RFC 6298). Zeroed: nothing is
 * known. */
struct schedule_learnt {
	int64_t mean, deviation;
};

#define SCHEDULE_NEVER INT64_MIN

/* Monotonic, may be negative (before the machine was started) or SCHEDULE_NEVER, unless said otherwise. */
struct schedule_past {
	int64_t last_due;    /* the time of `every` that was served last */
	int64_t last_end;    /* of the last attempt */
	int64_t data;        /* the moment the data is true for */
	int64_t all_rows;    /* the moment for which all rows were last computed: data, or earlier */
	int64_t cron_served; /* wall clock: times of cron up to here are done with */
	struct schedule_learnt runs;
};
#define SCHEDULE_NO_PAST \
	((struct schedule_past){.last_due = SCHEDULE_NEVER, \
	                        .last_end = SCHEDULE_NEVER, \
	                        .data = SCHEDULE_NEVER, \
	                        .all_rows = SCHEDULE_NEVER, \
	                        .cron_served = SCHEDULE_NEVER})

enum schedule_kind { SCHEDULE_NONE, SCHEDULE_EVERY, SCHEDULE_AFTER, SCHEDULE_CRON, SCHEDULE_LAG };

struct schedule_due {
	enum schedule_kind kind; /* NONE: only by hand */
	int64_t mono;            /* when; in the past: now */
	int64_t wall;            /* CRON: the same on the wall clock */
};

/* The next time, the earliest of what is set, without jitter.
 *
 * every counts from last_due, so runs do not drift; whole periods that have passed are made up by one run, or by none
 * with skip_missed; so are times of cron. Fixed times are not repeated when the clock is set back by up to three hours,
 * as cron(8) has it; a larger step is a correction, and they begin anew from there. */
struct schedule_due schedule_next(const struct schedule *sch, const struct schedule_past *past,
                                  struct schedule_clock now);

/* How much later than that this run starts: 0 .. jitter, different between views and runs, reproducible from seed. Kept
 * apart so that it does not add up over runs. */
int64_t schedule_jitter(const struct schedule *sch, uint64_t seed);

/* A run that began at that moment stands for every scheduled time before it. */
void schedule_served(const struct schedule *sch, struct schedule_past *past, struct schedule_clock began);

/* One more run has taken this long. */
void schedule_learn(struct schedule_learnt *runs, int64_t duration);

/* How long the next run will hardly exceed. */
int64_t schedule_expected(const struct schedule_learnt *runs);

/* The latest start with which what changed at `since` is visible within target_lag; runs get some rest between them
 * even when that cannot be kept. */
int64_t schedule_lag_start(const struct schedule *sch, const struct schedule_past *past, int64_t since);

#endif
