/* SPDX-License-Identifier: MIT
 *
 * scratch.h: temporary tables of a refresh. To make one compiles every kept statement anew (prepared.h), so they stay
 * with the connection: one for each form that is needed, and empty outside of a refresh. [worker]
 */
#ifndef VIEWD_SQLITE_INCREMENTAL_SCRATCH_H
#define VIEWD_SQLITE_INCREMENTAL_SCRATCH_H

#include "common/conn/db.h"

/* The temporary table of this name is there, and has no rows. columns: what CREATE TABLE has in its parentheses; index:
 * the columns of an index, NULL: none. Both are the same each time for one name. */
bool scratch_open(struct db *db, const char *name, const char *columns, const char *index,
                  struct viewd_err *err) MUST_CHECK;

/* Removes the table's rows, which are not needed any more. */
bool scratch_empty(struct db *db, const char *name, struct viewd_err *err) MUST_CHECK;

#endif
