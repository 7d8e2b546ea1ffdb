/* SPDX-License-Identifier: MIT
 *
 * leader_lock.c: who leads a database. The watching session holds the lock of the server (watch.c), which ends with it;
 * the row in viewd_daemon says who took it last. Every transaction that writes reads that row, locked, right before its
 * commit, and every exchange of names right before it begins. So a process that was stopped for a while and does not
 * know that another one has taken over changes nothing any more.
 */
#include "mysql/my.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/conn/process.h"

bool my_leader_record(struct viewd_conn *conn, struct viewd_err *err)
{
	char *name = process_holder(conn, conn->db.database_name);
	const char *params[] = {name};
	bool done =
		db_exec(&conn->db, "INSERT IGNORE INTO viewd_daemon (id, epoch, holder) VALUES (1, 0, '')", err) &&
		conn->db.ops->exec(&conn->db, "UPDATE viewd_daemon SET epoch = epoch + IF(holder = ?, 0, 1) WHERE id = 1",
	                       params, 1, NULL, err) &&
		conn->db.ops->exec(&conn->db, "UPDATE viewd_daemon SET holder = ? WHERE id = 1", params, 1, NULL, err);

	talloc_free(name);
	return done;
}

bool my_leader_check(struct viewd_conn *conn, bool lock, struct viewd_err *err)
{
	char sql[120];
	char *holder = NULL, *name;
	struct viewd_err failure = {0};

	snprintf(sql, sizeof sql, "SELECT holder FROM viewd_daemon WHERE id = 1%s", lock ? " LOCK IN SHARE MODE" : "");
	if (!my_query_text(conn, conn, sql, NULL, 0, &holder, &failure)) {
		if (failure.cls == VIEWD_ERR_MISSING)
			return true; /* nobody has ever led it */
		if (err != NULL)
			*err = failure;
		return false;
	}
	name = process_holder(conn, conn->db.database_name);
	bool ours = holder == NULL || holder[0] == '\0' || strcmp(holder, name) == 0;
	talloc_free(name);
	talloc_free(holder);
	return ours ||
	       err_set(err, VIEWD_ERR_STANDBY, "another viewd has taken over database '%s'", conn->db.database_name);
}

/* Who leads for the first time has made no table yet. */
bool my_leader_refuse(struct viewd_conn *conn, const char *how, struct viewd_err *err)
{
	struct viewd_err unknown;
	char *holder = NULL;

	if (!my_query_text(conn, conn, "SELECT holder FROM viewd_daemon WHERE id = 1", NULL, 0, &holder, &unknown))
		holder = NULL;
	process_refuse(holder, how, err);
	talloc_free(holder);
	return false;
}
