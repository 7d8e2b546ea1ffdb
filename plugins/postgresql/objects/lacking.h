/* SPDX-License-Identifier: MIT
 *
 * lacking.h: what a definition reads that is not there, and where its names lead. Functions run on the thread of their
 * connection.
 */
#ifndef VIEWD_POSTGRESQL_OBJECTS_LACKING_H
#define VIEWD_POSTGRESQL_OBJECTS_LACKING_H

#include "postgresql/pg.h"

/* db_ops.catalogue */
bool pg_op_lacking(struct db *db, const char *definition, const struct viewd_err *failure,
                   struct viewd_source_sink missing, struct viewd_err *err);
bool pg_op_is_on_path(struct db *db, const char *schema, bool *yes_r, struct viewd_err *err);

#endif
