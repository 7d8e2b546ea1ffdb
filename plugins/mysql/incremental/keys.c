/* SPDX-License-Identifier: MIT
 *
 * keys.c: sets of keys as temporary tables, whose columns have the types that the query yields.
 */
#include "mysql/incremental/log.h"

#include <string.h>

#include "common/incremental/key_set.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

static char *add_names(char *sql, const char *prefix, size_t width)
{
	for (size_t i = 0; i < width; i++)
		sql = sql_add(sql, "%s%sviewd_k%zu", i > 0 ? ", " : "", prefix, i + 1);
	return sql;
}

/* The first row gives the table its types: a variable of it has that of the column. */
static char *fill_text(void *mem, const char *name, size_t width, const char *query)
{
	char *types = sql_new(mem), *none = sql_new(mem);
	for (size_t i = 0; i < width; i++) {
		types = sql_add(types, "%sviewd_row.viewd_k%zu AS viewd_k%zu", i > 0 ? ", " : "", i + 1, i + 1);
		none = sql_add(none, "%sviewd_k%zu INT", i > 0 ? ", " : "", i + 1);
	}
	return talloc_asprintf(
		mem,
		"BEGIN NOT ATOMIC DECLARE viewd_n INT DEFAULT 0; FOR viewd_row IN (WITH viewd_found (%s) AS "
		"(%s) SELECT * FROM viewd_found) DO IF viewd_n = 0 THEN CREATE OR REPLACE TEMPORARY TABLE %s "
		"ENGINE=InnoDB AS SELECT %s; SET viewd_n = 1; ELSE INSERT INTO %s VALUES (%s); END IF; END "
		"FOR; IF viewd_n = 0 THEN CREATE OR REPLACE TEMPORARY TABLE %s (%s) ENGINE=InnoDB; END IF; END",
		add_names(sql_new(mem), "", width), query, name, types, name, add_names(sql_new(mem), "viewd_row.", width),
		name, none);
}

struct counted {
	int64_t n, nulls;
};

static bool take_counted_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct counted *out = ctx;
	*out = (struct counted){number_or(v[0], 0), number_or(v[1], 0)};
	return false;
}

static const struct db_reader take_counted[] = {{take_counted_fn, "nN", "keys"}};

static bool count(struct db *db, void *mem, const char *name, size_t width, struct counted *out, struct viewd_err *err)
{
	char *sql = sql_add(sql_new(mem), "SELECT COUNT(*), SUM(");
	for (size_t i = 0; i < width; i++)
		sql = sql_add(sql, "%sviewd_k%zu IS NULL", i > 0 ? " OR " : "", i + 1);
	return my_query(db, sql_add(sql, ") FROM %s", name), NULL, 0, take_counted, out, err);
}

/* Both in one table, whose types hold the values of both. */
static bool unite(struct db *db, void *mem, const struct key_set *set, struct viewd_err *err)
{
	char *both = talloc_asprintf(mem,
	                             "CREATE OR REPLACE TEMPORARY TABLE " LOG_BOTH
	                             " ENGINE=InnoDB AS SELECT * FROM %s UNION SELECT * FROM " LOG_MORE,
	                             set->name);
	char *back = talloc_asprintf(mem, "CREATE OR REPLACE TEMPORARY TABLE %s ENGINE=InnoDB AS SELECT * FROM " LOG_BOTH,
	                             set->name);
	return db_exec(db, both, err) && db_exec(db, back, err) && my_drop_temporary(my_conn(db), LOG_BOTH, err) &&
	       my_drop_temporary(my_conn(db), LOG_MORE, err);
}

bool my_add_keys(struct db *db, struct key_set *set, const char *query, const struct key_set *with UNUSED,
                 struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	const char *name = set->n > 0 ? LOG_MORE : set->name;
	struct counted counted = {0};
	bool done =
		db_exec(db, fill_text(mem, name, set->width, query), err) && count(db, mem, name, set->width, &counted, err);
	if (done && set->n > 0 && counted.n > 0)
		done = unite(db, mem, set, err) && count(db, mem, set->name, set->width, &counted, err);
	else if (done && set->n > 0)
		counted = (struct counted){set->n, set->nulls};
	if (done) {
		set->n = counted.n;
		set->nulls = counted.nulls > 0;
	}
	talloc_free(mem);
	return done;
}

/* "a IN (SELECT k1 FROM t)" becomes a join. */
char *my_has_key(void *mem_ctx, const struct key_set *set, const char *const *columns, bool null_safe)
{
	char *sql = sql_add(sql_new(mem_ctx), "((");
	for (size_t i = 0; i < set->width; i++)
		sql = sql_add(sql, "%s%s", i > 0 ? ", " : "", columns[i]);
	sql = sql_add(add_names(sql_add(sql, ") IN (SELECT "), "", set->width), " FROM %s)", set->name);
	if (!null_safe || !set->nulls)
		return sql_add(sql, ")");
	sql = sql_add(sql, " OR EXISTS (SELECT 1 FROM %s WHERE ", set->name);
	for (size_t i = 0; i < set->width; i++)
		sql = sql_add(sql, "%sviewd_k%zu <=> %s", i > 0 ? " AND " : "", i + 1, columns[i]);
	return sql_add(sql, "))");
}

void my_drop_keys(struct db *db, struct key_set *set)
{
	struct viewd_err failure = {0};
	if (!my_conn(db)->lost && !my_drop_temporary(my_conn(db), set->name, &failure))
		db_log(db, VIEWD_LOG_DEBUG, "keys of a refresh stay for now (%s)", failure.msg);
}
