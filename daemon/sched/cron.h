/* SPDX-License-Identifier: MIT
 *
 * cron.h: crontab's times of day. Pure. [any]
 *
 * Five fields as in crontab(5) of Debian's cron (minute, hour, day of month, month, day of week; names, ranges, lists,
 * steps), the words @hourly @daily @midnight @weekly @monthly @yearly @annually, and `@every DURATION`.
 *
 * Summer time: a job at fixed times runs once for each of them. A time that the clocks leave out is made up at the
 * moment they jump; one that comes twice counts the first time. A job whose minute or hour begins with `*` follows
 * elapsed time: hourly is 23 or 25 times on such a day.
 */
#ifndef VIEWD_SCHED_CRON_H
#define VIEWD_SCHED_CRON_H

#include "base/macros.h"
#include "sched/zone.h"
#include "viewd_dialect.h"

#include <stdbool.h>
#include <stdint.h>

struct cron {
	uint64_t minute; /* bit i: value i */
	uint32_t hour, day;
	uint16_t month;
	uint8_t weekday;  /* 0 Sunday */
	bool any_day;     /* day of month begins with `*` */
	bool any_weekday; /* likewise: only when neither does are the two OR-ed */
	bool wildcard;    /* minute or hour begins with `*` */
	int64_t every;    /* microseconds; not 0: `@every`, and nothing else is set */
};

/* Reads text into *out. False: err names the field and says what would be right; *out is untouched. A date that never
 * comes (30 February) is an error. */
bool cron_parse(const char *text, struct cron *out, struct viewd_err *err) MUST_CHECK;

/* The first moment after `after` (both in seconds, UTC) at which it is due in the zone; 0: not within the calendar's
 * longest gap (40 years, for a 29 February on a given weekday). Not for `@every`. */
int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after);

#endif
