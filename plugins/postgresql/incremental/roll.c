/* SPDX-License-Identifier: MIT
 *
 * roll.c: the tables of inner nodes, and adding to sums. Before PostgreSQL 15 no index takes NULL for equal to NULL:
 * rows are then found by comparing, which is enough for few groups.
 */
#include "postgresql/incremental/log_objects.h"

#include <talloc.h>

#include "common/incremental/roll.h"
#include "common/sqltext/sqltext.h"

#define NULLS_VERSION 150000

static bool nulls_equal(struct viewd_conn *conn)
{
	return PQserverVersion(conn->pg) >= NULLS_VERSION;
}

static char *add_numbered(char *sql, const char *before, const char *letter, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sql = sql_add(sql, "%s%s%s%zu", i > 0 ? ", " : "", before, letter, i + 1);
	return sql;
}

bool pg_op_make_node(struct db *db, const struct node_table *table, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	void *mem = talloc_new(NULL);
	char *rel = relation_quoted(&pg_syntax, mem, &table->rel);
	bool done = pg_execf(conn, err, "CREATE TABLE %s WITH (fillfactor = 70) AS %s WITH NO DATA", rel, table->query);
	if (done && table->n_key > 0)
		done = pg_execf(conn, err, "CREATE INDEX ON %s (%s)", rel, add_numbered(sql_new(mem), "", "f", table->n_key));
	if (done && table->n_unique > 0)
		done = pg_execf(conn, err, "CREATE %sINDEX ON %s (%s)%s", nulls_equal(conn) ? "UNIQUE " : "", rel,
		                add_numbered(sql_new(mem), "", "g", table->n_unique),
		                nulls_equal(conn) ? " NULLS NOT DISTINCT" : "");
	talloc_free(mem);
	return done;
}

/* The columns that are added, and how: "s1 = n.s1 + d.s1, ..". */
static char *add_terms(char *sql, const struct roll *roll, const char *form)
{
	const char **names;
	size_t n = roll_sums(sql, roll->texts, &names);
	for (size_t i = 0; i < n; i++)
		sql = sql_template(sql_add(sql, "%s", i > 0 ? ", " : ""), form, names[i]);
	return sql;
}

static char *all_names(void *mem, const struct roll *roll)
{
	char *sql = add_numbered(sql_new(mem), "", "g", roll->texts->groups.n);
	return add_terms(sql_add(sql, "%s", roll->texts->groups.n > 0 ? ", " : ""), roll, "{}");
}

static char *by_conflict(void *mem, const struct roll *roll, const char *rel, const char *query)
{
	char *sql = sql_add(sql_new(mem), "INSERT INTO %s AS n (%s) %s ON CONFLICT (", rel, all_names(mem, roll), query);
	sql = sql_add(add_numbered(sql, "", "g", roll->texts->groups.n), ") DO UPDATE SET ");
	return add_terms(sql, roll, "{} = n.{} + excluded.{}");
}

static char *add_same_group(char *sql, const struct roll *roll, const char *a, const char *b)
{
	for (size_t i = 0; i < roll->texts->groups.n; i++)
		sql = sql_add(sql, "%s%s.g%zu IS NOT DISTINCT FROM %s.g%zu", i > 0 ? " AND " : "", a, i + 1, b, i + 1);
	return roll->texts->groups.n > 0 ? sql : sql_add(sql, "true");
}

static char *by_comparing(void *mem, const struct roll *roll, const char *rel, const char *query)
{
	char *names = all_names(mem, roll);
	char *sql = sql_add(sql_new(mem), "WITH d (%s) AS MATERIALIZED (%s), u AS (UPDATE %s AS n SET ", names, query, rel);
	sql = sql_add(add_terms(sql, roll, "{} = n.{} + d.{}"), " FROM d WHERE ");
	sql = sql_add(add_same_group(sql, roll, "n", "d"), " RETURNING 1");
	for (size_t i = 0; i < roll->texts->groups.n; i++)
		sql = sql_add(sql, ", d.g%zu", i + 1);
	sql = sql_add(sql, ") INSERT INTO %s (%s) SELECT * FROM d WHERE NOT EXISTS (SELECT 1 FROM u WHERE ", rel, names);
	return sql_add(add_same_group(sql, roll, "u", "d"), ")");
}

bool pg_op_add_to_roll(struct db *db, const struct roll *roll, const char *query, const struct key_set *with,
                       struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	const char *params[KEY_WIDTH_MAX];
	char *rel = relation_quoted(&pg_syntax, mem, &roll->table.rel);
	bool conflict = roll->texts->groups.n > 0 && nulls_equal(pg_of(db));
	char *sql = conflict ? by_conflict(mem, roll, rel, query) : by_comparing(mem, roll, rel, query);
	size_t n = with != NULL ? with->width : 0;
	for (size_t i = 0; i < n; i++)
		params[i] = with->arrays[i];
	bool done = pg_op_exec_later(db, sql, params, n, err);
	talloc_free(mem);
	return done;
}
