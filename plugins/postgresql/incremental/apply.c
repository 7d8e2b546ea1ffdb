/* SPDX-License-Identifier: MIT
 *
 * apply.c: the rows of some keys, computed by the definition for these keys alone and written as a difference by bytes,
 * in one statement. OFFSET 0 keeps the server from pulling the definition up, and so lets the key into it.
 */
#include "postgresql/incremental/log_objects.h"

#include <talloc.h>

#include "common/incremental/part.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

struct texts {
	void *mem;
	const struct part *part;
	const struct key_set *keys; /* NULL: all rows */
	bool nulls;                 /* of the keys those with a NULL in them; else the others */
};

static char *add_columns(char *sql, const char *prefix, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sql = sql_add(sql, "%s%sc%zu", i > 0 ? ", " : "", prefix, i + 1);
	return sql;
}

/* "unnest($1::a[], $2::b[]) AS k (k1, k2)" */
static char *add_keys(const struct texts *t, char *sql)
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
static char *add_match(const struct texts *t, char *sql, const char *prefix, bool inner)
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

static char *add_has_null(const struct texts *t, char *sql)
{
	for (size_t i = 0; i < t->keys->width; i++)
		sql = sql_add(sql, "%sk.k%zu IS NULL", i > 0 ? " OR " : " WHERE (", i + 1);
	return sql_add(sql, ")");
}

/* Rows that may be equal are told apart by counting. */
static char *add_number(const struct texts *t, char *sql, const char *prefix)
{
	if (t->part->n_row > 0)
		return sql_add(sql, ", 1 AS rn");
	sql = add_columns(sql_add(sql, ", pg_catalog.row_number() OVER (PARTITION BY (ROW("), prefix, t->part->columns->n);
	return sql_add(sql, ")::text) COLLATE pg_catalog.\"C\") AS rn");
}

static char *in_set(const struct texts *t, char *sql, const char *prefix, bool inner);

/* The other form: the key is compared with what the definition yields. */
static char *add_outside(const struct texts *t, char *sql)
{
	return in_set(t, sql_add(sql, " FROM (%s) AS q WHERE ", t->part->definition), "q.", true);
}

/* Rows that the definition yields for the keys. */
static char *new_rows(const struct texts *t)
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
	return t->nulls ? add_has_null(t, sql) : sql;
}

/* "the key's columns are among the keys" */
static char *in_set(const struct texts *t, char *sql, const char *prefix, bool inner)
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
	sql = add_has_null(t, add_keys(t, sql_add(sql, "EXISTS (SELECT 1 FROM ")));
	return sql_add(add_match(t, sql_add(sql, " AND "), prefix, inner), ")");
}

static char *old_rows(const struct texts *t)
{
	const struct columns *columns = t->part->columns;
	char *sql = sql_add(sql_new(t->mem), "SELECT t.ctid AS tid");
	for (size_t i = 0; i < columns->n; i++)
		sql = sql_add(ident_append(&pg_syntax, sql_add(sql, ", t."), columns->names[i]), " AS c%zu", i + 1);
	sql = sql_add(sql, " FROM %s AS t WHERE ", relation_quoted(&pg_syntax, t->mem, &t->part->rel));
	return t->keys == NULL ? sql_add(sql, "true") : in_set(t, sql, "t.", false);
}

/* The identity of a row, for a full join that knows NULL and bytes. */
static char *add_identity(const struct texts *t, char *sql, const char *side)
{
	sql = sql_add(sql, "ROW(%srn", side);
	for (size_t i = 0; i < t->part->n_row; i++)
		sql = sql_add(sql, ", %sc%zu", side, t->part->row[i] + 1);
	for (size_t i = 0; t->part->n_row == 0 && i < t->part->columns->n; i++)
		sql = sql_add(sql, ", %sc%zu", side, i + 1);
	return sql_add(sql, ")::pg_catalog.record");
}

static bool is_row_column(const struct part *part, size_t column)
{
	for (size_t i = 0; i < part->n_row; i++)
		if (part->row[i] == column)
			return true;
	return part->n_row == 0;
}

/* Records can be compared by their images and sorted, but not hashed: sorting many takes longer than computing them. */
static char *add_hash(const struct texts *t, char *sql, const char *side)
{
	sql = add_identity(t, sql_add(sql, "pg_catalog.hashtext("), side);
	return sql_add(sql, "::text COLLATE pg_catalog.\"C\")");
}

