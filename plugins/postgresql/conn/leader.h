/* SPDX-License-Identifier: MIT
 *
 * leader.h: who leads a database, by a lock and by a lease (docs/adr/022, 032). Functions run on the thread of their
 * connection.
 */
#ifndef VIEWD_POSTGRESQL_CONN_LEADER_H
#define VIEWD_POSTGRESQL_CONN_LEADER_H

#include "postgresql/pg.h"

/* ---- leader_lock.c */

/* Takes the leader's lock for this session, where it is kept, and looks at the lease; class STANDBY when another one
 * leads. *epoch_r: for pg_leader_record(). */
bool pg_leader_take(struct viewd_conn *conn, int64_t *epoch_r, struct viewd_err *err) MUST_CHECK;
/* Writes this process into viewd.daemon as the leader; class CONFLICT when another one was quicker. */
bool pg_leader_record(struct viewd_conn *conn, int64_t claimed, struct viewd_err *err) MUST_CHECK;
/* At each heartbeat: class LOST when another one leads; answers who has asked. */
bool pg_leader_keep(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* The next one to lead need not wait. Best effort. */
void pg_leader_give_back(struct viewd_conn *conn);
/* COMMIT, if this process (or nobody) is the recorded leader; class STANDBY when not. */
bool pg_leader_commit(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Both halves of it: what is queued, and, when that has failed, why. The latter is false. */
void pg_leader_queue_commit(struct viewd_conn *conn);
bool pg_leader_judge(struct viewd_conn *conn, const struct viewd_err *failed, struct viewd_err *err) MUST_CHECK;

/* ---- system.c */

/* The system identifier of the server, talloc'ed; it lives with the connection. NULL: the role may not know. */
bool pg_system(struct viewd_conn *conn, const char **system_r, struct viewd_err *err) MUST_CHECK;

#endif
