/* SPDX-License-Identifier: MIT
 *
 * views.h: `viewd.views` (`viewd_views`), a view over the state tables that tells in SQL how fresh every view is
 * (docs/adr/005-dependencies.md). viewd itself never reads it.
 */
#ifndef VIEWD_COMMON_STATE_VIEWS_H
#define VIEWD_COMMON_STATE_VIEWS_H

#include "common/conn/db.h"

/* Where a version before 1.5 has its state, a table of the view's name becomes the state table, with its rows. Outside
 * a transaction, before that table is made, or after it with syntax->views.copied. [worker] */
bool views_move(struct db *db, struct viewd_err *err) MUST_CHECK;

/* Makes the view, unless it is there in today's form. After all of viewd's tables and functions, outside a transaction.
 * A server that does not allow it is told as a warning: nothing of viewd's own depends on it. [worker] */
bool views_make(struct db *db, struct viewd_err *err) MUST_CHECK;

#endif
