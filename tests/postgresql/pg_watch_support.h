/* SPDX-License-Identifier: MIT
 *
 * pg_watch_support.h: a view over a table of the application, captured, with a watch that has told everything there
 * was.
 */
#ifndef VIEWD_TESTS_PG_WATCH_SUPPORT_H
#define VIEWD_TESTS_PG_WATCH_SUPPORT_H

#include "pg_support.h"
#include "postgresql/watch/watch.h"

struct pg_stage {
	struct viewd_conn *conn; /* viewd's own, for refreshes */
	struct viewd_conn *app;  /* owner of the tables */
	struct viewd_watch *watch;
	struct viewd_watch **holder; /* closes it after the test */
	struct viewd_view_spec view; /* totals */
	struct viewd_captured captured;
	const char *const *names;
	size_t n_names;
	int stale, requests; /* signals since pg_told */
	int doubts;          /* signals of a doubt, ever */
	bool doubted;        /* what the last one said */
	int64_t seq;
};

/* A fresh database with viewd's session, and the tables sale and other of the application. */
struct viewd_conn *pg_two_tables(struct viewd_conn **app_r);
/* A table of that name, captured. */
struct viewd_view_spec pg_followed_view(const char *name, const char *definition);

/* Database, table sale(id, amount) with two rows that viewd may read and put triggers on, a watch. */
void pg_stage_open(struct pg_stage *s);
/* Makes the view totals anew, captured, and refreshes it until nothing is stale. names must live as long as the
 * stage. */
void pg_stage_capture(struct pg_stage *s, enum viewd_capture mode, const char *definition, const char *const *names,
                      size_t n);
/* Closes the watch and opens another. */
void pg_stage_rewatch(struct pg_stage *s);
/* Open and capture, with totals over sale. */
void pg_stage_begin(struct pg_stage *s, enum viewd_capture mode);
/* The same of the table own(id), which belongs to viewd and is empty. */
void pg_stage_own(struct pg_stage *s);

/* capture() alone. */
bool pg_try_capture(struct pg_stage *s, enum viewd_capture mode, struct viewd_err *err) MUST_CHECK;

/* A refresh of the captured view. */
struct viewd_outcome pg_stage_refresh(struct pg_stage *s);

/* One watch_next; counts signals. The test ends when it fails. */
bool pg_look_watch(struct pg_stage *s, int64_t timeout_us);
/* Is the view told to be stale within the time (default: ten seconds)? */
bool pg_told_within(struct pg_stage *s, int64_t timeout_us);
bool pg_told(struct pg_stage *s);

/* Changes follow each other until the watcher is awake. */
void pg_keep_awake(struct pg_stage *s);
/* The next look has a heartbeat. */
void pg_beat(struct pg_stage *s);

#endif
