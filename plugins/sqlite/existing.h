/* SPDX-License-Identifier: MIT
 *
 * existing.h: the views that a file has before viewd comes. Functions run on the thread of their connection.
 */
#ifndef VIEWD_SQLITE_EXISTING_H
#define VIEWD_SQLITE_EXISTING_H

#include "sqlite/conn/conn.h"

/* As db_ops says; there is one schema, main. */
bool sqlite_op_list_existing(struct db *db, const char *schema, const struct db_reader *row, void *ctx,
                             struct viewd_err *err);

#endif
