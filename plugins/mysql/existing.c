/* SPDX-License-Identifier: MIT
 *
 * existing.c: the plain views that a server has before viewd comes.
 */
#include "mysql/my.h"

#include "common/sqltext/ident.h"

#include <talloc.h>

bool my_list_existing(struct db *db, const char *schema, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	const char *home = literal_quoted(&my_syntax, conn, conn->url->database);
	const char *where = schema != NULL ? literal_quoted(&my_syntax, conn, schema) : home;
	char *sql = talloc_asprintf(conn,
	                            "SELECT IF(TABLE_SCHEMA = %s, '', TABLE_SCHEMA), TABLE_NAME, 'VIEW',"
	                            " NULLIF(VIEW_DEFINITION, ''), NULL, NULL, NULL FROM information_schema.VIEWS"
	                            " WHERE TABLE_SCHEMA = %s AND TABLE_NAME NOT LIKE 'viewd\\_%%' ORDER BY TABLE_NAME",
	                            home, where);
	bool done = my_query(db, sql, NULL, 0, row, ctx, err);
	talloc_free(sql);
	return done;
}
