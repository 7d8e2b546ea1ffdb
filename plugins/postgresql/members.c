/* SPDX-License-Identifier: MIT
 *
 * members.c: what a source consists of. A partition that is attached, detached or dropped, and a table that is written anew by ALTER TABLE,
 * change the rows of a source without firing a trigger.
 */
#include "postgresql/watch.h"

bool pg_members_check(struct viewd_watch *w, struct viewd_err *err)
{
	static const char sql[] = PG_TREE_SQL("SELECT DISTINCT source FROM viewd.captures WHERE mode = 'trigger'") ","
		" moved AS (UPDATE viewd.sources s SET members = r.members FROM (SELECT w.source, " PG_MEMBERS_SQL " AS members FROM wanted w) r"
		" WHERE s.source = r.source AND s.members IS DISTINCT FROM r.members RETURNING s.source)"
		" UPDATE viewd.captures c SET dirty_seq = c.dirty_seq + 1, changed_time = pg_catalog.now() FROM moved WHERE c.source = moved.source";
	struct viewd_err failed = {0};
	if (pg_op_exec(&w->conn->db, sql, NULL, 0, NULL, &failed) || failed.cls == VIEWD_ERR_CONFLICT)
		return true;
	if (err != NULL)
		*err = failed;
	return false;
}
