/* SPDX-License-Identifier: MIT
 *
 * watch.h: the one watching connection of a database, on a thread of its own. It holds the database's lock and tells
 * what changed. [loop]
 */
#ifndef VIEWD_CORE_EXEC_WATCH_H
#define VIEWD_CORE_EXEC_WATCH_H

#include "core/model/model.h"

struct watcher;

/* Starts the thread. exec_events.watch_opened or watch_lost follow from the loop. */
void watch_start(struct database *db);

/* Look again soon: marks may have changed. Does nothing without a watcher. */
void watch_wake(struct database *db);

/* Asks the open watch for a look that begins after now: exec_events.watch_looked with at least the number returned
 * follows, or watch_lost. 0: there is no watch to ask. */
uint64_t watch_ask_now(struct database *db);

/* Asks for a look that begins after now, by this watch or the next: exec_events.watch_looked with at least the number
 * returned follows, however many watches are lost before. */
uint64_t watch_ask_lasting(struct database *db);

/* Is a watch of the same database, of an earlier section of the files perhaps, still being closed? */
bool watch_lingers(const struct database *db);

/* A new snapshot says the same about the database: the watch lets go of the old one. */
void watch_adopt_conf(struct database *db);

/* Ends the watch; what it still tells goes to nobody. Does nothing without one. */
void watch_stop(struct database *db);

#endif
