/* SPDX-License-Identifier: MIT
 *
 * roll.c: the tables of inner nodes. Before PostgreSQL 15 no index takes NULL for equal to NULL: rows are then found by
 * comparing (move.c), which is enough for few groups.
 */
#include "postgresql/incremental/log_objects.h"

#include <talloc.h>

#include "common/incremental/roll.h"
#include "common/sqltext/sqltext.h"

#define NULLS_VERSION 150000

bool pg_nulls_equal(struct viewd_conn *conn)
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
		done = pg_execf(conn, err, "CREATE %sINDEX ON %s (%s)%s", pg_nulls_equal(conn) ? "UNIQUE " : "", rel,
		                add_numbered(sql_new(mem), "", "g", table->n_unique),
		                pg_nulls_equal(conn) ? " NULLS NOT DISTINCT" : "");
	talloc_free(mem);
	return done;
}
