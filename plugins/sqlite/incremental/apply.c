/* SPDX-License-Identifier: MIT
 *
 * apply.c: computes the rows of some keys by the definition, and writes what differs from the rows that are stored, by
 * bytes. Both sides are put into temporary tables first: reading the relation while it is written would not do, and a
 * definition may take long.
 *
 * The definition's text is not touched. Around it stand common table expressions that are named like its tables and
 * hold the rows of the keys only, for those tables that have the key themselves wherever they stand.
 */
#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "sqlite/incremental/incremental.h"
#include "sqlite/objects/catalogue.h"

#include <string.h>
#include <strings.h>
#include <talloc.h>

#define NOW "temp.viewd_part_now"    /* what the definition yields: c0, c1 .., n */
#define STORED "temp.viewd_part_had" /* what is stored: rid, c0, c1 .., n */

struct applying {
	struct db *db;
	void *mem;
	const struct part *part;
	const struct key_set *keys;            /* NULL: all rows */
	const char *collations[KEY_WIDTH_MAX]; /* of the key */
	char *rel;                             /* quoted */
	const char *row_id;                    /* of rel */
};

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

/* Does the table have the key, and in the same columns wherever it stands? first: has none of its places come yet? */
static bool can_shadow(const struct part *part, size_t number, bool *first_r)
{
	const struct analysis_source *said = part->sources[number].said;
	bool can = said->all_tied && said->next == 0 && said->n_pairs == part->n_key;
	*first_r = true;
	for (size_t i = 0; i < part->n_sources && can; i++) {
		const struct analysis_source *other = part->sources[i].said;
		if (!same_table(said, other))
			continue;
		*first_r &= i >= number;
		can = other->next == 0 && other->n_pairs == said->n_pairs;
		for (size_t k = 0; k < said->n_pairs && can; k++)
			can = strcmp(other->pairs[k].from, said->pairs[k].from) == 0;
	}
	return can;
}

