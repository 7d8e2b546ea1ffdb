/* SPDX-License-Identifier: MIT
 *
 * rename.c: gives a table or a view another name. Grants and the views that read it go by name: they do not follow.
 */
#include "common/sqltext/sqltext.h"
#include "mysql/my.h"

#include <talloc.h>

bool my_rename(struct db *db, enum viewd_kind kind UNUSED, const struct relation *from, const struct relation *to,
               struct viewd_err *err)
{
	char *sql = sql_new(NULL);
	sql = sql_add(sql, "RENAME TABLE %s TO %s", relation_quoted(db->syntax, sql, from),
	              relation_quoted(db->syntax, sql, to));
	bool done = db_exec(db, sql, err);
	talloc_free(sql);
	return done;
}
