/* SPDX-License-Identifier: MIT
 *
 * elsewhere.h: rows that a standby computes (docs/adr/034). Functions run on the thread of their connection.
 */
#ifndef VIEWD_POSTGRESQL_REFRESH_ELSEWHERE_H
#define VIEWD_POSTGRESQL_REFRESH_ELSEWHERE_H

#include "postgresql/pg.h"

/* ---- elsewhere.c: db_ops.refresh.elsewhere, with read_url */
bool pg_op_elsewhere(struct task *task, bool *done_r, struct relation *rows_r, struct viewd_err *err);

/* ---- standby.c */

/* A session of the standby that has replayed everything that was committed on conn's server, opened where there is none
 * yet; conn owns it. In a transaction of conn, after what the rows must contain was read. Waits 30 seconds at most.
 * NULL: class RESOURCE, whatever the standby's trouble is, or what conn's own question has met. */
struct viewd_conn *pg_standby_ready(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;

/* Turns a failure of the standby into one of the view: nothing is wrong with the database. Closes a session that cannot
 * be used any more. false. */
bool pg_standby_failed(struct viewd_conn *conn, const struct viewd_err *failure, struct viewd_err *err);

/* ---- copy.c */

/* Runs out_sql (COPY .. TO STDOUT) in from and in_sql (COPY .. FROM STDIN) in to, which is in a transaction, and hands
 * the data on, a message at a time. A cancelled to ends both. Both sessions have limits of their own. *of_from: the
 * failure is from's. */
bool pg_copy_between(struct viewd_conn *from, const char *out_sql, struct viewd_conn *to, const char *in_sql,
                     bool *of_from, struct viewd_err *err) MUST_CHECK;

#endif
