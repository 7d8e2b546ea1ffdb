/* SPDX-License-Identifier: MIT
 *
 * leave.h: lists what takes viewd out of a file. Functions run on the thread of their connection.
 */
#ifndef VIEWD_SQLITE_LEAVE_H
#define VIEWD_SQLITE_LEAVE_H

#include "sqlite/conn/conn.h"

bool sqlite_op_list_leavings(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);

#endif
