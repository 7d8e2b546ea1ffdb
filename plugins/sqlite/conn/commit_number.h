/* SPDX-License-Identifier: MIT
 *
 * commit_number.h: changes noticed by the number of the last commit. Functions run on the thread of their connection.
 */
#ifndef VIEWD_SQLITE_CONN_COMMIT_NUMBER_H
#define VIEWD_SQLITE_CONN_COMMIT_NUMBER_H

#include "sqlite/conn/conn.h"

/* In a write transaction, right before its commit: raises the marks of what is polled if others have committed since
 * viewd's last commit, and writes the number of this one down. */
bool sqlite_poll_commit(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Is any source noticed so? */
bool sqlite_poll_is_polled(struct viewd_conn *conn, bool *polled_r, struct viewd_err *err) MUST_CHECK;
/* Outside a transaction. first: since the watch was opened. CONFLICT: the application writes. */
bool sqlite_poll_look(struct viewd_conn *conn, bool first, struct viewd_err *err) MUST_CHECK;

#endif
