/* SPDX-License-Identifier: MIT
 *
 * attempt.h: refresh_mode auto: when is a view worth being kept incrementally? Change logs cost its writers something,
 * so they are made only for views whose refreshes take long (begins_after_us).
 */
#ifndef VIEWD_COMMON_INCREMENTAL_ATTEMPT_H
#define VIEWD_COMMON_INCREMENTAL_ATTEMPT_H

#include "common/objects/task.h"

/* Is this view, of mode auto, kept incrementally, or worth a try? Asks the state tables at times. [worker] */
bool attempt_due(struct task *task);

/* Before what is kept for such a view is made anew: is it still, or has another connection refused it? False: err is
 * the reason. Outside a transaction. [worker] */
bool attempt_stands(struct task *task, struct viewd_err *err);

/* The view was refreshed otherwise, in this time. */
void attempt_measured(struct task *task, int64_t us);

/* The least that the refreshes of late have taken; 0: not known. */
int64_t attempt_was_us(struct task *task);

/* The view cannot be kept incrementally, and is not tried again by any connection until its definition changes, a day
 * has passed, or it is asked to. Outside a transaction. [worker] */
void attempt_refused(struct task *task, const struct viewd_err *why);

/* The user asks for it. Outside a transaction, best effort. [worker] */
void attempt_forget_refusal(struct task *task);

/* The view cannot be kept incrementally just now, since somebody uses its sources: it is tried again after some slow
 * refreshes. */
void attempt_postponed(struct task *task, const struct viewd_err *why);

/* From now on the view is kept without inner nodes, on all connections, until its definition is another or a day has
 * passed; is it? Outside a transaction. [worker] */
void attempt_plain(struct task *task);
bool attempt_is_plain(struct task *task);

/* A view of another mode was refreshed: should it still read change logs, it does no longer. Asks at times. */
void attempt_over(struct task *task);

/* Why not, for people; "" when nothing is known. */
const char *attempt_reason(struct task *task);

#endif
