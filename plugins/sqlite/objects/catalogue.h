/* SPDX-License-Identifier: MIT
 *
 * catalogue.h: finds what exists in the file, and the columns of a query. Functions run on the thread of their
 * connection.
 */
#ifndef VIEWD_SQLITE_OBJECTS_CATALOGUE_H
#define VIEWD_SQLITE_OBJECTS_CATALOGUE_H

#include "sqlite/conn/conn.h"

/* ---- catalogue.c */

bool sqlite_op_find_object(struct db *db, const struct relation *rel, struct db_object *out, struct viewd_err *err);
bool sqlite_op_list_indexes(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                            struct viewd_err *err);
bool sqlite_op_list_dependants(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                               struct viewd_err *err);
bool sqlite_op_view_text(struct db *db, void *mem_ctx, const struct relation *rel, char **text_r,
                         struct viewd_err *err);
bool sqlite_op_wanted_canonical(struct task *task, char out[static 65], struct viewd_err *err);

bool sqlite_op_lacking(struct db *db, const char *definition, const struct viewd_err *failure,
                       struct viewd_source_sink missing, struct viewd_err *err);

/* The text after the first AS of a CREATE VIEW outside quotes. */
const char *sqlite_view_definition(const char *sql);

/* ---- rename.c */

bool sqlite_op_rename(struct db *db, enum viewd_kind kind, const struct relation *from, const struct relation *to,
                      struct viewd_err *err);

/* ---- columns.c */

/* A type with the affinity of a declared one. strict: of a STRICT table. */
const char *sqlite_affinity(const char *type, bool strict);
/* The collation of a table's column; "BINARY" where there is none. Lives as long as the schema stays. */
const char *sqlite_collation(struct viewd_conn *conn, const char *table, const char *column);
bool sqlite_op_query_columns(struct db *db, const char *query, const struct db_reader *row, void *ctx,
                             struct viewd_err *err);

#endif
