/* SPDX-License-Identifier: MIT
 *
 * apply.c: leaves the definition's text as it is. Around it stand common table expressions that are named like its
 * tables and hold the rows of the keys only, for those tables that have the key, or some columns of it, wherever they
 * stand.
 */
#include "sqlite/incremental/apply.h"

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "sqlite/incremental/incremental.h"
#include "sqlite/incremental/scratch.h"
#include "sqlite/objects/catalogue.h"

#include <string.h>
#include <strings.h>
#include <talloc.h>

static char *quoted(const struct applying *a, const char *prefix, const char *name)
{
	return ident_append(a->db->syntax, sql_add(sql_new(a->mem), "%s", prefix), name);
}

/* "c0, c1": names of viewd's own for the columns, whatever they are called. */
static char *add_own(const struct applying *a, char *sql, const char *before)
{
	for (size_t i = 0; i < a->part->columns->n; i++)
		sql = sql_add(sql, "%s%sc%zu", i > 0 ? ", " : "", before, i);
	return sql;
}

static char *add_named(const struct applying *a, char *sql, const char *before)
{
	return sql_names(a->db->syntax, sql, before, a->part->columns->names, a->part->columns->n);
}

/* ---- the keys ---- */

/* "prefix.a is in the set", for the columns of the relation that are the key. */
static char *has_key(const struct applying *a, const char *prefix)
{
	const char *columns[KEY_WIDTH_MAX];
	if (a->keys == NULL)
		return sql_add(sql_new(a->mem), "1");
	for (size_t i = 0; i < a->part->n_key; i++) {
		char *column = quoted(a, prefix, a->part->columns->names[a->part->key[i]]);
		if (strcasecmp(a->collations[i], "BINARY") != 0)
			column = ident_append(a->db->syntax, sql_add(column, " COLLATE "), a->collations[i]);
		columns[i] = column;
	}
	return sqlite_op_has_key(a->mem, a->keys, columns, true);
}

/* ---- shadows ---- */

static bool same_table(const struct analysis_source *a, const struct analysis_source *b)
{
	return strcmp(a->name, b->name) == 0;
}

/* The column of a source that is equal to this one of the key, on the source's way to it; NULL: none is. */
static const char *tied_column(const struct part *part, const struct analysis_source *said, size_t key)
{
	if (said->next == 0)
		return key < said->n_pairs ? said->pairs[key].from : NULL;
	const char *there = tied_column(part, part->sources[said->next - 1].said, key);
	for (size_t i = 0; i < said->n_pairs && there != NULL; i++)
		if (strcmp(said->pairs[i].to, there) == 0)
			return said->pairs[i].from;
	return NULL;
}

/* Is this column tied to that one of the key wherever the table stands? */
static bool tied_everywhere(const struct part *part, const struct analysis_source *said, size_t key, const char *column)
{
	for (size_t i = 0; i < part->n_sources && column != NULL; i++) {
		const struct analysis_source *other = part->sources[i].said;
		const char *tied = same_table(said, other) ? tied_column(part, other, key) : column;
		if (tied == NULL || strcmp(tied, column) != 0)
			return false;
	}
	return column != NULL;
}

/* Lists the columns that are tied to columns of the key, for a table that has the key in one of its places, of which
 * this is the first. Rows that have none of the keys there count in no place for any of them. Returns how many. */
static size_t shadow_columns(const struct applying *a, size_t number, const char *columns[static KEY_WIDTH_MAX],
                             size_t keys[static KEY_WIDTH_MAX])
{
	const struct part *part = a->part;
	const struct analysis_source *said = part->sources[number].said;
	bool first = true, has = false;
	size_t n = 0;
	for (size_t i = 0; i < part->n_sources; i++)
		if (same_table(said, part->sources[i].said)) {
			first &= i >= number;
			has |= part->sources[i].said->next == 0;
		}
	for (size_t k = 0; k < part->n_key && first && has; k++) {
		const char *column = tied_column(part, said, k);
		if (!tied_everywhere(part, said, k, column))
			continue;
		columns[n] = quoted(a, "viewd_t.", column);
		keys[n++] = k;
	}
	return n;
}

/* "WITH t AS (SELECT * FROM main.t WHERE t.a is in the set), ..": rows with NULL may be those of a key with NULL. A
 * table that stands there twice is looked up in by what its places ask for, not read first. */
