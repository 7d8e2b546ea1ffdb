/* SPDX-License-Identifier: MIT
 *
 * members.c: what a source consists of. A partition that is attached, detached or dropped, a table that is written anew by ALTER TABLE and
 * writes while the trigger was disabled change the rows of a source without firing a trigger.
 */
#include "postgresql/watch.h"

/* Marks the views of those of the wanted sources that are not what they were. */
#define CHECK_SQL(sources)                                                                                                            \
	PG_TREE_SQL(sources) ", moved AS (UPDATE viewd.sources s SET members = r.members FROM (SELECT w.source, " PG_MEMBERS_SQL           \
	" AS members FROM wanted w) r WHERE s.source = r.source AND s.members IS DISTINCT FROM r.members RETURNING s.source)"              \
	" UPDATE viewd.captures c SET dirty_seq = c.dirty_seq + 1, changed_time = pg_catalog.now() FROM moved WHERE c.source = moved.source"

bool pg_members_note(struct viewd_conn *conn, const char *source, struct viewd_err *err)
{
	const char *params[] = {source};
	return pg_op_exec(&conn->db, CHECK_SQL("SELECT $1::text"), params, 1, NULL, err);
}

bool pg_members_check(struct viewd_watch *w, bool *done_r, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	*done_r = pg_op_exec(&w->conn->db, CHECK_SQL("SELECT DISTINCT source FROM viewd.captures WHERE mode = 'trigger'"), NULL, 0, NULL, &failed);
	if (*done_r || failed.cls == VIEWD_ERR_CONFLICT)
		return true;
	if (err != NULL)
		*err = failed;
	return false;
}
