/* SPDX-License-Identifier: MIT
 *
 * part_diff.c: the rows of some keys, computed by a definition for these keys alone, beside those that a relation has.
 * OFFSET 0 keeps the server from pulling the definition up, and so lets the key into it.
 */
#include "postgresql/incremental/part_diff.h"

#include <talloc.h>

#include "common/sqltext/sqltext.h"
#include "common/text/number.h"
#include "postgresql/incremental/log_objects.h"

static char *add_columns(char *sql, const char *prefix, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sql = sql_add(sql, "%s%sc%zu", i > 0 ? ", " : "", prefix, i + 1);
	return sql;
}

/* "unnest($1::a[], $2::b[]) AS k (k1, k2)" */
static char *add_keys(const struct pg_difference *t, char *sql)
{
	sql = sql_add(pg_keys_unnest(sql, t->keys, 1), " AS k (");
	for (size_t i = 0; i < t->keys->width; i++)
		sql = sql_add(sql, "%sk%zu", i > 0 ? ", " : "", i + 1);
	return sql_add(sql, ")");
}

static const char *inner_name(const struct columns *columns, size_t i)
{
	return columns->inner != NULL && columns->inner[i] != NULL ? columns->inner[i] : columns->names[i];
}

/* "q.a = k.k1 AND .." */
static char *add_match(const struct pg_difference *t, char *sql, const char *prefix, bool inner)
{
	const struct columns *columns = t->part->columns;
	for (size_t i = 0; i < t->part->n_key; i++) {
		size_t at = t->part->key[i];
		sql = ident_append(&pg_syntax, sql_add(sql, "%s%s", i > 0 ? " AND " : "", prefix),
		                   inner ? inner_name(columns, at) : columns->names[at]);
		sql = sql_add(sql, t->nulls ? " IS NOT DISTINCT FROM k.k%zu" : " = k.k%zu", i + 1);
	}
	return sql;
}

/* "k1 IS NULL OR .." */
static char *add_has_null(const struct pg_difference *t, char *sql, const char *prefix)
{
	for (size_t i = 0; i < t->part->n_key; i++)
		sql = sql_add(sql, "%s%sk%zu IS NULL", i > 0 ? " OR " : "", prefix, i + 1);
	return sql;
}

static char *in_set(const struct pg_difference *t, char *sql, const char *prefix, bool inner);

/* The other form: the key is compared with what the definition yields. */
static char *add_outside(const struct pg_difference *t, char *sql)
{
	return in_set(t, sql_add(sql, " FROM (%s) AS q WHERE ", t->part->definition), "q.", true);
}

/* Rows that the definition yields for the keys. */
static char *new_rows(const struct pg_difference *t)
{
	const struct columns *columns = t->part->columns;
	char *sql = sql_add(sql_new(t->mem), "SELECT ");
	for (size_t i = 0; i < columns->n; i++)
		sql = sql_add(ident_append(&pg_syntax, sql_add(sql, "%sq.", i > 0 ? ", " : ""), inner_name(columns, i)),
		              " AS c%zu", i + 1);
	if (t->keys == NULL)
		return sql_add(sql, " FROM (%s) AS q", t->part->definition);
	if (t->part->form == 1)
		return add_outside(t, sql);
	sql = add_keys(t, sql_add(sql, " FROM "));
	sql = sql_add(sql, " CROSS JOIN LATERAL (SELECT * FROM (%s) AS q WHERE ", t->part->definition);
	sql = sql_add(add_match(t, sql, "q.", true), " OFFSET 0) AS q");
	return t->nulls ? sql_add(add_has_null(t, sql_add(sql, " WHERE ("), "k."), ")") : sql;
}

/* "the key's columns are among the keys" */
static char *in_set(const struct pg_difference *t, char *sql, const char *prefix, bool inner)
{
	const struct columns *columns = t->part->columns;
	const char *key[KEY_WIDTH_MAX];
	for (size_t i = 0; i < t->part->n_key; i++) {
		size_t at = t->part->key[i];
		key[i] = ident_append(&pg_syntax, sql_add(sql_new(t->mem), "%s", prefix),
		                      inner ? inner_name(columns, at) : columns->names[at]);
	}
	if (!t->nulls)
		return sql_add(sql, "%s", pg_op_has_key(t->mem, t->keys, key, false));
	sql = sql_add(add_has_null(t, sql_add(add_keys(t, sql_add(sql, "EXISTS (SELECT 1 FROM ")), " WHERE ("), "k."), ")");
	return sql_add(add_match(t, sql_add(sql, " AND "), prefix, inner), ")");
}

