/* SPDX-License-Identifier: MIT
 *
 * on_failure.h: starts the program that a view's key on_failure names when a run of the view has failed, or when the
 * view has become FAILED, MISSING or SUSPENDED by an error. [loop]
 */
#ifndef VIEWD_SYS_ON_FAILURE_H
#define VIEWD_SYS_ON_FAILURE_H

#include "loop/loop.h"

#include <stdint.h>

struct engine;
struct worker_pool;
struct on_failure;

/* Programs that run at the same time, for all views together. */
#define ON_FAILURE_PROGRAMS 4

/* Observes the engine from now on. At most one program runs for a view: failures that come meanwhile are told together,
 * by one more start, with the last error. files_max: as in struct program. Never NULL. */
struct on_failure *on_failure_new(struct loop *loop, struct worker_pool *pool, struct engine *eng, uint64_t files_max);

/* Starts nothing more and has running programs end. idle is called from the loop when the last one has ended, or never
 * when none runs. */
void on_failure_stop(struct on_failure *hooks, loop_fn *idle, void *ctx);

/* Runs no program? Accepts NULL. */
bool on_failure_idle(const struct on_failure *hooks);

/* Before the engine goes. Accepts NULL, leaves NULL. While a program still runs its memory is left to the end of the
 * process. */
void on_failure_free(struct on_failure **hooks);

#endif
