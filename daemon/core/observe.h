/* SPDX-License-Identifier: MIT
 *
 * observe.h: who wants to hear of changes to the instances' records, and whoever waits for one instance's data. Loop thread.
 */
#ifndef VIEWD_CORE_OBSERVE_H
#define VIEWD_CORE_OBSERVE_H

#include "core/engine.h"

#include <sys/queue.h>

enum engine_event_kind { ENGINE_EVENT_RUN, ENGINE_EVENT_STATE };

/* A run that ended, or a state that changed (state, before). Everything is gone when the observer returns. */
struct engine_event {
	enum engine_event_kind kind;
	const struct view *view;
	enum view_trigger trigger;
	enum view_result result;
	int action;                       /* enum viewd_did, -1 none */
	int64_t rows, rows_written;       /* -1 unknown */
	int64_t duration_us;              /* -1 unknown */
	const struct viewd_err *error;    /* NULL when none */
	enum view_state state, before;
};

/* The caller's memory, from engine_observe to engine_unobserve. fn is called from the middle of the engine's work: it may look at the
 * event and note things down, and calls nothing of the engine. */
struct engine_observer {
	void (*fn)(void *ctx, const struct engine_event *event);
	void *ctx;
	LIST_ENTRY(engine_observer) link;
};

void engine_observe(struct engine *eng, struct engine_observer *observer);
void engine_unobserve(struct engine_observer *observer);

/* err NULL: the data is that fresh, as of data_timestamp. Called once, from the loop, never from inside engine_wait. */
typedef void engine_wait_fn(void *ctx, int64_t data_timestamp_us, const struct viewd_err *err);

/* Waits until the data of an instance is newer than a moment (wall clock, compared in milliseconds as people write them); 0: at least
 * as new as this call, with no known change pending. Where changes are noticed the watch is asked to look first: data that nothing has changed
 * since is as new as that look. Starts nothing. A failure that will not be retried, a cancel, or the end of the
 * instance ends the wait with its error; so does, at once, an instance that has failed and has nothing coming. */
struct waiter;
struct waiter *engine_wait(struct engine *eng, struct view *view, int64_t newer_than_us, engine_wait_fn *done, void *ctx);

/* Forgets it; done is not called. Not after done was called. */
void engine_wait_cancel(struct waiter **waiter);

/* ---- for core/ ---------------------------------------------------------------------------------------------------- */

void observe_run(struct view *view, const struct engine_event *event);
void observe_state(struct view *view, enum view_state before);

/* Those who wait for the instance look again; err (may be NULL) is what they fail with unless the data is fresh all the same. */
void observe_wake(struct view *view, const struct viewd_err *err);

/* The instance is about to go. */
void observe_gone(struct view *view, const struct viewd_err *err);

/* Views have been disabled: those who wait for them, or for what reads them, have waited long enough. */
void observe_disabled(struct engine *eng);

/* The watch of a database has looked since question number answered was put: those who asked by then look again. */
struct db;
void observe_looked(struct db *db, uint64_t answered);

/* The database is about to be freed: nobody waits for its watch any more. */
void observe_database_gone(struct db *db);

/* Tells the waiters that were woken; called by the engine's post timer. */
void observe_run_woken(struct engine *eng);

#endif
