/* SPDX-License-Identifier: MIT */
#include "sqlite/incremental/shape.h"

#include "common/sqltext/ident.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"
#include "sqlite/conn/syntax.h"
#include "sqlite/objects/catalogue.h"

#include <string.h>
#include <strings.h>
#include <talloc.h>

struct reading {
	struct db *db;
	void *mem;
	const char *table;
	struct shape *out;
	size_t n_primary;    /* columns of the primary key */
	const char *integer; /* one of them that is an INTEGER; NULL */
	bool indexed;        /* the primary key is an index */
	const char *index;   /* that is being read */
};

static const char *copy(const struct reading *reading, const char *text)
{
	const char *kept = talloc_strdup(reading->mem, text);
	assert(kept != NULL);
	return kept;
}

const struct shape_column *shape_column(const struct shape *shape, const char *name)
{
	for (size_t i = 0; i < shape->n_columns; i++)
		if (strcasecmp(shape->columns[i].name, name) == 0)
			return &shape->columns[i];
	return NULL;
}

static bool read_table_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct reading *reading = ctx;
	reading->out->there = true;
	reading->out->without_rowid = number_or(v[0], 0) != 0;
	reading->out->strict = number_or(v[1], 0) != 0;
	reading->table = copy(reading, v[2]);
	return false;
}

static bool read_column_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct reading *reading = ctx;
	struct shape *out = reading->out;
	out->columns = talloc_realloc(reading->mem, out->columns, struct shape_column, (unsigned)out->n_columns + 1);
	assert(out->columns != NULL);
	out->columns[out->n_columns++] = (struct shape_column){
		.name = copy(reading, v[0]),
		.affinity = sqlite_affinity(v[1], out->strict),
		.generated = number_or(v[3], 0) > 1,
		.replaced = number_or(v[2], 0) != 0 && v[4] != NULL,
	};
	reading->n_primary += number_or(v[5], 0) > 0;
	if (number_or(v[5], 0) > 0 && strcasecmp(v[1], "INTEGER") == 0)
		reading->integer = copy(reading, v[0]);
	return true;
}

/* ---- the condition of a partial index ---- */

static struct lex_token next_token(const char **text)
{
	struct lex_token tok;
	do
		tok = lex_next(sqlite_syntax.lexer.flags, text);
	while (tok.kind == LEX_SPACE || tok.kind == LEX_COMMENT);
	return tok;
}

static bool is_sign(struct lex_token tok, char sign)
{
	return tok.kind == LEX_OTHER && tok.text[0] == sign;
}

/* A word in double quotes that names no column is a text, for those connections that allow it. */
static char *add_quoted(const struct reading *reading, char *sql, struct lex_token tok)
{
	char name[IDENT_MAX], *written = talloc_strndup(sql, tok.text, tok.len);
	struct viewd_err no_name = {0};
	assert(written != NULL);
	bool names = ident_parse(&sqlite_syntax, written, name, &no_name) && shape_column(reading->out, name) != NULL;
	if (names || tok.text[0] != '"')
		return sql_add(sql, " %s", written);
	sql = sql_add(sql, " '");
	for (const char *c = written + 1; c < written + tok.len - 1; c++) {
		sql = sql_add(sql, "%.*s", *c == '\'' ? 2 : 1, *c == '\'' ? "''" : c);
		c += c[0] == '"';
	}
	return sql_add(sql, "'");
}

/* The text behind WHERE without the names of the table before its columns: they have one meaning wherever it stands. */
static char *unqualified(const struct reading *reading, const char *text)
{
	char *sql = sql_new(reading->mem);
	struct lex_token before = {LEX_END, text, 0}, tok = next_token(&text);
	for (struct lex_token after; tok.kind != LEX_END; before = tok, tok = after) {
		after = next_token(&text);
		bool name = tok.kind == LEX_WORD || tok.kind == LEX_IDENT;
		if (name && is_sign(after, '.'))
			after = next_token(&text);
		else if (tok.kind == LEX_IDENT && !is_sign(after, '(') && !lex_is(&before, "COLLATE") && !lex_is(&before, "AS"))
			sql = add_quoted(reading, sql, tok);
		else
			sql = sql_add(sql, "%s%.*s", before.text + before.len == tok.text ? "" : " ", (int)tok.len, tok.text);
	}
	return sql;
}

struct mentioned {
	const struct reading *reading;
	struct shape_key *key;
};

static bool take_mentioned_fn(void *ctx, const char *name)
{
	struct mentioned *m = ctx;
	const struct shape_column *column = shape_column(m->reading->out, name);
	if (column == NULL)
		return true;
	m->key->conditional = talloc_realloc(m->reading->mem, m->key->conditional, const struct shape_column *,
	                                     (unsigned)m->key->n_conditional + 1);
	assert(m->key->conditional != NULL);
	m->key->conditional[m->key->n_conditional++] = column;
	return true;
}

