/* SPDX-License-Identifier: MIT
 *
 * runtime.h: making, feeding and ending an engine. For daemon.c and reload.c; everybody else uses engine.h.
 * [loop]
 */
#ifndef VIEWD_CORE_RUNTIME_H
#define VIEWD_CORE_RUNTIME_H

#include "base/clock.h"
#include "core/engine.h"
#include "loop/loop.h"
#include "plugin/loader.h"
#include "work/worker.h"

/* Everything that an engine stands on; all of it outlives the engine. state_dir may be NULL: pauses then end with the
 * process. */
struct engine_parts {
	struct loop *loop;
	struct worker_pool *pool;
	struct registry *registry;
	const struct clock *clock;
	const char *state_dir;
	loop_fn *on_idle; /* called when, after engine_stop, the last session has been closed */
	void *on_idle_ctx;
};

/* An engine without a configuration; pauses are read from state_dir. Copies *parts. Never NULL; engine_free ends it. */
struct engine *engine_new(const struct engine_parts *parts);

/* Puts conf in force (takes a reference); diff tells what differs from the one in force: instances are added, changed,
 * removed; what did not change is not touched. Cannot fail: what a dialect refuses becomes a FAILED instance. Work
 * begins when control returns to the loop. */
struct conf_diff;
void engine_commit(struct engine *eng, struct conf *conf, const struct conf_diff *diff);

/* A reference to the configuration in force, which the caller gives back with conf_unref. */
struct conf *engine_conf_ref(struct engine *eng);

/* Starts nothing new, cancels what runs. engine_idle tells when the last job has come back. */
void engine_stop(struct engine *eng);
bool engine_idle(const struct engine *eng);

/* Has engine_stop been called? */
bool engine_stopping(const struct engine *eng);

/* Accepts NULL, leaves NULL. Jobs still inside a worker are left to the end of the process. */
void engine_free(struct engine **eng);

#endif
