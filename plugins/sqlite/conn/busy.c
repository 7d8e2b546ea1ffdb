/* SPDX-License-Identifier: MIT
 *
 * busy.c: waits for locks, and ends statements at their limit or on a cancel.
 */
#include "sqlite/conn/conn.h"

#include <time.h>

#define PROGRESS_STEPS 2000 /* virtual machine steps between two looks at the clock: well under a millisecond */
#define PAUSE_MIN_US 500
#define PAUSE_MAX_US 20000

int64_t sqlite_mono_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

bool sqlite_stopped(struct viewd_conn *conn)
{
	if (atomic_load(&conn->cancelled))
		return true;
	if (conn->deadline_us != 0 && sqlite_mono_us() >= conn->deadline_us)
		conn->timed_out = true;
	return conn->timed_out;
}

static int on_progress(void *ctx)
{
	return sqlite_stopped(ctx);
}

static void pause_us(int64_t us)
{
	nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000}, NULL);
}

/* Somebody else holds a lock. Sleeps on the worker thread, a little longer each time, until the lock timeout. */
static int on_busy(void *ctx, int times)
{
	struct viewd_conn *conn = ctx;
	int64_t now = sqlite_mono_us();
	if (times == 0)
		conn->busy_until_us = now + conn->lock_timeout_us;
	if (now >= conn->busy_until_us || sqlite_stopped(conn))
		return 0;
	int64_t pause = (int64_t)PAUSE_MIN_US << (times < 6 ? times : 6);
	pause = pause < PAUSE_MAX_US ? pause : PAUSE_MAX_US;
	pause_us(pause < conn->busy_until_us - now ? pause : conn->busy_until_us - now);
	return 1;
}

void sqlite_busy_install(struct viewd_conn *conn)
{
	sqlite3_busy_handler(conn->handle, on_busy, conn);
	sqlite3_progress_handler(conn->handle, PROGRESS_STEPS, on_progress, conn);
}

void sqlite_op_enter(struct db *db)
{
	struct viewd_conn *conn = sqlite_conn_of(db);
	atomic_store(&conn->cancelled, false);
	conn->timed_out = false;
	conn->deadline_us = 0;
}

bool sqlite_op_set_limits(struct db *db, int64_t timeout_us, int64_t lock_timeout_us, struct viewd_err *err UNUSED)
{
	struct viewd_conn *conn = sqlite_conn_of(db);
	conn->deadline_us = timeout_us > 0 ? sqlite_mono_us() + timeout_us : 0;
	conn->lock_timeout_us = lock_timeout_us;
	return true;
}
