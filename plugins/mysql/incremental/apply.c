/* SPDX-License-Identifier: MIT
 *
 * apply.c: the rows of some keys, computed by the definition for these keys alone.
 *
 * The keys reach every place of the definition by common table expressions that have the names of its tables and hold
 * the rows of the keys: its text is not touched. A name stands for the table wherever the definition uses it, so that
 * is right only where every one of these places is tied to the key. Where a table cannot be named so the keys are
 * joined to the definition's result.
 */
#include "mysql/incremental/log.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "common/incremental/chain.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"

struct computing {
	struct viewd_conn *conn;
	void *mem;
	const struct part *part;
	const struct key_set *keys;
};

static const char *inner_name(const struct columns *columns, size_t i)
{
	return columns->inner != NULL && columns->inner[i] != NULL ? columns->inner[i] : columns->names[i];
}

/* viewd_q.`inner` AS `name`, .. */
static char *add_columns(char *sql, const struct columns *columns)
{
	for (size_t i = 0; i < columns->n; i++) {
		sql = ident_append(&my_syntax, sql_add(sql, "%sviewd_q.", i > 0 ? ", " : ""), inner_name(columns, i));
		sql = ident_append(&my_syntax, sql_add(sql, " AS "), columns->names[i]);
	}
	return sql;
}

/* ---- tables in other clothes ---- */

static bool same_table(const struct analysis_source *a, const struct analysis_source *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->schema, b->schema) == 0;
}

/* Do both lead to the key by the same columns? */
static bool same_way(const struct analysis_source *a, const struct analysis_source *b)
{
	if (a->next != 0 || b->next != 0 || a->n_pairs != b->n_pairs)
		return false;
	for (size_t i = 0; i < a->n_pairs; i++)
		if (strcmp(a->pairs[i].from, b->pairs[i].from) != 0)
			return false;
	return true;
}

/* Common table expressions have names that ignore case, and hide tables of the session's database. */
static bool may_shadow(const struct computing *c, const struct analysis_source *said)
{
	const struct part *part = c->part;
	if (!said->all_tied || said->next != 0 || said->n_pairs != part->n_key || !note_is_home(c->conn, said->schema))
		return false;
	for (size_t i = 0; i < part->n_sources; i++) {
		const struct analysis_source *other = part->sources[i].said;
		if (same_table(said, other) ? !same_way(said, other) : strcasecmp(said->name, other->name) == 0)
			return false;
	}
	return true;
}

static bool is_first(const struct part *part, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (same_table(part->sources[i].said, part->sources[at].said))
			return false;
	return true;
}

/* "`t` AS (SELECT * FROM `db`.`t` WHERE `db`.`t`.`k` IN (..))" */
static char *add_shadow(const struct computing *c, char *sql, const struct analysis_source *said)
{
	const char *columns[KEY_WIDTH_MAX];
	struct relation rel = {.schema = ""};
	snprintf(rel.schema, sizeof rel.schema, "%s", said->schema);
	snprintf(rel.name, sizeof rel.name, "%s", said->name);
	char *table = relation_quoted(&my_syntax, c->mem, &rel);
	for (size_t i = 0; i < said->n_pairs; i++)
		columns[i] = ident_append(&my_syntax, sql_add(sql_new(c->mem), "viewd_t."), said->pairs[i].from);
	sql = ident_append(&my_syntax, sql, said->name);
	return sql_add(sql, " AS (SELECT * FROM %s AS viewd_t WHERE %s)", table,
	               my_has_key(c->mem, c->keys, columns, true));
}

/* All of them; "" none. */
static char *shadows(const struct computing *c)
{
	char *sql = sql_new(c->mem);
	for (size_t i = 0; i < c->part->n_sources; i++) {
		const struct analysis_source *said = c->part->sources[i].said;
		if (is_first(c->part, i) && may_shadow(c, said))
			sql = add_shadow(c, sql_add(sql, sql[0] != '\0' ? ", " : ""), said);
	}
	return sql;
}

/* A definition that begins with WITH does not see what stands around it: they come first in its own list. *rest_r: what
 * follows WITH; NULL: it does not begin so. */
