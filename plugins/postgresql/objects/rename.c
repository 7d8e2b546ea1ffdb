/* SPDX-License-Identifier: MIT
 *
 * rename.c: gives an object another name or another schema. What reads it refers to its oid and follows.
 */
#include "common/sqltext/sqltext.h"
#include "common/text/kind.h"
#include "postgresql/pg.h"

#include <string.h>
#include <talloc.h>

static bool alter(struct db *db, enum viewd_kind kind, const struct relation *rel, const char *how, const char *name,
                  struct viewd_err *err)
{
	char *sql = sql_new(NULL);
	sql = sql_add(sql, "ALTER %s %s %s ", kind_sql(kind), relation_quoted(db->syntax, sql, rel), how);
	sql = ident_append(db->syntax, sql, name);
	bool done = db_exec(db, sql, err);
	talloc_free(sql);
	return done;
}

bool pg_rename(struct db *db, enum viewd_kind kind, const struct relation *from, const struct relation *to,
               struct viewd_err *err)
{
	struct relation moved = *from;
	if (strcmp(from->schema, to->schema) != 0) {
		if (!alter(db, kind, from, "SET SCHEMA", to->schema, err))
			return false;
		memcpy(moved.schema, to->schema, sizeof moved.schema);
	}
	return strcmp(from->name, to->name) == 0 || alter(db, kind, &moved, "RENAME TO", to->name, err);
}
