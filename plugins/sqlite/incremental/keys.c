/* SPDX-License-Identifier: MIT
 *
 * keys.c: sets of keys, each in a temporary table whose columns have no type: values stay what they are, and the other
 * side of a comparison decides how they are compared. The tables stay with the connection.
 */
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"
#include "sqlite/incremental/incremental.h"
#include "sqlite/incremental/scratch.h"
#include "sqlite/objects/catalogue.h"

#include <talloc.h>

/* One for each width. */
static char *name_of(void *mem, const struct key_set *set)
{
	return sql_add(sql_new(mem), "%s_%zu", set->name, set->width);
}

static char *table_of(void *mem, const struct key_set *set)
{
	return sql_add(sql_new(mem), "temp.\"%s\"", name_of(mem, set));
}

/* "k1, k2" */
static char *add_columns(char *sql, const struct key_set *set, const char *before, const char *between,
                         const char *after)
{
	for (size_t i = 0; i < set->width; i++)
		sql = sql_add(sql, "%s%sk%zu%s", i > 0 ? between : "", before, i + 1, after);
	return sql;
}

static bool open_table(struct db *db, void *mem, const struct key_set *set, struct viewd_err *err)
{
	char *columns = add_columns(sql_new(mem), set, "", ", ", "");
	columns = sql_add(add_columns(sql_add(columns, ", UNIQUE ("), set, "", ", ", ""), ")");
	return scratch_open(db, name_of(mem, set), columns, NULL, err);
}

static bool read_counts_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct key_set *set = ctx;
	set->n = number_or(v[0], 0);
	set->nulls = number_or(v[1], 0) != 0;
	return false;
}

static const struct db_reader read_counts[] = {{read_counts_fn, "nN", "the keys that a refresh computes anew"}};

static bool count(struct db *db, void *mem, const char *table, struct key_set *set, struct viewd_err *err)
{
	char *sql = add_columns(sql_add(sql_new(mem), "SELECT count(*), max("), set, "", " OR ", " IS NULL");
	return sqlite_op_query(db, sql_add(sql, ") FROM %s", table), NULL, 0, read_counts, set, err);
}

/* A set that is empty so far may not have a table, or one with rows of an earlier refresh. */
bool sqlite_op_add_keys(struct db *db, struct key_set *set, const char *query, const struct key_set *with UNUSED,
                        struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	char *table = table_of(mem, set);
	bool done = (set->n > 0 || open_table(db, mem, set, err)) &&
	            db_exec(db, sql_add(sql_new(mem), "INSERT OR IGNORE INTO %s %s", table, query), err) &&
	            count(db, mem, table, set, err);
	talloc_free(mem);
	return done;
}

/* The column stands on the left, so its collation and affinity count. */
static char *add_in(char *sql, const struct key_set *set, const char *const *columns, const char *table)
{
	sql = sql_add(sql, "%s", set->width > 1 ? "(" : "");
	for (size_t i = 0; i < set->width; i++)
		sql = sql_add(sql, "%s%s", i > 0 ? ", " : "", columns[i]);
	sql = add_columns(sql_add(sql, "%s IN (SELECT ", set->width > 1 ? ")" : ""), set, "", ", ", "");
	return sql_add(sql, " FROM %s)", table);
}

char *sqlite_op_has_key(void *mem_ctx, const struct key_set *set, const char *const *columns, bool null_safe)
{
	char *table = table_of(mem_ctx, set), *sql = sql_add(sql_new(mem_ctx), "(");
	sql = add_in(sql, set, columns, table);
	if (!null_safe || !set->nulls)
		return sql_add(sql, ")");
	if (set->width == 1)
		return sql_add(sql, " OR %s IS NULL)", columns[0]);
	sql = sql_add(sql, " OR EXISTS (SELECT 1 FROM %s AS viewd_k WHERE (", table);
	sql = sql_add(add_columns(sql, set, "viewd_k.", " OR ", " IS NULL"), ")");
	for (size_t i = 0; i < set->width; i++)
		sql = sql_add(sql, " AND %s IS viewd_k.k%zu", columns[i], i + 1);
	return sql_add(sql, "))");
}

char *sqlite_has_columns(void *mem_ctx, const struct key_set *set, const char *const *columns, const size_t *keys,
                         size_t n)
{
	char *row = sql_new(mem_ctx), *of = sql_new(mem_ctx), *nulls = sql_new(mem_ctx);
	if (n == set->width)
		return sqlite_op_has_key(mem_ctx, set, columns, true);
	for (size_t i = 0; i < n; i++) {
		row = sql_add(row, "%s%s", i > 0 ? ", " : "", columns[i]);
		of = sql_add(of, "%sk%zu", i > 0 ? ", " : "", keys[i] + 1);
		nulls = sql_add(nulls, " OR %s IS NULL", columns[i]);
	}
	return sql_add(sql_new(mem_ctx), "(%s%s%s IN (SELECT %s FROM %s)%s)", n > 1 ? "(" : "", row, n > 1 ? ")" : "", of,
	               table_of(mem_ctx, set), set->nulls ? nulls : "");
}

/* Best effort: what stays is removed when the set is used again. */
void sqlite_op_drop_keys(struct db *db, struct key_set *set)
{
	struct viewd_err ignored = {0};
	void *mem = talloc_new(NULL);
	if (set->n > 0 && !scratch_empty(db, name_of(mem, set), &ignored))
		db_log(db, VIEWD_LOG_DEBUG, "database '%s', keys of a refresh stay for now (%s)", db->database_name,
		       ignored.msg);
	talloc_free(mem);
}

void sqlite_key_collations(struct db *db, void *mem_ctx, const struct part *part, const char *out[static KEY_WIDTH_MAX])
{
	for (size_t i = 0; i < KEY_WIDTH_MAX; i++)
		out[i] = "BINARY";
	for (size_t i = 0; i < part->n_sources; i++) {
		const struct analysis_source *said = part->sources[i].said;
		for (size_t k = 0; said->next == 0 && k < said->n_pairs; k++) {
			out[k] = talloc_strdup(mem_ctx, sqlite_collation(sqlite_conn_of(db), said->name, said->pairs[k].from));
			assert(out[k] != NULL);
		}
	}
}