/* The same of a query of the statement. Without columns in the key there is one row, which is written if the query has
 * any. */
static char *in_query(const struct pg_difference *t, char *sql)
{
	if (t->part->n_key == 0)
		return sql_add(sql, "EXISTS (SELECT 1 FROM %s)", t->among);
	if (t->nulls) {
		sql = add_has_null(t, sql_add(sql, "(SELECT pg_catalog.bool_or("), "");
		sql = add_has_null(t, sql_add(sql, ") FROM %s) AND EXISTS (SELECT 1 FROM %s AS k WHERE (", t->among, t->among),
		                   "k.");
		return sql_add(add_match(t, sql_add(sql, ") AND "), "t.", false), ")");
	}
	sql = ident_append(&pg_syntax, sql_add(sql, "t."), t->part->columns->names[t->part->key[0]]);
	sql = sql_add(sql, " = ANY (ARRAY(SELECT k1 FROM %s))", t->among);
	if (t->part->n_key == 1)
		return sql;
	return sql_add(add_match(t, sql_add(sql, " AND EXISTS (SELECT 1 FROM %s AS k WHERE ", t->among), "t.", false), ")");
}

static char *old_rows(const struct pg_difference *t)
{
	const struct columns *columns = t->part->columns;
	char *sql = sql_add(sql_new(t->mem), "SELECT t.ctid AS tid");
	for (size_t i = 0; i < columns->n; i++)
		sql = sql_add(ident_append(&pg_syntax, sql_add(sql, ", t."), columns->names[i]), " AS c%zu", i + 1);
	sql = sql_add(sql, " FROM %s AS t WHERE ", relation_quoted(&pg_syntax, t->mem, &t->part->rel));
	if (t->among != NULL)
		return in_query(t, sql);
	return t->keys == NULL ? sql_add(sql, "true") : in_set(t, sql, "t.", false);
}

/* The columns that identify a row; n 0: all of them. */
static const size_t *identity_of(const struct part *part, size_t *n_r)
{
	*n_r = part->one_each ? part->n_key : part->n_row;
	return part->one_each ? part->key : part->row;
}

/* SQL: the columns that identify a row. */
static char *add_identity(const struct pg_difference *t, char *sql, const char *side)
{
	size_t n;
	const size_t *columns = identity_of(t->part, &n);
	for (size_t i = 0; i < n; i++)
		sql = sql_add(sql, "%s%sc%zu", i > 0 ? ", " : "", side, columns[i] + 1);
	return n > 0 ? sql : add_columns(sql, side, t->part->columns->n);
}

/* Records can be compared by their images and sorted, but not hashed: sorting many takes longer than computing them. */
static char *add_hash(const struct pg_difference *t, char *sql, const char *side)
{
	sql = add_identity(t, sql_add(sql, "pg_catalog.hashtext((ROW("), side);
	return sql_add(sql, ")::text) COLLATE pg_catalog.\"C\")");
}

/* Appends "SELECT side.*, .. AS h, .. AS rn". Rows that may be equal are told apart by counting. Others of the same
 * hash may be counted with them: then rows that do not differ are written, which does no harm. */
static char *add_numbered(const struct pg_difference *t, char *sql, const char *side)
{
	sql = sql_add(add_hash(t, sql_add(sql, "SELECT %s*, ", side), side), " AS h, ");
	if (t->part->n_row > 0)
		return sql_add(sql, "1 AS rn");
	return sql_add(add_hash(t, sql_add(sql, "pg_catalog.row_number() OVER (PARTITION BY "), side), ") AS rn");
}

static bool is_row_column(const struct part *part, size_t column)
{
	size_t n;
	const size_t *columns = identity_of(part, &n);
	for (size_t i = 0; i < n; i++)
		if (columns[i] == column)
			return true;
	return n == 0;
}

/* j: old and new rows that differ, beside each other; those of q are NULL where a row is gone. */
static char *add_differing(const struct pg_difference *t, char *sql)
{
	size_t n = t->part->columns->n;
	sql = add_columns(sql_add(sql, ", %sj AS MATERIALIZED (SELECT o.tid, q.rn IS NULL AS gone, 1 AS one, ", t->prefix),
	                  "q.", n);
	for (size_t i = 0; i < n && t->with_old; i++)
		sql = sql_add(sql, ", o.c%zu AS b%zu", i + 1, i + 1);
	sql = sql_add(sql,
	              " FROM %so AS o FULL JOIN %sq AS q ON o.h OPERATOR(pg_catalog.=) q.h AND "
	              "ROW(o.rn, ",
	              t->prefix, t->prefix);
	sql = sql_add(add_identity(t, sql, "o."), ")::pg_catalog.record OPERATOR(pg_catalog.*=) ROW(q.rn, ");
	sql = sql_add(add_identity(t, sql, "q."), ")::pg_catalog.record WHERE o.rn IS NULL OR q.rn IS NULL OR ROW(");
	sql = add_columns(sql, "o.", n);
	sql = add_columns(sql_add(sql, ")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW("), "q.", n);
	return sql_add(sql, ")::pg_catalog.record)");
}

