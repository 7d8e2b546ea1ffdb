/* SPDX-License-Identifier: MIT
 *
 * conn.h: one SQLite connection, and statements on it. Private to the dialect; everything runs on the connection's
 * worker thread except sqlite_conn_cancel.
 */
#ifndef VIEWD_SQLITE_CONN_CONN_H
#define VIEWD_SQLITE_CONN_CONN_H

#include "common/conn/db.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/types.h>

/* Statements that the authorizer lets through. */
enum sqlite_guard {
	SQLITE_GUARD_NORMAL,     /* viewd's own statements, with a user's definition inside */
	SQLITE_GUARD_INTERNAL,   /* fixed statements of this dialect: transactions, pragmas */
	SQLITE_GUARD_DEFINITION, /* a bare definition: reading only */
};

struct sqlite_sources; /* definition.h */

struct viewd_conn {
	struct db db; /* first: see common/dialect.h */
	sqlite3 *handle;
	struct sqlite_layer *layer; /* files.c */
	char *path;
	dev_t dev;
	ino_t ino;
	char *log;     /* path of the write-ahead log */
	ino_t log_ino; /* 0: the file had none */
	enum sqlite_guard guard;
	struct sqlite_sources *sources; /* set while a definition is prepared for its sources */
	/* Set while a definition is prepared: tables that belong to virtual ones; NULL ends. NULL: none */
	char **shadows;
	bool writes;       /* the present statement would write the file */
	bool writing;      /* in a transaction that may write it */
	bool side_writes;  /* and a trigger of somebody's has written in it */
	char refused[256]; /* why the authorizer has refused the present statement; "" it has not */
	int quoted_text;   /* the library's default: text in double quotes may be a string in DDL */
	struct {
		char **texts;
		size_t n;
	} told;                           /* texts in double quotes that have been warned of */
	struct sqlite_prepared *prepared; /* prepared.c: prepared statements; NULL: none */
	struct sqlite_known *known;       /* objects/known.c; NULL: nothing is known */
	int64_t deadline_us;              /* monotonic; 0: none */
	int64_t lock_timeout_us;
	int64_t busy_until_us; /* end of the present wait for a lock */
	bool timed_out;
	atomic_bool cancelled;
};

static inline struct viewd_conn *sqlite_conn_of(struct db *db)
{
	return CONTAINER_OF(db, struct viewd_conn, db);
}

#define SQLITE_N_OPTIONS 1

extern const struct db_ops sqlite_ops; /* sqlite.c */

/* conn.c */
struct viewd_conn *sqlite_conn_open(const struct viewd_host *host, const struct viewd_database_spec *db,
                                    struct viewd_err *err);
void sqlite_conn_close(struct viewd_conn **conn);
void sqlite_conn_cancel(struct viewd_conn *conn); /* [any] */
bool sqlite_conn_alive(struct viewd_conn *conn);
/* The file may have been replaced under the same name (a restored backup): then this connection reads and writes into
 * nowhere. */
bool sqlite_conn_has_file(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
extern const struct viewd_dialect_option sqlite_options[SQLITE_N_OPTIONS];
bool sqlite_check_database(const struct viewd_database_spec *db, struct viewd_err *err);

/* busy.c: waiting for locks, deadlines, cancelling */
int64_t sqlite_mono_us(void);
void sqlite_busy_install(struct viewd_conn *conn);
void sqlite_op_enter(struct db *db);
bool sqlite_op_set_limits(struct db *db, int64_t timeout_us, int64_t lock_timeout_us, struct viewd_err *err);
/* Has the call been cancelled, or its time run out? */
bool sqlite_stopped(struct viewd_conn *conn);

/* errors.c: fills err from the last failure of the connection; returns false. */
bool sqlite_error(struct viewd_conn *conn, int code, struct viewd_err *err);

/* authorizer.c */
void sqlite_authorizer_install(struct viewd_conn *conn);

/* exec.c */
/* Before a statement begins: the call was not cancelled, nor has its time run out. */
bool sqlite_may_begin(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
bool sqlite_prepare(struct viewd_conn *conn, const char *sql, sqlite3_stmt **out, struct viewd_err *err) MUST_CHECK;
bool sqlite_op_exec(struct db *db, const char *sql, const char *const *params, size_t n_params, int64_t *affected_r,
                    struct viewd_err *err);
bool sqlite_op_query(struct db *db, const char *sql, const char *const *params, size_t n_params,
                     const struct db_reader *row, void *ctx, struct viewd_err *err);
bool sqlite_op_begin(struct db *db, enum db_begin how, struct viewd_err *err);
bool sqlite_op_commit(struct db *db, struct viewd_err *err);
void sqlite_op_rollback(struct db *db);
/* One fixed statement of this dialect. */
bool sqlite_internal(struct viewd_conn *conn, const char *sql, struct viewd_err *err) MUST_CHECK;

#endif
