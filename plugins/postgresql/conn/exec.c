/* SPDX-License-Identifier: MIT
 *
 * exec.c: one statement at a time, and transactions.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/span.h"
#include "common/text/number.h"
#include "postgresql/conn/leader.h"
#include "postgresql/pg.h"

#define GRACE_US (5 * SPAN_SECOND) /* for the server to notice its own limit */

bool pg_in_transaction(const struct viewd_conn *conn)
{
	return conn->queue.begun || PQtransactionStatus(conn->pg) == PQTRANS_INTRANS ||
	       PQtransactionStatus(conn->pg) == PQTRANS_INERROR;
}

/* The connection broke before this statement: nothing was sent, so nothing can have happened. */
static bool already_broken(struct viewd_conn *conn, struct viewd_err *err)
{
	return err_set(err, VIEWD_ERR_CONNECT, "connection to database '%s' is closed", conn->db.database_name);
}

bool pg_may_ask(struct viewd_conn *conn, struct viewd_err *err)
{
	if (atomic_load(&conn->cancelled))
		return err_set(err, VIEWD_ERR_CANCELLED, "cancelled on request");
	return (PQstatus(conn->pg) == CONNECTION_OK && !conn->silent) || already_broken(conn, err);
}

/* The server ends a statement by its own limit, and has some time to tell of it. */
int64_t pg_answer_limit(const struct viewd_conn *conn)
{
	if (conn->answer_us > 0)
		return conn->answer_us;
	return conn->timeout_us > 0 ? conn->timeout_us + GRACE_US : 0;
}

/* Waits for the rest of an answer, or until there will be none: PQgetResult knows. False: the deadline has passed. A
 * peer whose kernel acknowledges but which never answers is found by nothing else. */
bool pg_answered_by(struct viewd_conn *conn, int64_t deadline)
{
	const struct clock *clk = clock_system();
	while (PQisBusy(conn->pg) != 0) {
		struct pollfd fd = {.fd = PQsocket(conn->pg), .events = POLLIN};
		int64_t left = deadline - clk->mono(clk);
		if (left <= 0)
			return false;
		int ms = left < SPAN_HOUR ? (int)(left / SPAN_MS) + 1 : (int)(SPAN_HOUR / SPAN_MS);
		if ((poll(&fd, 1, ms) < 0 && errno != EINTR) || PQconsumeInput(conn->pg) != 1)
			return true;
	}
	return true;
}

static bool is_copy(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);
	return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* PQexecParams with a limit; NULL (a failure) when it passes, and the connection is not used any more. */
static PGresult *exec_within(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params,
                             int64_t limit_us)
{
	const struct clock *clk = clock_system();
	int64_t deadline = clk->mono(clk) + limit_us;
	PGresult *last = NULL, *res;
	if (PQsendQueryParams(conn->pg, sql, (int)n_params, NULL, params, NULL, NULL, 0) == 0)
		return NULL;
	do {
		if (!pg_answered_by(conn, deadline)) {
			conn->silent = true;
			PQclear(last);
			return NULL;
		}
		res = PQgetResult(conn->pg);
		if (res != NULL) {
			PQclear(last);
			last = res;
		}
	} while (res != NULL && !is_copy(res));
	return last;
}

static PGresult *exec(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params)
{
	int64_t limit_us = pg_answer_limit(conn);
	if (limit_us > 0)
		return exec_within(conn, sql, params, n_params, limit_us);
	return PQexecParams(conn->pg, sql, (int)n_params, NULL, params, NULL, NULL, 0);
}

static bool run_one(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params,
                    PGresult **res_r, struct viewd_err *err)
{
	if (!pg_flush(conn, err) || !pg_may_ask(conn, err))
		return false;
	const struct clock *clk = clock_system();
	int64_t start = clk->mono(clk);
	PGresult *res = exec(conn, sql, params, n_params);
	ExecStatusType status = PQresultStatus(res);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY) {
		*res_r = res;
		return true;
	}
	if (is_copy(res)) {
		PQclear(PQexec(conn->pg, "")); /* ends the copying */
		err_set(err, VIEWD_ERR_CONFIG, "COPY is not a query");
	} else {
		pg_error_result(conn, res, clk->mono(clk) - start, err);
		pg_error_name_refused(sql, err);
	}
	PQclear(res);
	return false;
}

/* A failed transaction answers COMMIT with ROLLBACK and no error. */
static bool commit(struct viewd_conn *conn, struct viewd_err *err)
{
	PGresult *res;
	if (!run_one(conn, "COMMIT", NULL, 0, &res, err))
		return false;
	bool ok = strcmp(PQcmdStatus(res), "COMMIT") == 0;
	PQclear(res);
	return ok || err_set(err, VIEWD_ERR_BUG, "transaction was rolled back at commit (an earlier failure was ignored)");
}

/* A statement and the settings it needs get the same session only in one transaction. */
static bool run_in_own(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params,
                       PGresult **res_r, struct viewd_err *err)
{
	pg_queue_begin(conn, PG_BEGIN_ANY);
	if (run_one(conn, sql, params, n_params, res_r, err)) {
		if (commit(conn, err))
			return true;
		PQclear(*res_r);
	}
	pg_op_rollback(&conn->db);
	return false;
}

bool pg_run(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params, PGresult **res_r,
            struct viewd_err *err)
{
	if (conn->pooled && (!pg_flush(conn, err) || !pg_may_ask(conn, err)))
		return false;
	if (conn->pooled && !pg_in_transaction(conn))
		return run_in_own(conn, sql, params, n_params, res_r, err);
	return run_one(conn, sql, params, n_params, res_r, err);
}

