/* SPDX-License-Identifier: MIT
 *
 * sqlclient_sqlite.c: the client for SQLite.
 */
#include "support/sqlclient.h"

#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sqlclient {
	sqlite3 *conn;
	sqlite3_stmt *kept; /* kept_sql, which is this one statement; NULL: none, or the text held several */
	char *kept_sql;
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

/* Steps to the end; the statement can be run again. */
static int step_all(sqlite3_stmt *stmt, char *text, size_t size)
{
	int rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
		append_row(stmt, text, size);
	return rc == SQLITE_DONE ? sqlite3_reset(stmt) : rc;
}

static void forget(struct sqlclient *c)
{
	sqlite3_finalize(c->kept);
	free(c->kept_sql);
	c->kept = NULL;
	c->kept_sql = NULL;
}

static int run_all(struct sqlclient *c, const char *sql, char *text, size_t size)
{
	int rc = SQLITE_OK;
	int n = 0;
	for (const char *tail = sql; rc == SQLITE_OK && *tail != '\0'; n++) {
		forget(c);
		rc = sqlite3_prepare_v2(c->conn, tail, -1, &c->kept, &tail);
		if (rc == SQLITE_OK && c->kept != NULL)
			rc = step_all(c->kept, text, size);
	}
	if (rc == SQLITE_OK && n == 1)
		c->kept_sql = strdup(sql);
	return rc;
}

/* The same text as before is not compiled again, as the usual bindings do it. */
bool sqlclient_run(struct sqlclient *c, const char *sql, char *text, size_t size)
{
	bool again = c->kept_sql != NULL && c->kept != NULL && strcmp(sql, c->kept_sql) == 0;
	text[0] = '\0';
	int rc = again ? step_all(c->kept, text, size) : run_all(c, sql, text, size);
	if (rc == SQLITE_OK)
		return true;
	text[0] = '\0';
	sqlclient_append(text, size, sqlite3_errmsg(c->conn), 0);
	forget(c);
	return false;
}

void sqlclient_close(struct sqlclient **c)
{
	if (*c == NULL)
		return;
	forget(*c);
	sqlite3_close((*c)->conn);
	free(*c);
	*c = NULL;
}
