/* SPDX-License-Identifier: MIT
 *
 * source_parts.c: the triggers of a source. One that was made anew, or was disabled for however short a time, is
 * another row of the catalogue: what was written meanwhile has left nothing in the log.
 */
#include "postgresql/pg.h"

/* Marks the views of those of the wanted sources whose triggers are not what they were. */
/* clang-format off */
#define CHECK_SQL(sources) \
	PG_TREE_SQL(sources) ", found (source, members) AS (SELECT t.source, pg_catalog.count(g.oid) || '.' ||" \
	" coalesce(pg_catalog.sum(pg_catalog.hashtextextended(g.version, g.oid::int8)), 0) FROM tree t" \
	" LEFT JOIN own g ON g.relid = t.oid AND g.source = t.source GROUP BY t.source)," \
	" moved AS (UPDATE viewd.sources s SET members = f.members FROM found f WHERE s.source = f.source" \
	" AND s.members IS DISTINCT FROM f.members RETURNING s.source)" \
	" UPDATE viewd.captures c SET " PG_RAISE " FROM moved WHERE c.source = moved.source"
/* clang-format on */

bool pg_parts_note(struct viewd_conn *conn, const char *source, struct viewd_err *err)
{
	const char *params[] = {source};
	return pg_op_exec(&conn->db, CHECK_SQL("SELECT $1::text"), params, 1, NULL, err);
}

bool pg_parts_check(struct viewd_conn *conn, bool *done_r, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	*done_r = pg_op_exec(&conn->db, CHECK_SQL("SELECT DISTINCT source FROM viewd.captures WHERE mode = 'trigger'"),
	                     NULL, 0, NULL, &failed);
	if (*done_r || failed.cls == VIEWD_ERR_CONFLICT)
		return true;
	if (err != NULL)
		*err = failed;
	return false;
}
