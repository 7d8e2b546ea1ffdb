/* SPDX-License-Identifier: MIT
 *
 * watch.h: struct viewd_dialect's watch functions. [watcher thread], my_watch_wake [any]
 */
#ifndef VIEWD_MYSQL_WATCH_WATCH_H
#define VIEWD_MYSQL_WATCH_WATCH_H

#include "mysql/capture/capture.h"

struct viewd_watch *my_watch_open(const struct viewd_host *host, const struct viewd_database_spec *spec,
                                  struct viewd_err *err);
bool my_watch_next(struct viewd_watch *watch, int64_t timeout_us, struct viewd_signal_sink signals,
                   struct viewd_err *err);
void my_watch_wake(struct viewd_watch *watch);
void my_watch_close(struct viewd_watch **watch);

/* ---- watch_lock.c: the lock of who watches a database, held by the watch's session under the name that my_lock_name()
 * has made */

/* Class STANDBY, naming the holder, when somebody else has it. *epoch_r: as my_leader_claim() says. */
bool watch_lock_take(struct viewd_conn *conn, const char *lock, int64_t *epoch_r, struct viewd_err *err) MUST_CHECK;
/* LOST when it is not held any more: a session that the library had renewed without a word would have neither the lock
 * nor the settings. */
bool watch_lock_check(struct viewd_conn *conn, const char *lock, struct viewd_err *err) MUST_CHECK;
/* The server would free it by itself, but a little later. */
void watch_lock_release(struct viewd_conn *conn, const char *lock);

#endif