static const char *after_with(const char *definition, bool *recursive_r)
{
	const char *at = definition, *rest = NULL;
	for (struct lex_token tok; (tok = lex_next(my_syntax.lexer.flags, &at)).kind != LEX_END;) {
		if (tok.kind == LEX_SPACE || tok.kind == LEX_COMMENT)
			continue;
		if (rest == NULL && !lex_is(&tok, "with"))
			return NULL;
		if (rest != NULL) {
			*recursive_r = lex_is(&tok, "recursive");
			return *recursive_r ? at : rest;
		}
		rest = at;
	}
	return NULL;
}

/* ---- the query ---- */

/* Over what the definition yields. */
static char *inner_filter(const struct computing *c)
{
	const char *key[KEY_WIDTH_MAX];
	for (size_t i = 0; i < c->part->n_key; i++)
		key[i] = ident_append(&my_syntax, sql_add(sql_new(c->mem), "viewd_q."),
		                      inner_name(c->part->columns, c->part->key[i]));
	return my_has_key(c->mem, c->keys, key, true);
}

static char *shadowed_query(const struct computing *c, const char *list)
{
	bool recursive = false;
	const char *rest = after_with(c->part->definition, &recursive);
	char *sql = rest == NULL ? sql_add(sql_new(c->mem), "WITH %s SELECT ", list) : sql_add(sql_new(c->mem), "SELECT ");
	sql = sql_add(add_columns(sql, c->part->columns), " FROM (");
	sql = rest == NULL ? sql_add(sql, "\n%s\n", c->part->definition)
	                   : sql_add(sql, "WITH %s%s,\n%s\n", recursive ? "RECURSIVE " : "", list, rest);
	return sql_add(sql, ") AS viewd_q WHERE %s", inner_filter(c));
}

static char *joined_query(const struct computing *c)
{
	const struct columns *columns = c->part->columns;
	char *sql = add_columns(sql_add(sql_new(c->mem), "SELECT "), columns);
	sql = sql_add(sql, " FROM %s AS viewd_k JOIN (\n%s\n) AS viewd_q ON ", keys_table(c->mem, c->keys),
	              c->part->definition);
	for (size_t i = 0; i < c->part->n_key; i++) {
		sql = ident_append(&my_syntax, sql_add(sql, "%sviewd_q.", i > 0 ? " AND " : ""),
		                   inner_name(columns, c->part->key[i]));
		sql = sql_add(sql, " %s viewd_k.viewd_k%zu", c->keys->nulls ? "<=>" : "=", i + 1);
	}
	return sql;
}

/* *shadowed_r: a definition may not work so, with a shadow in the place of a table (it names a partition, or an index).
 * joined: that is to be avoided. */
static char *keyed_query(const struct computing *c, bool joined, bool *shadowed_r)
{
	char *list = shadows(c);
	*shadowed_r = !joined && c->part->form == 0 && list[0] != '\0';
	return *shadowed_r ? shadowed_query(c, list) : joined_query(c);
}

char *part_keyed_query(struct viewd_conn *conn, void *mem, const struct part *part, const struct key_set *keys,
                       bool joined, bool *shadowed_r)
{
	const struct computing c = {conn, mem, part, keys};
	return keyed_query(&c, joined, shadowed_r);
}

struct collations {
	void *mem;
	char *items[KEY_WIDTH_MAX]; /* of the keys, "" where there is none */
	size_t n;
};

/* SHOW FULL COLUMNS: Field, Type, Collation, ... */
static bool take_collation_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct collations *list = ctx;
	if (list->n < KEY_WIDTH_MAX)
		list->items[list->n++] = talloc_strdup(list->mem, v[2] != NULL ? v[2] : "");
	return true;
}

static const struct db_reader take_collation[] = {{take_collation_fn, "ttT*", "the columns of keys"}};

/* Over t, the relation: a column that is declared with another collation tells spellings apart that are one key. */
static bool relation_filter(const struct computing *c, char **filter_r, struct viewd_err *err)
{
	struct collations list = {.mem = c->mem};
	const char *key[KEY_WIDTH_MAX];
	char *sql = talloc_asprintf(c->mem, "SHOW FULL COLUMNS FROM %s", c->keys->name);
	if (c->part->columns->declared && c->keys->own == NULL &&
	    !my_query(&c->conn->db, sql, NULL, 0, take_collation, &list, err))
		return false;
	for (size_t i = 0; i < c->part->n_key; i++) {
		char *name = ident_append(&my_syntax, sql_add(sql_new(c->mem), "t."), c->part->columns->names[c->part->key[i]]);
		const char *collation = i < list.n ? list.items[i] : "";
		key[i] = collation[0] == '\0' ? name
		                              : talloc_asprintf(c->mem, "CONVERT(%s USING %.*s) COLLATE %s", name,
		                                                (int)strcspn(collation, "_"), collation, collation);
	}
	*filter_r = my_has_key(c->mem, c->keys, key, true);
	return true;
}

