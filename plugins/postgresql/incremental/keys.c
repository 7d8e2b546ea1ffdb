/* SPDX-License-Identifier: MIT
 *
 * keys.c: sets of keys as arrays, which the server gets as parameters: a plan that does not know how many there are is
 * the right one, and nothing is left behind in the catalogue.
 */
#include "postgresql/incremental/log_objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/incremental/key_set.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

struct taking {
	struct key_set *set;
	bool array;
};

/* A length that a name of a type leaves out is 1 for these two. With the collation of the column keys are equal where
 * its values are. */
static char *array_type(void *mem, const char *type, const char *collation)
{
	const char *name = strcmp(type, "character") == 0 ? "pg_catalog.bpchar"
	                   : strcmp(type, "bit") == 0     ? "pg_catalog.\"bit\""
	                                                  : type;
	return talloc_asprintf(mem, "%s[]%s%s", name, collation != NULL ? " COLLATE " : "",
	                       collation != NULL ? collation : "");
}

static bool take_set_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct taking *taking = ctx;
	struct key_set *set = taking->set;
	set->n = number_or(v[0], 0);
	set->nulls = v[1] != NULL && v[1][0] == 't';
	for (size_t i = 0; i < set->width && v[3 + 3 * i] != NULL; i++) {
		const char *type = v[3 + 3 * i];
		size_t len = strlen(type);
		taking->array |= len > 2 && strcmp(type + len - 2, "[]") == 0;
		set->arrays[i] = talloc_strdup(set->mem, v[2 + 3 * i]);
		set->types[i] = array_type(set->mem, type, v[4 + 3 * i]);
	}
	return false;
}

static const struct db_reader take_set[] = {{take_set_fn, "nTTT*", "keys"}};

/* "(k1, k2)" */
static char *add_names(char *sql, size_t width)
{
	for (size_t i = 0; i < width; i++)
		sql = sql_add(sql, "%sk%zu", i > 0 ? ", " : "(", i + 1);
	return sql_add(sql, ")");
}

/* n: SQL that counts the rows viewd_k of the query. */
static char *add_collecting(char *sql, const struct key_set *set, const char *query, const char *n)
{
	sql = sql_add(sql, "SELECT n, nulls");
	for (size_t i = 1; i <= set->width; i++)
		sql = sql_add(sql,
		              ", a%zu::text, t%zu, CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_type WHERE oid = "
		              "pg_catalog.pg_typeof(a%zu) AND typcollation <> 0) THEN pg_catalog.pg_collation_for(a%zu) END",
		              i, i, i, i);
	sql = sql_add(sql, " FROM (SELECT %s AS n, pg_catalog.bool_or(", n);
	for (size_t i = 1; i <= set->width; i++)
		sql = sql_add(sql, "%sk%zu IS NULL", i > 1 ? " OR " : "", i);
	sql = sql_add(sql, ") AS nulls");
	for (size_t i = 1; i <= set->width; i++)
		sql = sql_add(sql,
		              ", pg_catalog.array_agg(k%zu) AS a%zu, pg_catalog.min(pg_catalog.pg_typeof(k%zu)::text) AS t%zu",
		              i, i, i, i);
	return sql_add(add_names(sql_add(sql, " FROM (%s) AS viewd_k ", query), set->width), ") AS viewd_c");
}

static char *collecting(void *mem, const struct key_set *set, const char *query)
{
	return add_collecting(sql_new(mem), set, query, "pg_catalog.count(*)");
}

char *pg_keys_unnest(char *sql, const struct key_set *set, size_t first)
{
	for (size_t i = 0; i < set->width; i++)
		sql = sql_add(sql, "%s$%zu::%s", i > 0 ? "), pg_catalog.unnest(" : "ROWS FROM (pg_catalog.unnest(", first + i,
		              set->types[i]);
	return sql_add(sql, "))");
}

static bool refuse_arrays(struct viewd_err *err)
{
	return err_set(err, VIEWD_ERR_CONFIG, "keys that are arrays cannot be kept incrementally");
}

static bool collect(struct db *db, void *mem, struct key_set *set, const char *query, const struct key_set *with,
                    struct viewd_err *err)
{
	struct taking taking = {set, false};
	const char *params[KEY_WIDTH_MAX];
	size_t n = with != NULL ? with->width : 0;
	for (size_t i = 0; i < n; i++)
		params[i] = with->arrays[i];
	if (!pg_query_with_queue(pg_of(db), collecting(mem, set, query), params, n, take_set, &taking, err))
		return false;
	return !taking.array || refuse_arrays(err);
}

/* Both sets in one. */
static bool unite(struct db *db, void *mem, struct key_set *set, const struct key_set *more, struct viewd_err *err)
{
	struct taking taking = {set, false};
	const char *params[2 * KEY_WIDTH_MAX];
	char *query = pg_keys_unnest(sql_add(sql_new(mem), "SELECT * FROM "), set, 1);
	query = pg_keys_unnest(sql_add(query, " UNION SELECT * FROM "), more, set->width + 1);
	for (size_t i = 0; i < set->width; i++) {
		params[i] = set->arrays[i];
		params[set->width + i] = more->arrays[i];
	}
	return pg_query_with_queue(pg_of(db), collecting(mem, set, query), params, 2 * set->width, take_set, &taking, err);
}

