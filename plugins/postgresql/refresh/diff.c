/* SPDX-License-Identifier: MIT
 *
 * diff.c: a refresh by difference in one pass: the definition runs once, beside the relation, and only rows that differ
 * by a byte are kept, in a temporary table. CREATE TABLE AS may use parallel workers, which no INSERT may.
 *
 * Rows are found by equal keys, then compared. The last row of the definition is kept too: its number is how many there
 * are, which tells whether the key identifies them. Rows with a NULL in their key equal nothing, so all of them come
 * out as differing; where both sides have the same ones they are taken out again.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/objects/steps.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"
#include "postgresql/pg.h"

struct diff {
	struct task *task;
	void *mem;
	const struct gen *gen;
	char *table; /* of what differs, quoted */
	char *rel;
	/* A unique index on another column than the key's: two rows may exchange their values. */
	bool exchanges;
};

/* Rows of the table. */
struct figures {
	int64_t staged, gone, fresh, changed, keyless;
};

static char *add_names(const struct diff *d, char *sql, const char *prefix)
{
	return sql_names(&pg_syntax, sql, prefix, d->gen->columns->names, d->gen->columns->n);
}

static char *add_row(const struct diff *d, char *sql, const char *prefix)
{
	return sql_add(add_names(d, sql_add(sql, "ROW("), prefix), ")::pg_catalog.record");
}

/* "a = b AND c = d": no row of another is found by a NULL. */
static char *add_keys(const struct diff *d, char *sql)
{
	for (size_t i = 0; i < d->gen->columns->n_key; i++) {
		const char *name = d->gen->columns->key[i];
		sql = ident_append(&pg_syntax, sql_add(sql, "%sq.", i > 0 ? " AND " : ""), name);
		sql = ident_append(&pg_syntax, sql_add(sql, " = t."), name);
	}
	return sql;
}

static char *add_keyless(const struct diff *d, char *sql, const char *prefix)
{
	for (size_t i = 0; i < d->gen->columns->n_key; i++)
		sql = sql_add(
			ident_append(&pg_syntax, sql_add(sql, "%s%s", i > 0 ? " OR " : "(", prefix), d->gen->columns->key[i]),
			" IS NULL");
	return sql_add(sql, ")");
}

/* The definition's rows, numbered. An empty branch of the relation takes away the collations that both do not share,
 * since two of them could not be compared; the relation's is the one that counts. */
static char *add_definition(const struct diff *d, char *sql)
{
	sql = sql_add(sql, "(SELECT w.*, pg_catalog.row_number() OVER () AS viewd_n, pg_catalog.lead(1) OVER () AS "
	                   "viewd_more FROM (SELECT ");
	sql = sql_add(add_names(d, sql, NULL), " FROM %s WHERE false UNION ALL SELECT ", d->rel);
	return sql_add(add_names(d, sql, "v."), " FROM (\n%s\n) AS v) AS w) AS q", gen_query(d->gen));
}

/* Columns as the relation has them, or the table would have no collation where both sides differ in it. */
static char *add_output(const struct diff *d, char *sql)
{
	for (size_t i = 0; i < d->gen->columns->n; i++) {
		char *name = ident_append(&pg_syntax, sql_new(d->mem), d->gen->columns->names[i]);
		sql = sql_add(sql, "%sCASE WHEN q.viewd_n IS NULL THEN t.%s ELSE q.%s END AS %s", i > 0 ? ", " : "", name, name,
		              name);
	}
	return sql;
}

static char *comparison(const struct diff *d)
{
	char *same = sql_add(sql_new(d->mem), "(q.viewd_n IS NOT NULL AND t.ctid IS NOT NULL AND ");
	same = sql_add(add_row(d, same, "t."), " OPERATOR(pg_catalog.*=) ");
	same = sql_add(add_row(d, same, "q."), ")");
	char *sql = sql_add(sql_new(d->mem),
	                    "CREATE TEMPORARY TABLE %s ON COMMIT DROP AS SELECT t.ctid AS viewd_tid, t.xmin AS viewd_xmin, "
	                    "q.viewd_n, q.viewd_n IS NULL AS viewd_gone, %s AS viewd_same, ",
	                    d->table, same);
	sql = add_definition(d, sql_add(add_output(d, sql), " FROM %s AS t FULL JOIN ", d->rel));
	return sql_add(add_keys(d, sql_add(sql, " ON ")), " WHERE q.viewd_more IS NULL OR NOT %s", same);
}

/* ---- what differs ---- */