static char *add_shadows(const struct applying *a, char *sql)
{
	size_t n = 0;
	for (size_t i = 0; i < a->part->n_sources && a->keys != NULL; i++) {
		const char *columns[KEY_WIDTH_MAX];
		size_t keys[KEY_WIDTH_MAX], n_columns = shadow_columns(a, i, columns, keys);
		if (n_columns == 0)
			continue;
		const char *name = quoted(a, "", a->part->sources[i].said->name);
		sql = sql_add(sql, "%s%s AS NOT MATERIALIZED (SELECT viewd_t.* FROM main.%s AS viewd_t WHERE %s)",
		              n++ > 0 ? ", " : "WITH ", name, name,
		              sqlite_has_columns(a->mem, a->keys, columns, keys, n_columns));
	}
	return n > 0 ? sql_add(sql, "\n") : sql;
}

/* ---- filling the two tables ---- */

/* "PARTITION BY c0, typeof(c0), ..": rows that are the very same are numbered, so that each has one counterpart. */
static char *add_numbers(const struct applying *a, char *sql, const char *const *columns)
{
	if (a->part->n_row > 0)
		return sql_add(sql, "1");
	sql = sql_add(sql, "row_number() OVER (PARTITION BY ");
	for (size_t i = 0; i < a->part->columns->n; i++)
		sql = sql_add(sql, "%s%s COLLATE BINARY, typeof(%s)", i > 0 ? ", " : "", columns[i], columns[i]);
	return sql_add(sql, ")");
}

/* "main.rel" has the affinity with the column; so will what is computed, as it will be stored. */
static const char *affinity_of(const struct applying *a, size_t column)
{
	const char *type = NULL;
	sqlite3_table_column_metadata(sqlite_conn_of(a->db)->handle, "main", a->part->rel.name,
	                              a->part->columns->names[column], &type, NULL, NULL, NULL, NULL);
	return sqlite_affinity(type, false);
}

/* Affinities, and what identifies a row: two tables of one such text are alike. */
static char *add_form(const struct applying *a, char *sql)
{
	for (size_t i = 0; i < a->part->columns->n; i++)
		sql = sql_add(sql, "%c", affinity_of(a, i)[0]);
	for (size_t i = 0; i < a->part->n_row; i++)
		sql = sql_add(sql, "_%zu", a->part->row[i]);
	return sql;
}

/* By what identifies a row, or by all of it. */
static char *index_columns(const struct applying *a)
{
	size_t n = a->part->n_row > 0 ? a->part->n_row : a->part->columns->n;
	char *sql = sql_new(a->mem);
	for (size_t i = 0; i < n; i++)
		sql = sql_add(sql, "%sc%zu", i > 0 ? ", " : "", a->part->n_row > 0 ? a->part->row[i] : i);
	return sql;
}

static bool open_tables(struct applying *a, struct viewd_err *err)
{
	char *columns = sql_new(a->mem), *index = index_columns(a);
	for (size_t i = 0; i < a->part->columns->n; i++)
		columns = sql_add(columns, "c%zu %s, ", i, affinity_of(a, i));
	columns = sql_add(columns, "n INTEGER");
	a->now = add_form(a, sql_add(sql_new(a->mem), "viewd_now_"));
	a->had = add_form(a, sql_add(sql_new(a->mem), "viewd_had_"));
	return scratch_open(a->db, a->now, columns, index, err) &&
	       scratch_open(a->db, a->had, sql_add(sql_new(a->mem), "rid INTEGER, %s", columns), index, err);
}

static char *fill_now(const struct applying *a, bool shadows)
{
	const struct part *part = a->part;
	struct gen gen = {.syn = a->db->syntax,
	                  .mem = a->mem,
	                  .rel = part->rel,
	                  .method = VIEWD_METHOD_TABLE,
	                  .definition = part->definition,
	                  .columns = part->columns};
	char *sql = add_own(a, sql_add(sql_new(a->mem), "INSERT INTO temp.%s (", a->now), "");
	sql = sql_add(sql, ", n)\n");
	sql = add_named(a, sql_add(shadows ? add_shadows(a, sql) : sql, "SELECT "), "viewd_p.");
	return sql_add(sql, ", %d FROM (\n%s\n) AS viewd_p WHERE %s", part->n_row > 0, gen_query(&gen),
	               has_key(a, "viewd_p."));
}

/* A definition may say what a shadow does not have: the row number, an index. */
static bool compute(const struct applying *a, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	if (a->part->form == 0 && db_exec(a->db, fill_now(a, true), &failure))
		return true;
	bool other = a->part->form != 0 || failure.cls == VIEWD_ERR_QUERY || failure.cls == VIEWD_ERR_MISSING;
	if (!other && err != NULL)
		*err = failure;
	return other && db_exec(a->db, fill_now(a, false), err);
}

