/* SPDX-License-Identifier: MIT
 *
 * rename.c: gives a table another name; SQLite rewrites what reads it. A view has no other name than that in its text.
 */
#include "sqlite/objects/catalogue.h"

#include "common/sqltext/sqltext.h"

#include <talloc.h>

bool sqlite_op_rename(struct db *db, enum viewd_kind kind, const struct relation *from, const struct relation *to,
                      struct viewd_err *err)
{
	char *sql = sql_new(NULL), *old = relation_quoted(db->syntax, sql, from);
	if (kind == VIEWD_KIND_VIEW)
		sql = sql_add(sql, "DROP VIEW %s", old);
	else
		sql = sql_add(sql, "ALTER TABLE %s RENAME TO %s", old, relation_quoted(db->syntax, old, to));
	bool done = db_exec(db, sql, err);
	talloc_free(sql);
	return done;
}
