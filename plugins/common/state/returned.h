/* SPDX-License-Identifier: MIT
 *
 * returned.h: a database that is a copy of the one its state was written in: dumped and restored, made from a template,
 * moved to another server (docs/adr/007-leaving-and-returning.md).
 *
 * Each row of view_state says in `place` in which table of the world it was written. Where that is not the table it is
 * in, the identities in it are those of other objects. Who leads the database looks each of them up once, by name, kind
 * and definition (a table: its columns), before anything else is done with them. What does not fit is a stranger from
 * then on.
 */
#ifndef VIEWD_COMMON_STATE_RETURNED_H
#define VIEWD_COMMON_STATE_RETURNED_H

#include "common/conn/db.h"

/* The identity of a row whose object was not known again: no object has it. */
#define RETURNED_STRANGER "copied"

/* Where the state is, talloc'ed; NULL: identities come along with a copy, or it cannot be told now. [worker] */
bool returned_place(struct db *db, void *mem_ctx, char **place_r, struct viewd_err *err) MUST_CHECK;

/* Knows the objects of rows from elsewhere again, raises all marks then, and tells in the log. *place_r as
 * returned_place. After state_setup, under the lock of who leads, outside a transaction. Any failure leaves everything
 * to the next call. [watcher thread] */
bool returned_recognise(struct db *db, void *mem_ctx, char **place_r, struct viewd_err *err) MUST_CHECK;

/* Is the state still where it was when the watch was opened, and written there? Else fails with VIEWD_ERR_LOST: all is
 * to be looked at anew. Outside a transaction. [watcher thread] */
bool returned_look(struct db *db, const char *place, struct viewd_err *err) MUST_CHECK;

#endif
