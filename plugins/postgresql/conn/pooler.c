/* SPDX-License-Identifier: MIT
 *
 * pooler.c: does a pooler stand between, and does it keep the session?
 *
 * A pooler answers with a process number of its own at connect, so a session whose number is another one is reached
 * through one. Whether it keeps the session cannot be asked. In transaction mode the session is anybody's between two
 * transactions: locks and LISTEN stay with a connection that others get, and what is set there is in force for them. So
 * it is tried before anything is set: a second connection asks right behind the first one. In transaction mode it gets
 * the session that lies idle, which is the first one's, or the first one gets another the next time. In session mode
 * neither happens, however often they ask. Others may come in between, and a pool may hand out its sessions in turn, so
 * they ask several times, the second one once more in each round.
 *
 * Such a connection is pooled: all that it needs goes along with each transaction (settings.c), and it leaves nothing
 * behind.
 */
#include <stdlib.h>

#include "base/err.h"
#include "common/text/number.h"
#include "postgresql/conn/pooled.h"
#include "postgresql/pg.h"

static bool take_number_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int *)ctx = (int)number_or(v[0], 0);
	return false;
}

static const struct db_reader take_number[] = {{take_number_fn, "n", "the number of the session"}};

/* A limit of the server that is too short even for this is lifted, for one transaction: the session may be
 * anybody's. */
static bool ask_number(struct viewd_conn *conn, int *pid_r, struct viewd_err *err)
{
	static const char sql[] = "SELECT pg_catalog.pg_backend_pid()";
	struct viewd_err failed = {0};
	if (pg_op_query(&conn->db, sql, NULL, 0, take_number, pid_r, &failed))
		return true;
	if (failed.cls == VIEWD_ERR_CANCELLED)
		return pg_exec(conn, "BEGIN", err) && pg_exec(conn, "SET LOCAL statement_timeout = '60s'", err) &&
		       pg_op_query(&conn->db, sql, NULL, 0, take_number, pid_r, err) && pg_exec(conn, "COMMIT", err);
	if (err != NULL)
		*err = failed;
	return false;
}

#define ROUNDS 6

static bool find_out(struct viewd_conn *conn, struct viewd_conn *other, struct viewd_err *err)
{
	for (int round = 1; round <= ROUNDS && !conn->pooled; round++) {
		int number = 0;
		if (!ask_number(conn, &number, err))
			return false;
		bool pooled = number != conn->pid;
		for (int i = 0; i < round && !pooled; i++) {
			if (!ask_number(other, &number, err))
				return false;
			pooled = number == conn->pid;
		}
		conn->pooled = pooled;
	}
	return true;
}

bool pg_pooler_judge(struct viewd_conn *conn, const struct viewd_database_spec *spec, struct viewd_err *err)
{
	if (!ask_number(conn, &conn->pid, err))
		return false;
	if (conn->pid == PQbackendPID(conn->pg))
		return true;
	struct viewd_conn *other = pg_conn_connect(conn->db.host, spec, err);
	bool good = other != NULL && find_out(conn, other, err);
	pg_conn_close(&other);
	return good;
}

bool pg_pooler_same(const struct viewd_conn *conn, const char *pid, struct viewd_err *err)
{
	if (strtol(pid, NULL, 10) == conn->pid)
		return true;
	return err_set(err, VIEWD_ERR_LOST, "database '%s', a pooler has put another session in the place of this one",
	               conn->db.database_name);
}
