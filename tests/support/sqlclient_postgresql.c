/* SPDX-License-Identifier: MIT
 *
 * sqlclient_postgresql.c: the client for PostgreSQL.
 */
#include "support/sqlclient.h"

#include <libpq-fe.h>

#include <stdio.h>
#include <stdlib.h>

struct sqlclient {
	PGconn *conn;
};

struct sqlclient *sqlclient_open(const char *target)
{
	struct sqlclient *c = calloc(1, sizeof *c);
	if (c == NULL)
		exit(EXIT_FAILURE);
	c->conn = PQconnectdb(target);
	if (PQstatus(c->conn) != CONNECTION_OK) {
		fprintf(stderr, "cannot connect (%s)\n", PQerrorMessage(c->conn));
		exit(EXIT_FAILURE);
	}
	return c;
}

bool sqlclient_run(struct sqlclient *c, const char *sql, char *text, size_t size)
{
	PGresult *res = PQexec(c->conn, sql);
	ExecStatusType status = PQresultStatus(res);
	bool good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;
	int columns = good ? PQnfields(res) : 0;
	text[0] = '\0';
	if (!good)
		sqlclient_append(text, size, PQerrorMessage(c->conn), '\0');
	for (int row = 0; row < PQntuples(res); row++)
		for (int i = 0; i < columns; i++)
			sqlclient_append(text, size, PQgetvalue(res, row, i), i + 1 < columns ? '|' : '\n');
	PQclear(res);
	return good;
}

void sqlclient_close(struct sqlclient **c)
{
	if (*c == NULL)
		return;
	PQfinish((*c)->conn);
	free(*c);
	*c = NULL;
}
