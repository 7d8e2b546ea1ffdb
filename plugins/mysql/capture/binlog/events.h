/* SPDX-License-Identifier: MIT
 *
 * events.h: the state of who follows the binary log, shared by binlog.c (the stream) and events.c (what comes in it).
 * Functions run on the thread of their connection.
 */
#ifndef VIEWD_MYSQL_CAPTURE_BINLOG_EVENTS_H
#define VIEWD_MYSQL_CAPTURE_BINLOG_EVENTS_H

#include "mysql/capture/binlog/binlog.h"
#include "mysql/capture/binlog/targets.h"

#include <mariadb_rpl.h>

/* A table that row events of the current group name by its number. */
struct mapped {
	uint64_t id;
	struct relation table;
};

struct binlog {
	struct viewd_conn *conn;
	MYSQL *my;
	MARIADB_RPL *rpl;
	MARIADB_RPL_EVENT *event;
	struct position at;     /* everything before is read */
	struct position stored; /* what viewd_position says */
	int64_t seen;           /* in the file of `at`: the end of the last event that came */
	struct position goal;   /* a look is over when this is reached */
	bool in_group, request, reload, gap;
	bool definition; /* something may be defined otherwise */
	bool heartbeat;  /* the server has said that nothing happens */
	bool unsure;     /* the library may hold more that has arrived */
	bool unhandled;  /* the event is to be handled again: the database was busy */
	struct mapped *mapped;
	size_t n_mapped;
	struct targets targets;
	struct texts touched;
	int64_t heard_us;
	int64_t resets;
};

/* Takes in an event: targets touched, the place moved on. False: see binlog_read(); after a busy database it is to be
 * handled again. */
bool binlog_handle(struct binlog *log, struct viewd_err *err) MUST_CHECK;

/* The beginning of a large event. */
struct skimmed {
	int type;
	unsigned flags;
	size_t length;     /* at least that */
	int64_t end;       /* in the file, 0 unknown */
	uint64_t table_id; /* of row events */
};

/* Is it of a kind of which the beginning is enough? */
bool events_may_skim(const struct skimmed *skimmed);
/* As binlog_handle, for what was passed over. */
void events_skimmed(struct binlog *log, const struct skimmed *skimmed);

/* Passes over a large event if that is what comes next; *skimmed_r: it was. False: see binlog_read(). skim.c */
bool binlog_skim(struct binlog *log, bool *skimmed_r, struct viewd_err *err) MUST_CHECK;

/* Nothing can be read from here on: everything is touched. Returns false. */
bool binlog_lose_place(struct binlog *log, const char *why, struct viewd_err *err);

#endif
