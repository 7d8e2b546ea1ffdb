/* SPDX-License-Identifier: MIT
 *
 * definition.c: asks SQLite about a definition: its columns, and what it reads.
 */
#include "sqlite/conn/definition.h"

#include "base/err.h"
#include "common/depends/dependencies.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"
#include "sqlite/conn/syntax.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

#define NO_COLUMN "no such column: " /* resolve.c of SQLite */

/* Runs inside sqlite3_prepare: only remembers. */
void sqlite_sources_note(struct sqlite_sources *sources, const char *name, bool read)
{
	if (name == NULL || name[0] == '\0')
		return;
	for (size_t i = 0; i < sources->n; i++)
		if (strcasecmp(sources->items[i].name, name) == 0) {
			sources->items[i].read |= read;
			return;
		}
	sources->items = talloc_realloc(sources->mem, sources->items, struct sqlite_source, sources->n + 1);
	assert(sources->items != NULL);
	sources->items[sources->n++] = (struct sqlite_source){talloc_strdup(sources->mem, name), read};
}

/* Functions whose result no table explains, wherever they are called; the clock's are found in the texts, with their
 * arguments. */
void sqlite_sources_note_function(struct sqlite_sources *sources, const char *name)
{
	static const char *const unstable[] = {"random",        "randomblob",        "changes",
	                                       "total_changes", "last_insert_rowid", "sqlite_offset"};
	bool found = false;
	for (size_t i = 0; name != NULL && i < ARRAY_LEN(unstable); i++)
		found = found || strcasecmp(name, unstable[i]) == 0;
	for (size_t i = 0; i < sources->n_functions && found; i++)
		found = strcasecmp(name, sources->functions[i]) != 0;
	if (!found)
		return;
	sources->functions = talloc_realloc(sources->mem, sources->functions, char *, sources->n_functions + 1);
	assert(sources->functions != NULL);
	sources->functions[sources->n_functions++] = talloc_strdup(sources->mem, name);
}

struct shadow_list {
	void *mem;
	char **names;
	size_t n;
};

static bool take_shadow_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct shadow_list *list = ctx;
	list->names = talloc_realloc(list->mem, list->names, char *, list->n + 2);
	assert(list->names != NULL);
	list->names[list->n++] = talloc_strdup(list->mem, v[0]);
	list->names[list->n] = NULL;
	return true;
}

static const struct db_reader take_shadow[] = {{take_shadow_fn, "t", "shadow tables"}};

static bool read_flag_fn(void *ctx, const char *const *values UNUSED, size_t n UNUSED)
{
	*(bool *)ctx = true;
	return false;
}

static const struct db_reader read_flag[] = {{read_flag_fn, "T", "virtual tables"}};

/* Listing tables loads every view of the file, so only where there is a virtual table. */
static bool list_shadows(struct viewd_conn *conn, void *mem, char ***out, struct viewd_err *err)
{
	struct shadow_list list = {.mem = mem};
	bool any = false;
	enum sqlite_guard before = conn->guard;
	conn->guard = SQLITE_GUARD_INTERNAL;
	bool done =
		sqlite_op_query(&conn->db, "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND rootpage = 0 LIMIT 1",
	                    NULL, 0, read_flag, &any, err) &&
		(!any ||
	     sqlite_op_query(&conn->db, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'",
	                     NULL, 0, take_shadow, &list, err));
	conn->guard = before;
	*out = list.names;
	return done;
}

static bool require_query(sqlite3_stmt *stmt, struct viewd_err *err)
{
	if (sqlite3_bind_parameter_count(stmt) > 0)
		return err_set(err, VIEWD_ERR_CONFIG, "definition holds a parameter");
	if (!sqlite3_stmt_readonly(stmt) || sqlite3_stmt_isexplain(stmt) || sqlite3_column_count(stmt) == 0)
		return err_set(err, VIEWD_ERR_CONFIG, "definition is not a query that only reads");
	return true;
}

bool sqlite_prepare_definition(struct viewd_conn *conn, const char *definition, struct sqlite_sources *sources,
                               sqlite3_stmt **out, struct viewd_err *err)
{
	sqlite3_stmt *stmt = NULL;
	if (!list_shadows(conn, sources->mem, &conn->shadows, err))
		return false;
	conn->guard = SQLITE_GUARD_DEFINITION;
	conn->sources = sources;
	bool done = sqlite_prepare(conn, definition, &stmt, err);
	conn->guard = SQLITE_GUARD_NORMAL;
	conn->sources = NULL;
	conn->shadows = NULL;
	if (done && !require_query(stmt, err)) {
		sqlite3_finalize(stmt);
		return false;
	}
	if (done)
		*out = stmt;
	return done;
}

