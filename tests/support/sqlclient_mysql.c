/* SPDX-License-Identifier: MIT
 *
 * sqlclient_mysql.c: the client for MariaDB and MySQL.
 */
#include "support/sqlclient.h"

#include <mysql.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sqlclient {
	MYSQL *conn;
};

struct sqlclient *sqlclient_open(const char *target)
{
	struct sqlclient *c = calloc(1, sizeof *c);
	char *words = strdup(target);
	if (c == NULL || words == NULL)
		exit(EXIT_FAILURE);
	char *rest = words;
	const char *socket = strsep(&rest, " ");
	const char *user = strsep(&rest, " ");
	c->conn = mysql_init(NULL);
	if (mysql_real_connect(c->conn, "localhost", user, NULL, rest, 0, socket, 0) == NULL) {
		fprintf(stderr, "cannot connect (%s)\n", mysql_error(c->conn));
		exit(EXIT_FAILURE);
	}
	free(words);
	return c;
}

static void append_rows(MYSQL_RES *res, char *text, size_t size)
{
	unsigned columns = mysql_num_fields(res);
	for (MYSQL_ROW row; (row = mysql_fetch_row(res)) != NULL;)
		for (unsigned i = 0; i < columns; i++)
			sqlclient_append(text, size, row[i] != NULL ? row[i] : "", i + 1 < columns ? '|' : '\n');
}

bool sqlclient_run(struct sqlclient *c, const char *sql, char *text, size_t size)
{
	text[0] = '\0';
	bool good = mysql_query(c->conn, sql) == 0;
	MYSQL_RES *res = good ? mysql_store_result(c->conn) : NULL;
	if (res != NULL)
		append_rows(res, text, size);
	else if (mysql_errno(c->conn) != 0) {
		good = false;
		sqlclient_append(text, size, mysql_error(c->conn), '\0');
	}
	mysql_free_result(res);
	return good;
}

void sqlclient_close(struct sqlclient **c)
{
	if (*c == NULL)
		return;
	mysql_close((*c)->conn);
	free(*c);
	*c = NULL;
}
