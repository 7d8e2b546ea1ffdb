/* SPDX-License-Identifier: MIT
 *
 * leave.c: what takes viewd out of a file: triggers, the view and tables. The lock file beside it goes with the lock.
 * The comment by which viewd knows its objects stays in their CREATE statements, which only making them anew would
 * change.
 */
#include "sqlite/leave.h"
#include "sqlite/capture/trigger.h"
#include "sqlite/incremental/incremental.h"

#include "common/state/state.h"

bool sqlite_op_list_leavings(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"SELECT s FROM (SELECT 'DROP TRIGGER \"' || replace(name, '\"', '\"\"') || '\"' AS s, 1 AS phase FROM "
		"main.sqlite_master"
		" WHERE " SQLITE_OWN_TRIGGERS " OR " SQLITE_LOG_TRIGGERS " UNION ALL SELECT 'DROP ' || upper(type) || ' ' || "
		"name, 2 + (type = 'table') FROM main.sqlite_master WHERE type IN ('table', 'view')"
		" AND (name IN (" STATE_TABLES_SQL ", 'viewd_position') OR " SQLITE_LOG_TABLES " OR " SQLITE_NODE_TABLES
		")) ORDER BY phase, s";
	/* clang-format on */
	return sqlite_op_query(db, sql, NULL, 0, row, ctx, err);
}
