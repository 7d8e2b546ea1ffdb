/* SPDX-License-Identifier: MIT
 *
 * learnt.h: findings of refreshes about a view, for whatever connection refreshes it next: the state table `learnt`,
 * one row for each (view, fact). A fact is true of one definition, which is told by a digest.
 */
#ifndef VIEWD_COMMON_STATE_LEARNT_H
#define VIEWD_COMMON_STATE_LEARNT_H

#include "common/conn/db.h"

#define LEARNT_DEMOTED "demoted" /* an audit has found a difference; text: what */
#define LEARNT_REFUSED "refused" /* mode auto cannot keep it incrementally; text: why */
#define LEARNT_PLAIN "plain"     /* it is kept without inner nodes */
#define LEARNT_SUMS "sums"       /* text: what the logs of its rolls hold, "sums", or "images: why" */
#define LEARNT_COSTS "costs"     /* what its refreshes take; text: for what kind of chain, and numbers */

#define LEARNT_TEXT_SIZE 400

struct learnt {
	bool known;
	char text[LEARNT_TEXT_SIZE];
	int64_t time_us;
};

/* Is this known of the view's definition? Answered as db_ops.session.query_later does: *out is complete when the next
 * call has succeeded. */
bool learnt_find_later(struct db *db, const char *view, const char *fact, const char *digest, struct learnt *out,
                       struct viewd_err *err) MUST_CHECK;

/* Outside a transaction, best effort: an answer that does not come is none. [worker] */
void learnt_find(struct db *db, const char *view, const char *fact, const char *digest, struct learnt *out);

/* In place of what was known. */
bool learnt_save(struct db *db, const char *view, const char *fact, const char *digest, const char *text,
                 struct viewd_err *err) MUST_CHECK;

/* Forgets one fact, whatever it is true of; with a digest: unless it is true of that definition. */
bool learnt_forget(struct db *db, const char *view, const char *fact, const char *but_digest,
                   struct viewd_err *err) MUST_CHECK;

/* The view is gone. */
bool learnt_forget_all(struct db *db, const char *view, struct viewd_err *err) MUST_CHECK;

#endif
