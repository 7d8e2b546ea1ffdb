/* SPDX-License-Identifier: MIT
 *
 * authorizer.c: limits what a definition may do: SQLite asks for each action while it prepares a statement.
 */
#include "sqlite/conn/definition.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct refused_function {
	const char *name;
	const char *why;
};

/* Most are not built in, but an application may have loaded them. */
static const struct refused_function refused_functions[] = {
	{"load_extension", "it runs code from a file"},
	{"fts3_tokenizer", "it takes addresses in memory"},
	{"optimize", "it writes the index it is given"},
	{"rtreecheck", "it reads tables by names in its arguments"},
	{"readfile", "it reads other files"},
	{"writefile", "it writes other files"},
	{"edit", "it runs a program"},
	{"lsdir", "it reads other files"},
};

static bool is_word(const char *text, const char *const *words)
{
	for (; text != NULL && *words != NULL; words++)
		if (strcasecmp(text, *words) == 0)
			return true;
	return false;
}

/* Keeps the first reason: what follows a refusal is SQLite's own account of it. */
static int refuse_action(struct viewd_conn *conn, const char *what, const char *name, const char *why)
{
	if (conn->refused[0] == '\0')
		snprintf(conn->refused, sizeof conn->refused, "%s%s%.100s is not allowed in what viewd runs (%s)", what,
		         name != NULL ? " " : "", name != NULL ? name : "", why);
	return SQLITE_DENY;
}

static int judge_function(struct viewd_conn *conn, const char *name)
{
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(refused_functions); i++)
		if (strcasecmp(name, refused_functions[i].name) == 0)
			return refuse_action(conn, "function", name, refused_functions[i].why);
	return SQLITE_OK;
}

/* Pragmas that FTS3 to FTS5 ask when they are opened, and those that only describe the schema and the library, for
 * pragma_NAME(). */
static int judge_pragma(struct viewd_conn *conn, const char *name, const char *value)
{
	static const char *const asked[] = {"data_version", "page_size", NULL};
	static const char *const described[] = {"table_info",    "table_xinfo", "table_list",       "index_list",
	                                        "index_info",    "index_xinfo", "foreign_key_list", "collation_list",
	                                        "function_list", "module_list", "compile_options",  NULL};
	if ((value == NULL && is_word(name, asked)) || is_word(name, described))
		return SQLITE_OK;
	return refuse_action(conn, "pragma", name, "it can change the session or the file");
}

/* sqlite3_declare_vtab() compiles a CREATE TABLE, which asks for these; a real UPDATE of the schema is refused by
 * SQLite itself. */
static bool declares_module(const char *table, const char *column)
{
	static const char *const tables[] = {"sqlite_master", "sqlite_temp_master", NULL};
	static const char *const columns[] = {"type", "name", "tbl_name", "rootpage", "sql", NULL};
	return is_word(table, tables) && is_word(column, columns);
}

/* R*Tree prepares its writing statements when it is opened. What a definition itself writes is found by
 * sqlite3_stmt_readonly(). */
static int judge_write(struct viewd_conn *conn, const char *table)
{
	if (conn->shadows != NULL && is_word(table, (const char *const *)conn->shadows))
		return SQLITE_OK;
	return refuse_action(conn, "writing", table, "a definition only reads");
}

static int judge_reading(struct viewd_conn *conn, int action, const char *a, const char *b)
{
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return judge_function(conn, b);
	case SQLITE_PRAGMA:
		return judge_pragma(conn, a, b);
	case SQLITE_UPDATE:
		return declares_module(a, b) ? SQLITE_OK : judge_write(conn, a);
	case SQLITE_INSERT:
	case SQLITE_DELETE:
		return judge_write(conn, a);
	default:
		return refuse_action(conn, "this", NULL, "a definition only reads");
	}
}

/* viewd's statements never attach, never set a pragma, and end transactions only through exec.c; a savepoint
 * surrounds a post_hook. */
static int judge_own(struct viewd_conn *conn, int action, const char *a, const char *b)
{
	switch (action) {
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
		return refuse_action(conn, "another file", NULL, "viewd keeps to the one in its url");
	case SQLITE_TRANSACTION:
		return refuse_action(conn, "transaction control", a, "viewd's own transaction is open");
	case SQLITE_CREATE_VTABLE:
	case SQLITE_DROP_VTABLE:
		return refuse_action(conn, "a virtual table", NULL, "its module would write or read what it likes");
	case SQLITE_PRAGMA:
		return judge_pragma(conn, a, b);
	case SQLITE_FUNCTION:
		return judge_function(conn, b);
	default:
		return SQLITE_OK;
	}
}

/* A module that is opened reads the row number of the schema. A view of which no column is used is named by its SELECT
 * alone. */
static void note_source(struct sqlite_sources *sources, int action, const char *a, const char *b, const char *view)
{
	static const char *const schema[] = {"sqlite_master", "sqlite_temp_master", NULL};
	bool opens = is_word(a, schema) && b != NULL && strcmp(b, "ROWID") == 0;
	if (action == SQLITE_READ && !opens) {
		sqlite_sources_note(sources, a, true);
		sqlite_sources_note(sources, view, false);
	} else if (action == SQLITE_SELECT) {
		sqlite_sources_note(sources, view, false);
	} else if (action == SQLITE_FUNCTION) {
		sqlite_sources_note_function(sources, b);
	}
}

/* trigger: the innermost one that writes; those of viewd's only count. */
static void note_write(struct viewd_conn *conn, int action, const char *trigger)
{
	if (action == SQLITE_READ || action == SQLITE_SELECT || action == SQLITE_FUNCTION || action == SQLITE_PRAGMA)
		return;
	conn->writes = true;
	bool rows = action == SQLITE_INSERT || action == SQLITE_UPDATE || action == SQLITE_DELETE;
	if (rows && trigger != NULL && strncmp(trigger, "viewd_", 6) != 0)
		conn->side_writes = true;
}

/* Any argument may be NULL; count(*) reads a column with an empty name (https://sqlite.org/c3ref/set_authorizer.html).
 * For SQLITE_READ a is the table, view the innermost view or trigger that reads it. */
static int on_action(void *ctx, int action, const char *a, const char *b, const char *database, const char *view)
{
	struct viewd_conn *conn = ctx;
	if (database != NULL && strcmp(database, "main") == 0)
		note_write(conn, action, view);
	if (conn->sources != NULL)
		note_source(conn->sources, action, a, b, view);
	switch (conn->guard) {
	case SQLITE_GUARD_INTERNAL:
		return SQLITE_OK;
	case SQLITE_GUARD_DEFINITION:
		return judge_reading(conn, action, a, b);
	case SQLITE_GUARD_NORMAL:
		break;
	}
	return judge_own(conn, action, a, b);
}

void sqlite_authorizer_install(struct viewd_conn *conn)
{
	sqlite3_set_authorizer(conn->handle, on_action, conn);
}
