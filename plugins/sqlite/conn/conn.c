/* SPDX-License-Identifier: MIT */
#include "sqlite/conn/conn.h"

#include "base/err.h"
#include "sqlite/conn/files.h"
#include "sqlite/conn/path.h"
#include "sqlite/conn/prepared.h"
#include "sqlite/conn/syntax.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>

#define OPEN_LOCK_TIMEOUT_US INT64_C(2000000)

const struct viewd_dialect_option sqlite_options[SQLITE_N_OPTIONS] = {
	{"sqlite_allow_network", "no", "whether the file may be on a network file system",
     "SQLite's locks are unreliable over a network, and the database can be corrupted. So with no, viewd refuses such "
     "a file."},
};

static const char *option(const struct viewd_database_spec *db, const char *key)
{
	for (size_t i = 0; i < db->n_options; i++)
		if (strcmp(db->options[i].key, key) == 0)
			return db->options[i].value;
	return NULL;
}

/* yes/no as everywhere in the files; an unknown word is an error. */
static bool read_flag(const struct viewd_database_spec *db, const char *key, bool *out_r, struct viewd_err *err)
{
	static const char *const yes[] = {"yes", "true", "on"}, *const no[] = {"no", "false", "off"};
	const char *value = option(db, key);
	*out_r = false;
	for (size_t i = 0; value != NULL && i < ARRAY_LEN(yes); i++) {
		if (strcmp(value, no[i]) == 0)
			return true;
		if (strcmp(value, yes[i]) == 0) {
			*out_r = true;
			return true;
		}
	}
	return value == NULL || err_set(err, VIEWD_ERR_CONFIG, "%s is '%s', but it must be yes or no", key, value);
}

bool sqlite_check_database(const struct viewd_database_spec *db, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	struct sqlite_path path;
	bool network;
	bool good = sqlite_path_parse(mem, db, &path, err) && read_flag(db, "sqlite_allow_network", &network, err);
	talloc_free(mem);
	return good;
}

/* https://sqlite.org/security.html: nothing outside this one file, no code from it. What views and triggers may call is
 * the authorizer's to say; an untrusted schema would also keep the application's from FTS. Text in double quotes that
 * names no column is a string where the application's SQLite takes it for one, else its views would mean something else
 * here. Where viewd names columns in statements around a definition it says of what (syntax->lexer.quoted_may_be_text);
 * in what it defines itself it allows no such string. */
static bool harden(struct viewd_conn *conn, struct viewd_err *err)
{
	static const struct {
		int op;
		int value;
	} settings[] = {
		{SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
		{SQLITE_DBCONFIG_DEFENSIVE, 1},
		{SQLITE_DBCONFIG_DQS_DDL, 0},
	};
	sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_DQS_DDL, -1, &conn->quoted_text);
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		int rc = sqlite3_db_config(conn->handle, settings[i].op, settings[i].value, (int *)NULL);
		if (rc != SQLITE_OK)
			return sqlite_error(conn, rc, err);
	}
	sqlite3_limit(conn->handle, SQLITE_LIMIT_ATTACHED, 0);
	sqlite_authorizer_install(conn);
	sqlite_busy_install(conn);
	return true;
}

static bool read_mode_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	*(bool *)ctx = values[0] != NULL && strcmp(values[0], "wal") == 0;
	return false;
}

static const struct db_reader read_mode[] = {{read_mode_fn, "T", "the journal mode"}};

/* Reads the header, so that a file that is no database is found out now. The journal mode is the administrator's
 * decision. */
static bool look_at_file(struct viewd_conn *conn, struct viewd_err *err)
{
	bool wal = false;
	struct stat st;
	conn->guard = SQLITE_GUARD_INTERNAL;
	bool done = sqlite_op_query(&conn->db, "PRAGMA journal_mode", NULL, 0, read_mode, &wal, err) &&
	            sqlite_internal(conn, "SELECT count(*) FROM sqlite_master", err);
	conn->guard = SQLITE_GUARD_NORMAL;
	if (!done)
		return err_wrap(err, "database file '%s'", conn->path);
	if (!wal)
		db_log(&conn->db, VIEWD_LOG_INFO, "database '%s' is not in WAL mode, readers may wait while a view is written",
		       conn->db.database_name);
	if (stat(conn->path, &st) == 0) {
		conn->dev = st.st_dev;
		conn->ino = st.st_ino;
	}
	sqlite_files_share(conn->path);
	conn->log = talloc_asprintf(conn, "%s-wal", conn->path);
	if (wal && stat(conn->log, &st) == 0)
		conn->log_ino = st.st_ino;
	return true;
}

