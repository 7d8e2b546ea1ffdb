/* SPDX-License-Identifier: MIT
 *
 * watch.h: the one watching connection of a database, on a thread of its own. It holds the database's lock and tells
 * what changed.
 */
#ifndef VIEWD_CORE_EXEC_WATCH_H
#define VIEWD_CORE_EXEC_WATCH_H

#include "core/model/state.h"

struct watcher;

/* Starts the thread. database_watch_opened or database_watch_lost follow from the loop. */
void watch_start(struct db *db);

/* Look again soon: marks may have changed. Does nothing without a watcher. */
void watch_wake(struct db *db);

/* Asks for a look that begins after now: database_watch_looked with at least the number returned follows, or
 * database_watch_lost. 0: there is no watch to ask. */
uint64_t watch_ask_now(struct db *db);

/* Wants a look that begins after now, by this watch or the next: database_watch_looked with at least the number
 * returned follows. */
uint64_t watch_ask_lasting(struct db *db);

/* Is a watch of the same database, of an earlier section of the files perhaps, still being closed? */
bool watch_lingers(const struct db *db);

/* A new snapshot says the same about the database: the watch lets go of the old one. */
void watch_adopt_conf(struct db *db);

/* Ends it; what it still tells goes to nobody. */
void watch_stop(struct db *db);

#endif
