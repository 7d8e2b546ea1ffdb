/* SPDX-License-Identifier: MIT
 *
 * stmt.h: a statement that grows together with its parameters, for the state tables. Functions run on the thread of
 * their connection.
 */
#ifndef VIEWD_COMMON_STATE_STMT_H
#define VIEWD_COMMON_STATE_STMT_H

#include "common/conn/db.h"

#define STMT_MAX_PARAMS 16

struct stmt {
	struct db *db;
	char *sql; /* talloc'ed; stmt_run and stmt_query free it */
	const char *params[STMT_MAX_PARAMS];
	size_t n;
};

struct stmt stmt_new(struct db *db);

/* One that begins with these texts, the state table named between them. */
struct stmt stmt_of(struct db *db, const char *before, const char *table, const char *after);

/* Appends text as it is; a quoted column name; several, separated by commas. */
void stmt_text(struct stmt *st, const char *text);
void stmt_name(struct stmt *st, const char *column);
void stmt_names(struct stmt *st, const char *const *names, size_t n);

/* A placeholder with its value: text (must live until the statement has run; NULL = SQL NULL), a number (negative =
 * NULL), a time (0 = NULL). */
void stmt_param(struct stmt *st, const char *text);
void stmt_number(struct stmt *st, int64_t n);
void stmt_integer(struct stmt *st, int64_t n); /* negative ones as they are */
void stmt_time(struct stmt *st, int64_t us);

/* ", column" as text that timetext_parse() reads. */
void stmt_time_out(struct stmt *st, const char *column);

/* Runs the statement and frees it, whatever happens. */
bool stmt_run(struct stmt *st, struct viewd_err *err) MUST_CHECK;
bool stmt_query(struct stmt *st, const struct db_reader *row, void *ctx, struct viewd_err *err) MUST_CHECK;

/* stmt_run and stmt_query, with what the engine makes of exec_later and query_later (db.h). */
bool stmt_run_later(struct stmt *st, struct viewd_err *err) MUST_CHECK;
bool stmt_query_later(struct stmt *st, const struct db_reader *row, void *ctx, struct viewd_err *err) MUST_CHECK;

#endif
