/* SPDX-License-Identifier: MIT
 *
 * rest.h: rests between two readings of the binary log. Whoever reads each event of a stream without a pause has the
 * server wake a thread for each commit, and commits what was read of more often than writers can bear. A single change
 * is read at once. While one comes after the other the rests grow, up to REST_LONG. Pure.
 */
#ifndef VIEWD_MYSQL_WATCH_REST_H
#define VIEWD_MYSQL_WATCH_REST_H

#include "base/span.h"

#define REST_SHORT SPAN_MS
#define REST_LONG (50 * SPAN_MS)

/* Times are microseconds of the monotonic clock. All zero: nothing was read yet. */
struct rest {
	int64_t until, length;
};

/* Something was read: by who began to read at begin, and ends now. */
void rest_after_reading(struct rest *rest, int64_t begin, int64_t now);

/* The pause behind a drain of the triggers' log: at least the least. shared: each commit on another node of a cluster
 * waits until that one has taken the rows off as well, so this takes a tenth of the time, unless that is more than the
 * most. */
int64_t rest_of_drain(bool shared, int64_t took, int64_t least, int64_t most);

/* Is there so much to read that the next reading goes on until it has come to the end of the log? */
bool rest_is_long(const struct rest *rest);

#endif