/* j: old and new rows that differ, beside each other; q2 is NULL where a row is gone. */
static char *add_differences(const struct texts *t, char *sql)
{
	size_t n = t->part->columns->n;
	sql = add_columns(sql_add(sql, ", j AS MATERIALIZED (SELECT o.tid, q.rn IS NULL AS gone, "), "q.", n);
	sql = sql_add(sql, " FROM o FULL JOIN q ON ");
	sql = sql_add(add_hash(t, sql, "o."), " OPERATOR(pg_catalog.=) ");
	sql = sql_add(add_hash(t, sql, "q."), " AND ");
	sql = sql_add(add_identity(t, sql, "o."), " OPERATOR(pg_catalog.*=) ");
	sql = add_columns(sql_add(add_identity(t, sql, "q."), " WHERE o.rn IS NULL OR q.rn IS NULL OR ROW("), "o.", n);
	sql = add_columns(sql_add(sql, ")::pg_catalog.record OPERATOR(pg_catalog.*<>) ROW("), "q.", n);
	return sql_add(sql, ")::pg_catalog.record)");
}

static char *add_update(const struct texts *t, char *sql, const char *rel)
{
	bool any = false;
	for (size_t i = 0; i < t->part->columns->n; i++) {
		if (is_row_column(t->part, i))
			continue;
		sql = any ? sql_add(sql, ", ") : sql_add(sql, ", u AS (UPDATE %s AS t SET ", rel);
		sql = sql_add(ident_append(&pg_syntax, sql, t->part->columns->names[i]), " = j.c%zu", i + 1);
		any = true;
	}
	if (!any)
		return sql_add(sql, ", u AS (SELECT 1 WHERE false)");
	return sql_add(
		sql, " FROM j WHERE t.ctid = j.tid AND NOT j.gone AND (SELECT pg_catalog.count(*) FROM d) >= 0 RETURNING 1)");
}

/* Keys with a NULL in them are found in another way. A row may move from those to the others, so one statement has
 * both. */
static char *all_keys(const struct texts *t, char *(*rows)(const struct texts *t))
{
	char *sql = rows(t);
	if (t->keys == NULL || !t->keys->nulls)
		return sql;
	struct texts nulls = *t;
	nulls.nulls = true;
	return sql_add(sql, " UNION ALL %s", rows(&nulls));
}

/* Rows that are gone go first: the others may take over what was unique to them. */
static char *statement(const struct texts *t)
{
	const struct columns *columns = t->part->columns;
	char *rel = relation_quoted(&pg_syntax, t->mem, &t->part->rel), *sql = sql_new(t->mem);
	sql = add_number(t, sql_add(sql, "WITH q AS MATERIALIZED (SELECT q.*"), "q.");
	sql = sql_add(sql, " FROM (%s) AS q), o AS MATERIALIZED (SELECT o.*", all_keys(t, new_rows));
	sql = sql_add(add_number(t, sql, "o."), " FROM (%s) AS o)", all_keys(t, old_rows));
	sql = add_differences(t, sql);
	sql = sql_add(
		sql, ", d AS (DELETE FROM %s AS t WHERE t.ctid = ANY (ARRAY(SELECT tid FROM j WHERE gone)) RETURNING 1)", rel);
	sql = add_update(t, sql, rel);
	sql = sql_names(&pg_syntax, sql_add(sql, ", i AS (INSERT INTO %s (", rel), NULL, columns->names, columns->n);
	sql = add_columns(sql_add(sql, ") SELECT "), "j.", columns->n);
	return sql_add(sql, " FROM j WHERE j.tid IS NULL AND (SELECT pg_catalog.count(*) FROM d) >= 0 RETURNING 1) SELECT "
	                    "(SELECT pg_catalog.count(*) FROM i), (SELECT pg_catalog.count(*) FROM u), (SELECT "
	                    "pg_catalog.count(*) FROM d)");
}

static bool take_written_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct part_written *out = ctx;
	out->inserted += number_or(v[0], 0);
	out->updated += number_or(v[1], 0);
	out->deleted += number_or(v[2], 0);
	return false;
}

static const struct db_reader take_written[] = {{take_written_fn, "nnn", "what was written"}};

bool pg_op_apply_part(struct db *db, const struct part *part, const struct key_set *keys, struct part_written *out,
                      struct viewd_err *err)
{
	struct texts texts = {talloc_new(NULL), part, keys, false};
	const char *params[KEY_WIDTH_MAX];
	size_t n = keys != NULL ? keys->width : 0;
	for (size_t i = 0; i < n; i++)
		params[i] = keys->arrays[i];
	bool done = pg_query_with_queue(pg_of(db), statement(&texts), params, n, take_written, out, err);
	talloc_free(texts.mem);
	return done;
}
