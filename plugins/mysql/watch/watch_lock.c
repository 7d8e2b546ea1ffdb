/* SPDX-License-Identifier: MIT */
#include "mysql/watch/watch.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"

bool watch_lock_take(struct viewd_conn *conn, const char *lock, int64_t *epoch_r, struct viewd_err *err)
{
	const char *params[] = {lock};
	int64_t got, holder;
	if (!my_query_int(conn, "SELECT GET_LOCK(?, 0)", params, 1, &got, err))
		return false;
	if (got == 1)
		return my_leader_claim(conn, epoch_r, err);
	if (!my_query_int(conn, "SELECT IS_USED_LOCK(?)", params, 1, &holder, err))
		return false;
	char how[340];
	snprintf(how, sizeof how, "connection %" PRId64 " of the server holds %s", holder, lock);
	return my_leader_refuse(conn, how, err);
}

void watch_lock_release(struct viewd_conn *conn, const char *lock)
{
	const char *params[] = {lock};
	int64_t released;
	my_leader_give_back(conn);
	if (!conn->lost && !my_query_int(conn, "SELECT RELEASE_LOCK(?)", params, 1, &released, NULL))
		db_log(&conn->db, VIEWD_LOG_DEBUG, "lock '%s' goes with its connection", lock);
}

bool watch_lock_check(struct viewd_conn *conn, const char *lock, struct viewd_err *err)
{
	const char *params[] = {lock};
	int64_t held;
	if (!my_require_writable(conn, err) || !places_stay(conn, err) ||
	    !my_query_int(conn, "SELECT IS_USED_LOCK(?) = CONNECTION_ID()", params, 1, &held, err))
		return false;
	if (held != 1 || mysql_thread_id(conn->my) != conn->thread_id)
		return err_set(err, VIEWD_ERR_LOST, "the lock of the database was lost");
	return my_leader_keep(conn, err);
}