/* Rows are numbered as they will be stored, which they are only in the table. */
static bool number_rows(const struct applying *a, struct viewd_err *err)
{
	const char **columns = talloc_array(a->mem, const char *, (unsigned)a->part->columns->n);
	assert(columns != NULL);
	for (size_t i = 0; i < a->part->columns->n; i++)
		columns[i] = talloc_asprintf(columns, "c%zu", i);
	char *sql = add_own(a, sql_new(a->mem), "");
	sql = sql_add(sql_new(a->mem), "INSERT INTO temp.%s (%s, n) SELECT %s, ", a->now, sql, sql);
	sql = sql_add(add_numbers(a, sql, columns), " FROM temp.%s", a->now);
	return a->part->n_row > 0 ||
	       (db_exec(a->db, sql, err) &&
	        db_exec(a->db, sql_add(sql_new(a->mem), "DELETE FROM temp.%s WHERE n = 0", a->now), err));
}

static bool fetch_stored(const struct applying *a, struct viewd_err *err)
{
	const char **columns = talloc_array(a->mem, const char *, (unsigned)a->part->columns->n);
	assert(columns != NULL);
	for (size_t i = 0; i < a->part->columns->n; i++)
		columns[i] = quoted(a, "viewd_r.", a->part->columns->names[i]);
	char *sql = add_own(a, sql_add(sql_new(a->mem), "INSERT INTO temp.%s (rid, ", a->had), "");
	sql = add_named(a, sql_add(sql, ", n) SELECT viewd_r.%s, ", a->row_id), "viewd_r.");
	sql = add_numbers(a, sql_add(sql, ", "), columns);
	sql = sql_add(sql, " FROM main.%s AS viewd_r WHERE %s", a->rel, has_key(a, "viewd_r."));
	return db_exec(a->db, sql, err);
}

/* ---- writing ---- */

/* " WHERE NOT EXISTS (SELECT 1 FROM other AS o WHERE o is the very same as s)" */
static char *add_alone(const struct applying *a, char *sql, const char *other)
{
	sql = sql_add(sql, " WHERE NOT EXISTS (SELECT 1 FROM temp.%s AS o WHERE o.n = s.n", other);
	for (size_t i = 0; i < a->part->columns->n; i++)
		sql = sql_add(sql, " AND o.c%zu IS s.c%zu COLLATE BINARY AND typeof(o.c%zu) = typeof(s.c%zu)", i, i, i, i);
	return sql_add(sql, ")");
}

/* Deletions come first, so that a unique index is never in the way of new rows. */
bool applying_write(const struct applying *a, struct part_written *out, struct viewd_err *err)
{
	char *gone = sql_add(sql_new(a->mem), "DELETE FROM main.%s WHERE %s IN (SELECT s.rid FROM temp.%s AS s", a->rel,
	                     a->row_id, a->had);
	char *come = add_named(a, sql_add(sql_new(a->mem), "INSERT INTO main.%s (", a->rel), "");
	come = sql_add(add_own(a, sql_add(come, ") SELECT "), "s."), " FROM temp.%s AS s", a->now);
	return a->db->ops->exec(a->db, sql_add(add_alone(a, gone, a->now), ")"), NULL, 0, &out->deleted, err) &&
	       a->db->ops->exec(a->db, add_alone(a, come, a->had), NULL, 0, &out->inserted, err);
}

static const char *free_row_id(const struct applying *a)
{
	const struct syntax *syn = a->db->syntax;
	for (size_t i = 0; i < ARRAY_LEN(syn->diff.row_ids); i++) {
		bool taken = false;
		for (size_t k = 0; k < a->part->columns->n; k++)
			taken |= ident_same(syn, a->part->columns->names[k], syn->diff.row_ids[i]);
		if (!taken)
			return syn->diff.row_ids[i];
	}
	return NULL;
}

bool applying_begin(struct applying *a, struct viewd_err *err)
{
	a->rel = relation_quoted(a->db->syntax, a->mem, &a->part->rel);
	a->row_id = free_row_id(a);
	if (a->row_id == NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "'%s' has columns of all names of the row number, so rows cannot be told",
		               a->part->rel.name);
	sqlite_key_collations(a->db, a->mem, a->part, a->collations);
	return open_tables(a, err) && compute(a, err) && number_rows(a, err) && fetch_stored(a, err);
}

bool applying_end(const struct applying *a, struct viewd_err *err)
{
	return scratch_empty(a->db, a->now, err) && scratch_empty(a->db, a->had, err);
}

bool sqlite_op_apply_part(struct db *db, const struct part *part, const struct key_set *keys, struct part_written *out,
                          struct viewd_err *err)
{
	struct applying a = {.db = db, .mem = talloc_new(NULL), .part = part, .keys = keys};
	bool done = applying_begin(&a, err) && applying_write(&a, out, err) && applying_end(&a, err);
	talloc_free(a.mem);
	return done;
}
