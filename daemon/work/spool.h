/* SPDX-License-Identifier: MIT
 *
 * spool.h: a bounded queue of log lines with one writer, so that a log that nobody reads blocks no thread but the
 * writer's.
 *
 * Lines are written in the order in which they came. What finds no room is dropped and counted; the count stands in its
 * place among the lines, as soon as they are read again. Errors and warnings have room of their own: a flood of lesser
 * lines does not keep them out.
 */
#ifndef VIEWD_WORK_SPOOL_H
#define VIEWD_WORK_SPOOL_H

#include "loop/loop.h"
#include "viewd_dialect.h"

#include <stddef.h>

struct spool;

/* Writes one line; may block. */
typedef void spool_write_fn(void *ctx, enum viewd_log_level level, const char *line);

/* Holds about room bytes of lines, and starts its writer's thread. NULL: no memory, or no room for a
 * thread. [loop] */
struct spool *spool_new(struct loop *loop, size_t room, spool_write_fn *write, void *ctx);

/* Never waits for the writer. [any] */
void spool_put(struct spool *spool, enum viewd_log_level level, const char *line);

/* Waits until everything put so far is written, at most for timeout_us. False: it is not. [any] but the
 * writer's thread */
bool spool_flush(struct spool *spool, int64_t timeout_us);

/* Flushes, and ends the writer. False: it is still inside write; the spool goes with the process, and drops what else
 * is put. [loop] */
bool spool_free(struct spool **spool, int64_t timeout_us);

#endif