static bool take_figures_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct diff *d = ((void **)ctx)[0];
	struct figures *out = ((void **)ctx)[1];
	*out = (struct figures){number_or(v[0], 0), number_or(v[1], 0), number_or(v[2], 0), number_or(v[3], 0),
	                        number_or(v[4], 0)};
	d->exchanges = v[5][0] == 't';
	return false;
}

static const struct db_reader take_figures[] = {{take_figures_fn, "nnnnnt", "rows that differ"}};

/* An array of the key's names. */
static char *key_array(const struct diff *d)
{
	char *text = sql_add(sql_new(d->mem), "{");
	for (size_t i = 0; i < d->gen->columns->n_key; i++) {
		text = sql_add(text, "%s\"", i > 0 ? "," : "");
		for (const char *at = d->gen->columns->key[i]; *at != '\0'; at++)
			text = sql_add(text, "%s%c", *at == '"' || *at == '\\' ? "\\" : "", *at);
		text = sql_add(text, "\"");
	}
	return sql_add(text, "}");
}

static bool count_figures(struct diff *d, struct figures *out, struct viewd_err *err)
{
	void *into[] = {d, out};
	const char *params[] = {d->rel, key_array(d)};
	char *sql = sql_add(sql_new(d->mem),
	                    "SELECT coalesce(pg_catalog.max(viewd_n), 0), pg_catalog.count(*) FILTER (WHERE viewd_gone), "
	                    "pg_catalog.count(*) FILTER (WHERE viewd_tid IS NULL), pg_catalog.count(*) FILTER (WHERE NOT "
	                    "viewd_gone AND viewd_tid IS NOT NULL AND NOT viewd_same), pg_catalog.count(*) FILTER (WHERE ");
	sql = sql_add(add_keyless(d, sql, "d."), "), " PG_EXCHANGES_SQL("$1", "$2") " FROM %s AS d", d->table);
	return pg_query_with_queue(pg_of(d->task->db), sql, params, ARRAY_LEN(params), take_figures, into, err);
}

/* Rows without a key, of both sides: as often there as here? */
static char *keyless_query(const struct diff *d)
{
	char *sql = sql_add(sql_new(d->mem), "SELECT pg_catalog.count(*) FROM (SELECT 1 FROM %s AS d WHERE ", d->table);
	sql = add_row(d, sql_add(add_keyless(d, sql, "d."), " GROUP BY ("), "d.");
	return sql_add(sql, "::text) COLLATE pg_catalog.\"C\" HAVING pg_catalog.sum(CASE WHEN viewd_gone THEN -1 ELSE 1 "
	                    "END) <> 0) AS g");
}

/* All of them go, or all of them stay. */
static bool settle_keyless(struct diff *d, struct figures *n, struct viewd_err *err)
{
	const int64_t staged = n->staged;
	int64_t differ = 0;
	if (n->keyless == 0)
		return true;
	if (!db_query_int(d->task->db, keyless_query(d), &differ, err))
		return false;
	if (differ > 0)
		return true;
	char *sql = add_keyless(d, sql_add(sql_new(d->mem), "DELETE FROM %s AS d WHERE ", d->table), "d.");
	if (!db_exec(d->task->db, sql, err) || !count_figures(d, n, err))
		return false;
	n->staged = staged; /* the last row may have been one of them */
	return true;
}

/* ---- writing ---- */

static bool refuse_twice(int64_t yields, int64_t distinct, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_QUERY, "unique_key does not identify the rows of the definition (%lld rows, %lld distinct)",
	        (long long)yields, (long long)distinct);
	return err_hint(err, "name all columns that together are unique");
}

/* Fewer rows were found than are to be written: several may belong to one. */
static bool explain_missing(struct diff *d, int64_t wanted, int64_t written, struct viewd_err *err)
{
	int64_t twice = 0;
	const char *sql = sql_add(sql_new(d->mem),
	                          "SELECT pg_catalog.count(*) FROM (SELECT 1 FROM %s AS d WHERE d.viewd_tid IS NOT NULL "
	                          "GROUP BY d.viewd_tid HAVING pg_catalog.count(*) > 1) AS g",
	                          d->table);
	if (!db_query_int(d->task->db, sql, &twice, err))
		return false;
	return twice > 0 ? refuse_twice(wanted, written, err)
	                 : err_set(err, VIEWD_ERR_CONFLICT, "rows of '%s' were changed by someone else during the refresh",
	                           d->task->rel.name);
}

/* A row version is told by its place and by who has made it: another one may have come to that place. */
static bool write(struct diff *d, const char *form, const char *which, int64_t wanted, struct viewd_err *err)
{
	int64_t written = 0;
	if (wanted == 0)
		return true;
	char *sql = sql_add(sql_new(d->mem), "%s%s", form, which);
	if (!pg_op_exec(d->task->db, sql, NULL, 0, &written, err))
		return false;
	return written == wanted || explain_missing(d, wanted, written, err);
}

