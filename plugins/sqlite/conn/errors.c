/* SPDX-License-Identifier: MIT
 *
 * errors.c: makes an error record of a result code of SQLite.
 */
#include "sqlite/conn/conn.h"

#include "base/err.h"
#include "sqlite/conn/files.h"

#include <stdio.h>
#include <string.h>

/* By the primary result code (https://sqlite.org/rescode.html). */
static enum viewd_err_class class_of(int primary)
{
	switch (primary) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_SCHEMA:
	case SQLITE_PROTOCOL:
		return VIEWD_ERR_CONFLICT;
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_NOMEM:
		return VIEWD_ERR_RESOURCE;
	case SQLITE_READONLY:
		return VIEWD_ERR_STANDBY;
	case SQLITE_CANTOPEN:
		return VIEWD_ERR_CONNECT;
	case SQLITE_AUTH:
	case SQLITE_PERM:
		return VIEWD_ERR_DENIED;
	case SQLITE_MISUSE:
		return VIEWD_ERR_BUG;
	default:
		return VIEWD_ERR_QUERY;
	}
}

#define UNSAFE "unsafe use of" /* vtab.c, resolve.c */

/* SQLITE_ERROR has no finer codes; the texts are fixed in SQLite's source (resolve.c, build.c). */
static bool is_missing(const char *text)
{
	return strncmp(text, "no such table", 13) == 0 || strncmp(text, "no such column", 14) == 0 ||
	       strncmp(text, "no such function", 16) == 0;
}

static bool interrupted(struct viewd_conn *conn, int code, struct viewd_err *err)
{
	if (atomic_load(&conn->cancelled))
		err_set(err, VIEWD_ERR_CANCELLED, "statement was cancelled");
	else
		err_set(err, VIEWD_ERR_TIMEOUT, "statement was stopped (the view's timeout was reached)");
	if (err != NULL)
		err->native = code;
	return false;
}

/* SQLite tells neither the file nor why. */
static void name_obstacle(const struct viewd_conn *conn, struct viewd_err *err)
{
	char why[512];
	if (err == NULL || conn->path == NULL)
		return;
	sqlite_files_explain(conn->path, why, sizeof why);
	size_t len = strlen(err->msg);
	if (why[0] != '\0')
		snprintf(err->msg + len, sizeof err->msg - len, " (%s)", why);
}

bool sqlite_error(struct viewd_conn *conn, int code, struct viewd_err *err)
{
	int primary = code & 0xff;
	const char *text = sqlite3_errmsg(conn->handle);
	if (primary == SQLITE_INTERRUPT || ((primary == SQLITE_BUSY || primary == SQLITE_LOCKED) && sqlite_stopped(conn)))
		return interrupted(conn, code, err);
	if (conn->refused[0] != '\0' && (primary == SQLITE_AUTH || primary == SQLITE_ERROR)) {
		err_set(err, VIEWD_ERR_CONFIG, "%s", conn->refused);
		if (err != NULL)
			err->native = code;
		return false;
	}
	enum viewd_err_class cls = primary == SQLITE_ERROR && is_missing(text) ? VIEWD_ERR_MISSING : class_of(primary);
	if (primary == SQLITE_BUSY)
		err_set(err, cls, "another connection has held the lock of the file for longer than lock_timeout (%s)", text);
	else
		err_set(err, cls, "%s", text);
	if (err != NULL)
		err->native = code;
	if (primary == SQLITE_CANTOPEN || primary == SQLITE_READONLY || primary == SQLITE_IOERR)
		name_obstacle(conn, err);
	if (strncmp(text, UNSAFE, strlen(UNSAFE)) == 0)
		err_hint(err, "SQLite takes it only from the definition itself, not from a view or trigger");
	if (primary == SQLITE_BUSY)
		err_hint(err, "it is tried again until the other one has ended; raise lock_timeout if that is often slow");
	return false;
}
