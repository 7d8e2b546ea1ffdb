/* SPDX-License-Identifier: MIT
 *
 * roll.c: the tables of inner nodes, and adding to sums. Rows reach them through a cursor, which reads what the
 * transaction's snapshot shows; what is read of these tables alone is read by the statement that writes. No unique
 * index takes NULL for equal to NULL, so groups are found by <=>, which uses an index as well.
 */
#include "mysql/incremental/log.h"

#include <string.h>

#include "common/incremental/roll.h"
#include "common/sqltext/sqltext.h"

static char *add_numbered(char *sql, const char *letter, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sql = sql_add(sql, "%s%s%zu", i > 0 ? ", " : "", letter, i + 1);
	return sql;
}

static char *add_index(char *sql, const char *letter, size_t n, bool *first)
{
	if (n == 0)
		return sql;
	sql = sql_add(sql, "%sINDEX viewd_%s (", *first ? " (" : ", ", letter);
	*first = false;
	return sql_add(add_numbered(sql, letter, n), ")");
}

/* One statement makes all of it: a table that is there has its indexes. */
bool my_make_node(struct db *db, const struct node_table *table, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	bool none = true;
	char *sql = sql_add(sql_new(mem), "CREATE TABLE %s", relation_quoted(&my_syntax, mem, &table->rel));
	sql = add_index(sql, "f", table->n_key, &none);
	sql = add_index(sql, "g", table->n_unique, &none);
	sql = sql_add(sql, "%s ENGINE=InnoDB AS SELECT * FROM (\n%s\n) AS viewd_q LIMIT 0", none ? "" : ")", table->query);
	bool done = db_exec(db, sql, err);
	talloc_free(mem);
	return done;
}

/* names: of the query's columns, in its order, and of the table's. */
static bool take(struct db *db, void *mem, const char *into, const char *query, const char *const *names, size_t n,
                 struct viewd_err *err)
{
	char *list = sql_names(&my_syntax, sql_new(mem), NULL, names, n);
	char *values = sql_names(&my_syntax, sql_new(mem), "viewd_row.", names, n);
	return db_exec(db,
	               talloc_asprintf(mem,
	                               "BEGIN NOT ATOMIC FOR viewd_row IN (WITH viewd_found (%s) AS (\n%s\n) SELECT * FROM "
	                               "viewd_found) DO INSERT INTO %s (%s) VALUES (%s); END FOR; END",
	                               list, query, into, list, values),
	               err);
}

struct node_names {
	void *mem;
	const char **items;
	size_t n;
};

static bool take_name_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct node_names *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, const char *, (unsigned)list->n + 1);
	list->items[list->n++] = talloc_strdup(list->mem, v[0]);
	return true;
}

static const struct db_reader take_name[] = {{take_name_fn, "t*", "the columns of a node"}};

bool my_fill_node(struct db *db, const struct node_table *table, const char *query, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	char *rel = relation_quoted(&my_syntax, mem, &table->rel);
	struct node_names names = {.mem = mem};
	bool done = my_query(db, talloc_asprintf(mem, "SHOW COLUMNS FROM %s", rel), NULL, 0, take_name, &names, err) &&
	            take(db, mem, rel, query, names.items, names.n, err);
	talloc_free(mem);
	return done;
}

/* What a roll yields goes into columns of the relation's types. So decimals of as many digits behind the point are the
 * same values, whatever their sum may grow to. Nor does the width for showing a whole number matter. */
bool my_same_values(const char *type_a, const char *type_b)
{
	const char *a = strchr(type_a, ','), *b = strchr(type_b, ',');
	if (strncmp(type_a, "bigint(", 7) == 0)
		return strncmp(type_b, "bigint(", 7) == 0;
	return strncmp(type_a, "decimal(", 8) == 0 && strncmp(type_b, "decimal(", 8) == 0 && a != NULL && b != NULL &&
	       strcmp(a, b) == 0;
}

/* ---- adding ---- */

struct adding {
	const struct roll *roll;
	char *rel;          /* quoted */
	const char **names; /* of all columns */
	size_t n;
	char *sums;   /* "viewd_n.s1 = viewd_n.s1 + d.s1, .." */
	char *groups; /* "viewd_n.g1 <=> d.g1 AND .." */
};

static void plan(void *mem, struct adding *a)
{
	size_t n_groups = a->roll->table.n_unique;
	a->n = roll_columns(mem, a->roll, &a->names);
	a->sums = sql_new(mem);
	a->groups = sql_add(sql_new(mem), "%s", n_groups > 0 ? "" : "1 = 1");
	for (size_t i = 0; i < n_groups; i++)
		a->groups = sql_add(a->groups, "%sviewd_n.%s <=> d.%s", i > 0 ? " AND " : "", a->names[i], a->names[i]);
	for (size_t i = n_groups; i < a->n; i++)
		a->sums = sql_add(a->sums, "%sviewd_n.%s = viewd_n.%s + d.%s", i > n_groups ? ", " : "", a->names[i],
		                  a->names[i], a->names[i]);
}

static bool add(struct db *db, void *mem, const struct adding *a, struct viewd_err *err)
{
	char *list = sql_names(&my_syntax, sql_new(mem), NULL, a->names, a->n);
	char *update = talloc_asprintf(mem, "UPDATE " LOG_ADDED " AS d STRAIGHT_JOIN %s AS viewd_n ON %s SET %s", a->rel,
	                               a->groups, a->sums);
	char *insert =
		talloc_asprintf(mem,
	                    "INSERT INTO %s (%s) SELECT %s FROM " LOG_ADDED " AS d WHERE NOT EXISTS (SELECT 1 FROM "
	                    "%s AS viewd_n WHERE %s)",
	                    a->rel, list, list, a->rel, a->groups);
	return db_exec(db, update, err) && db_exec(db, insert, err);
}

bool my_add_to_roll(struct db *db, const struct roll *roll, const char *query, const struct key_set *with UNUSED,
                    struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	struct adding a = {.roll = roll, .rel = relation_quoted(&my_syntax, mem, &roll->table.rel)};
	plan(mem, &a);
	char *empty = talloc_asprintf(mem, "ENGINE=InnoDB AS SELECT * FROM %s LIMIT 0", a.rel);
	bool done = my_make_temporary(my_conn(db), LOG_ADDED, empty, err) &&
	            take(db, mem, LOG_ADDED, query, a.names, a.n, err) && add(db, mem, &a, err) &&
	            my_drop_temporary(my_conn(db), LOG_ADDED, err);
	talloc_free(mem);
	return done;
}