bool pg_op_add_keys(struct db *db, struct key_set *set, const char *query, const struct key_set *with,
                    struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	struct key_set more = {.width = set->width, .mem = set->mem};
	bool done = collect(db, mem, &more, query, with, err);
	if (done && set->n == 0)
		*set = more;
	else if (done && more.n > 0)
		done = unite(db, mem, set, &more, err);
	talloc_free(mem);
	return done;
}

/* ---- all steps in one statement ---- */

/* "greatest(count(*), (SELECT count(*) FROM viewd_v1), ..)" if that is more than the limit. */
static char *counting(void *mem, const struct key_search *search, int64_t limit)
{
	char *sql = sql_add(sql_new(mem), "pg_catalog.count(*)");
	for (size_t i = 0; i < search->n_steps; i++)
		sql = sql_add(sql, "%s(SELECT pg_catalog.count(*) FROM %s) > %" PRId64, i > 0 ? " OR " : " + CASE WHEN ",
		              search->steps[i].values.name, limit);
	return search->n_steps > 0 ? sql_add(sql, " THEN %" PRId64 " ELSE 0 END", limit + 1) : sql;
}

/* One value more than the limit says that there are too many. */
static char *searching(void *mem, const struct key_set *set, const struct key_search *search, int64_t limit)
{
	char *sql = sql_new(mem);
	for (size_t i = 0; i < search->n_steps; i++) {
		const struct key_step *step = &search->steps[i];
		sql = add_names(sql_add(sql, "%s%s ", i > 0 ? ", " : "WITH ", step->values.name), step->values.width);
		sql =
			sql_add(sql, " AS MATERIALIZED (SELECT * FROM (%s) AS viewd_s LIMIT %" PRId64 ")", step->query, limit + 1);
	}
	char *keys = sql_add(sql_new(mem), "SELECT * FROM (%s) AS viewd_s LIMIT %" PRId64, search->query, limit + 1);
	return add_collecting(sql_add(sql, "%s", search->n_steps > 0 ? " " : ""), set, keys, counting(mem, search, limit));
}

/* The set is found by whoever holds the answer. Keys that are arrays are left to a search that can refuse them. */
static bool take_early_fn(void *ctx, const char *const *v, size_t n)
{
	struct taking *taking = ctx;
	take_set_fn(ctx, v, n);
	if (taking->array)
		taking->set->n = -1;
	return false;
}

static const struct db_reader take_early[] = {{take_early_fn, "nTTT*", "keys"}};

static void search_later(struct db *db, struct key_set *set, const char *sql)
{
	struct taking *taking = talloc(set->mem, struct taking);
	assert(taking != NULL);
	*taking = (struct taking){set, false};
	set->n = -1;
	pg_queue_again(pg_of(db), sql, NULL, 0, take_early, taking);
}

bool pg_op_search_keys(struct db *db, struct key_set *set, const struct key_search *search, int64_t limit, bool later,
                       struct viewd_err *err)
{
	struct taking taking = {set, false};
	void *mem = talloc_new(NULL);
	char *sql = searching(mem, set, search, limit);
	bool done = later || pg_query_with_queue(pg_of(db), sql, NULL, 0, take_set, &taking, err);
	if (later)
		search_later(db, set, sql);
	talloc_free(mem);
	return done && (!taking.array || refuse_arrays(err));
}

/* An index finds the values of the first column; a table without one is not read when there are none. */
static char *in_step(void *mem, const struct key_set *set, const char *const *columns)
{
	char *sql = sql_add(sql_new(mem), "EXISTS (SELECT 1 FROM %s) AND %s = ANY (ARRAY(SELECT k1 FROM %s))", set->name,
	                    columns[0], set->name);
	for (size_t i = 0; i < set->width && set->width > 1; i++)
		sql = sql_add(sql, "%s%s", i > 0 ? ", " : " AND (", columns[i]);
	for (size_t i = 0; i < set->width && set->width > 1; i++)
		sql = sql_add(sql, "%spg_catalog.unnest(ARRAY(SELECT k%zu FROM %s))",
		              i > 0 ? ", " : ") IN (SELECT * FROM ROWS FROM (", i + 1, set->name);
	return set->width > 1 ? sql_add(sql, "))") : sql;
}

/* ---- membership ---- */

char *pg_op_has_key(void *mem_ctx, const struct key_set *set, const char *const *columns, bool null_safe)
{
	if (set->arrays[0] == NULL)
		return in_step(mem_ctx, set, columns);
	char *sql = sql_add(sql_new(mem_ctx), "(%s = ANY ($1::%s)", columns[0], set->types[0]);
	if (set->width > 1) {
		sql = sql_add(sql, " AND (%s", columns[0]);
		for (size_t i = 1; i < set->width; i++)
			sql = sql_add(sql, ", %s", columns[i]);
		sql = sql_add(pg_keys_unnest(sql_add(sql, ") IN (SELECT * FROM "), set, 1), ")");
	}
	sql = sql_add(sql, ")");
	if (!null_safe || !set->nulls)
		return sql;
	char *either = pg_keys_unnest(sql_add(sql_new(mem_ctx), "(%s OR EXISTS (SELECT 1 FROM ", sql), set, 1);
	either = add_names(sql_add(either, " AS viewd_k "), set->width);
	for (size_t i = 0; i < set->width; i++)
		either =
			sql_add(either, "%sviewd_k.k%zu IS NOT DISTINCT FROM %s", i > 0 ? " AND " : " WHERE ", i + 1, columns[i]);
	return sql_add(either, "))");
}
