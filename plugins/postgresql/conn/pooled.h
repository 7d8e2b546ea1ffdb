/* SPDX-License-Identifier: MIT
 *
 * pooled.h: sessions that are kept, and those that are not (docs/adr/032). Functions run on the thread of their
 * connection.
 */
#ifndef VIEWD_POSTGRESQL_CONN_POOLED_H
#define VIEWD_POSTGRESQL_CONN_POOLED_H

#include "postgresql/pg.h"

/* ---- pooler.c */

/* Notes the session's identity; through a pooler, also finds out whether the session is kept: conn->pooled when not. */
bool pg_pooler_judge(struct viewd_conn *conn, const struct viewd_database_spec *spec, struct viewd_err *err) MUST_CHECK;
/* Is pid, which the server has just told, still the session's? Class LOST when not. */
bool pg_pooler_same(const struct viewd_conn *conn, const char *pid, struct viewd_err *err) MUST_CHECK;

/* ---- settings.c */

/* Tells the session what it runs under, where it is kept. */
bool pg_settings_apply(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* The statement that tells the transaction that has just begun, with its parameters, where the session is not kept. */
#define PG_SETTINGS_PARAMS 3
const char *pg_settings_of_transaction(const struct viewd_conn *conn, const char *params[static PG_SETTINGS_PARAMS]);
/* set_config()'s third argument: "true" where a setting must not outlive the transaction. */
const char *pg_settings_local(const struct viewd_conn *conn);

#endif
