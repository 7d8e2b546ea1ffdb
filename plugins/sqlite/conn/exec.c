/* SPDX-License-Identifier: MIT
 *
 * exec.c: prepares, binds and runs one statement; begins and ends transactions.
 */
#include "sqlite/conn/commit_number.h"

#include "base/err.h"
#include "sqlite/conn/prepared.h"

#include <string.h>
#include <talloc.h>

#define MAX_COLUMNS 64 /* of a query whose rows are read: viewd's own */

bool sqlite_may_begin(struct viewd_conn *conn, struct viewd_err *err)
{
	conn->refused[0] = '\0';
	return !sqlite_stopped(conn) || sqlite_error(conn, SQLITE_INTERRUPT, err);
}

bool sqlite_prepare(struct viewd_conn *conn, const char *sql, sqlite3_stmt **out, struct viewd_err *err)
{
	sqlite3_stmt *stmt = NULL;
	const char *tail = NULL;
	if (!sqlite_may_begin(conn, err))
		return false;
	conn->writes = false;
	int rc = sqlite3_prepare_v3(conn->handle, sql, -1, 0, &stmt, &tail);
	if (rc != SQLITE_OK)
		return sqlite_error(conn, rc, err);
	if (stmt == NULL || tail[strspn(tail, " \t\r\n\f\v")] != '\0') {
		sqlite3_finalize(stmt);
		return err_set(err, VIEWD_ERR_QUERY, "statement is empty or holds more than one");
	}
	*out = stmt;
	return true;
}

static bool bind(struct viewd_conn *conn, sqlite3_stmt *stmt, const char *const *params, size_t n,
                 struct viewd_err *err)
{
	for (size_t i = 0; i < n; i++) {
		int rc = sqlite3_bind_text(stmt, (int)i + 1, params[i], -1, SQLITE_STATIC);
		if (rc != SQLITE_OK)
			return sqlite_error(conn, rc, err);
	}
	return true;
}

static bool give_row(sqlite3_stmt *stmt, const struct db_reader *row, void *ctx, bool *more_r, struct viewd_err *err)
{
	const char *values[MAX_COLUMNS];
	int n = sqlite3_column_count(stmt);
	n = n < MAX_COLUMNS ? n : MAX_COLUMNS;
	for (int i = 0; i < n; i++)
		values[i] = (const char *)sqlite3_column_text(stmt, i);
	return db_give(row, ctx, values, (size_t)n, more_r, err);
}

