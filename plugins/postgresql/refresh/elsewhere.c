/* SPDX-License-Identifier: MIT
 *
 * elsewhere.c: the rows of a definition, computed on a standby, in a temporary table of the primary (docs/adr/034).
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/objects/task.h"
#include "common/sqltext/sqltext.h"
#include "postgresql/refresh/elsewhere.h"

/* Types are those of the definition. */
static bool make_table(struct task *task, const char *name, struct viewd_err *err)
{
	char *sql = sql_add(sql_new(task->mem), "CREATE TEMPORARY TABLE %s ON COMMIT DROP AS SELECT v.* FROM (\n", name);
	return db_exec(task->db, sql_add(sql, "%s\n) AS v WITH NO DATA", gen_query(&task->gen)), err);
}

static char *add_columns(const struct task *task, char *sql, const char *prefix)
{
	return sql_names(&pg_syntax, sql, prefix, task->columns->names, task->columns->n);
}

/* Columns are told by their names and as text, so a definition whose sources change in between yields what its words
 * say, or an error. */
static bool fetch(struct task *task, const char *name, bool *of_reader, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	char *out = add_columns(task, sql_add(sql_new(task->mem), "COPY (SELECT "), "v.");
	out = sql_add(out, " FROM (\n%s\n) AS v) TO STDOUT", gen_query(&task->gen));
	char *in = add_columns(task, sql_add(sql_new(task->mem), "COPY %s (", name), NULL);
	in = sql_add(in, ") FROM STDIN");
	*of_reader = true;
	return pg_op_set_limits(&conn->reading.conn->db, conn->timeout_us, conn->lock_us, err) &&
	       pg_copy_between(conn->reading.conn, out, conn, in, of_reader, err);
}

bool pg_op_find_elsewhere(struct task *task, bool *found_r, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	*found_r = conn->reading.spec != NULL;
	return !*found_r || pg_standby_ready(conn, err);
}

bool pg_op_fetch_elsewhere(struct task *task, struct relation *rows_r, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	struct relation rows = {.schema = "pg_temp"};
	struct viewd_err failure = {0};
	bool of_reader = false;
	ident_temporary(&task->rel, "viewd_rows_", rows.name);
	char *name = relation_quoted(&pg_syntax, task->mem, &rows);
	*rows_r = rows;
	if (!make_table(task, name, err) || !pg_flush(conn, err))
		return false;
	if (fetch(task, name, &of_reader, &failure))
		return true;
	pg_standby_failed(conn, &failure, of_reader ? err : NULL);
	if (!of_reader && err != NULL)
		*err = failure;
	return false;
}