bool pg_exec_outside(struct viewd_conn *conn, const char *sql, struct viewd_err *err)
{
	PGresult *res;
	if (!run_one(conn, sql, NULL, 0, &res, err))
		return false;
	PQclear(res);
	return true;
}

bool pg_exec(struct viewd_conn *conn, const char *sql, struct viewd_err *err)
{
	PGresult *res;
	if (!pg_run(conn, sql, NULL, 0, &res, err))
		return false;
	PQclear(res);
	return true;
}

bool pg_execf(struct viewd_conn *conn, struct viewd_err *err, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *sql = talloc_vasprintf(conn, fmt, ap);
	va_end(ap);
	assert(sql != NULL);
	bool ok = pg_exec(conn, sql, err);
	talloc_free(sql);
	return ok;
}

/* Undoing must work although the operation was cancelled, so it goes around pg_run(). */
void pg_exec_quietly(struct viewd_conn *conn, const char *sql)
{
	pg_queue_forget(conn);
	if (!conn->silent)
		PQclear(exec(conn, sql, NULL, 0));
}

bool pg_answers(struct viewd_conn *conn)
{
	if (PQstatus(conn->pg) != CONNECTION_OK || conn->silent)
		return false;
	PGresult *res = exec_within(conn, "SELECT 1", NULL, 0, GRACE_US);
	bool good = PQresultStatus(res) == PGRES_TUPLES_OK;
	PQclear(res);
	return good;
}

void pg_savepoint_undo(struct viewd_conn *conn, const char *name)
{
	char sql[100];
	snprintf(sql, sizeof sql, "ROLLBACK TO SAVEPOINT %s", name);
	pg_exec_quietly(conn, sql);
	snprintf(sql, sizeof sql, "RELEASE SAVEPOINT %s", name);
	pg_exec_quietly(conn, sql);
}

bool pg_scratch_begin(struct viewd_conn *conn, bool *opened_r, struct viewd_err *err)
{
	bool opened = !pg_in_transaction(conn);
	if (opened && !pg_op_begin(&conn->db, DB_BEGIN_WRITE, err))
		return false;
	if (!opened && !pg_exec(conn, "SAVEPOINT viewd_scratch", err))
		return false;
	*opened_r = opened;
	return true;
}

void pg_scratch_end(struct viewd_conn *conn, bool opened)
{
	if (opened)
		pg_op_rollback(&conn->db);
	else
		pg_savepoint_undo(conn, "viewd_scratch");
}

bool pg_op_exec(struct db *db, const char *sql, const char *const *params, size_t n_params, int64_t *affected_r,
                struct viewd_err *err)
{
	PGresult *res;
	if (!pg_run(pg_of(db), sql, params, n_params, &res, err))
		return false;
	const char *tuples = PQcmdTuples(res);
	if (affected_r != NULL)
		*affected_r = number_or(tuples, -1);
	PQclear(res);
	return true;
}

bool pg_op_query(struct db *db, const char *sql, const char *const *params, size_t n_params,
                 const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	PGresult *res;
	if (!pg_run(pg_of(db), sql, params, n_params, &res, err))
		return false;
	bool good = pg_hand_rows(res, row, ctx, err);
	PQclear(res);
	return good;
}

bool pg_hand_rows(const PGresult *res, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	int n = PQnfields(res);
	const char **values = talloc_array(NULL, const char *, (size_t)n + 1);
	bool more = true, good = true;
	for (int i = 0; good && more && i < PQntuples(res); i++) {
		for (int j = 0; j < n; j++)
			values[j] = PQgetisnull(res, i, j) ? NULL : PQgetvalue(res, i, j);
		good = db_give(row, ctx, values, (size_t)n, &more, err);
	}
	talloc_free(values);
	return good;
}

static const char *begin_sql(enum db_begin how)
{
	switch (how) {
	case DB_BEGIN_WRITE:
		return PG_BEGIN_WRITE;
	case DB_BEGIN_GROUP:
	case DB_BEGIN_SNAPSHOT:
		break;
	}
	return "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE";
}

/* BEGIN goes out with the first statement of the transaction. */
bool pg_op_begin(struct db *db, enum db_begin how, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	if (!pg_may_ask(conn, err))
		return false;
	conn->along = (struct pg_along){0};
	pg_queue_begin(conn, begin_sql(how));
	conn->writing = how != DB_BEGIN_SNAPSHOT;
	return true;
}

bool pg_op_commit(struct db *db, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	return conn->writing && conn->fenced ? pg_leader_commit(conn, err) : commit(conn, err);
}

/* Only on and local are replaced: a user who has set something else wants to wait for more than this disk. */
bool pg_op_commit_lazily(struct db *db, struct viewd_err *err)
{
	return pg_op_exec_later(db,
	                        "SELECT pg_catalog.set_config(name, 'off', true) FROM (VALUES ('synchronous_commit')) AS s "
	                        "(name) WHERE pg_catalog.current_setting(name) IN ('on', 'local')",
	                        NULL, 0, err);
}

void pg_op_rollback(struct db *db)
{
	struct viewd_conn *conn = pg_of(db);
	pg_queue_forget(conn);
	conn->along = (struct pg_along){0}; /* the next task may lie where this one did */
	if (!pg_in_transaction(conn))
		return;
	pg_exec_quietly(conn, "ROLLBACK");
	conn->limits_due = true; /* the server has gone back to those from before */
}

bool pg_op_set_limits(struct db *db, int64_t timeout_us, int64_t lock_timeout_us, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	if (!pg_may_ask(conn, err))
		return false;
	conn->timeout_us = timeout_us;
	conn->lock_us = lock_timeout_us;
	conn->limits_due = true;
	return true;
}
