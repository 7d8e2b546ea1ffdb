/* SPDX-License-Identifier: MIT */
#include "sqlite/conn.h"

#include "base/err.h"
#include "common/lexer.h"
#include "common/sqltext.h"
#include "sqlite/syntax.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

struct sqlite_sources {
	void *mem;
	char **names;
	size_t n;
};

/* Runs inside sqlite3_prepare: only remembers. */
void sqlite_sources_note(struct sqlite_sources *sources, const char *name)
{
	if (name == NULL || name[0] == '\0' || strncmp(name, "sqlite_", 7) == 0)
		return;
	for (size_t i = 0; i < sources->n; i++)
		if (strcasecmp(sources->names[i], name) == 0)
			return;
	sources->names = talloc_realloc(sources->mem, sources->names, char *, sources->n + 1);
	assert(sources->names != NULL);
	sources->names[sources->n++] = talloc_strdup(sources->mem, name);
}

/* Compiles a definition under the reading-only guard. */
static bool prepare_definition(struct viewd_conn *conn, const char *definition, struct sqlite_sources *sources, sqlite3_stmt **out,
                               struct viewd_err *err)
{
	sqlite3_stmt *stmt = NULL;
	conn->guard = SQLITE_GUARD_DEFINITION;
	conn->sources = sources;
	bool done = sqlite_prepare(conn, definition, &stmt, err);
	conn->guard = SQLITE_GUARD_NORMAL;
	conn->sources = NULL;
	if (done && (!sqlite3_stmt_readonly(stmt) || sqlite3_bind_parameter_count(stmt) > 0)) {
		done = err_set(err, VIEWD_ERR_CONFIG, "definition holds a parameter or would write");
		sqlite3_finalize(stmt);
	}
	if (done)
		*out = stmt;
	return done;
}

static bool give_source(struct db *db, const char *name, struct viewd_source_sink *sink, bool *more_r, struct viewd_err *err)
{
	struct relation rel = {0};
	struct db_object found;
	*more_r = true;
	if (strlen(name) >= sizeof rel.name)
		return true;
	memcpy(rel.name, name, strlen(name) + 1);
	if (!sqlite_op_find_object(db, &rel, &found, err))
		return false;
	/* A common table expression and a subquery have names too, but are not in the catalogue. */
	if (found.kind == VIEWD_KIND_VIEW || found.kind == VIEWD_KIND_TABLE)
		*more_r = sink->fn(sink->ctx, &(struct viewd_source){.schema = "", .name = found.name, .kind = found.kind});
	return true;
}

bool sqlite_op_list_sources(struct db *db, const char *definition, struct viewd_source_sink sink, struct viewd_err *err)
{
	struct viewd_conn *conn = sqlite_conn_of(db);
	struct sqlite_sources sources = {.mem = talloc_new(NULL)};
	sqlite3_stmt *stmt = NULL;
	bool done = prepare_definition(conn, definition, &sources, &stmt, err);
	sqlite3_finalize(stmt);
	bool more = true;
	for (size_t i = 0; done && more && i < sources.n; i++)
		done = give_source(db, sources.names[i], &sink, &more, err);
	talloc_free(sources.mem);
	return done;
}

/* ---- columns ---- */

struct text_scan {
	bool compound;
};

static bool has_compound(const char *sql)
{
	return lex_has_word(&sqlite_syntax, sql, "UNION") || lex_has_word(&sqlite_syntax, sql, "INTERSECT") ||
	       lex_has_word(&sqlite_syntax, sql, "EXCEPT");
}

static bool scan_view(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct text_scan *scan = ctx;
	scan->compound = scan->compound || (values[0] != NULL && has_compound(values[0]));
	return true;
}

/* A compound takes its declared types from its first part; the others may hold values of any type, which a declared type would change. So
 * types are taken over only when neither the definition nor a view it reads is a compound. */
static bool types_are_safe(struct db *db, const char *query, const struct sqlite_sources *sources, bool *safe_r,
                           struct viewd_err *err)
{
	struct text_scan scan = {.compound = has_compound(query)};
	for (size_t i = 0; i < sources->n && !scan.compound; i++) {
		const char *params[] = {sources->names[i]};
		if (!sqlite_op_query(db, "SELECT sql FROM main.sqlite_master WHERE type = 'view' AND name = ? COLLATE NOCASE", params, 1,
		                     scan_view, &scan, err))
			return false;
	}
	*safe_r = !scan.compound;
	return true;
}

static bool read_flag(void *ctx, const char *const *values UNUSED, size_t n UNUSED)
{
	*(bool *)ctx = true;
	return false;
}

/* The declared type of the column an output column comes from, if storing into that type again cannot change a value: not for virtual
 * tables, which may return anything, and not for ANY, which means NUMERIC outside STRICT tables. */
static bool origin_type(struct db *db, sqlite3_stmt *stmt, int i, const char **type_r, struct viewd_err *err)
{
	const char *type = sqlite3_column_decltype(stmt, i), *table = sqlite3_column_table_name(stmt, i);
	const char *params[] = {table};
	bool plain = false;
	*type_r = NULL;
	if (type == NULL || table == NULL || strcasecmp(type, "ANY") == 0 || !lex_type_text(&sqlite_syntax, type, NULL))
		return true;
	if (!sqlite_op_query(db, "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE AND sql NOT LIKE"
	                         " 'CREATE VIRTUAL%'", params, 1, read_flag, &plain, err))
		return false;
	*type_r = plain ? type : NULL;
	return true;
}

static bool give_columns(struct db *db, sqlite3_stmt *stmt, bool safe, db_row_fn *row, void *ctx, struct viewd_err *err)
{
	for (int i = 0; i < sqlite3_column_count(stmt); i++) {
		const char *type = NULL;
		if (safe && !origin_type(db, stmt, i, &type, err))
			return false;
		const char *values[] = {sqlite3_column_name(stmt, i), type};
		if (!row(ctx, values, 2))
			return true;
	}
	return true;
}

bool sqlite_op_query_columns(struct db *db, const char *query, db_row_fn *row, void *ctx, struct viewd_err *err)
{
	struct viewd_conn *conn = sqlite_conn_of(db);
	struct sqlite_sources sources = {.mem = talloc_new(NULL)};
	sqlite3_stmt *stmt = NULL;
	bool safe = false;
	bool done = prepare_definition(conn, query, &sources, &stmt, err) && types_are_safe(db, query, &sources, &safe, err) &&
	            give_columns(db, stmt, safe, row, ctx, err);
	sqlite3_finalize(stmt);
	talloc_free(sources.mem);
	return done;
}
