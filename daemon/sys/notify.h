/* SPDX-License-Identifier: MIT
 *
 * notify.h: telling the service manager how things are (sd_notify(3)). Without $NOTIFY_SOCKET every function does
 * nothing. [loop]
 */
#ifndef VIEWD_SYS_NOTIFY_H
#define VIEWD_SYS_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

struct loop;
struct watchdog;

/* READY=1 with a status line; also ends a reload. */
void notify_ready(const char *status);

/* RELOADING=1 with the monotonic time stamp that Type=notify-reload wants. A notify_ready must follow. */
void notify_reloading(void);

/* STOPPING=1. extend_us: how much longer it may take. */
void notify_stopping(int64_t extend_us);

/* Pings the watchdog from the loop at half of $WATCHDOG_USEC; NULL when none is asked for. A loop that hangs stops
 * pinging. */
struct watchdog *watchdog_new(struct loop *loop);
void watchdog_free(struct watchdog **dog);

#endif
