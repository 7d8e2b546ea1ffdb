/* SPDX-License-Identifier: MIT
 *
 * litemini.h: what the files of this dialect share.
 */
#ifndef LITEMINI_H
#define LITEMINI_H

#include "common/conn/db.h"

#include <sqlite3.h>
#include <stdatomic.h>

/* Things that an authorizer allows. */
enum guard {
	GUARD_OWN,        /* statements of the common library, with the user's definition or hook inside */
	GUARD_DEFINITION, /* a bare definition, which may only read; what it reads is noted */
	GUARD_NONE,       /* fixed statements of conn.c */
};

struct viewd_conn {
	struct db db; /* first: the common library treats one as the other */
	sqlite3 *handle;
	enum guard guard;
	bool refused;        /* by the authorizer */
	int64_t deadline_us; /* monotonic; 0: none */
	int64_t lock_timeout_us;
	int64_t busy_until_us; /* end of the present wait for a lock */
	atomic_bool cancelled; /* set by another thread */
	char **names;          /* what a definition reads, talloc'ed on names_mem */
	void *names_mem;
};

static inline struct viewd_conn *mini_conn(struct db *db)
{
	return CONTAINER_OF(db, struct viewd_conn, db);
}

/* ---- litemini.c */

extern const struct syntax mini_syntax;
extern const struct db_ops mini_ops;

/* ---- conn.c: sections 2 and 3 */

bool mini_check_database(const struct viewd_database_spec *db, struct viewd_err *err);
void mini_close(struct viewd_conn **conn);
struct viewd_conn *mini_open(const struct viewd_host *host, const struct viewd_database_spec *db,
                             struct viewd_err *err);
void mini_cancel(struct viewd_conn *conn);
bool mini_alive(struct viewd_conn *conn);
void mini_enter(struct db *db);
bool mini_set_limits(struct db *db, int64_t timeout_us, int64_t lock_timeout_us, struct viewd_err *err);
/* Compiles one statement as the guard allows. */
bool mini_prepare(struct viewd_conn *conn, const char *sql, enum guard guard, sqlite3_stmt **out,
                  struct viewd_err *err);
bool mini_exec(struct db *db, const char *sql, const char *const *params, size_t n_params, int64_t *affected_r,
               struct viewd_err *err);
bool mini_query(struct db *db, const char *sql, const char *const *params, size_t n_params, const struct db_reader *row,
                void *ctx, struct viewd_err *err);
bool mini_begin(struct db *db, enum db_begin how, struct viewd_err *err);
bool mini_commit(struct db *db, struct viewd_err *err);
void mini_rollback(struct db *db);

/* ---- catalogue.c: section 4 */

bool mini_find_object(struct db *db, const struct relation *rel, struct db_object *out, struct viewd_err *err);
bool mini_list_indexes(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                       struct viewd_err *err);
bool mini_list_dependants(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                          struct viewd_err *err);
bool mini_wanted_canonical(struct task *task, char out[static 65], struct viewd_err *err);
bool mini_list_sources(struct db *db, const char *definition, struct viewd_source_sink sink, struct viewd_err *err);
bool mini_query_columns(struct db *db, const char *query, const struct db_reader *row, void *ctx,
                        struct viewd_err *err);

#endif
