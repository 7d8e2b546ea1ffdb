/* SPDX-License-Identifier: MIT
 *
 * elsewhere.h: rows that a standby computes (docs/adr/034). Functions run on the thread of their connection.
 */
#ifndef VIEWD_POSTGRESQL_REFRESH_ELSEWHERE_H
#define VIEWD_POSTGRESQL_REFRESH_ELSEWHERE_H

#include "postgresql/pg.h"

/* ---- elsewhere.c: db_ops.refresh, with read_url */
bool pg_op_find_elsewhere(struct task *task, bool *found_r, struct viewd_err *err);
bool pg_op_fetch_elsewhere(struct task *task, struct relation *rows_r, struct viewd_err *err);

/* ---- standby.c */

/* Waits until the standby has replayed everything that is committed on conn's server, 30 seconds at most; opens a
 * session there (conn->reading.conn) where there is none that works. Outside a transaction, after what the rows must
 * contain was read. Class RESOURCE, whatever the standby's trouble is, or what conn's own question has met. */
bool pg_standby_ready(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;

/* Turns a failure of the standby into one of the view: nothing is wrong with the database. Closes a session that cannot
 * be used any more. false. */
bool pg_standby_failed(struct viewd_conn *conn, const struct viewd_err *failure, struct viewd_err *err);

/* ---- copy.c */

/* Runs out_sql (COPY .. TO STDOUT) in from and in_sql (COPY .. FROM STDIN) in to, which is in a transaction, and hands
 * the data on, a message at a time. A cancelled to ends both. Both sessions have limits of their own; a standby that
 * does not answer, or that is left in the middle, is silent afterwards. *of_from: the failure is from's. */
bool pg_copy_between(struct viewd_conn *from, const char *out_sql, struct viewd_conn *to, const char *in_sql,
                     bool *of_from, struct viewd_err *err) MUST_CHECK;

#endif
