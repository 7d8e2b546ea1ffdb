/* SPDX-License-Identifier: MIT
 *
 * watch.h: the watching connection of the SQLite dialect; contracts and threads in viewd_dialect.h.
 */
#ifndef VIEWD_SQLITE_WATCH_WATCH_H
#define VIEWD_SQLITE_WATCH_WATCH_H

#include "common/conn/db.h"

struct viewd_watch *sqlite_watch_open(const struct viewd_host *host, const struct viewd_database_spec *db,
                                      struct viewd_err *err);
bool sqlite_watch_next(struct viewd_watch *w, int64_t timeout_us, struct viewd_signal_sink signals,
                       struct viewd_err *err);
void sqlite_watch_wake(struct viewd_watch *w);
void sqlite_watch_close(struct viewd_watch **watch);

#endif
