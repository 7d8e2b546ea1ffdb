/* SPDX-License-Identifier: MIT
 *
 * prepared.h: statements that stay prepared with their connection. To compile a definition may take longer than to run
 * it for a few keys. SQLite compiles a kept statement anew by itself when the schema has changed. Functions run on the
 * thread of their connection.
 */
#ifndef VIEWD_SQLITE_CONN_PREPARED_H
#define VIEWD_SQLITE_CONN_PREPARED_H

#include "sqlite/conn/conn.h"

struct prepared;

/* A statement that is in use. */
struct sqlite_taken {
	sqlite3_stmt *stmt;
	bool writes;               /* the file */
	bool side_writes;          /* a trigger of somebody's writes it */
	struct prepared *prepared; /* NULL: it goes after use */
};

/* Finds or prepares it, for the connection's present guard; what it has bound is nothing. */
bool sqlite_prepared_take(struct viewd_conn *conn, const char *sql, struct sqlite_taken *out,
                          struct viewd_err *err) MUST_CHECK;

/* Gives the statement back after its run. good: it may be kept. */
void sqlite_prepared_give(struct viewd_conn *conn, struct sqlite_taken *taken, bool good);

/* Before the connection is closed: none is left. */
void sqlite_prepared_end(struct viewd_conn *conn);

#endif
