/* SPDX-License-Identifier: MIT */
#include "sqlite/conn.h"

#include <strings.h>

/* Functions that reach outside the database; most are not even built in, but an application may have loaded them. */
static bool is_dangerous_function(const char *name)
{
	static const char *const names[] = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit", "lsdir"};
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(names); i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Reading is all that a definition does. */
static int judge_reading(int action, const char *b)
{
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return is_dangerous_function(b) ? SQLITE_DENY : SQLITE_OK;
	default:
		return SQLITE_DENY;
	}
}

/* viewd's statements never attach, never set a pragma, and end transactions only through statement.c; a savepoint surrounds a post_hook. */
static int judge_own(int action, const char *b)
{
	switch (action) {
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
	case SQLITE_PRAGMA:
	case SQLITE_TRANSACTION:
	case SQLITE_CREATE_VTABLE:
	case SQLITE_DROP_VTABLE:
		return SQLITE_DENY;
	case SQLITE_FUNCTION:
		return is_dangerous_function(b) ? SQLITE_DENY : SQLITE_OK;
	default:
		return SQLITE_OK;
	}
}

/* Any argument may be NULL; count(*) reads a column with an empty name (https://sqlite.org/c3ref/set_authorizer.html). For
 * SQLITE_READ a is the table, view the innermost view or trigger that reads it. */
static int on_action(void *ctx, int action, const char *a, const char *b, const char *database UNUSED, const char *view)
{
	struct viewd_conn *conn = ctx;
	if (conn->sources != NULL && action == SQLITE_READ) {
		sqlite_sources_note(conn->sources, a);
		sqlite_sources_note(conn->sources, view);
	}
	switch (conn->guard) {
	case SQLITE_GUARD_INTERNAL:
		return SQLITE_OK;
	case SQLITE_GUARD_DEFINITION:
		return judge_reading(action, b);
	case SQLITE_GUARD_NORMAL:
		break;
	}
	return judge_own(action, b);
}

void sqlite_authorizer_install(struct viewd_conn *conn)
{
	sqlite3_set_authorizer(conn->handle, on_action, conn);
}