/* ---- applying ---- */

char *whole_query(void *mem, const struct columns *columns, const char *definition)
{
	return sql_add(add_columns(sql_add(sql_new(mem), "SELECT "), columns), " FROM (\n%s\n) AS viewd_q", definition);
}

/* Should there be more rows of a key after all, these are left to what counts them. */
static bool apply(const struct computing *c, const struct difference *d, const char *query, struct part_written *out,
                  struct viewd_err *err)
{
	bool done = false;
	struct difference by_key = *d;
	if (c->part->one_each)
		by_key.row = c->part->key, by_key.n_row = c->part->n_key;
	if (compared_may(&by_key) && !compared_apply(&by_key, query, &done, out, err))
		return false;
	if (done)
		return true;
	if (!difference_stage(d, err) || !difference_fill(d, LOG_STAGE, query, err))
		return false;
	db_failpoint(&c->conn->db, "mysql:filled");
	return difference_apply(d, out, err);
}

static bool apply_keys(const struct computing *c, const struct difference *d, struct part_written *out,
                       struct viewd_err *err)
{
	struct viewd_err failure = {0};
	bool shadowed = false;
	if (apply(c, d, keyed_query(c, false, &shadowed), out, &failure))
		return true;
	if (shadowed && failure.cls == VIEWD_ERR_QUERY)
		return apply(c, d, keyed_query(c, true, &shadowed), out, err);
	if (err != NULL)
		*err = failure;
	return false;
}

bool my_apply_part(struct db *db, const struct part *part, const struct key_set *keys, struct part_written *out,
                   struct viewd_err *err)
{
	struct computing c = {my_conn(db), talloc_new(NULL), part, keys};
	struct difference d = {.conn = c.conn,
	                       .mem = c.mem,
	                       .rel = &part->rel,
	                       .columns = part->columns,
	                       .row = part->row,
	                       .n_row = part->n_row,
	                       .few = part->few};
	*out = (struct part_written){0};
	bool done = keys != NULL ? relation_filter(&c, &d.filter, err) && apply_keys(&c, &d, out, err)
	                         : apply(&c, &d, whole_query(c.mem, part->columns, part->definition), out, err);
	talloc_free(c.mem);
	return done;
}

/* ---- all rows ---- */

static bool compare_all(struct task *task, const struct difference *d, const char *query, struct viewd_outcome *out,
                        struct viewd_err *err)
{
	struct part_written written = {0};
	if (!difference_fill(d, LOG_STAGE, query, err))
		return false;
	db_failpoint(task->db, "mysql:filled");
	if (!difference_apply(d, &written, err) || !task_count_rows(task, &out->rows, err))
		return false;
	out->rows_written = written.inserted + written.updated + written.deleted;
	out->did = out->rows_written > 0 ? VIEWD_DID_DIFF : VIEWD_DID_NO_DATA;
	return true;
}

static bool fill_empty(struct task *task, const struct difference *d, const char *query, struct viewd_outcome *out,
                       struct viewd_err *err)
{
	if (!difference_fill(d, relation_quoted(&my_syntax, d->mem, d->rel), query, err) ||
	    !my_drop_temporary(d->conn, LOG_STAGE, err) || !task_count_rows(task, &out->rows, err))
		return false;
	out->rows_written = out->rows;
	out->did = VIEWD_DID_FULL;
	return true;
}

bool my_whole(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(task->db);
	const struct part *part = &task->chain->part;
	struct difference d = {.conn = conn,
	                       .mem = task->mem,
	                       .rel = &task->rel,
	                       .columns = task->columns,
	                       .row = part->row,
	                       .n_row = part->n_row};
	char *query = whole_query(task->mem, task->columns, task->definition);
	char *any = talloc_asprintf(task->mem, "SELECT EXISTS (SELECT 1 FROM %s)",
	                            relation_quoted(&my_syntax, task->mem, &task->rel));
	int64_t there = 0;
	if (!difference_stage(&d, err) || !my_keep_object(task, err) || !my_query_int(conn, any, NULL, 0, &there, err))
		return false;
	return there > 0 ? compare_all(task, &d, query, out, err) : fill_empty(task, &d, query, out, err);
}