/* While a connection is open nobody has a reason to remove the write-ahead log; who does it takes the last transactions
 * away. */
static bool has_lost_log(const struct viewd_conn *conn)
{
	struct stat st;
	return conn->log_ino != 0 && (stat(conn->log, &st) != 0 || st.st_ino != conn->log_ino);
}

/* The last one of a file to close writes the log back, which would put old pages over what others have written since
 * without it. */
static int destroy(struct viewd_conn *conn)
{
	sqlite_prepared_end(conn);
	if (has_lost_log(conn))
		sqlite3_db_config(conn->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, (int *)NULL);
	sqlite3_close_v2(conn->handle);
	sqlite_files_end(conn);
	return 0;
}

/* Asked before SQLite is: it falls back to reading what it may not write, and leaves a log beside it that the
 * database's owner cannot write. */
static bool require_writable(const char *path, struct viewd_err *err)
{
	char why[512];
	sqlite_files_explain(path, why, sizeof why);
	return why[0] == '\0' || err_set(err, VIEWD_ERR_CONNECT, "database file '%s' cannot be written (%s)", path, why);
}

static bool connect_file(struct viewd_conn *conn, const struct sqlite_path *path, struct viewd_err *err)
{
	int flags =
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (path->create ? SQLITE_OPEN_CREATE : 0);
	if (!require_writable(path->path, err) || !sqlite_files_check(path->path, err))
		return false;
	int rc = sqlite_files_open(conn, path->path, flags);
	if (conn->handle == NULL)
		return err_set(err, VIEWD_ERR_RESOURCE, "database file '%s' cannot be opened (out of memory)", path->path);
	if (rc != SQLITE_OK) {
		sqlite_error(conn, rc, err);
		return err_wrap(err, "database file '%s'", path->path);
	}
	return harden(conn, err) && look_at_file(conn, err);
}

struct viewd_conn *sqlite_conn_open(const struct viewd_host *host, const struct viewd_database_spec *db,
                                    struct viewd_err *err)
{
	struct viewd_conn *conn = talloc_zero(NULL, struct viewd_conn);
	struct sqlite_path path;
	bool network;
	assert(conn != NULL);
	talloc_set_destructor(conn, destroy);
	conn->db = (struct db){
		.syntax = &sqlite_syntax, .ops = &sqlite_ops, .host = host, .database_name = talloc_strdup(conn, db->name)};
	conn->lock_timeout_us = OPEN_LOCK_TIMEOUT_US;
	if (sqlite_path_parse(conn, db, &path, err) && read_flag(db, "sqlite_allow_network", &network, err) &&
	    sqlite_path_check(&path, network, err)) {
		conn->path = path.path;
		if (connect_file(conn, &path, err))
			return conn;
	}
	sqlite_conn_close(&conn);
	return NULL;
}

void sqlite_conn_close(struct viewd_conn **conn)
{
	TALLOC_FREE(*conn);
}

/* sqlite3_interrupt may be called from any thread while the connection is open
 * (https://sqlite.org/c3ref/interrupt.html); the flag also stops what begins a moment later in the same call. */
void sqlite_conn_cancel(struct viewd_conn *conn)
{
	atomic_store(&conn->cancelled, true);
	sqlite3_interrupt(conn->handle);
}

bool sqlite_conn_has_file(struct viewd_conn *conn, struct viewd_err *err)
{
	struct stat st;
	if (stat(conn->path, &st) == 0 && st.st_dev == conn->dev && st.st_ino == conn->ino && !has_lost_log(conn))
		return true;
	return err_set(err, VIEWD_ERR_CONNECT, "database file '%s' or its write-ahead log is gone or was replaced",
	               conn->path);
}

bool sqlite_conn_alive(struct viewd_conn *conn)
{
	struct viewd_err ignored;
	if (!sqlite_conn_has_file(conn, &ignored))
		return false;
	sqlite_op_enter(&conn->db);
	return sqlite_internal(conn, "SELECT 1 FROM sqlite_master LIMIT 1", &ignored);
}
