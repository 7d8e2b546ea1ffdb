/* SPDX-License-Identifier: MIT
 *
 * binlog.h: reading the server's binary log as a replica does, to learn which tables changed. Functions run on the
 * thread of their connection.
 *
 * Row events name tables, and events come in commit order, so no log of our own is needed. An event may be read a
 * moment before its transaction is visible; the marks are therefore set in a transaction that itself goes through the
 * binary log: commits become visible in its order (https://mariadb.com/kb/en/group-commit-for-the-binary-log/), so
 * whoever sees the marks sees the change.
 */
#ifndef VIEWD_MYSQL_CAPTURE_BINLOG_BINLOG_H
#define VIEWD_MYSQL_CAPTURE_BINLOG_BINLOG_H

#include "mysql/capture/capture.h"

/* ---- position.c */

struct position {
	char file[513];
	int64_t offset;
	int64_t created; /* when the file was made, as its first event says; 0 unknown */
};

/* Can this session read the log? *cls_r is OK, else why says what is missing (160 bytes). False: the question failed,
 * or came to nothing for a reason that passes. */
bool binlog_usable(struct viewd_conn *conn, enum viewd_err_class *cls_r, char why[static 160],
                   struct viewd_err *err) MUST_CHECK;
/* Remembers the end of the log as the place to begin, unless a place is remembered. Before a view is registered. */
bool binlog_begin(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Where to go on. A place in another server's log, or none: everything is touched and the end of this log is the
 * place. */
bool position_load(struct viewd_conn *conn, struct position *out, struct viewd_err *err) MUST_CHECK;
bool position_store(struct viewd_conn *conn, const struct position *position, struct viewd_err *err) MUST_CHECK;
/* Nobody knows what changed: everything is touched, the end of the log is the place to go on. */
bool position_reset(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;

/* Where the log ends now. */
bool position_end(struct viewd_conn *conn, struct position *out, struct viewd_err *err) MUST_CHECK;

/* ---- binlog.c */

struct binlog;

/* Class CONFIG when the server's settings put changes into events that the client library does not know. */
bool binlog_settings(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Does the server send events to this account? Class CONFIG when the client library cannot read them. */
bool binlog_try(struct viewd_conn *conn, const struct position *at, struct viewd_err *err) MUST_CHECK;

/* Connects and asks for events from the remembered place on. conn is used for queries and outlives it. NULL: err, class
 * CONFIG when the log cannot be followed at all. */
struct binlog *binlog_open(struct viewd_conn *conn, struct viewd_err *err);
void binlog_close(struct binlog **log);
/* For poll(2); and: are there events that were read from it already? */
int binlog_fd(const struct binlog *log);
bool binlog_buffered(const struct binlog *log);
/* Reads what has arrived, for a fifth of a second at most. False: the connection is lost, or silent for too long, or
 * the log has a gap (all is touched then). */
bool binlog_read(struct binlog *log, struct viewd_err *err) MUST_CHECK;
/* Everything that the log holds now is to be read before anybody may say that it was looked at. Not anew: unless an
 * older end has still to be reached. */
bool binlog_aim(struct binlog *log, bool anew, struct viewd_err *err) MUST_CHECK;
/* Has it not been, yet? */
bool binlog_is_behind(const struct binlog *log);
/* Has an event come since then (microseconds of the monotonic clock)? */
bool binlog_heard_since(const struct binlog *log, int64_t since);
/* Is the log still the one that is followed? False: it may not be (RESET MASTER), opening it again will tell. To be
 * asked now and then. */
bool binlog_check(struct binlog *log, struct viewd_err *err) MUST_CHECK;
/* Touches what was read of, and remembers the place; *found_r: something was touched. */
bool binlog_commit(struct binlog *log, bool *found_r, struct viewd_err *err) MUST_CHECK;
/* May something be defined otherwise? Told once. */
bool binlog_saw_definition(struct binlog *log);
/* Was a refresh asked for in SQL? Told once. */
bool binlog_saw_request(struct binlog *log);
/* Has the server said that nothing happens? Told once. */
bool binlog_saw_heartbeat(struct binlog *log);

#endif
