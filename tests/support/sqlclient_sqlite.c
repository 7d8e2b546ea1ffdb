/* SPDX-License-Identifier: MIT
 *
 * sqlclient_sqlite.c: the client for SQLite.
 */
#include "support/sqlclient.h"

#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>

struct sqlclient {
	sqlite3 *conn;
};

struct sqlclient *sqlclient_open(const char *target)
{
	struct sqlclient *c = calloc(1, sizeof *c);
	if (c == NULL)
		exit(EXIT_FAILURE);
	if (sqlite3_open(target, &c->conn) != SQLITE_OK || sqlite3_busy_timeout(c->conn, 5000) != SQLITE_OK) {
		fprintf(stderr, "cannot open %s (%s)\n", target, sqlite3_errmsg(c->conn));
		exit(EXIT_FAILURE);
	}
	return c;
}

static void append_row(sqlite3_stmt *stmt, char *text, size_t size)
{
	int columns = sqlite3_column_count(stmt);
	for (int i = 0; i < columns; i++) {
		const unsigned char *value = sqlite3_column_text(stmt, i);
		sqlclient_append(text, size, value != NULL ? (const char *)value : "", i + 1 < columns ? '|' : '\n');
	}
}

bool sqlclient_run(struct sqlclient *c, const char *sql, char *text, size_t size)
{
	sqlite3_stmt *stmt = NULL;
	int rc = SQLITE_OK;
	text[0] = '\0';
	for (const char *tail = sql; rc == SQLITE_OK && *tail != '\0';) {
		rc = sqlite3_prepare_v2(c->conn, tail, -1, &stmt, &tail);
		while (rc == SQLITE_OK && stmt != NULL && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
			append_row(stmt, text, size);
			rc = SQLITE_OK;
		}
		if (rc == SQLITE_DONE)
			rc = SQLITE_OK;
		if (rc != SQLITE_OK) {
			text[0] = 0;
			sqlclient_append(text, size, sqlite3_errmsg(c->conn), 0);
		}
		sqlite3_finalize(stmt);
		stmt = NULL;
	}
	return rc == SQLITE_OK;
}

void sqlclient_close(struct sqlclient **c)
{
	if (*c == NULL)
		return;
	sqlite3_close((*c)->conn);
	free(*c);
	*c = NULL;
}
