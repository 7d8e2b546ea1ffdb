/* SPDX-License-Identifier: MIT
 *
 * poll_interval.c: the time of the next look. A change alone is met asleep: one notification, one look, one more that
 * finds nothing. A stream of changes wakes the watcher, so that writers stop notifying, which takes a lock of the
 * whole server at their commit; it looks in steps of 1 to 50 ms, the longer the more it finds, until it has been
 * quiet, and then sleeps as soon as nobody who saw it awake is left.
 */
#include "postgresql/watch/watch.h"

#include "base/clock.h"

#define PACE_MIN_US INT64_C(1000)
#define PACE_MAX_US INT64_C(50000)
#define PACE_DEAF_US INT64_C(250000) /* where nobody can notify, and no writer waits for it to sleep */
#define QUIET_US INT64_C(30000)
#define STREAK_WAKES 16
#define ROWS_WAKE 8 /* in one look */

static bool bool_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0] != NULL && v[0][0] == 't';
	return false;
}

static const struct db_reader bool_row[] = {{bool_row_fn, "T", "the lock of who sleeps"}};

static int64_t within(const struct viewd_watch *w, int64_t pace_us)
{
	int64_t most = w->hears ? PACE_MAX_US : PACE_DEAF_US;
	return pace_us < PACE_MIN_US ? PACE_MIN_US : pace_us > most ? most : pace_us;
}

static bool wake_up(struct viewd_watch *w, struct viewd_err *err)
{
	w->asleep = false;
	w->pace_us = PACE_MIN_US;
	return pg_exec(w->conn, "SELECT pg_catalog.pg_advisory_unlock(" PG_LOCK_ASLEEP ")", err);
}

/* Writers that found the lock free hold it to their end, so having it means that all of them are visible to one more
 * look. */
static bool fall_asleep(struct viewd_watch *w, bool *again_r, struct viewd_err *err)
{
	bool got = false;
	if (!pg_op_query(&w->conn->db, "SELECT pg_catalog.pg_try_advisory_lock(" PG_LOCK_ASLEEP ")", NULL, 0, bool_row,
	                 &got, err))
		return false;
	if (!got)
		return true;
	w->asleep = *again_r = true;
	w->streak = 0;
	return true;
}

static bool pace_asleep(struct viewd_watch *w, int64_t rows, struct viewd_err *err)
{
	w->streak = rows > 0 ? w->streak + 1 : 0;
	w->pace_us = rows > 0 ? PACE_MIN_US : 0;
	return (w->streak < STREAK_WAKES && rows < ROWS_WAKE) || wake_up(w, err);
}

static bool pace_awake(struct viewd_watch *w, int64_t rows, bool *again_r, struct viewd_err *err)
{
	int64_t now = clock_system()->mono(clock_system());
	if (rows > 0)
		w->quiet_since_us = now;
	w->pace_us = within(w, rows > 0 && rows < ROWS_WAKE ? w->pace_us / 2 : w->pace_us * 2);
	return now - w->quiet_since_us < QUIET_US || !w->may_sleep || !w->hears || fall_asleep(w, again_r, err);
}

bool pg_poll_interval(struct viewd_watch *w, int64_t rows, bool *again_r, struct viewd_err *err)
{
	*again_r = false;
	if (rows < 0) {
		w->pace_us = PACE_MAX_US;
		return true;
	}
	return w->asleep ? pace_asleep(w, rows, err) : pace_awake(w, rows, again_r, err);
}
