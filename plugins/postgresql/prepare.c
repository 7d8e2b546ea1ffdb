/* SPDX-License-Identifier: MIT
 *
 * prepare.c: the state tables, and what a predecessor may still be doing.
 *
 * A daemon that was killed may leave a statement running. client_connection_check_interval ends it within two seconds,
 * and until then its locks decide: a refresh of the same view waits for at most lock_timeout and is then tried again as
 * a conflict. Nothing is terminated, since sessions of the same name may be this daemon's own.
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/dialect.h"
#include "postgresql/pg.h"

#define RACES_MAX 20 /* a handful of tables, a handful of sessions */

bool pg_prepare(struct viewd_conn *conn, struct viewd_recorded_sink rows, struct viewd_err *err)
{
	struct viewd_err failed;
	pg_conn_fresh(conn);
	pg_conn_warn_versions(conn);
	for (int i = 0; i < RACES_MAX; i++) {
		if (dialect_prepare(conn, rows, &failed))
			return true;
		if (!pg_is_creation_race(&failed))
			break;
	}
	if (err == NULL)
		return false;
	*err = failed;
	if (failed.cls == VIEWD_ERR_DENIED && failed.hint[0] == '\0')
		err_hint(err,
		         "GRANT CREATE ON DATABASE to the role, or make the schema viewd and grant CREATE and USAGE on it");
	return false;
}

static bool count_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = strcmp(v[0], "0") != 0;
	return false;
}

static const struct db_reader count_row[] = {{count_row_fn, "t", "other sessions of viewd"}};

bool pg_op_clean_leftovers(struct db *db, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	bool others = false;
	if (!pg_objects_make(conn, err))
		return false;
	pg_op_carry_over(db); /* what a killed predecessor has committed and not carried over */
	if (!pg_op_query(db,
	                 "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity a WHERE a.datname = "
	                 "pg_catalog.current_database()"
	                 " AND a.usename = current_user AND a.pid <> pg_catalog.pg_backend_pid() AND a.state = 'active'"
	                 " AND a.application_name = pg_catalog.current_setting('application_name')",
	                 NULL, 0, count_row, &others, err))
		return false;
	if (others)
		pg_log(conn, VIEWD_LOG_INFO, "database '%s', another session of this viewd is at work; its locks are respected",
		       conn->db.database_name);
	return true;
}
