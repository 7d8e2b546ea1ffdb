/* SPDX-License-Identifier: MIT
 *
 * wait.h: waiting until the data of an instance is new enough. [loop]
 */
#ifndef VIEWD_CORE_REPORT_WAIT_H
#define VIEWD_CORE_REPORT_WAIT_H

#include "core/engine.h"

/* err NULL: the data is that fresh, as of data_timestamp. Called once, from the loop, never from inside engine_wait. */
typedef void engine_wait_fn(void *ctx, int64_t data_timestamp_us, const struct viewd_err *err);

/* Waits until the data of an instance is newer than a moment (wall clock, compared in milliseconds as people write
 * them); 0: at least as new as this call, with no known change pending. Where changes are noticed the watch is asked to
 * look first: data that nothing has changed since is as new as that look. What nobody hears is refreshed for the
 * caller, for only that makes its data new. A failure that will not be retried, a cancel, or the end of the instance
 * ends the wait with its error; so does, at once, an instance that has failed and has nothing coming. */
struct waiter;
struct waiter *engine_wait(struct engine *eng, struct view *view, int64_t newer_than_us, engine_wait_fn *done,
                           void *ctx);

/* Forgets it; done is not called. Not after done was called. */
void engine_wait_cancel(struct waiter **waiter);

/* Is there nobody whom the end of the next turn will look at? */
bool wait_is_quiet(const struct engine *eng);

#endif
