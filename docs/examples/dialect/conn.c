/* SPDX-License-Identifier: MIT
 *
 * conn.c: a connection, what its failures mean, and running a statement.
 */
#include "litemini.h"

#include "base/err.h"
#include "common/conn/url.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>
#include <time.h>

/* ---- 2. a connection, and what its failures mean ----------------------------------------------------------------- */

static int64_t mono_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static bool is_stopped(struct viewd_conn *conn)
{
	return atomic_load(&conn->cancelled) || (conn->deadline_us != 0 && mono_us() >= conn->deadline_us);
}

/* The class decides what the daemon does next. */
static enum viewd_err_class class_of(struct viewd_conn *conn, int primary)
{
	const char *text = sqlite3_errmsg(conn->handle);
	switch (primary) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_SCHEMA:
		return VIEWD_ERR_CONFLICT;
	case SQLITE_FULL:
	case SQLITE_IOERR:
	case SQLITE_NOMEM:
		return VIEWD_ERR_RESOURCE;
	case SQLITE_READONLY:
		return VIEWD_ERR_STANDBY;
	case SQLITE_CANTOPEN:
		return VIEWD_ERR_CONNECT;
	default:
		return strncmp(text, "no such ", 8) == 0 ? VIEWD_ERR_MISSING : VIEWD_ERR_QUERY;
	}
}

static bool fail(struct viewd_conn *conn, int rc, struct viewd_err *err)
{
	int primary = rc & 0xff;
	bool waited = primary == SQLITE_BUSY || primary == SQLITE_LOCKED;
	if (primary == SQLITE_INTERRUPT || (waited && is_stopped(conn))) {
		bool cancelled = atomic_load(&conn->cancelled);
		err_set(err, cancelled ? VIEWD_ERR_CANCELLED : VIEWD_ERR_TIMEOUT, "statement was %s",
		        cancelled ? "cancelled" : "stopped (the view's timeout was reached)");
	} else if (conn->refused) {
		err_set(err, VIEWD_ERR_CONFIG, "statement does what viewd does not allow (%s)", sqlite3_errmsg(conn->handle));
	} else {
		err_set(err, class_of(conn, primary), "%s", sqlite3_errmsg(conn->handle));
	}
	if (err != NULL)
		err->native = rc;
	return false;
}

/* The three ways in which SQLite asks while it works: go on computing? wait for a lock? is this action allowed? */

static int on_progress(void *ctx)
{
	return is_stopped(ctx);
}

static int on_busy(void *ctx, int times)
{
	struct viewd_conn *conn = ctx;
	if (times == 0)
		conn->busy_until_us = mono_us() + conn->lock_timeout_us;
	if (mono_us() >= conn->busy_until_us || is_stopped(conn))
		return 0;
	nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
	return 1;
}

static void note_name(struct viewd_conn *conn, const char *name)
{
	size_t n = talloc_array_length(conn->names);
	if (name == NULL || name[0] == '\0' || strncasecmp(name, "sqlite_", 7) == 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(conn->names[i], name) == 0)
			return;
	conn->names = talloc_realloc(conn->names_mem, conn->names, char *, (unsigned)n + 1);
	conn->names[n] = talloc_strdup(conn->names, name);
}

/* a: the table that is read; view: through which view. */
static int on_action(void *ctx, int action, const char *a, const char *b, const char *schema, const char *view)
{
	struct viewd_conn *conn = ctx;
	(void)b;
	(void)schema;
	bool reads =
		action == SQLITE_SELECT || action == SQLITE_READ || action == SQLITE_RECURSIVE || action == SQLITE_FUNCTION;
	bool leaves =
		action == SQLITE_ATTACH || action == SQLITE_DETACH || action == SQLITE_PRAGMA || action == SQLITE_TRANSACTION;
	if (conn->guard == GUARD_DEFINITION && reads) {
		note_name(conn, action == SQLITE_READ ? a : NULL);
		note_name(conn, view);
	}
	if (conn->guard == GUARD_NONE || (conn->guard == GUARD_DEFINITION ? reads : !leaves))
		return SQLITE_OK;
	conn->refused = true;
	return SQLITE_DENY;
}

static bool read_path(const struct viewd_database_spec *db, void *mem, char **path_r, struct viewd_err *err)
{
	struct url *url = url_parse(mem, db->url, err);
	if (url == NULL)
		return false;
	if (url->host != NULL || url->user != NULL || url->database == NULL || url->n_query > 0) {
		err_set(err, VIEWD_ERR_CONFIG, "database url names no file");
		return err_hint(err, "write litemini:///relative.db or litemini:////absolute.db");
	}
	*path_r = url->database[0] == '/' ? url->database : talloc_asprintf(mem, "%s/%s", db->base_dir, url->database);
	return true;
}

bool mini_check_database(const struct viewd_database_spec *db, struct viewd_err *err)
{
	char *path;
	void *mem = talloc_new(NULL);
	bool good = read_path(db, mem, &path, err);
	talloc_free(mem);
	return good;
}

void mini_close(struct viewd_conn **conn)
{
	if (*conn != NULL)
		sqlite3_close_v2((*conn)->handle);
	TALLOC_FREE(*conn);
}

