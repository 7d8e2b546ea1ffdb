/* SPDX-License-Identifier: MIT
 *
 * targets.h: the sources that tables of the binary log stand for. Functions run on the thread of their connection.
 */
#ifndef VIEWD_MYSQL_CAPTURE_BINLOG_TARGETS_H
#define VIEWD_MYSQL_CAPTURE_BINLOG_TARGETS_H

#include "mysql/capture/capture.h"

struct target {
	struct relation table;
	bool inserts; /* rows put into it count too; they do not for a table whose foreign keys write the source */
	char *source; /* as in viewd_captures */
};

struct targets {
	void *mem; /* freed by the owner, NULL while empty */
	struct target *items;
	size_t n;
};

/* Reads what is registered, waiting for registrations that are being committed. Replaces *out, which is untouched on
 * failure. */
bool targets_load(struct viewd_conn *conn, struct targets *out, struct viewd_err *err) MUST_CHECK;
/* Is the table one of them? */
bool targets_match(const struct viewd_conn *conn, const struct targets *all, const struct relation *table);
/* Adds the sources that a row event on the table has changed. */
void targets_touch(const struct viewd_conn *conn, const struct targets *all, const struct relation *table, bool insert,
                   struct texts *touched);
/* Adds the source of one of them. */
void targets_add(struct texts *touched, const struct target *target);
/* Are these one name to the server? */
bool targets_same(const struct viewd_conn *conn, const char *a, const char *b);

/* ---- statement.c */

/* The meaning of a statement of the binary log for the sources. */
enum statement_means {
	STATEMENT_NOTHING,
	STATEMENT_DEFINES,  /* definitions may be others now; the sources that it is known to change were touched */
	STATEMENT_ANYTHING, /* its text does not tell what it changed */
};

/* Adds the sources that a statement has changed; database: where it ran, "" nowhere. */
enum statement_means targets_statement(const struct viewd_conn *conn, const struct targets *all, const char *statement,
                                       const char *database, struct texts *touched);

#endif
