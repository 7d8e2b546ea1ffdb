/* SPDX-License-Identifier: MIT
 *
 * sound.c: somebody has dropped, altered or taken the privileges of what writers use. They go on without being heard
 * (trigger_functions.c), so it is looked for at each heartbeat and for whoever asks. What is broken is made again, and
 * then every view is marked, once more when all those have ended who may have written meanwhile.
 */
#include "postgresql/watch/watch.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

static bool take_kind_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	snprintf(ctx, 24, "%s", v[0]);
	return false;
}

static const struct db_reader take_kind[] = {{take_kind_fn, "t", "what has the name of the log"}};

/* Schema viewd is viewd's alone (own.c), so what has this name there is the log, whatever has been made of it. One that
 * can be written stays: writers may be waiting for it. */
static bool drop_log(struct viewd_conn *conn, struct viewd_err *err)
{
	static const char sql[] =
		"SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' "
		"THEN 'FOREIGN TABLE'"
		" ELSE 'TABLE' END FROM pg_catalog.pg_class WHERE oid = pg_catalog.to_regclass('viewd.changes')";
	char kind[24] = "";
	bool good = false;
	if (!pg_functions_log_good(conn, &good, err) || !pg_op_query(&conn->db, sql, NULL, 0, take_kind, kind, err))
		return false;
	return good || kind[0] == '\0' || pg_execf(conn, err, "DROP %s viewd.changes", kind);
}

/* The doubt comes first, so that it outlives this process. */
static bool make_again(struct viewd_watch *w, struct viewd_err *err)
{
	bool sound = false;
	if (!pg_own_check(w->conn, err) || !pg_objects_lost(w->conn, err) || !drop_log(w->conn, err) ||
	    !pg_objects_make(w->conn, err) || !pg_functions_remake(w->conn, err) ||
	    !pg_functions_sound(w->conn, &sound, err))
		return false;
	return sound ||
	       err_set(err, VIEWD_ERR_DENIED, "database '%s', what writers need of viewd's objects is not as it should be",
	               w->conn->db.database_name);
}

bool pg_check_sound(struct viewd_watch *w, struct viewd_err *err)
{
	bool sound = false;
	if (!pg_functions_sound(w->conn, &sound, err))
		return false;
	if (sound)
		return true;
	pg_log(w->conn, VIEWD_LOG_WARNING,
	       "database '%s', what writers need of viewd's objects is not as this version "
	       "makes it (somebody has changed it, or another version was here): it is made "
	       "again, every view is refreshed",
	       w->conn->db.database_name);
	return make_again(w, err) && pg_check_log(w, err) && pg_flood_review(w, err);
}
