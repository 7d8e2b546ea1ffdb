/* SPDX-License-Identifier: MIT
 *
 * watch.h: the one watching connection of a database. It sleeps until it is notified, is never inside a transaction
 * while it waits, and runs nothing that takes long. All functions run on the watch's thread, but pg_watch_wake, which
 * any thread may call.
 *
 *   ASLEEP  it holds PG_LOCK_ASLEEP, so whoever writes a log row notifies
 *   AWAKE   it does not; writers keep the lock shared until they have ended, and it looks at the log at its own pace
 */
#ifndef VIEWD_POSTGRESQL_WATCH_WATCH_H
#define VIEWD_POSTGRESQL_WATCH_WATCH_H

#include "postgresql/pg.h"

struct pg_flood;
struct pg_doubt;

/* Sources that many log rows name, since a moment: candidates for a flood. */
struct pg_write_rate {
	struct pg_write_rate_item {
		char *source;
		int64_t rows;
		int hot; /* windows in a row */
	} items[32];
	size_t n;
	int64_t since_us;
};

/* How far the log of changes was read. */
struct pg_log {
	int64_t drained;    /* rows since it was last cleaned */
	int64_t blocks;     /* its size when last measured */
	int64_t next_block; /* a large one is drained in portions, round and round: where the next one begins */
	bool unseen;        /* what must be seen may be in portions that were drained before */
	int64_t empty_us;   /* a large one: when to try next to empty it */
};

struct viewd_watch {
	struct viewd_conn *conn;
	int wake;    /* eventfd */
	char *place; /* where the state is; NULL: it cannot be told */
	bool looked; /* the first round is over */
	bool leads;  /* recorded as the leader */
	bool hears;  /* notifications reach it */
	bool asleep;
	bool may_sleep;  /* false where NOTIFY would make transactions fail: with prepared ones */
	bool polls;      /* some source is polled */
	int streak;      /* looks in a row that found something */
	int64_t pace_us; /* until the next look; 0: none before a notification */
	int64_t quiet_since_us;
	int64_t heartbeat_us, poll_us; /* when they are due, monotonic */
	struct pg_log log;
	bool doubts_flags;       /* it was emptied: flags that are up because of its length are still to be found */
	bool review_due;         /* flags are to be looked for */
	int64_t review_us;       /* not before */
	char *gaps;              /* what was last found wrong with triggers */
	char *blind;             /* the sources that are not noticed for that, as an array: their counters are polled */
	struct pg_doubt *doubts; /* list: what was last told of the views that are polled */
	bool look_due;           /* somebody has asked, and what triggers do not tell could not be looked at yet */
	bool queue_warned;
	struct pg_write_rate rate;
	struct pg_flood *floods; /* list */
};

/* ---- watch.c */
struct viewd_watch *pg_watch_open(const struct viewd_host *host, const struct viewd_database_spec *db,
                                  struct viewd_err *err);
bool pg_watch_next(struct viewd_watch *w, int64_t timeout_us, struct viewd_signal_sink signals, struct viewd_err *err);
void pg_watch_wake(struct viewd_watch *w);
void pg_watch_close(struct viewd_watch **watch);

/* ---- listen.c: hearing notifications */

/* LISTEN, and proof that a notification comes back on this connection; w->hears tells. */
bool pg_listen(struct viewd_watch *w, struct viewd_err *err) MUST_CHECK;
/* Takes what has arrived off the connection. *heard_r becomes true for a notification of somebody else; its payload is
 * not looked at. */
bool pg_heard(struct viewd_watch *w, bool *heard_r, struct viewd_err *err) MUST_CHECK;

/* ---- drain.c: from the log to the marks */

struct pg_drained {
	int64_t rows;
	bool requests; /* one of the rows stands for a request */
};
/* Everything committed leaves the log and marks its views, in one statement. Somebody's lock in the way: -1 rows, no
 * failure. */
