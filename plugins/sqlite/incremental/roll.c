/* SPDX-License-Identifier: MIT
 *
 * roll.c: the tables of inner nodes, and adding to sums. No unique index takes NULL for equal to NULL, so groups are
 * found by IS, which uses an index as well.
 */
#include "common/incremental/roll.h"
#include "common/sqltext/sqltext.h"
#include "sqlite/incremental/incremental.h"

#include <talloc.h>

#define ADDED "temp.viewd_roll" /* what is added: the columns of the roll's table */

static char *add_numbered(char *sql, const char *letter, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sql = sql_add(sql, "%s%s%zu", i > 0 ? ", " : "", letter, i + 1);
	return sql;
}

static bool make_index(struct db *db, void *mem, const struct node_table *table, const char *letter, size_t n,
                       struct viewd_err *err)
{
	char *rel = relation_quoted(db->syntax, mem, &table->rel);
	char *sql = sql_add(sql_new(mem), "CREATE INDEX main.%s_%s ON %s (", table->rel.name, letter, rel);
	return n == 0 || db_exec(db, sql_add(add_numbered(sql, letter, n), ")"), err);
}

bool sqlite_op_make_node(struct db *db, const struct node_table *table, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	char *sql = sql_add(sql_new(mem), "CREATE TABLE main.%s AS SELECT * FROM (%s) LIMIT 0",
	                    relation_quoted(db->syntax, mem, &table->rel), table->query);
	bool done = db_exec(db, sql, err) && make_index(db, mem, table, "f", table->n_key, err) &&
	            make_index(db, mem, table, "g", table->n_unique, err);
	talloc_free(mem);
	return done;
}

struct adding {
	const struct roll *roll;
	char *rel;    /* quoted */
	char *names;  /* of all columns */
	char *sums;   /* "s1 = viewd_n.s1 + d.s1, .." */
	char *groups; /* "viewd_n.g1 IS d.g1 AND .." */
};

static void name_columns(void *mem, struct adding *a)
{
	const struct analysis_texts *texts = a->roll->texts;
	a->names = add_numbered(sql_new(mem), "g", texts->groups.n);
	a->names = sql_add(a->names, "%s", texts->groups.n > 0 ? ", " : "");
	a->sums = sql_new(mem);
	a->groups = sql_add(sql_new(mem), "%s", texts->groups.n > 0 ? "" : "1");
	for (size_t i = 0; i < texts->groups.n; i++)
		a->groups = sql_add(a->groups, "%sviewd_n.g%zu IS d.g%zu", i > 0 ? " AND " : "", i + 1, i + 1);
	const char **sums;
	size_t n = roll_sums(mem, texts, &sums);
	for (size_t i = 0; i < n; i++) {
		a->names = sql_add(a->names, "%s%s", i > 0 ? ", " : "", sums[i]);
		a->sums = sql_add(a->sums, "%s%s = viewd_n.%s + d.%s", i > 0 ? ", " : "", sums[i], sums[i], sums[i]);
	}
}

static bool collect(struct db *db, void *mem, const struct adding *a, const char *query, struct viewd_err *err)
{
	return db_exec(db, "DROP TABLE IF EXISTS " ADDED, err) &&
	       db_exec(db, sql_add(sql_new(mem), "CREATE TABLE " ADDED " (%s)", a->names), err) &&
	       db_exec(db, sql_add(sql_new(mem), "INSERT INTO " ADDED " %s", query), err);
}

bool sqlite_op_add_to_roll(struct db *db, const struct roll *roll, const char *query, const struct key_set *with UNUSED,
                           struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	struct adding a = {.roll = roll, .rel = relation_quoted(db->syntax, mem, &roll->table.rel)};
	name_columns(mem, &a);
	bool done = collect(db, mem, &a, query, err) &&
	            db_exec(db,
	                    sql_add(sql_new(mem), "UPDATE main.%s AS viewd_n SET %s FROM " ADDED " AS d WHERE %s", a.rel,
	                            a.sums, a.groups),
	                    err) &&
	            db_exec(db,
	                    sql_add(sql_new(mem),
	                            "INSERT INTO main.%s (%s) SELECT %s FROM " ADDED " AS d WHERE NOT EXISTS (SELECT 1 "
	                            "FROM main.%s AS viewd_n WHERE %s)",
	                            a.rel, a.names, a.names, a.rel, a.groups),
	                    err) &&
	            db_exec(db, "DROP TABLE " ADDED, err);
	talloc_free(mem);
	return done;
}
