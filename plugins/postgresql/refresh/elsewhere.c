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

/* The binary format needs the definition's own types. */
static bool make_table(struct task *task, const char *name, struct viewd_err *err)
{
	char *sql = sql_add(sql_new(task->mem),
	                    "CREATE TEMPORARY TABLE %s ON COMMIT DROP AS SELECT v.* FROM (\n%s\n) AS v WITH NO DATA", name,
	                    gen_query(&task->gen));
	return db_exec(task->db, sql, err);
}

static bool fetch(struct task *task, struct viewd_conn *reader, const char *name, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	struct viewd_err failure = {0};
	bool of_reader = false;
	char *out = sql_add(sql_new(task->mem), "COPY (SELECT v.* FROM (\n%s\n) AS v) TO STDOUT (FORMAT binary)",
	                    gen_query(&task->gen));
	char *in = sql_add(sql_new(task->mem), "COPY %s FROM STDIN (FORMAT binary)", name);
	if (pg_op_set_limits(&reader->db, conn->timeout_us, conn->lock_us, err) &&
	    pg_copy_between(reader, out, conn, in, &of_reader, &failure))
		return true;
	if (of_reader)
		return pg_standby_failed(conn, &failure, err);
	if (err != NULL)
		*err = failure;
	return false;
}

bool pg_op_elsewhere(struct task *task, bool *done_r, struct relation *rows_r, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	struct relation rows = {.schema = "pg_temp"};
	*done_r = conn->reading.spec != NULL;
	if (!*done_r)
		return true;
	ident_temporary(&task->rel, "viewd_rows_", rows.name);
	char *name = relation_quoted(&pg_syntax, task->mem, &rows);
	struct viewd_conn *reader = pg_standby_ready(conn, err);
	if (reader == NULL || !make_table(task, name, err) || !fetch(task, reader, name, err))
		return false;
	*rows_r = rows;
	return true;
}