bool pg_drain(struct viewd_watch *w, struct pg_drained *out, struct viewd_err *err) MUST_CHECK;
/* After a crash or a failover the log is empty and proves nothing: every view is marked. */
bool pg_check_log(struct viewd_watch *w, struct viewd_err *err) MUST_CHECK;
/* Learns how large the log is. */
bool pg_measure_log(struct viewd_watch *w, struct viewd_err *err) MUST_CHECK;
/* Has only a portion been drained, so that the next drain is to follow at once? */
bool pg_drains_on(const struct viewd_watch *w);
/* All that is committed by now is to be drained before pg_drains_on() ends. */
void pg_drain_anew(struct viewd_watch *w);
/* Finds the sources whose writers leave no rows because the log has become too long. *due_r: it is to be done soon. */
bool pg_review_full(struct viewd_watch *w, bool *due_r, struct viewd_err *err) MUST_CHECK;
/* Gives the space of drained rows back, now and then, and tries to empty a log that has become large. */
bool pg_clean_log(struct viewd_watch *w, struct viewd_err *err) MUST_CHECK;

/* ---- poll_interval.c: when to look next */

/* After a look that found rows log rows. May wake or fall asleep; *again_r: look once more at once. */
bool pg_poll_interval(struct viewd_watch *w, int64_t rows, bool *again_r, struct viewd_err *err) MUST_CHECK;

/* ---- write_rate.c: which sources are written so often that a log row for each statement is too many */

/* Counts log rows of the source that have just been drained. */
void pg_write_rate_add(struct viewd_watch *w, const char *source, int64_t rows);
/* At the end of a window: the floods of those that were hot for some of them begin. */
bool pg_write_rate_judge(struct viewd_watch *w, struct viewd_err *err) MUST_CHECK;

/* ---- flood.c: a source that is written without pause counts as changed, and its writers leave no log rows */

/* Begins a flood of the source, or carries one on; nothing happens where the source cannot have one. */
bool pg_flood_begin(struct viewd_watch *w, const char *source, struct viewd_err *err) MUST_CHECK;
/* Finds floods of earlier watchers, and flags that are up without one: they are ended from here. */
bool pg_flood_review(struct viewd_watch *w, struct viewd_err *err) MUST_CHECK;
/* Does what is due; *news_r becomes true when marks were raised. */
bool pg_flood_tend(struct viewd_watch *w, bool *news_r, struct viewd_err *err) MUST_CHECK;
/* When something is due next, monotonic; INT64_MAX: never. */
int64_t pg_flood_due(const struct viewd_watch *w);
/* The next tending finds out about every change so far; asked: it could not yet. */
void pg_flood_ask(struct viewd_watch *w);
bool pg_flood_asked(const struct viewd_watch *w);
/* Where a source stands. */
enum pg_flood_state { PG_FLOOD_NONE, PG_FLOOD_OPEN, PG_FLOOD_RELEASED, PG_FLOOD_CLOSING };
enum pg_flood_state pg_flood_state(const struct viewd_watch *w, const char *source);

/* ---- poll.c: reading the server's counters */

/* Marks every polled or blind source whose counters moved since they were last read; n_r: how many. Puts the views that
 * read any in doubt when others have committed, and tells which ones are, where that is news. */
bool pg_poll(struct viewd_watch *w, struct viewd_signal_sink signals, int64_t *n_r, struct viewd_err *err) MUST_CHECK;
/* Somebody asks: what is in doubt counts as changed. *done_r: somebody's lock was not in the way. */
bool pg_poll_doubted(struct viewd_watch *w, bool *done_r, struct viewd_err *err) MUST_CHECK;
/* All doubts are told again. */
void pg_poll_forget(struct viewd_watch *w);
/* Learns whether any source is polled at all, and which views may be in doubt. */
bool pg_poll_review(struct viewd_watch *w, struct viewd_err *err) MUST_CHECK;

/* ---- sound.c: is all that writers use as it was made? */

/* Makes what is broken again, and marks every view then. */
bool pg_check_sound(struct viewd_watch *w, struct viewd_err *err) MUST_CHECK;

/* ---- heartbeat.c: is the session still what it should be? */

/* The connection, the lock, the registration, the server's role, the queue; false: lost. */
bool pg_heartbeat(struct viewd_watch *w, struct viewd_err *err) MUST_CHECK;

/* ---- trigger_repair.c */

/* Makes triggers that are missing (a table made anew, a new partition), tells of disabled ones, and marks what they did
 * not see. */
bool pg_repair_triggers(struct viewd_watch *w, struct viewd_err *err) MUST_CHECK;

#endif
