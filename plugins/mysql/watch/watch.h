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

#endif
