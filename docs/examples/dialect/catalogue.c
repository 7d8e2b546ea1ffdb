/* SPDX-License-Identifier: MIT
 *
 * catalogue.c: what exists in a file, who reads it, and what a definition reads and yields.
 */
#include "litemini.h"

#include "base/err.h"
#include "common/objects/task.h"
#include "common/sqltext/lexer.h"
#include "common/text/digest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

/* ---- 4. what the catalogue says ---------------------------------------------------------------------------------- */

/* The tag of syntax.table.name_tag, in its place: between the name and what follows. SQLite keeps the text of CREATE as
 * written. */
static bool read_tag(const char *sql, char out[static 33])
{
	struct lex_token tok;
	for (const char *p = sql;
	     (tok = lex_next(mini_syntax.lexer.flags, &p)).kind != LEX_END && tok.kind != LEX_OTHER && !lex_is(&tok, "AS");)
		if (tok.kind == LEX_COMMENT)
			return sscanf(tok.text, "/* viewd:%32[0-9a-f] */", out) == 1 && strlen(out) == 32;
	return false;
}

/* The text after the first AS of a CREATE VIEW. */
static const char *definition_of(const char *sql)
{
	struct lex_token tok;
	for (const char *p = sql; (tok = lex_next(mini_syntax.lexer.flags, &p)).kind != LEX_END;)
		if (lex_is(&tok, "AS"))
			return p;
	return sql;
}

static void digest_normal(const char *sql, char out[static DIGEST_SIZE])
{
	char *normal = lex_normalise(&mini_syntax, NULL, sql);
	digest_text(normal, out);
	talloc_free(normal);
}

static enum viewd_kind kind_of(const char *type, const char *sql)
{
	if (strcmp(type, "view") == 0)
		return VIEWD_KIND_VIEW;
	bool plain = strcmp(type, "table") == 0 && strncasecmp(sql, "CREATE VIRTUAL", 14) != 0;
	return plain ? VIEWD_KIND_TABLE : VIEWD_KIND_OTHER;
}

/* The identity proves later that an object is still the one that was recorded. A user's table has no tag, so none. */
static bool read_object_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct db_object *out = ctx;
	const char *sql = values[2] != NULL ? values[2] : "";
	char tag[33];
	bool view = strcmp(values[0], "view") == 0;
	out->kind = kind_of(values[0], sql);
	out->populated = true;
	snprintf(out->name, sizeof out->name, "%s", values[1]);
	digest_normal(view ? definition_of(sql) : sql, out->canonical);
	if (read_tag(sql, tag))
		snprintf(out->identity, sizeof out->identity, "tag:%s", tag);
	else if (view)
		snprintf(out->identity, sizeof out->identity, "text:%s", out->canonical);
	return false;
}

static const struct db_reader read_object[] = {{read_object_fn, "ttT", "what a name stands for"}};

bool mini_find_object(struct db *db, const struct relation *rel, struct db_object *out, struct viewd_err *err)
{
	const char *params[] = {rel->name};
	*out = (struct db_object){.kind = VIEWD_KIND_NONE};
	return mini_query(
		db, "SELECT type, name, sql FROM main.sqlite_master WHERE name = ? COLLATE NOCASE AND type <> 'trigger'",
		params, 1, read_object, out, err);
}

bool mini_list_indexes(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                       struct viewd_err *err)
{
	const char *params[] = {rel->name};
	return mini_query(db, "SELECT name FROM main.sqlite_master WHERE type = 'index' AND tbl_name = ? COLLATE NOCASE",
	                  params, 1, row, ctx, err);
}

/* ---- who reads a relation: SQLite would drop it under its readers ---- */

struct readers {
	const char *name;
	bool found; /* the view at hand mentions it */
	bool more, good;
	const struct db_reader *row;
	void *ctx;
	struct viewd_err *err;
};

static bool compare_mention(void *ctx, const char *text)
{
	struct readers *readers = ctx;
	readers->found = readers->found || strcasecmp(text, readers->name) == 0;
	return !readers->found;
}

static bool judge_view_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct readers *readers = ctx;
	readers->found = false;
	lex_mentions(&mini_syntax, definition_of(values[1]), (struct viewd_text_sink){compare_mention, readers});
	if (readers->found)
		readers->good = db_give(readers->row, readers->ctx, (const char *[]){"VIEW", "", values[0]}, 3, &readers->more,
		                        readers->err);
	return readers->good && readers->more;
}

static const struct db_reader views_of_file[] = {{judge_view_fn, "tt", "the views of the database"}};

/* By name: one that only mentions it counts as well, which stops a drop too many rather than one too few. */
bool mini_list_dependants(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                          struct viewd_err *err)
{
	const char *params[] = {rel->name};
	struct readers readers = {.name = rel->name, .more = true, .good = true, .row = row, .ctx = ctx, .err = err};
	return mini_query(db,
	                  "SELECT name, sql FROM main.sqlite_master "
	                  "WHERE type = 'view' AND name <> ? COLLATE NOCASE ORDER BY name",
	                  params, 1, views_of_file, &readers, err) &&
	       readers.good;
}

/* The digest that find_object would tell of the wanted view: an equal one that a user has made is adopted. */
bool mini_wanted_canonical(struct task *task, char out[static 65], struct viewd_err *err UNUSED)
{
	struct gen gen = task->gen;
	gen.columns = task->columns;
	digest_normal(gen_query(&gen), out);
	return true;
}

/* The authorizer notes the names while SQLite compiles the definition. Each is then looked up: a WITH has names as
 * well. */
bool mini_list_sources(struct db *db, const char *definition, struct viewd_source_sink sink, struct viewd_err *err)
{
	struct viewd_conn *conn = mini_conn(db);
	sqlite3_stmt *stmt = NULL;
	conn->names_mem = talloc_new(NULL);
	bool good = mini_prepare(conn, definition, GUARD_DEFINITION, &stmt, err), more = sink.fn != NULL;
	sqlite3_finalize(stmt);
	for (size_t i = 0; good && more && i < talloc_array_length(conn->names); i++) {
		struct relation rel = {.schema = ""};
		struct db_object found;
		snprintf(rel.name, sizeof rel.name, "%s", conn->names[i]);
		good = mini_find_object(db, &rel, &found, err);
		if (good && found.kind != VIEWD_KIND_NONE)
			more = sink.fn(sink.ctx, &(struct viewd_source){.schema = "", .name = found.name, .kind = found.kind});
	}
	conn->names = NULL;
	TALLOC_FREE(conn->names_mem);
	return good;
}

/* No types: a column without one keeps every value exactly as it is. */
bool mini_query_columns(struct db *db, const char *query, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct viewd_conn *conn = mini_conn(db);
	sqlite3_stmt *stmt = NULL;
	conn->names_mem = talloc_new(NULL);
	bool good = mini_prepare(conn, query, GUARD_DEFINITION, &stmt, err), more = true;
	for (int i = 0; good && more && i < sqlite3_column_count(stmt); i++)
		good = db_give(row, ctx, (const char *[]){sqlite3_column_name(stmt, i), NULL}, 2, &more, err);
	sqlite3_finalize(stmt);
	conn->names = NULL;
	TALLOC_FREE(conn->names_mem);
	return good;
}