/* Rows that are gone go first: the others may take over what was unique to them. */
static char *add_after_delete(const struct pg_difference *t, char *sql)
{
	return sql_add(sql, " AND (SELECT pg_catalog.count(*) FROM %sd) >= 0 RETURNING 1)", t->prefix);
}

/* Each place is looked up by itself. The server would read the whole relation where it expects many of them, and it
 * expects half of all rows: two conditions that always hold have it expect few. A list of the places beside that would
 * be searched for every row. */
#define BELIEVED_FEW " AND j.one = 1 AND j.one + 0 = 1"

static char *add_update(const struct pg_difference *t, char *sql, const char *rel)
{
	bool any = false;
	for (size_t i = 0; i < t->part->columns->n; i++) {
		if (is_row_column(t->part, i))
			continue;
		sql = any ? sql_add(sql, ", ") : sql_add(sql, ", %su AS (UPDATE %s AS t SET ", t->prefix, rel);
		sql = sql_add(ident_append(&pg_syntax, sql, t->part->columns->names[i]), " = j.c%zu", i + 1);
		any = true;
	}
	if (!any)
		return sql_add(sql, ", %su AS (SELECT 1 WHERE false)", t->prefix);
	return add_after_delete(t,
	                        sql_add(sql, " FROM %sj AS j WHERE t.ctid = j.tid AND NOT j.gone" BELIEVED_FEW, t->prefix));
}

/* Keys with a NULL in them are found in another way. A row may move from those to the others, so one statement has
 * both. */
static char *all_keys(const struct pg_difference *t, char *(*rows)(const struct pg_difference *t), bool may_be_null)
{
	char *sql = rows(t);
	if (!may_be_null)
		return sql;
	struct pg_difference nulls = *t;
	nulls.nulls = true;
	return sql_add(sql, " UNION ALL %s", rows(&nulls));
}

char *pg_difference_add(const struct pg_difference *t, char *sql)
{
	const struct columns *columns = t->part->columns;
	char *rel = relation_quoted(&pg_syntax, t->mem, &t->part->rel);
	bool nulls = t->keys != NULL && t->keys->nulls, among = t->among != NULL && t->part->n_key > 0;
	sql = add_numbered(t, sql_add(sql, "%sq AS MATERIALIZED (", t->prefix), "q.");
	sql = sql_add(sql, " FROM (%s) AS q), %so AS MATERIALIZED (", all_keys(t, new_rows, nulls), t->prefix);
	sql = sql_add(add_numbered(t, sql, "o."), " FROM (%s) AS o)", all_keys(t, old_rows, nulls || among));
	sql = add_differing(t, sql);
	sql = sql_add(sql,
	              ", %sd AS (DELETE FROM %s AS t WHERE t.ctid = ANY (ARRAY(SELECT tid FROM %sj WHERE gone)) "
	              "RETURNING 1)",
	              t->prefix, rel, t->prefix);
	sql = add_update(t, sql, rel);
	sql = sql_names(&pg_syntax, sql_add(sql, ", %si AS (INSERT INTO %s (", t->prefix, rel), NULL, columns->names,
	                columns->n);
	sql = add_columns(sql_add(sql, ") SELECT "), "j.", columns->n);
	return add_after_delete(t, sql_add(sql, " FROM %sj AS j WHERE j.tid IS NULL", t->prefix));
}

char *pg_difference_counts(const struct pg_difference *t, char *sql)
{
	return sql_add(sql,
	               "(SELECT pg_catalog.count(*) FROM %si), (SELECT pg_catalog.count(*) FROM %su), (SELECT "
	               "pg_catalog.count(*) FROM %sd)",
	               t->prefix, t->prefix, t->prefix);
}

void pg_difference_read(const char *const *values, struct part_written *out)
{
	out->inserted += number_or(values[0], 0);
	out->updated += number_or(values[1], 0);
	out->deleted += number_or(values[2], 0);
}