struct viewd_conn *mini_open(const struct viewd_host *host, const struct viewd_database_spec *db, struct viewd_err *err)
{
	char *path;
	struct viewd_conn *conn = talloc_zero(NULL, struct viewd_conn);
	conn->db = (struct db){
		.syntax = &mini_syntax, .ops = &mini_ops, .host = host, .database_name = talloc_strdup(conn, db->name)};
	conn->lock_timeout_us = db->connect_timeout_us;
	int rc = SQLITE_OK;
	bool good = read_path(db, conn, &path, err);
	if (good) {
		rc = sqlite3_open_v2(path, &conn->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
		                     NULL);
		sqlite3_busy_handler(conn->handle, on_busy, conn);
		sqlite3_progress_handler(conn->handle, 2000, on_progress, conn);
		sqlite3_set_authorizer(conn->handle, on_action, conn);
		good =
			(rc == SQLITE_OK || fail(conn, rc, err)) && db_exec(&conn->db, "SELECT 1 FROM sqlite_master LIMIT 1", err);
	}
	if (!good) {
		err_wrap(err, "database file of %s", db->name);
		mini_close(&conn);
	}
	return conn;
}

/* [any]: sqlite3_interrupt may be called on any thread. The flag stops what begins a moment later in the same call. */
void mini_cancel(struct viewd_conn *conn)
{
	atomic_store(&conn->cancelled, true);
	sqlite3_interrupt(conn->handle);
}

/* A new call of the daemon: a cancel that came too late for the last one is forgotten. */
void mini_enter(struct db *db)
{
	atomic_store(&mini_conn(db)->cancelled, false);
	mini_conn(db)->deadline_us = 0;
}

bool mini_alive(struct viewd_conn *conn)
{
	mini_enter(&conn->db);
	return db_exec(&conn->db, "SELECT 1 FROM sqlite_master LIMIT 1", NULL);
}

bool mini_set_limits(struct db *db, int64_t timeout_us, int64_t lock_timeout_us, struct viewd_err *err UNUSED)
{
	mini_conn(db)->deadline_us = timeout_us > 0 ? mono_us() + timeout_us : 0;
	mini_conn(db)->lock_timeout_us = lock_timeout_us;
	return true;
}

/* ---- 3. running a statement ------------------------------------------------------------------------------------- */

bool mini_prepare(struct viewd_conn *conn, const char *sql, enum guard guard, sqlite3_stmt **out, struct viewd_err *err)
{
	const char *tail = "";
	if (is_stopped(conn))
		return fail(conn, SQLITE_INTERRUPT, err);
	conn->guard = guard;
	conn->refused = false;
	int rc = sqlite3_prepare_v2(conn->handle, sql, -1, out, &tail);
	conn->guard = GUARD_OWN;
	if (rc != SQLITE_OK)
		return fail(conn, rc, err);
	if (*out != NULL && tail[strspn(tail, " \t\r\n")] == '\0')
		return true;
	sqlite3_finalize(*out);
	return err_set(err, VIEWD_ERR_QUERY, "statement is empty or holds more than one");
}

/* One row as text, judged and handed over by db_give. */
static bool give_row(sqlite3_stmt *stmt, const struct db_reader *row, void *ctx, bool *more_r, struct viewd_err *err)
{
	const char *values[64];
	int n = sqlite3_column_count(stmt);
	n = n < (int)ARRAY_LEN(values) ? n : (int)ARRAY_LEN(values);
	for (int i = 0; i < n; i++)
		values[i] = (const char *)sqlite3_column_text(stmt, i);
	return db_give(row, ctx, values, (size_t)n, more_r, err);
}

static bool run(struct viewd_conn *conn, const char *sql, enum guard guard, const char *const *params, size_t n_params,
                const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	sqlite3_stmt *stmt = NULL;
	bool more = true, good = mini_prepare(conn, sql, guard, &stmt, err);
	if (!good)
		return false;
	for (size_t i = 0; i < n_params; i++)
		sqlite3_bind_text(stmt, (int)i + 1, params[i], -1, SQLITE_STATIC);
	int rc = SQLITE_DONE;
	while (good && more && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
		good = row == NULL || give_row(stmt, row, ctx, &more, err);
	if (good && more && rc != SQLITE_DONE)
		good = fail(conn, rc, err);
	sqlite3_finalize(stmt);
	return good;
}

bool mini_exec(struct db *db, const char *sql, const char *const *params, size_t n_params, int64_t *affected_r,
               struct viewd_err *err)
{
	if (!run(mini_conn(db), sql, GUARD_OWN, params, n_params, NULL, NULL, err))
		return false;
	if (affected_r != NULL)
		*affected_r = sqlite3_changes64(mini_conn(db)->handle);
	return true;
}

bool mini_query(struct db *db, const char *sql, const char *const *params, size_t n_params, const struct db_reader *row,
                void *ctx, struct viewd_err *err)
{
	return run(mini_conn(db), sql, GUARD_OWN, params, n_params, row, ctx, err);
}

/* A transaction that has read cannot write after somebody else's commit: writers take the lock at once. */
bool mini_begin(struct db *db, enum db_begin how, struct viewd_err *err)
{
	const char *sql = how == DB_BEGIN_SNAPSHOT ? "BEGIN" : "BEGIN IMMEDIATE";
	return run(mini_conn(db), sql, GUARD_NONE, NULL, 0, NULL, NULL, err);
}

bool mini_commit(struct db *db, struct viewd_err *err)
{
	return run(mini_conn(db), "COMMIT", GUARD_NONE, NULL, 0, NULL, NULL, err);
}

/* Some failures have rolled back already. A cancel must not stop the rollback. */
void mini_rollback(struct db *db)
{
	struct viewd_err failure;
	mini_enter(db);
	if (!sqlite3_get_autocommit(mini_conn(db)->handle) &&
	    !run(mini_conn(db), "ROLLBACK", GUARD_NONE, NULL, 0, NULL, NULL, &failure))
		db_log(db, VIEWD_LOG_WARNING, "database '%s', rollback failed (%s)", db->database_name, failure.msg);
}
