/* SPDX-License-Identifier: MIT
 *
 * zone.h: time zones by name. GLib's GTimeZone stays behind this header: it keeps a zone in an object of its own, so
 * that views with different zones need no TZ variable, and is safe from any thread. Times are seconds since the epoch,
 * UTC.
 */
#ifndef VIEWD_SCHED_ZONE_H
#define VIEWD_SCHED_ZONE_H

#include "base/macros.h"
#include "viewd_dialect.h"

#include <stddef.h>
#include <stdint.h>

struct zone;

/* The zone of that name in the system's time zone database ("Europe/Berlin", "UTC"), in the talloc tree of mem_ctx.
 * Names only: no POSIX rule, no path. NULL: err says why. Names differ by case. [any] */
struct zone *zone_open(void *mem_ctx, const char *name, struct viewd_err *err);

/* The offset to add to UTC to get local time at that moment, in seconds. [any] */
int64_t zone_offset(const struct zone *zone, int64_t utc);

/* The first moment in (from, to] at which the offset is another than the one before it; to + 1 when there is none.
 * Offsets that hold for less than a day may be overlooked. */
int64_t zone_change(const struct zone *zone, int64_t from, int64_t to);

/* Every name of the time zone database, in a talloc array on mem_ctx; none when the database has no list. For finding
 * the nearest one. */
const char **zone_names(void *mem_ctx, size_t *n_r);

#endif
