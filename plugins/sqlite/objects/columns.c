/* SPDX-License-Identifier: MIT
 *
 * columns.c: names and types of what a definition yields.
 */
#include "sqlite/conn/definition.h"
#include "sqlite/objects/catalogue.h"
#include "sqlite/objects/known.h"

#include "base/err.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"
#include "sqlite/conn/syntax.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

/* https://sqlite.org/datatype3.html#determination_of_column_affinity */
const char *sqlite_affinity(const char *type, bool strict)
{
	static const struct {
		const char *part, *affinity;
	} rules[] = {{"INT", "INTEGER"}, {"CHAR", "TEXT"}, {"CLOB", "TEXT"}, {"TEXT", "TEXT"},
	             {"BLOB", "BLOB"},   {"REAL", "REAL"}, {"FLOA", "REAL"}, {"DOUB", "REAL"}};
	if (type == NULL || type[0] == '\0' || (strict && strcasecmp(type, "ANY") == 0))
		return "BLOB";
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		if (strcasestr(type, rules[i].part) != NULL)
			return rules[i].affinity;
	return "NUMERIC";
}

const char *sqlite_collation(struct viewd_conn *conn, const char *table, const char *column)
{
	const char *collation = NULL;
	int rc = sqlite3_table_column_metadata(conn->handle, "main", table, column, NULL, &collation, NULL, NULL, NULL);
	return rc == SQLITE_OK && collation != NULL ? collation : "BINARY";
}

struct text_scan {
	bool compound;
};

static bool has_compound(const char *sql)
{
	return lex_has_word(&sqlite_syntax, sql, "UNION") || lex_has_word(&sqlite_syntax, sql, "INTERSECT") ||
	       lex_has_word(&sqlite_syntax, sql, "EXCEPT");
}

static bool scan_view_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct text_scan *scan = ctx;
	scan->compound = scan->compound || (values[0] != NULL && has_compound(values[0]));
	return true;
}

static const struct db_reader scan_view[] = {{scan_view_fn, "T", "the text of a view"}};

/* A compound takes its declared types from its first part; the others may hold values of any type, which a declared
 * type would change. So types are taken over only when neither the definition nor a view it reads is a compound. */
static bool types_are_safe(struct db *db, const char *query, const struct sqlite_sources *sources, bool *safe_r,
                           struct viewd_err *err)
{
	struct text_scan scan = {.compound = has_compound(query)};
	for (size_t i = 0; i < sources->n && !scan.compound; i++) {
		const char *params[] = {sources->items[i].name};
		if (!sqlite_op_query(db, "SELECT sql FROM main.sqlite_master WHERE type = 'view' AND name = ? COLLATE NOCASE",
		                     params, 1, scan_view, &scan, err))
			return false;
	}
	*safe_r = !scan.compound;
	return true;
}

static bool take_flag_fn(void *ctx, const char *const *values UNUSED, size_t n UNUSED)
{
	*(bool *)ctx = true;
	return false;
}

static const struct db_reader take_flag[] = {{take_flag_fn, "T", "the kind of a table"}};

/* The declared type of the column an output column comes from, if storing into that type again cannot change a value:
 * not for virtual tables, which may return anything, and not for ANY, which means NUMERIC outside STRICT tables. */
static bool origin_type(struct db *db, sqlite3_stmt *stmt, int i, const char **type_r, struct viewd_err *err)
{
	const char *type = sqlite3_column_decltype(stmt, i), *table = sqlite3_column_table_name(stmt, i);
	const char *params[] = {table};
	bool plain = false;
	*type_r = NULL;
	if (type == NULL || table == NULL || strcasecmp(type, "ANY") == 0 || !lex_type_text(&sqlite_syntax, type, NULL))
		return true;
	if (!sqlite_op_query(db,
	                     "SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND name = ? COLLATE NOCASE AND sql "
	                     "NOT LIKE 'CREATE VIRTUAL%'",
	                     params, 1, take_flag, &plain, err))
		return false;
	*type_r = plain ? type : NULL;
	return true;
}

/* ---- what an output column is ---- */

struct output {
	void *mem;
	const char **names;
	const char **types; /* NULL: none */
	/* The name in a statement around the definition: `rowid` where the definition's own name is `id` */
	const char **inner;
	size_t n; /* rows read of a listing */
	int count;
};

static bool take_type_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct output *out = ctx;
	size_t i = out->n++;
	if (i < (size_t)out->count && out->types[i] == NULL && v[0] != NULL && v[0][0] != '\0')
		out->types[i] = talloc_strdup(out->mem, v[0]);
	return true;
}

static const struct db_reader take_type[] = {{take_type_fn, "T", "the types of columns"}};

/* Types that CREATE TABLE AS gives columns that come from no table: casts and scalar subqueries have a type. No row is
 * read. */
static bool expression_types(struct db *db, const char *query, struct output *out, struct viewd_err *err)
{
	char *sql =
		sql_add(sql_new(out->mem), "CREATE TEMPORARY TABLE viewd_types AS SELECT * FROM (\n%s\n) LIMIT 0", query);
	return db_exec(db, "DROP TABLE IF EXISTS temp.viewd_types", err) && db_exec(db, sql, err) &&
	       sqlite_op_query(db, "SELECT type FROM pragma_table_info('viewd_types', 'temp')", NULL, 0, take_type, out,
	                       err) &&
	       db_exec(db, "DROP TABLE temp.viewd_types", err);
}

