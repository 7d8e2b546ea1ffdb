/* SPDX-License-Identifier: MIT
 *
 * audit.h: a few keys are computed again now and then, in another way than refreshes do, and compared by bytes.
 */
#ifndef VIEWD_COMMON_INCREMENTAL_AUDIT_H
#define VIEWD_COMMON_INCREMENTAL_AUDIT_H

#include "common/incremental/chain.h"

/* After a refresh by keys that has taken so many microseconds: is it time for one? Counts the call. */
bool audit_due(struct chain *chain, int64_t took_us);

/* In the refresh's transaction, after its rows were written: how many rows of some keys are not as they should be. They
 * are put right. [worker] */
bool audit_run(struct task *task, int64_t *wrong_r, struct viewd_err *err) MUST_CHECK;

#endif