/* ---- text in double quotes ---- */

/* Does the definition itself say "text"? */
static bool says(const char *definition, const char *text)
{
	struct lex_token tok;
	size_t len = strlen(text);
	for (const char *p = definition; (tok = lex_next(sqlite_syntax.lexer.flags, &p)).kind != LEX_END;)
		if (tok.kind == LEX_IDENT && tok.text[0] == '"' && tok.len == len + 2 && strncmp(tok.text + 1, text, len) == 0)
			return true;
	return false;
}

static bool was_told(struct viewd_conn *conn, const char *text)
{
	for (size_t i = 0; i < conn->told.n; i++)
		if (strcmp(conn->told.texts[i], text) == 0)
			return true;
	conn->told.texts = talloc_realloc(conn, conn->told.texts, char *, conn->told.n + 1);
	assert(conn->told.texts != NULL);
	conn->told.texts[conn->told.n++] = talloc_strdup(conn, text);
	return false;
}

/* A typing error in a column's name gives no error where SQLite takes it for text: the person is told, once. */
static void warn_of_text(struct viewd_conn *conn, const char *definition)
{
	struct sqlite_sources ignored = {.mem = talloc_new(NULL)};
	struct viewd_err failure = {0};
	sqlite3_stmt *stmt = NULL;
	int allowed = 0;
	sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_DQS_DML, -1, &allowed);
	if (allowed != 0 && strchr(definition, '"') != NULL) {
		sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_DQS_DML, 0, (int *)NULL);
		bool strict = sqlite_prepare_definition(conn, definition, &ignored, &stmt, &failure);
		sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_DQS_DML, 1, (int *)NULL);
		sqlite3_finalize(stmt);
		const char *text =
			strncmp(failure.msg, NO_COLUMN, strlen(NO_COLUMN)) == 0 ? failure.msg + strlen(NO_COLUMN) : "";
		if (!strict && says(definition, text) && !was_told(conn, text))
			db_log(&conn->db, VIEWD_LOG_WARNING,
			       "database '%s', a definition says \"%s\", which is no column: SQLite takes it for text"
			       " (write '%s' if that is meant)",
			       conn->db.database_name, text, text);
	}
	talloc_free(ignored.mem);
}

/* ---- sources ---- */

/* A module that is opened for the first time prepares statements of its own; the second time only the definition's
 * reads are told. */
bool sqlite_read_definition(struct db *db, const char *definition, struct sqlite_sources *sources,
                            struct viewd_err *err)
{
	struct viewd_conn *conn = sqlite_conn_of(db);
	struct sqlite_sources first = {.mem = talloc_new(NULL)};
	sqlite3_stmt *stmt = NULL;
	bool done = sqlite_prepare_definition(conn, definition, &first, &stmt, err);
	sqlite3_finalize(stmt);
	stmt = NULL;
	done = done && sqlite_prepare_definition(conn, definition, sources, &stmt, err);
	sqlite3_finalize(stmt);
	if (done)
		warn_of_text(conn, definition);
	talloc_free(first.mem);
	return done;
}

/* ---- the schema ---- */

static bool take_number_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	snprintf(ctx, 24, "%s", v[0] != NULL ? v[0] : "0");
	return false;
}

static const struct db_reader take_number[] = {{take_number_fn, "N", "the version of the schema"}};

bool sqlite_schema_version(struct db *db, char out[static 24], struct viewd_err *err)
{
	struct viewd_conn *conn = sqlite_conn_of(db);
	enum sqlite_guard before = conn->guard;
	conn->guard = SQLITE_GUARD_INTERNAL;
	bool done = sqlite_op_query(db, SQLITE_SCHEMA_VERSION, NULL, 0, take_number, out, err);
	conn->guard = before;
	return done;
}

bool sqlite_op_definitions_version(struct db *db, int64_t *version_r, struct viewd_err *err)
{
	char version[24];
	if (!sqlite_schema_version(db, version, err))
		return false;
	*version_r = number_or(version, 0);
	return true;
}
