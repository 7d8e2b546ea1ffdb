/* SPDX-License-Identifier: MIT
 *
 * lock.c: the server's named locks that belong to a database as a whole.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "base/span.h"
#include "mysql/notice.h"

#define CAPTURES_PREFIX "viewd_captures_"

void my_lock_name(struct viewd_conn *conn, const char *prefix, char out[static IDENT_MAX])
{
	struct relation database = {.schema = ""};

	snprintf(database.name, sizeof database.name, "%s", conn->url->database);
	for (char *p = database.name; conn->names_fold && *p != '\0'; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
	ident_temporary(&database, prefix, out);
}

bool my_captures_lock(struct db *db, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	char name[IDENT_MAX], seconds[32];
	const char *params[] = {name, seconds};
	int64_t got;

	my_lock_name(conn, CAPTURES_PREFIX, name);
	snprintf(seconds, sizeof seconds, "%" PRId64, (conn->lock_timeout_us + SPAN_SECOND - 1) / SPAN_SECOND);
	if (!my_query_int(conn, "SELECT GET_LOCK(?, ?)", params, 2, &got, err))
		return false;
	return got == 1 || err_set(err, VIEWD_ERR_CONFLICT, "another connection of viewd sets up captures of database '%s'", db->database_name);
}

void my_captures_unlock(struct db *db)
{
	struct viewd_conn *conn = my_conn(db);
	char name[IDENT_MAX];
	const char *params[] = {name};
	int64_t released;

	my_lock_name(conn, CAPTURES_PREFIX, name);
	if (!conn->lost && !my_query_int(conn, "SELECT RELEASE_LOCK(?)", params, 1, &released, NULL) && !conn->lost)
		db_log(db, VIEWD_LOG_WARNING, "lock '%s' was not released", name);
}