#define SAME_ROW " WHERE t.ctid = d.viewd_tid AND t.xmin = d.viewd_xmin AND "
#define CHANGED "NOT d.viewd_gone AND d.viewd_tid IS NOT NULL AND NOT d.viewd_same"

static char *update_form(const struct diff *d)
{
	char *sql = sql_add(sql_new(d->mem), "UPDATE %s AS t SET ", d->rel);
	for (size_t i = 0; i < d->gen->columns->n; i++) {
		sql = ident_append(&pg_syntax, sql_add(sql, "%s", i > 0 ? ", " : ""), d->gen->columns->names[i]);
		sql = ident_append(&pg_syntax, sql_add(sql, " = d."), d->gen->columns->names[i]);
	}
	return sql_add(sql, " FROM %s AS d" SAME_ROW, d->table);
}

/* Deletes come first: a new row may take over a unique value of an old one. The locks of the written rows keep the
 * name's meaning to the end. An object put in its place since the look-up gets its rows back with the transaction. */
static bool write_all(struct diff *d, const struct figures *n, struct viewd_err *err)
{
	int64_t aside = d->exchanges ? n->changed : 0;
	char *remove = sql_add(sql_new(d->mem), "DELETE FROM %s AS t USING %s AS d" SAME_ROW, d->rel, d->table);
	char *add = sql_add(add_names(d, sql_add(sql_new(d->mem), "INSERT INTO %s (", d->rel), NULL), ") SELECT ");
	add = sql_add(add_names(d, add, "d."), " FROM %s AS d WHERE ", d->table);
	return task_recheck(d->task, err) &&
	       write(d, remove, aside > 0 ? "(d.viewd_gone OR " CHANGED ")" : "d.viewd_gone", n->gone + aside, err) &&
	       write(d, update_form(d), CHANGED, n->changed - aside, err) &&
	       write(d, add, aside > 0 ? "(d.viewd_tid IS NULL OR " CHANGED ")" : "d.viewd_tid IS NULL", n->fresh + aside,
	             err) &&
	       task_recheck(d->task, err);
}

static bool take_rows_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], 0);
	return false;
}

static const struct db_reader take_rows[] = {{take_rows_fn, "NN", "the rows of a view"}};

static bool check_counts(struct diff *d, const struct figures *n, struct viewd_outcome *out, struct viewd_err *err)
{
	if (!pg_op_query(d->task->db, gen_diff_count(d->gen), NULL, 0, take_rows, &out->rows, err))
		return false;
	if (out->rows == n->staged)
		return true;
	return refuse_twice(n->staged, out->rows, err);
}

static bool run_diff(struct diff *d, struct viewd_outcome *out, struct viewd_err *err)
{
	struct db *db = d->task->db;
	struct figures n = {0};
	struct relation stage;
	gen_diff_name(d->gen, &stage);
	d->table = relation_quoted(&pg_syntax, d->mem, &stage);
	db_failpoint(db, "refresh:looked");
	if (!db_exec(db, comparison(d), err))
		return false;
	db_failpoint(db, "refresh:staged");
	if (!count_figures(d, &n, err) || !settle_keyless(d, &n, err) || !write_all(d, &n, err) ||
	    !check_counts(d, &n, out, err) || !db_exec(db, gen_diff_drop(d->gen, &stage), err))
		return false;
	/* One row in place of another are two, as where they are told apart in another way. */
	out->rows_written = n.gone + n.fresh + 2 * n.changed;
	out->did = out->rows_written == 0 ? VIEWD_DID_NO_DATA : VIEWD_DID_DIFF;
	return true;
}

/* Values of a declared type become what they will be only in a table of that type. With run_as the definition's rows
 * are in a table already. */
static bool can(const struct task *task)
{
	for (size_t i = 0; i < task->columns->n; i++)
		if (strncmp(task->columns->names[i], "viewd_", 6) == 0)
			return false;
	return !task->columns->declared && task->gen.source == NULL;
}

bool pg_op_diff(struct task *task, bool *done_r, struct viewd_outcome *out, struct viewd_err *err)
{
	struct diff d = {.task = task, .mem = talloc_new(NULL), .gen = &task->gen};
	*done_r = can(task);
	d.rel = relation_quoted(&pg_syntax, d.mem, &task->gen.rel);
	bool good = !*done_r || run_diff(&d, out, err);
	talloc_free(d.mem);
	return good;
}
