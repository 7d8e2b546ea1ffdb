/* SPDX-License-Identifier: MIT
 *
 * db.h: the few things a recipe needs from a connection, as a table of functions that each dialect fills.
 *
 * A dialect's struct viewd_conn embeds struct db as its first member. Recipes (create, replace, refresh, verify, state) are
 * written once against struct db; what is truly an engine's own (catalogue look-ups, replacing with dependants, rename
 * swap details) comes in through the hooks.
 */
#ifndef VIEWD_COMMON_DB_H
#define VIEWD_COMMON_DB_H

#include "base/check.h"
#include "common/ident.h"
#include "common/syntax.h"

struct db;

/* Called for each row; values[i] is NULL for SQL NULL. Returning false stops reading (not an error). */
typedef bool db_row_fn(void *ctx, const char *const *values, size_t n);

enum db_begin {
	DB_BEGIN_WRITE,    /* a transaction that will write: READ COMMITTED / IMMEDIATE */
	DB_BEGIN_SNAPSHOT, /* one snapshot for everything read: REPEATABLE READ / one read transaction */
};

/* The object of a given name, as the catalogue knows it. */
struct db_object {
	enum viewd_kind kind;
	char schema[IDENT_MAX];
	char name[IDENT_MAX];
	char identity[128];   /* the engine's proof that it is the same object later (oid, tag): stored in the state row */
	char canonical[65];   /* digest of the definition as the server stores it, without what the server adds by itself */
	bool populated;
	bool can_concurrently; /* populated and a usable unique index exists */
	char detail[256];
};

struct db_ops {
	/* One statement, no result rows. params are text (NULL = SQL NULL). affected_r may be NULL. */
	bool (*exec)(struct db *db, const char *sql, const char *const *params, size_t n_params, int64_t *affected_r,
	             struct viewd_err *err);
	/* One statement with result rows as text. */
	bool (*query)(struct db *db, const char *sql, const char *const *params, size_t n_params, db_row_fn *row, void *ctx,
	              struct viewd_err *err);
	bool (*begin)(struct db *db, enum db_begin how, struct viewd_err *err);
	bool (*commit)(struct db *db, struct viewd_err *err); /* connection lost inside COMMIT: VIEWD_ERR_LOST */
	void (*rollback)(struct db *db);                      /* never fails; harmless outside a transaction */

	/* Sets statement and lock limits for what follows in this session or transaction. */
	bool (*set_limits)(struct db *db, int64_t timeout_us, int64_t lock_timeout_us, struct viewd_err *err);

	/* Looks rel up (rel->schema may be empty: the engine's default place, filled in on return). kind NONE when absent. */
	bool (*find_object)(struct db *db, const struct relation *rel, struct db_object *out, struct viewd_err *err);

	/* Lists what the view's definition reads, through plain views too. */
	bool (*list_sources)(struct db *db, const struct viewd_view_spec *view, const struct relation *rel,
	                     struct viewd_source_sink sink, struct viewd_err *err);

	/* Column names and types a query yields, in order: row(ctx, {name, type}, 2). type is what CREATE TABLE would take. */
	bool (*query_columns)(struct db *db, const char *query, db_row_fn *row, void *ctx, struct viewd_err *err);

	/* Does the named index exist on the relation with this digest? Declared indexes are named by index_name(). */
	bool (*list_indexes)(struct db *db, const struct relation *rel, db_row_fn *row, void *ctx, struct viewd_err *err);
};

struct db {
	const struct syntax *syntax;
	const struct db_ops *ops;
	const struct viewd_host *host;
	const char *database_name; /* for messages */
};

#endif
