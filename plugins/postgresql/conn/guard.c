/* SPDX-License-Identifier: MIT
 *
 * guard.c: the rows of a definition, made as another role that must not come back to viewd's.
 *
 * SET ROLE alone is no fence: a function that the definition calls may RESET ROLE, leave a cursor or a deferred trigger
 * that runs at COMMIT, or change the session's search_path. The server has one kind of statement that an ordinary role
 * can use and in which none of that works: REFRESH MATERIALIZED VIEW, which runs as the view's owner in a
 * security-restricted operation and undoes its settings. So the rows go through a materialized view of that role, which
 * nobody else ever sees: it is made, read and dropped in one transaction. What writes them into the table then runs no
 * code of anybody: a table that has triggers, or expressions with other functions than the server's own, is refused.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/objects/task.h"
#include "postgresql/pg.h"

bool pg_op_rows_apart(struct task *task, const char *query, const char *stem, struct relation *out,
                      struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	struct relation rows = {.schema = ""};
	snprintf(rows.schema, sizeof rows.schema, "%s", task->found.schema);
	ident_temporary(&task->rel, stem, rows.name);
	char *name = relation_quoted(&pg_syntax, task->mem, &rows);
	if (!pg_execf(conn, err, "CREATE MATERIALIZED VIEW %s AS %s WITH NO DATA", name, query) ||
	    !pg_execf(conn, err, "REFRESH MATERIALIZED VIEW %s", name))
		return false;
	*out = rows;
	return true;
}

/* The server's own functions, operators and types are in no row of pg_depend. Functions of viewd's own, which log what
 * is written for views that read the table, are its code whoever writes; a condition of their triggers is not. */
/* clang-format off */
#define CALLS_SQL(class, oid) \
	"EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog." class \
		"'::pg_catalog.regclass AND d.objid = " oid \
		" AND d.refclassid IN ('pg_catalog.pg_proc'::pg_catalog.regclass," \
		" 'pg_catalog.pg_operator'::pg_catalog.regclass," \
		" 'pg_catalog.pg_type'::pg_catalog.regclass, 'pg_catalog.pg_opclass'::pg_catalog.regclass))"

static const char active_sql[] =
	"SELECT what FROM ("
	"SELECT 'trigger ' || pg_catalog.quote_ident(g.tgname) FROM c JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid "
	"AND NOT g.tgisinternal WHERE g.tgqual IS NOT NULL OR NOT EXISTS (SELECT 1 FROM pg_catalog.pg_proc f JOIN "
	"pg_catalog.pg_namespace m ON m.oid = f.pronamespace WHERE f.oid = g.tgfoid AND m.nspname = 'viewd' AND f.proowner "
	"= m.nspowner AND f.prosecdef)"
	" UNION ALL SELECT 'rule ' || pg_catalog.quote_ident(w.rulename) FROM c JOIN pg_catalog.pg_rewrite w ON w.ev_class "
	"= c.oid"
	" UNION ALL SELECT 'constraint ' || pg_catalog.quote_ident(k.conname) FROM c JOIN pg_catalog.pg_constraint k ON "
	"k.conrelid = c.oid"
	" AND k.contype IN ('c', 'x') WHERE " CALLS_SQL("pg_constraint", "k.oid")
	" UNION ALL SELECT 'index ' || pg_catalog.quote_ident(x.relname) FROM c JOIN pg_catalog.pg_index i ON i.indrelid = "
	"c.oid"
	" JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid WHERE " CALLS_SQL("pg_class", "x.oid")
	" UNION ALL SELECT 'expression of column ' || pg_catalog.quote_ident(a.attname) FROM c JOIN pg_catalog.pg_attrdef "
	"f ON f.adrelid = c.oid"
	" JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.adnum WHERE "
	CALLS_SQL("pg_attrdef", "f.oid")
	" UNION ALL SELECT 'row security' FROM c WHERE c.relrowsecurity"
	" UNION ALL SELECT 'inheritance' FROM c WHERE EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE c.oid IN "
	"(h.inhparent, h.inhrelid))"
	") AS found (what) LIMIT 1";
/* clang-format on */

static bool take_what_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	snprintf(ctx, 200, "%s", v[0]);
	return false;
}

static const struct db_reader take_what[] = {{take_what_fn, "t", "what is on a table"}};

/* A session that would add something waits for this lock. A function of the definition need not wait, but has run by
 * now. */
bool pg_op_judge_table(struct task *task, struct viewd_err *err)
{
	static const char head[] =
		"WITH c AS (SELECT c.* FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		" WHERE n.nspname = $1 AND c.relname = $2) ";
	const char *params[] = {task->rel.schema, task->rel.name};
	char what[200] = "", *name = relation_quoted(&pg_syntax, task->mem, &task->rel);
	char *sql = talloc_asprintf(task->mem, "%s%s", head, active_sql);
	if (!pg_execf(pg_of(task->db), err, "LOCK TABLE ONLY %s IN ROW EXCLUSIVE MODE", name) ||
	    !pg_op_query(task->db, sql, params, ARRAY_LEN(params), take_what, what, err))
		return false;
	if (what[0] == '\0')
		return true;
	err_set(err, VIEWD_ERR_DENIED,
	        "table %s has %s, which could run code with viewd's rights when rows made as run_as are written", name,
	        what);
	return err_hint(err, "remove it, or keep the view without run_as if all of its owner's code is trusted");
}