static bool reads_virtual(struct db *db, const struct sqlite_sources *sources, bool *virtual_r, struct viewd_err *err)
{
	for (size_t i = 0; i < sources->n && !*virtual_r; i++) {
		const char *params[] = {sources->items[i].name};
		if (!sqlite_op_query(
				db,
				"SELECT 1 FROM main.sqlite_master WHERE type = 'table' AND rootpage = 0 AND name = ? COLLATE NOCASE",
				params, 1, take_flag, virtual_r, err))
			return false;
	}
	return true;
}

static bool find_types(struct db *db, const char *query, sqlite3_stmt *stmt, const struct sqlite_sources *sources,
                       struct output *out, struct viewd_err *err)
{
	bool safe = false, expression = false, virtual = false;
	if (!types_are_safe(db, query, sources, &safe, err))
		return false;
	for (int i = 0; i < out->count && safe; i++) {
		if (!origin_type(db, stmt, i, &out->types[i], err))
			return false;
		expression = expression || sqlite3_column_table_name(stmt, i) == NULL;
	}
	if (!expression || !reads_virtual(db, sources, &virtual, err))
		return !expression;
	return virtual || expression_types(db, query, out, err);
}

/* A subquery's columns are named before its names are resolved, so `rowid` is called that there and `id` in the query
 * itself. */
static bool find_inner_names(struct viewd_conn *conn, const char *query, struct output *out, struct viewd_err *err)
{
	struct sqlite_sources ignored = {.mem = out->mem};
	sqlite3_stmt *stmt = NULL;
	char *sql = sql_add(sql_new(out->mem), "SELECT * FROM (\n%s\n)", query);
	if (!sqlite_prepare_definition(conn, sql, &ignored, &stmt, err))
		return false;
	for (int i = 0; i < out->count && i < sqlite3_column_count(stmt); i++)
		out->inner[i] = talloc_strdup(out->mem, sqlite3_column_name(stmt, i));
	sqlite3_finalize(stmt);
	return true;
}

/* ---- what is known ---- */

/* Finding out what a query yields may take a temporary table, after which the library prepares every statement anew. */
struct known_query {
	const char **names, **types, **inner;
	int count;
};

static const char **copy_texts(void *mem, const char *const *texts, int n)
{
	const char **own = talloc_zero_array(mem, const char *, (unsigned)n + 1);
	assert(own != NULL);
	for (int i = 0; i < n; i++)
		own[i] = texts[i] != NULL ? talloc_strdup(own, texts[i]) : NULL;
	return own;
}

static struct known_query *known_of(const struct output *out)
{
	struct known_query *known = talloc_zero(NULL, struct known_query);
	assert(known != NULL);
	known->names = copy_texts(known, out->names, out->count);
	known->types = copy_texts(known, out->types, out->count);
	known->inner = copy_texts(known, out->inner, out->count);
	known->count = out->count;
	return known;
}

static bool give_columns(const struct known_query *known, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	bool more = true, good = true;
	for (int i = 0; i < known->count && more && good; i++) {
		const char *values[] = {known->names[i], known->types[i], known->inner[i]};
		good = db_give(row, ctx, values, ARRAY_LEN(values), &more, err);
	}
	return good;
}

static bool find_columns(struct viewd_conn *conn, const char *query, struct output *out, struct viewd_err *err)
{
	struct sqlite_sources sources = {.mem = out->mem};
	sqlite3_stmt *stmt = NULL;
	bool done = sqlite_prepare_definition(conn, query, &sources, &stmt, err);
	if (done) {
		out->count = sqlite3_column_count(stmt);
		out->names = talloc_zero_array(out->mem, const char *, (unsigned)out->count + 1);
		out->types = talloc_zero_array(out->mem, const char *, (unsigned)out->count + 1);
		out->inner = talloc_zero_array(out->mem, const char *, (unsigned)out->count + 1);
		for (int i = 0; i < out->count; i++)
			out->names[i] = talloc_strdup(out->mem, sqlite3_column_name(stmt, i));
		done = find_types(&conn->db, query, stmt, &sources, out, err) && find_inner_names(conn, query, out, err);
		out->types = copy_texts(out->mem, out->types, out->count); /* declared types are the statement's */
	}
	sqlite3_finalize(stmt);
	return done;
}

bool sqlite_op_query_columns(struct db *db, const char *query, const struct db_reader *row, void *ctx,
                             struct viewd_err *err)
{
	struct viewd_conn *conn = sqlite_conn_of(db);
	struct output out = {.mem = talloc_new(NULL)};
	char *question = talloc_asprintf(out.mem, "columns %s", query);
	const void *known = NULL;
	struct known_query *found = NULL;
	bool done = sqlite_known_find(db, question, &known, err);
	if (done && known == NULL) {
		done = find_columns(conn, query, &out, err);
		known = found = known_of(&out);
	}
	done = done && give_columns(known, row, ctx, err);
	if (done && found != NULL)
		sqlite_known_keep(conn, question, found);
	else
		talloc_free(found);
	talloc_free(out.mem);
	return done;
}
