/* SPDX-License-Identifier: MIT
 *
 * replace.h: a view gets another definition, method or set of columns. Functions run on the thread of their connection.
 */
#ifndef VIEWD_SQLITE_REFRESH_REPLACE_H
#define VIEWD_SQLITE_REFRESH_REPLACE_H

#include "sqlite/conn/conn.h"

bool sqlite_op_replace(struct task *task, struct viewd_outcome *out, struct viewd_err *err);

#endif