static bool step_all(struct viewd_conn *conn, sqlite3_stmt *stmt, const struct db_reader *row, void *ctx,
                     struct viewd_err *err)
{
	int rc;
	bool more = true;
	while (more && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		if (row != NULL && !give_row(stmt, row, ctx, &more, err))
			return false;
	return !more || rc == SQLITE_DONE || sqlite_error(conn, rc, err);
}

/* Where commits are counted a statement that writes by itself gets a transaction, which says that it was viewd's. */
static bool needs_transaction(struct viewd_conn *conn, const struct sqlite_taken *taken, bool *needs_r,
                              struct viewd_err *err)
{
	bool writes = taken->writes && !sqlite3_stmt_readonly(taken->stmt);
	*needs_r = false;
	if (!writes || conn->guard != SQLITE_GUARD_NORMAL || !sqlite3_get_autocommit(conn->handle))
		return true;
	return sqlite_poll_is_polled(conn, needs_r, err);
}

/* A statement that is compiled anew while it runs tells again what it writes. */
static bool step_taken(struct viewd_conn *conn, struct sqlite_taken *taken, const struct db_reader *row, void *ctx,
                       struct viewd_err *err)
{
	bool before = conn->side_writes;
	conn->side_writes = taken->side_writes;
	bool done = step_all(conn, taken->stmt, row, ctx, err);
	taken->side_writes = conn->side_writes;
	conn->side_writes |= before;
	return done;
}

static bool run_statement(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params,
                          const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct sqlite_taken taken;
	bool whole = false;
	if (!sqlite_prepared_take(conn, sql, &taken, err))
		return false;
	bool done = needs_transaction(conn, &taken, &whole, err) &&
	            (!whole || sqlite_op_begin(&conn->db, DB_BEGIN_WRITE, err)) &&
	            bind(conn, taken.stmt, params, n_params, err) && step_taken(conn, &taken, row, ctx, err);
	sqlite_prepared_give(conn, &taken, done);
	done = done && (!whole || sqlite_op_commit(&conn->db, err));
	if (!done && whole)
		sqlite_op_rollback(&conn->db);
	return done;
}

bool sqlite_op_query(struct db *db, const char *sql, const char *const *params, size_t n_params,
                     const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	return run_statement(sqlite_conn_of(db), sql, params, n_params, row, ctx, err);
}

bool sqlite_op_exec(struct db *db, const char *sql, const char *const *params, size_t n_params, int64_t *affected_r,
                    struct viewd_err *err)
{
	struct viewd_conn *conn = sqlite_conn_of(db);
	if (!run_statement(conn, sql, params, n_params, NULL, NULL, err))
		return false;
	if (affected_r != NULL)
		*affected_r = sqlite3_changes64(conn->handle);
	return true;
}

bool sqlite_internal(struct viewd_conn *conn, const char *sql, struct viewd_err *err)
{
	enum sqlite_guard before = conn->guard;
	conn->guard = SQLITE_GUARD_INTERNAL;
	bool done = run_statement(conn, sql, NULL, 0, NULL, NULL, err);
	conn->guard = before;
	return done;
}

/* A refresh can be done again: its rows, its marks and the positions in its logs are in one file, and go back together
 * should the machine lose power. So its transaction need not wait for the disk where a write-ahead log keeps the file
 * whole without. Nobody can end that mode while this connection is open. */
static bool choose_durability(struct viewd_conn *conn, enum db_begin how, struct viewd_err *err)
{
	return conn->log_ino == 0 ||
	       sqlite_internal(conn, how == DB_BEGIN_GROUP ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL",
	                       err);
}

/* A deferred transaction that has read cannot write after somebody else's commit (SQLITE_BUSY_SNAPSHOT): writers begin
 * at once. */
bool sqlite_op_begin(struct db *db, enum db_begin how, struct viewd_err *err)
{
	struct viewd_conn *conn = sqlite_conn_of(db);
	if (!sqlite_conn_has_file(conn, err) || !choose_durability(conn, how, err))
		return false;
	if (!sqlite_internal(conn, how == DB_BEGIN_SNAPSHOT ? "BEGIN DEFERRED" : "BEGIN IMMEDIATE", err))
		return false;
	conn->writing = how != DB_BEGIN_SNAPSHOT;
	conn->side_writes = false;
	return true;
}

bool sqlite_op_commit(struct db *db, struct viewd_err *err)
{
	struct viewd_conn *conn = sqlite_conn_of(db);
	/* Marks of a copy of another file are nothing that this one has settled. */
	if (!sqlite_conn_has_file(conn, err) || (conn->writing && !sqlite_poll_commit(conn, err)) ||
	    !sqlite_internal(conn, "COMMIT", err))
		return false;
	conn->writing = false;
	return true;
}

/* Some errors (disk full, interrupt) have rolled back already. */
void sqlite_op_rollback(struct db *db)
{
	struct viewd_conn *conn = sqlite_conn_of(db);
	conn->writing = false;
	/* The number of a schema that is taken back may be that of another one later. */
	TALLOC_FREE(conn->known);
	if (sqlite3_get_autocommit(conn->handle))
		return;
	sqlite_op_enter(db);
	struct viewd_err ignored;
	if (!sqlite_internal(conn, "ROLLBACK", &ignored))
		db_log(db, VIEWD_LOG_WARNING, "database '%s', rollback failed (%s)", db->database_name, ignored.msg);
}
