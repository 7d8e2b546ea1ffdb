/* SPDX-License-Identifier: MIT
 *
 * conn.h: one SQLite connection. Private to the dialect; everything runs on the connection's worker thread except
 * sqlite_conn_cancel.
 */
#ifndef VIEWD_SQLITE_CONN_CONN_H
#define VIEWD_SQLITE_CONN_CONN_H

#include "common/conn/db.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/types.h>

/* What the authorizer lets through. */
enum sqlite_guard {
	SQLITE_GUARD_NORMAL,     /* viewd's own statements, with a user's definition inside */
	SQLITE_GUARD_INTERNAL,   /* fixed statements of this dialect: transactions, pragmas */
	SQLITE_GUARD_DEFINITION, /* a bare definition: reading only */
};

/* What the authorizer has seen. */
struct sqlite_source {
	char *name;
	bool read; /* as a table; else only as where something is read, which may be a common table expression */
};
struct sqlite_sources {
	void *mem;
	struct sqlite_source *items;
	size_t n;
	char **functions; /* those without a stable result */
	size_t n_functions;
};

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
	char **told;       /* texts in double quotes that have been warned of */
	size_t n_told;
	struct sqlite_known *known; /* columns.c: what queries yield; NULL: nothing is known */
	int64_t deadline_us;        /* monotonic; 0: none */
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

extern const struct db_ops sqlite_ops; /* dialect.c */

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

/* error.c: fills err from the last failure of the connection; returns false. */
bool sqlite_error(struct viewd_conn *conn, int code, struct viewd_err *err);

/* authorizer.c */
void sqlite_authorizer_install(struct viewd_conn *conn);

/* statement.c */
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

/* catalogue.c */
bool sqlite_op_find_object(struct db *db, const struct relation *rel, struct db_object *out, struct viewd_err *err);
bool sqlite_op_list_indexes(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                            struct viewd_err *err);
bool sqlite_op_list_dependants(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                               struct viewd_err *err);
bool sqlite_op_view_text(struct db *db, void *mem_ctx, const struct relation *rel, char **text_r,
                         struct viewd_err *err);
bool sqlite_op_wanted_canonical(struct task *task, char out[static 65], struct viewd_err *err);

/* query.c: compiling a definition, and what it reads. Compiles under the reading-only guard; what it reads is added to
 * sources. */
bool sqlite_prepare_definition(struct viewd_conn *conn, const char *definition, struct sqlite_sources *sources,
                               sqlite3_stmt **out, struct viewd_err *err) MUST_CHECK;
bool sqlite_op_list_sources(struct db *db, const char *definition, struct viewd_source_sink sink,
                            struct viewd_err *err);
/* The number that grows with every change of the file's schema. */
bool sqlite_schema_version(struct db *db, char out[static 24], struct viewd_err *err) MUST_CHECK;
/* What it reads, and nothing of what modules do beside it. */
bool sqlite_read_definition(struct db *db, const char *definition, struct sqlite_sources *sources,
                            struct viewd_err *err) MUST_CHECK;
/* Called by the authorizer for each table read, each view opened, each function. */
void sqlite_sources_note(struct sqlite_sources *sources, const char *name, bool read);
void sqlite_sources_note_function(struct sqlite_sources *sources, const char *name);

/* restored.c: *seen (NULL at first, hangs on the connection) is what the last look has found. Outside a transaction. */
struct sqlite_marks_seen;
bool sqlite_look_for_restore(struct viewd_conn *conn, struct sqlite_marks_seen **seen,
                             struct viewd_err *err) MUST_CHECK;

/* commit_number.c: in a write transaction, right before its commit: others have committed since viewd's last, or
 * not. */
bool sqlite_poll_commit(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
bool sqlite_poll_is_polled(struct viewd_conn *conn, bool *polled_r, struct viewd_err *err) MUST_CHECK;
/* Outside a transaction. first: since the watch was opened. CONFLICT: the application writes. */
bool sqlite_poll_look(struct viewd_conn *conn, bool first, struct viewd_err *err) MUST_CHECK;

/* walk.c */
bool sqlite_op_walk(struct db *db, const struct viewd_view_spec *view, const char *definition,
                    struct dependencies *list, struct viewd_err *err);
bool sqlite_op_know(struct db *db, const char *names, struct knowledge *out, struct viewd_err *err);
bool sqlite_op_changed_objects(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);

/* columns.c */
bool sqlite_op_query_columns(struct db *db, const char *query, const struct db_reader *row, void *ctx,
                             struct viewd_err *err);

/* trigger.c */
bool sqlite_op_choose_capture(struct db *db, enum viewd_capture wanted, const struct relation *sources, size_t n,
                              struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err);
bool sqlite_op_make_trigger(struct db *db, const struct relation *source, struct viewd_err *err);
bool sqlite_op_list_triggers(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);
bool sqlite_op_drop_trigger(struct db *db, const char *source, struct viewd_err *err);
/* Tables that were dropped and made again get their triggers back, and their views are marked. */
bool sqlite_mend_triggers(struct db *db, struct viewd_err *err) MUST_CHECK;

/* leave.c */
/* SQL: how viewd's triggers are told from others, in sqlite_master: by name, and by what they do. */
#define SQLITE_OWN_TRIGGERS "type = 'trigger' AND name GLOB 'viewd_[iud]_*' AND sql GLOB '*UPDATE viewd_captures SET *'"
bool sqlite_op_list_leavings(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);

/* replace.c */
bool sqlite_op_replace(struct task *task, struct viewd_outcome *out, struct viewd_err *err);

#endif
