/* SPDX-License-Identifier: MIT
 *
 * incremental.h: refreshing a view by what has changed (docs/adr/008-incremental-nodes.md).
 */
#ifndef VIEWD_COMMON_INCREMENTAL_INCREMENTAL_H
#define VIEWD_COMMON_INCREMENTAL_INCREMENTAL_H

#include "common/incremental/chain.h"

/* May this view be refreshed so, by its method and mode? */
bool incremental_possible(const struct task *task);

/* Is this view to be refreshed so? */
bool incremental_wanted(struct task *task);

/* Outside a transaction: finds or makes the view's chain and its logs, and says so in the task. [worker] */
bool incremental_open(struct task *task, struct viewd_err *err) MUST_CHECK;

/* A refresh has failed, and would not do so again: because a log is not as it should be, which opens the chain again,
 * from the present catalogue, and has such logs made anew; or because of the form of its keys. False without an error
 * when it failed for another reason. [worker] */
bool incremental_reopen(struct task *task, struct viewd_err *err) MUST_CHECK;

/* The refresh has failed while it asked what the logs hold: some table of theirs may be gone, or another one. True: it
 * is to be tried again, and then asks only what it finds sound, which tells the log that is not. Once. [worker] */
bool incremental_ask_carefully(struct task *task, const struct viewd_err *err);

/* At the end: what has changed below the chain makes it out of date. */
void incremental_close(struct task *task);

/* In the refresh's transaction, before anything else (early) and right before incremental_rows looks: asks what the
 * logs hold, once of both; where the engine can, the question goes out with the next one. [worker] */
bool incremental_ask(struct task *task, bool early, struct viewd_err *err) MUST_CHECK;

/* Computes all rows of the task's relation. */
typedef bool all_rows_fn(struct task *task, struct viewd_outcome *out, struct viewd_err *err);

/* In the transaction of one snapshot: the rows, and what has been read. all_rows computes all of them where req asks
 * for that, and where the logs do not tell everything. A log that is not as it should be fails the call: see
 * incremental_reopen. [worker] */
bool incremental_rows(struct task *task, const struct viewd_refresh_request *req, all_rows_fn *all_rows,
                      struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

/* Consequences of a refresh that has failed. */
enum incremental_after {
	INCREMENTAL_GIVE_UP,   /* the failure is the refresh's */
	INCREMENTAL_THIS_TIME, /* mode auto: another way is free; tables were in use, which says nothing of the next time */
	INCREMENTAL_REFUSED,   /* mode auto: another way is free; if it works, this one is not tried again for a day */
};
enum incremental_after incremental_failed(struct task *task, const struct viewd_err *failure);

/* Another way has done. */
void incremental_refuse(struct task *task, const struct viewd_err *failure);

/* All rows are asked for: mode auto may try again what it has refused. Outside a transaction. [worker] */
void incremental_ask_again(struct task *task);

/* The costs of the view's refreshes by its nodes, as this connection has measured or another one has recorded them.
 * False: nobody has measured any. Outside a transaction. [worker] */
bool incremental_costs(struct task *task, struct cost *out);

/* Why mode auto does not keep the view so, where it has tried to; "" else. */
const char *incremental_refusal(struct task *task);

/* In the refresh's transaction: what its history is to tell; "" else. */
const char *incremental_warning(const struct task *task);

/* The view was refreshed in another way, in this time. */
void incremental_measured(struct task *task, int64_t us);

/* Outside a transaction, after the commit: removes from the logs what nobody needs any more. Best effort. */
void incremental_purge(struct task *task);

#endif
