/* SPDX-License-Identifier: MIT
 *
 * lock.c: the server's named locks that belong to a database as a whole.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/span.h"
#include "mysql/my.h"

#define CAPTURES_PREFIX "viewd_captures_"

void my_lock_name(struct viewd_conn *conn, const char *prefix, char out[static IDENT_MAX])
{
	struct relation database = {.schema = ""};

	snprintf(database.name, sizeof database.name, "%s", conn->url->database);
	for (char *p = database.name; conn->names_fold && *p != '\0'; p++)
		*p = *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p;
	ident_temporary(&database, prefix, out);
}

bool my_lock_get(struct viewd_conn *conn, const char *name, int64_t wait_us, bool *got_r, struct viewd_err *err)
{
	char seconds[32];
	const char *params[] = {name, seconds};
	int64_t got = 0;

	snprintf(seconds, sizeof seconds, "%" PRId64, (wait_us + SPAN_SECOND - 1) / SPAN_SECOND);
	if (!my_query_int(conn, "SELECT GET_LOCK(?, ?)", params, 2, &got, err))
		return false;
	*got_r = got == 1;
	return true;
}

void my_lock_release(struct viewd_conn *conn, const char *name)
{
	const char *params[] = {name};
	int64_t released;

	if (!conn->lost && !my_query_int(conn, "SELECT RELEASE_LOCK(?)", params, 1, &released, NULL) && !conn->lost)
		db_log(&conn->db, VIEWD_LOG_WARNING, "lock '%s' was not released", name);
}

void my_lock_end(struct viewd_conn *conn)
{
	char lock[IDENT_MAX];

	if (conn->held[0] == '\0')
		return;
	memcpy(lock, conn->held, sizeof lock);
	conn->held[0] = '\0';
	my_lock_release(conn, lock);
}

bool my_captures_lock(struct db *db, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	char name[IDENT_MAX];
	bool got = false;

	my_lock_name(conn, CAPTURES_PREFIX, name);
	if (!my_lock_get(conn, name, conn->lock_timeout_us, &got, err))
		return false;
	return got || err_set(err, VIEWD_ERR_CONFLICT, "another connection of viewd sets up captures of database '%s'",
	                      db->database_name);
}

/* The watch may move while a worker is at work, and takes up no other lock before its sessions were closed. */
bool my_op_captures_lock(struct db *db, struct viewd_err *err)
{
	bool away = false;

	if (!my_captures_lock(db, err))
		return false;
	bool known = places_find_away(my_conn(db), &away, err);
	if (known && !away)
		return true;
	my_captures_unlock(db);
	return known &&
	       err_set(err, VIEWD_ERR_CONFLICT, "database '%s' is watched by way of another node", db->database_name);
}

void my_captures_unlock(struct db *db)
{
	struct viewd_conn *conn = my_conn(db);
	char name[IDENT_MAX];

	my_lock_name(conn, CAPTURES_PREFIX, name);
	my_lock_release(conn, name);
}