/* "WITH t AS (SELECT * FROM main.t WHERE t.a is in the set), ..": rows with NULL may be those of a key with NULL. */
static char *add_shadows(const struct applying *a, char *sql)
{
	size_t n = 0;
	for (size_t i = 0; i < a->part->n_sources && a->keys != NULL; i++) {
		const struct analysis_source *said = a->part->sources[i].said;
		const char *columns[KEY_WIDTH_MAX];
		bool first = false;
		if (!can_shadow(a->part, i, &first) || !first)
			continue;
		for (size_t k = 0; k < said->n_pairs; k++)
			columns[k] = quoted(a, "viewd_t.", said->pairs[k].from);
		sql = sql_add(sql, "%s%s AS (SELECT viewd_t.* FROM main.%s AS viewd_t WHERE %s)", n++ > 0 ? ", " : "WITH ",
		              quoted(a, "", said->name), quoted(a, "", said->name),
		              sqlite_op_has_key(a->mem, a->keys, columns, true));
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

/* The columns have the relation's affinities, so that values become what they will be when they are stored. */
static bool open_tables(const struct applying *a, struct viewd_err *err)
{
	static const char *const drops[] = {"DROP TABLE IF EXISTS " NOW, "DROP TABLE IF EXISTS " STORED};
	char *now = sql_add(sql_new(a->mem), "CREATE TABLE " NOW " AS SELECT "), *columns = sql_new(a->mem);
	for (size_t i = 0; i < a->part->columns->n; i++)
		columns = sql_add(columns, "%s AS c%zu, ", quoted(a, "viewd_r.", a->part->columns->names[i]), i);
	char *from = sql_add(sql_new(a->mem), "0 AS n FROM main.%s AS viewd_r LIMIT 0", a->rel);
	char *stored = sql_add(sql_new(a->mem), "CREATE TABLE " STORED " AS SELECT 0 AS rid, %s%s", columns, from);
	return db_exec(a->db, drops[0], err) && db_exec(a->db, drops[1], err) &&
	       db_exec(a->db, sql_add(now, "%s%s", columns, from), err) && db_exec(a->db, stored, err);
}

static bool close_tables(const struct applying *a, struct viewd_err *err)
{
	return db_exec(a->db, "DROP TABLE " NOW, err) && db_exec(a->db, "DROP TABLE " STORED, err);
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
	char *sql = add_own(a, sql_add(sql_new(a->mem), "INSERT INTO " NOW " ("), "");
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
	sql = sql_add(sql_new(a->mem), "INSERT INTO " NOW " (%s, n) SELECT %s, ", sql, sql);
	sql = sql_add(add_numbers(a, sql, columns), " FROM " NOW);
	return a->part->n_row > 0 || (db_exec(a->db, sql, err) && db_exec(a->db, "DELETE FROM " NOW " WHERE n = 0", err));
}

static bool fetch_stored(const struct applying *a, struct viewd_err *err)
{
	const char **columns = talloc_array(a->mem, const char *, (unsigned)a->part->columns->n);
	assert(columns != NULL);
	for (size_t i = 0; i < a->part->columns->n; i++)
		columns[i] = quoted(a, "viewd_r.", a->part->columns->names[i]);
	char *sql = add_own(a, sql_add(sql_new(a->mem), "INSERT INTO " STORED " (rid, "), "");
	sql = add_named(a, sql_add(sql, ", n) SELECT viewd_r.%s, ", a->row_id), "viewd_r.");
	sql = add_numbers(a, sql_add(sql, ", "), columns);
	sql = sql_add(sql, " FROM main.%s AS viewd_r WHERE %s", a->rel, has_key(a, "viewd_r."));
	return db_exec(a->db, sql, err);
}

/* By what identifies a row, or by all of it. */
static bool index_table(const struct applying *a, const char *table, struct viewd_err *err)
{
	const char *bare = table + sizeof "temp." - 1;
	size_t n = a->part->n_row > 0 ? a->part->n_row : a->part->columns->n;
	char *sql = sql_add(sql_new(a->mem), "CREATE INDEX %s_i ON %s (", table, bare);
	for (size_t i = 0; i < n; i++)
		sql = sql_add(sql, "%sc%zu", i > 0 ? ", " : "", a->part->n_row > 0 ? a->part->row[i] : i);
	return db_exec(a->db, sql_add(sql, ")"), err);
}

/* ---- writing ---- */

/* " WHERE NOT EXISTS (SELECT 1 FROM other AS o WHERE o is the very same as s)" */
static char *add_alone(const struct applying *a, char *sql, const char *other)
{
	sql = sql_add(sql, " WHERE NOT EXISTS (SELECT 1 FROM %s AS o WHERE o.n = s.n", other);
	for (size_t i = 0; i < a->part->columns->n; i++)
		sql = sql_add(sql, " AND o.c%zu IS s.c%zu COLLATE BINARY AND typeof(o.c%zu) = typeof(s.c%zu)", i, i, i, i);
	return sql_add(sql, ")");
}

/* Deletions come first, so that a unique index is never in the way of new rows. */
static bool write_difference(const struct applying *a, struct part_written *out, struct viewd_err *err)
{
	char *gone = sql_add(sql_new(a->mem), "DELETE FROM main.%s WHERE %s IN (SELECT s.rid FROM " STORED " AS s", a->rel,
	                     a->row_id);
	char *come = add_named(a, sql_add(sql_new(a->mem), "INSERT INTO main.%s (", a->rel), "");
	come = sql_add(add_own(a, sql_add(come, ") SELECT "), "s."), " FROM " NOW " AS s");
	return a->db->ops->exec(a->db, sql_add(add_alone(a, gone, NOW), ")"), NULL, 0, &out->deleted, err) &&
	       a->db->ops->exec(a->db, add_alone(a, come, STORED), NULL, 0, &out->inserted, err);
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

static bool apply(struct applying *a, struct part_written *out, struct viewd_err *err)
{
	a->row_id = free_row_id(a);
	if (a->row_id == NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "'%s' has columns of all names of the row number, so rows cannot be told",
		               a->part->rel.name);
	sqlite_key_collations(a->db, a->mem, a->part, a->collations);
	return open_tables(a, err) && compute(a, err) && number_rows(a, err) && fetch_stored(a, err) &&
	       index_table(a, NOW, err) && index_table(a, STORED, err) && write_difference(a, out, err) &&
	       close_tables(a, err);
}

bool sqlite_op_apply_part(struct db *db, const struct part *part, const struct key_set *keys, struct part_written *out,
                          struct viewd_err *err)
{
	struct applying a = {.db = db, .mem = talloc_new(NULL), .part = part, .keys = keys};
	a.rel = relation_quoted(db->syntax, a.mem, &part->rel);
	bool done = apply(&a, out, err);
	talloc_free(a.mem);
	return done;
}
