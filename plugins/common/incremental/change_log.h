/* SPDX-License-Identifier: MIT
 *
 * change_log.h: the logs in which the database writes down the changed rows of a table, for incremental refreshes
 * (docs/adr/009-change-logs.md).
 *
 * A log belongs to one source and serves every view that reads it, its readers. A table has one log of images, and may
 * have some of sums. Each reader has a position, which moves in the transaction that writes the reader's rows. The
 * state table `change_logs` has one row a log, `log_readers` one a view and log.
 */
#ifndef VIEWD_COMMON_INCREMENTAL_CHANGE_LOG_H
#define VIEWD_COMMON_INCREMENTAL_CHANGE_LOG_H

#include "common/conn/db.h"
#include "common/text/digest.h"

#define LOG_UNREAD_MAX 100000 /* more images than that are not counted: all rows are computed */

/* Sums and counts of the rows that a statement has written, which a log may hold in place of their images: one row for
 * each group, before and after (docs/adr/025-sums-in-the-trigger.md). */
#define LOG_SUMS_PREFIX "viewd_" /* their columns begin so */
#define LOG_SUMS_MAX 4           /* logs of sums that the writers of a table fill at most */
struct log_sums {
	const char *before, *after; /* SQL: the query that makes them; the table of the rows stands in between */
	const char **names;         /* of its columns */
	size_t n_names;
	char digest[DIGEST_SIZE]; /* of the query: readers of equal sums share a log */
};

struct change_log {
	int64_t number;
	struct relation source; /* catalogue spelling, with schema where the engine has schemas */
	const char **columns;   /* of the source, unquoted */
	size_t n_columns;
	bool summed; /* images are added up: one that is told twice would count twice */
	bool shared; /* in this refresh others write to the source as well, so that its own images may be told again */
	const struct log_sums *sums; /* NULL: images */
	const char *names; /* in the reader's definition, as SQL literals (common/depends/knowledge.h); NULL: no reader's */
	bool asked;        /* what it holds was asked for, and is not known yet */
	bool careful;      /* the last question has failed: what logs hold is asked once they are found sound */
	void *mem;         /* lives as long as this record; NULL: nothing is remembered from one refresh to the next */
	/* The dialect's own, in the first log of a reader: what it knows from an earlier look, talloc'ed on mem; and a look
	 * whose answers are to be judged. */
	void *remembered, *looking;
	/* The state of the reader that looked, at the transaction's snapshot: */
	const char *position, *last_looked; /* as stored at its last reading; NULL: it has never read */
	int64_t unread;                     /* images that it has not read, at least LOG_UNREAD_MAX + 1 if there are more */
	int64_t read;                       /* those that it has read, and that are there; -1: not known */
	const char *unread_ids;             /* which ones it has not read, */
	const char *next_position;          /* and its position once it has read them: where the look tells both */
	bool everything;                    /* the images do not tell everything that has changed */
	bool unsound;                       /* nor will they: the log is not as make_log leaves it */
	bool replaced;                      /* another log serves the source now: it only has to be found */
	bool changed;                       /* the source or the log is not what it was at the last reading */
	char why[192];                      /* if so */
	const char *looked; /* log, triggers and source as they are now; what differs later may have lost changes */
};

/* Does it hold these sums; NULL: images? [any] */
bool change_log_holds(const struct change_log *log, const struct log_sums *sums);

/* Names a log's table, unquoted: "change_7" with the state tables' prefix, quoted by the engine's rule. talloc'ed. */
char *change_log_table(struct db *db, void *mem_ctx, int64_t number);

/* Finds or makes the logs of a reader, with at least these columns each; fills their numbers and columns. A log that
 * lacks a column, or is unsound, is made anew, and its readers have everything to read. What the reader no longer reads
 * is given up. Runs transactions of its own. [worker] */
bool change_logs_ensure(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                        struct viewd_err *err) MUST_CHECK;

/* In the refresh's transaction: what there is to read. change_logs_ask comes first; where the engine can, the question
 * goes out with the next one, and mem_ctx and logs stay. Should any of them be unsound, what the others say counts for
 * nothing. [worker] */
bool change_logs_ask(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                     struct viewd_err *err) MUST_CHECK;
bool change_logs_look(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                      struct viewd_err *err) MUST_CHECK;

/* Outside a transaction: readers of those that are unsound have everything to read, whatever becomes of the call that
 * has found it out; what they were before may be there again when the next one looks. [worker] */
bool change_logs_distrust(struct db *db, const struct change_log *logs, size_t n, struct viewd_err *err) MUST_CHECK;

/* Last in that transaction: the reader has read what is visible. [worker] */
bool change_log_read(struct db *db, const char *view, const struct change_log *log, struct viewd_err *err) MUST_CHECK;

/* A view is no longer a reader. Outside a transaction, best effort. [worker] */
void change_logs_leave(struct db *db, const char *view);

/* Views that are gone are no readers; logs without readers are dropped, and nodes of views that read none. Outside a
 * transaction, best effort. [worker] */
void change_logs_sweep(struct db *db);

#endif
