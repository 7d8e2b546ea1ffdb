/* SPDX-License-Identifier: MIT
 *
 * maintenance.c: looks after a relation whose rows have changed. The daemon calls it beside other work; nobody waits
 * for it.
 *
 * A full refresh gives the relation a new file about which the planner knows nothing; concurrent refreshes and table
 * refreshes leave dead rows behind, and their lock keeps autovacuum away when they come often.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "base/span.h"
#include "postgresql/pg.h"

#define MAINTAIN_TIMEOUT (30 * SPAN_SECOND)
#define MAINTAIN_LOCK_TIMEOUT (200 * SPAN_MS)

struct needs {
	bool vacuum;
	bool analyze;
};

static bool needs_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct needs *needs = ctx;
	needs->vacuum = v[0] != NULL && v[0][0] == 't';
	needs->analyze = v[1] != NULL && v[1][0] == 't';
	return false;
}

static const struct db_reader needs_row[] = {{needs_row_fn, "TT", "what a table needs"}};

/* Numbers of autovacuum's own rule (scale factor 0.2 and 0.1, threshold 50), with a higher floor for vacuum. */
static bool ask_needs(struct viewd_conn *conn, const struct relation *rel, struct needs *needs, struct viewd_err *err)
{
	const char *params[] = {rel->schema, rel->name};
	return pg_op_query(&conn->db,
	                   "SELECT s.n_dead_tup > 1000 + 0.2 * s.n_live_tup,"
	                   " c.reltuples < 0 OR s.n_mod_since_analyze > 50 + 0.1 * c.reltuples OR s.last_analyze IS NULL"
	                   "  AND s.last_autoanalyze IS NULL"
	                   " FROM pg_catalog.pg_stat_all_tables s JOIN pg_catalog.pg_class c ON c.oid = s.relid"
	                   " WHERE s.schemaname = $1 AND s.relname = $2",
	                   params, 2, needs_row, needs, err);
}

static bool maintain_relation(struct viewd_conn *conn, const struct relation *rel, struct viewd_err *err)
{
	struct needs needs = {.vacuum = false};
	if (!pg_op_set_limits(&conn->db, MAINTAIN_TIMEOUT, MAINTAIN_LOCK_TIMEOUT, err) ||
	    !ask_needs(conn, rel, &needs, err))
		return false;
	/* Without truncation: that would take readers' locks away. Nor does it wait for a lock, since behind a pooler it
	 * runs under other limits. */
	char *sql =
		talloc_asprintf(conn, "%s ", needs.vacuum ? "VACUUM (SKIP_LOCKED, ANALYZE, TRUNCATE false)" : "ANALYZE");
	sql = talloc_strdup_append_buffer(sql, relation_quoted(&pg_syntax, sql, rel));
	bool ok = needs.vacuum ? pg_exec_outside(conn, sql, err) : !needs.analyze || pg_exec(conn, sql, err);
	talloc_free(sql);
	return ok;
}

bool pg_maintain(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_err *err)
{
	struct relation rel;
	if (!relation_parse(&pg_syntax, view->relation != NULL ? view->relation : view->name, &rel, err))
		return false;
	if (rel.schema[0] == '\0')
		snprintf(rel.schema, sizeof rel.schema, "%s", conn->default_schema);
	conn->db.ops->session.enter(&conn->db);
	return maintain_relation(conn, &rel, err);
}
