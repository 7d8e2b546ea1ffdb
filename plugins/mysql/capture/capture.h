/* SPDX-License-Identifier: MIT
 *
 * capture.h: declarations that the files of capture/ share.
 *
 * Five tables beside the common ones: viewd_changes (what triggers wrote), viewd_slots (held by who wrote while nobody
 * watched), viewd_triggers (which triggers are ours), viewd_tables (by what a table is known again), viewd_position
 * (how far the binary log was read). All functions run on the thread of their connection.
 */
#ifndef VIEWD_MYSQL_CAPTURE_CAPTURE_H
#define VIEWD_MYSQL_CAPTURE_CAPTURE_H

#include "mysql/conn/texts.h"
#include "mysql/my.h"

/* ---- capture.c */

/* Makes the tables that are absent. */
bool capture_setup(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;

/* Touches them in the order in which refreshes settle them, so that the two do not lock each other out. In a
 * transaction. */
bool texts_touch(struct viewd_conn *conn, struct texts *sources, struct viewd_err *err) MUST_CHECK;

/* One transaction in which the sources are touched and then (NULL: nothing) `and_then` is run. */
typedef bool capture_then_fn(struct viewd_conn *conn, void *ctx, struct viewd_err *err);
bool capture_touch(struct viewd_conn *conn, struct texts *sources, capture_then_fn *and_then, void *ctx,
                   struct viewd_err *err) MUST_CHECK;

/* ---- choose.c, trigger.c: hooks of struct db_ops */

bool my_choose_capture(struct db *db, enum viewd_capture wanted, const struct relation *sources, size_t n,
                       struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err);
bool my_make_trigger(struct db *db, const struct relation *source, struct viewd_err *err);
bool my_list_triggers(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);
bool my_drop_trigger(struct db *db, const char *source, struct viewd_err *err);
/* Is one of the source's triggers gone? A source that is gone itself lacks none. */
bool trigger_lacks(struct viewd_conn *conn, const struct relation *source, bool *lacks_r,
                   struct viewd_err *err) MUST_CHECK;

/* ---- drain.c: viewd_changes */

/* Is anything in the log? */
bool drain_look(struct viewd_conn *conn, bool *found_r, struct viewd_err *err) MUST_CHECK;
/* Takes committed rows off the log and touches their sources; *more_r: there is more than one call takes. */
bool drain_log(struct viewd_conn *conn, bool *more_r, struct viewd_err *err) MUST_CHECK;

/* ---- slots.c: viewd_slots */

/* Writers who have left no row because nobody watched. All zero at first, prepared "". */
struct slots {
	bool begun;
	bool left;      /* some may still be at work */
	int64_t heard;  /* up to which number writers of all nodes leave their rows; 0 not known */
	uint64_t held;  /* slots */
	char *prepared; /* transactions; on no talloc context */
	int64_t busy_us, again_us, pace_us;
	bool late;                      /* writers whom a cluster carries out once more may still come */
	int64_t late_beyond, late_told; /* the numbers that they may have; up to where they were told of */
};

/* With the lock of the watch: before the log is read, often while some are left, else now and then. Touches what
 * triggers follow when one of them may have committed. asked: somebody relies on that. *news_r becomes true when it
 * did. */
bool slots_look(struct viewd_conn *conn, struct slots *s, bool asked, bool *news_r, struct viewd_err *err) MUST_CHECK;

/* ---- tables.c: viewd_tables */

/* A server that nobody has watched by yet: its tables are compared with what another one had, and what differs counts
 * as changed. */
bool tables_know(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Remembers the table as it is now. Before its view is registered. */
bool tables_remember(struct viewd_conn *conn, const struct relation *source, struct viewd_err *err) MUST_CHECK;
bool tables_forget(struct viewd_conn *conn, const char *source, struct viewd_err *err) MUST_CHECK;
#define GRANT_PROCESS "grant PROCESS on *.* to viewd's account"
/* A number that is another one once the table was truncated, rebuilt or made anew; NULL: it is not InnoDB's. MariaDB
 * alone. talloc'ed on mem. */
bool tables_life(struct viewd_conn *conn, void *mem, const struct relation *rel, char **life_r,
                 struct viewd_err *err) MUST_CHECK;
/* The name of a table's file, as InnoDB tells it; NULL: it is not of ASCII alone. talloc'ed */
char *tables_file(void *mem, const struct relation *rel);
/* SQL: {file, number} of those of the files (literals) that are there; the numbers of one name are added up.
 * talloc'ed */
char *tables_lives_query(const struct viewd_conn *conn, void *mem, const char *files);
/* Can TRUNCATE be seen with this account? */
bool tables_can_compare(struct viewd_conn *conn);
/* Looks at the tables that are noticed by triggers. compare (see tables_can_compare): one that was truncated, or
 * dropped and made anew; thorough: one that lost a trigger. It gets its triggers again and is touched. */
bool tables_mend(struct viewd_conn *conn, bool compare, bool thorough, bool *found_r, struct viewd_err *err) MUST_CHECK;
/* Was the server started since this was asked last? Then what is polled is touched, and what a restart empties.
 * *found_r becomes true. */
bool tables_restarted(struct viewd_conn *conn, bool *found_r, struct viewd_err *err) MUST_CHECK;
/* Looks at the tables that are polled; compare as above. */
bool tables_poll(struct viewd_conn *conn, bool compare, bool *found_r, struct viewd_err *err) MUST_CHECK;

#endif
