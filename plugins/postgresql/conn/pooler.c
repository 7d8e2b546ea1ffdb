/* SPDX-License-Identifier: MIT
 *
 * pooler.c: does a pooler stand between, and does it keep the session?
 *
 * A pooler answers with a process number of its own at connect, so a session whose number is another one is reached
 * through one. Whether it keeps the session cannot be asked. In transaction mode the session would be anybody's between
 * two statements: locks and LISTEN would stay with a connection that others get, and what is set here would be in force
 * for them. So it is tried before anything is set: a second connection opens a transaction. In transaction mode it gets
 * the session that lies idle, which is the first one's, or the first one then gets another.
 */
#include <stdlib.h>

#include "base/err.h"
#include "common/text/number.h"
#include "postgresql/pg.h"

static bool take_number_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int *)ctx = (int)number_or(v[0], 0);
	return false;
}

static const struct db_reader take_number[] = {{take_number_fn, "n", "the number of the session"}};

/* A limit of the server that is too short even for this is lifted. */
static bool ask_number(struct viewd_conn *conn, int *pid_r, struct viewd_err *err)
{
	static const char sql[] = "SELECT pg_catalog.pg_backend_pid()";
	struct viewd_err failed = {0};
	if (pg_op_query(&conn->db, sql, NULL, 0, take_number, pid_r, &failed))
		return true;
	if (failed.cls == VIEWD_ERR_CANCELLED)
		return pg_exec(conn, "SET statement_timeout = '60s'", err) &&
		       pg_op_query(&conn->db, sql, NULL, 0, take_number, pid_r, err);
	if (err != NULL)
		*err = failed;
	return false;
}

static bool refused(const struct viewd_conn *conn, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG,
	        "database '%s' is reached through a pooler that gives each transaction another session",
	        conn->db.database_name);
	return err_hint(err, "connect to the server itself, or through a pool in session mode");
}

static bool keeps_session(struct viewd_conn *conn, struct viewd_conn *other, struct viewd_err *err)
{
	int number = 0, again = 0;
	if (!pg_exec(other, "BEGIN", err) || !ask_number(other, &number, err))
		return false;
	if (number == conn->pid)
		return refused(conn, err);
	if (!ask_number(conn, &again, err))
		return false;
	return again == conn->pid || refused(conn, err);
}

bool pg_pooler_judge(struct viewd_conn *conn, const struct viewd_database_spec *spec, struct viewd_err *err)
{
	if (!ask_number(conn, &conn->pid, err))
		return false;
	if (conn->pid == PQbackendPID(conn->pg))
		return true;
	struct viewd_conn *other = pg_conn_connect(conn->db.host, spec, err);
	bool good = other != NULL && keeps_session(conn, other, err);
	if (other != NULL) {
		pg_exec_quietly(other, "ROLLBACK");
		pg_conn_close(&other);
	}
	return good;
}

bool pg_pooler_same(const struct viewd_conn *conn, const char *pid, struct viewd_err *err)
{
	return strtol(pid, NULL, 10) == conn->pid || refused(conn, err);
}
