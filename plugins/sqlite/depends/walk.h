/* SPDX-License-Identifier: MIT
 *
 * walk.h: what a definition reads (walk.c), and what the analysis knows of it (know.c). Functions run on the thread of
 * their connection.
 */
#ifndef VIEWD_SQLITE_DEPENDS_WALK_H
#define VIEWD_SQLITE_DEPENDS_WALK_H

#include "sqlite/conn/conn.h"

/* ---- walk.c */

bool sqlite_op_list_sources(struct db *db, const char *definition, struct viewd_source_sink sink,
                            struct viewd_err *err);
bool sqlite_op_walk(struct db *db, const struct viewd_view_spec *view, const char *definition,
                    struct dependencies *list, struct viewd_err *err);
bool sqlite_op_changed_objects(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);

/* ---- know.c */

bool sqlite_op_know(struct db *db, const char *names, struct knowledge *out, struct viewd_err *err);

#endif
