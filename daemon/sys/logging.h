/* SPDX-License-Identifier: MIT
 *
 * logging.h: the daemon's log behind a bounded queue: a blocked or closed stderr or journal blocks no thread.
 * docs/adr/006-log-queue.md
 */
#ifndef VIEWD_SYS_LOGGING_H
#define VIEWD_SYS_LOGGING_H

#include <stdbool.h>

struct loop;
struct logging;

/* From now on lines go through the queue. NULL: no memory or no thread, lines are written as before. [loop] */
struct logging *logging_start(struct loop *loop);

/* Writes what is left, which takes two seconds at most, and ends the queue, unless somebody may still log (keep) or
 * nobody read it all: then it goes with the process. [loop] */
void logging_stop(struct logging **logging, bool keep);

#endif
