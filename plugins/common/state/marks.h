/* SPDX-License-Identifier: MIT
 *
 * marks.h: the marks by which the database remembers that views are stale: the state table `captures`, one row for
 * each (view, source). Functions run on the thread of their connection.
 *
 * changed_time is when a row turned stale, so of many changes it is the first one's.
 *
 * dirty_seq grows when the source changed, clean_seq is the dirty_seq that the last refresh has covered. A view is
 * stale while any of its rows has dirty_seq > clean_seq. A refresh reads dirty_seq before it reads data and writes
 * clean_seq in the transaction of its data, so a change between the two keeps the view stale. Never written by an
 * application's transaction, except on engines where writers are serial anyway (SQLite).
 *
 * Each change costs its writer there a write of the row. What is known to be stale need not be told for ever: with
 * syntax->state.counts_end the triggers stop when dirty_seq - clean_seq is MARKS_ENOUGH. From then on dirty_seq says
 * nothing about later changes, so a refresh first makes them count again (marks_count_again), in a transaction of its
 * own. Should it find the row at its end once more when it reads, it covers all but the last: the view stays stale.
 */
#ifndef VIEWD_COMMON_STATE_MARKS_H
#define VIEWD_COMMON_STATE_MARKS_H

#include "common/conn/db.h"

#define MARKS_ENOUGH 100

/* Mode and source of a row that stands for no source: with syntax->state.polls_late a view that is polled has one.
 * While it is dirty, something may have been written that the poll does not tell yet, and the view is neither fresh nor
 * known to be stale. A refresh covers it as the others. Its numbers are not part of any sum. */
#define MARKS_DOUBT "doubt"
#define MARKS_DOUBT_SOURCE "commits of others"

/* Marks that a refresh has read before its data: the dirty rows of one view. Lives on its talloc context. */
struct marks {
	struct mark {
		char *source;
		int64_t covers; /* up to this dirty_seq */
	} * rows;
	size_t n;
	bool defined;   /* some row is of what is heard by looks */
	bool redefined; /* and has changed: a definition is another one, whatever the rows are */
	int64_t seq;    /* what is covered, summed over all sources of the view: grows with every change */
};

/* The name of a source in the table: the quoted relation, schema included. talloc'ed. */
char *marks_source(struct db *db, void *mem_ctx, const char *schema, const char *name);

/* Has the triggers count again for a view, where they have stopped. Outside a transaction, before marks_read. Only with
 * syntax->state.counts_end. */
bool marks_count_again(struct db *db, const char *view, struct viewd_err *err) MUST_CHECK;

/* Sources that no longer count have changed again: gives each another number, so that none looks as if it had come to
 * rest. */
bool marks_touch_ended(struct db *db, struct viewd_err *err) MUST_CHECK;

/* Reads the rows of a view. Call before any data is read. */
bool marks_read(struct db *db, void *mem_ctx, const char *view, struct marks *out, struct viewd_err *err) MUST_CHECK;

/* marks_read, answered as db_ops.session.query_later does: *out is complete when the next call has succeeded. */
bool marks_read_later(struct db *db, void *mem_ctx, const char *view, struct marks *out,
                      struct viewd_err *err) MUST_CHECK;

/* Marks that were read are covered now. Same transaction as the data. */
bool marks_settle(struct db *db, const char *view, const struct marks *marks, struct viewd_err *err) MUST_CHECK;

/* The source changed: every view that is registered for it becomes stale. n_r (may be NULL): how many rows that were.
 * In a transaction and without n_r: as db_ops.session.exec_later does; so do marks_settle and marks_touch_others. */
bool marks_touch(struct db *db, const char *source, int64_t *n_r, struct viewd_err *err) MUST_CHECK;

/* marks_touch, except for the views named. */
bool marks_touch_others(struct db *db, const char *source, const char *const *but, size_t n,
                        struct viewd_err *err) MUST_CHECK;

/* Everything that is registered with this mode changed. */
bool marks_touch_mode(struct db *db, const char *mode, struct viewd_err *err) MUST_CHECK;

/* Nobody knows what changed: every registered view becomes stale. */
bool marks_touch_all(struct db *db, struct viewd_err *err) MUST_CHECK;

/* One source to register, with the word of how it is noticed: one of VIEWD_HEARD. */
struct mark_wanted {
	const char *source;
	const char *mode;
};

/* Makes the rows of a view exactly these; new ones are stale. While any is left, so is the row of a doubt. */
bool marks_register(struct db *db, const char *view, const struct mark_wanted *wanted, size_t n,
                    struct viewd_err *err) MUST_CHECK;

/* Tells every stale view: seq = sum of dirty_seq. */
bool marks_stale(struct db *db, struct viewd_signal_sink sink, struct viewd_err *err) MUST_CHECK;

/* The distinct sources registered with a mode: row(ctx, {source}, 1). */
bool marks_sources(struct db *db, const char *mode, const struct db_reader *row, void *ctx,
                   struct viewd_err *err) MUST_CHECK;

/* Requests made in SQL: tells each and removes it. Outside a transaction. */
bool marks_requests(struct db *db, struct viewd_signal_sink sink, struct viewd_err *err) MUST_CHECK;

#endif