/* index: the statement that made it. WHERE is no name without quotes. */
static void read_condition(const struct reading *reading, const char *index, struct shape_key *key)
{
	struct lex_token tok;
	do
		tok = next_token(&index);
	while (tok.kind != LEX_END && !lex_is(&tok, "WHERE"));
	key->condition = unqualified(reading, index);
	struct mentioned mentioned = {reading, key};
	lex_mentions(&sqlite_syntax, key->condition, (struct viewd_text_sink){take_mentioned_fn, &mentioned});
}

static bool read_key_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct reading *reading = ctx;
	struct shape *out = reading->out;
	const struct shape_column *column = v[2] != NULL ? shape_column(out, v[2]) : NULL;
	reading->indexed |= strcmp(v[1], "pk") == 0;
	if (column == NULL) {
		out->odd = true;
		return true;
	}
	if (reading->index == NULL || strcmp(reading->index, v[0]) != 0) {
		out->keys = talloc_realloc(reading->mem, out->keys, struct shape_key, (unsigned)out->n_keys + 2);
		assert(out->keys != NULL);
		out->keys[out->n_keys++] = (struct shape_key){0};
		reading->index = copy(reading, v[0]);
		if (v[4] != NULL)
			read_condition(reading, v[4], &out->keys[out->n_keys - 1]);
	}
	struct shape_key *key = &out->keys[out->n_keys - 1];
	key->columns = talloc_realloc(reading->mem, key->columns, const struct shape_column *, (unsigned)key->n + 1);
	key->collations = talloc_realloc(reading->mem, key->collations, const char *, (unsigned)key->n + 1);
	assert(key->columns != NULL && key->collations != NULL);
	key->columns[key->n] = column;
	key->collations[key->n++] = copy(reading, v[3]);
	return true;
}

static const struct db_reader read_table[] = {{read_table_fn, "nnt", "a table whose changes are logged"}};
static const struct db_reader read_column[] = {{read_column_fn, "ttnnTn", "the columns of a logged table"}};
static const struct db_reader read_key[] = {{read_key_fn, "ttTtT", "the unique keys of a logged table"}};

static bool ask(struct reading *reading, struct viewd_err *err)
{
	struct db *db = reading->db;
	const char *params[] = {reading->table};
	return sqlite_op_query(db,
	                       "SELECT wr, strict, name FROM pragma_table_list WHERE schema = 'main' AND type = "
	                       "'table' AND name = ? COLLATE NOCASE AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
	                       params, 1, read_table, reading, err) &&
	       sqlite_op_query(db,
	                       "SELECT name, type, \"notnull\", hidden, dflt_value, pk FROM pragma_table_xinfo(?, "
	                       "'main') WHERE hidden <> 1 ORDER BY cid",
	                       params, 1, read_column, reading, err) &&
	       sqlite_op_query(db,
	                       "SELECT l.name, l.origin, x.name, x.coll, CASE WHEN l.partial THEN (SELECT m.sql FROM "
	                       "main.sqlite_master AS m WHERE m.type = 'index' AND m.name = l.name) END FROM "
	                       "pragma_index_list(?, 'main') AS l, pragma_index_xinfo(l.name, 'main') AS x WHERE "
	                       "l.\"unique\" AND x.\"key\" ORDER BY l.name, x.seqno",
	                       params, 1, read_key, reading, err);
}

static void find_row_id(struct reading *reading)
{
	static const char *const names[] = {"_rowid_", "rowid", "oid"};
	struct shape *out = reading->out;
	for (size_t i = 0; i < ARRAY_LEN(names) && out->row_id == NULL && !out->without_rowid; i++)
		if (shape_column(out, names[i]) == NULL)
			out->row_id = names[i];
	/* All three may be columns, but the row number can have a name of its own. */
	if (!out->without_rowid && reading->n_primary == 1 && !reading->indexed)
		out->row_column = reading->integer;
	if (out->row_id == NULL)
		out->row_id = out->row_column;
}

bool shape_read(struct db *db, void *mem_ctx, const struct relation *source, struct shape *out, struct viewd_err *err)
{
	struct reading reading = {.db = db, .mem = mem_ctx, .table = source->name, .out = out};
	*out = (struct shape){0};
	if (!ask(&reading, err))
		return false;
	for (size_t i = 0; i < out->n_columns; i++)
		out->columns[i].collation =
			copy(&reading, sqlite_collation(sqlite_conn_of(db), reading.table, out->columns[i].name));
	find_row_id(&reading);
	return true;
}
