/* SPDX-License-Identifier: MIT
 *
 * demotion.h: a view whose incremental refresh was found wrong has all rows computed, by whatever connection, until it
 * is asked for all rows or has another definition (docs/adr/011-choosing-a-refresh.md). Functions run on the thread of
 * their connection.
 */
#ifndef VIEWD_COMMON_INCREMENTAL_DEMOTION_H
#define VIEWD_COMMON_INCREMENTAL_DEMOTION_H

#include "common/incremental/chain.h"

/* Why all rows are computed then, for people. */
#define DEMOTION_REASON "an audit has found a difference"

/* In the refresh's transaction: is the view demoted? The answer comes as that of learnt_find_later(). */
bool demotion_look(struct db *db, struct chain *chain, struct viewd_err *err) MUST_CHECK;

/* After that answer: chain->demoted says what it is in this refresh. asked: it is asked for all rows, which ends it. */
bool demotion_settle(struct db *db, struct chain *chain, bool asked, struct viewd_err *err) MUST_CHECK;

/* In the transaction: so many rows were found wrong. Logs it. */
bool demotion_begin(struct db *db, struct chain *chain, int64_t wrong, struct viewd_err *err) MUST_CHECK;

/* The transaction is committed. */
void demotion_committed(struct chain *chain);

#endif
