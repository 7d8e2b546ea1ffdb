/* SPDX-License-Identifier: MIT
 *
 * restored.h: has the file been restored under the watch? Functions run on the thread of their connection.
 */
#ifndef VIEWD_SQLITE_WATCH_RESTORED_H
#define VIEWD_SQLITE_WATCH_RESTORED_H

#include "sqlite/conn/conn.h"

/* *seen (NULL at first, hangs on the connection) is what the last look has found. Outside a transaction. */
struct sqlite_marks_seen;
bool sqlite_look_for_restore(struct viewd_conn *conn, struct sqlite_marks_seen **seen,
                             struct viewd_err *err) MUST_CHECK;

#endif
