/* SPDX-License-Identifier: MIT
 *
 * sqlclient.h: the smallest SQL client, the same for each engine; one file an engine implements it. For tests and
 * measurements that need a real client in a tight loop.
 */
#ifndef SUPPORT_SQLCLIENT_H
#define SUPPORT_SQLCLIENT_H

#include <stdbool.h>
#include <stddef.h>

struct sqlclient;

/* target: a libpq connection string; "SOCKET USER DATABASE" for MariaDB; a file for SQLite. Ends the process when it
 * fails. */
struct sqlclient *sqlclient_open(const char *target);

/* Runs one statement. text receives the rows, columns joined by '|', rows by newline, cut to size; or, when false is
 * returned, the server's message. */
bool sqlclient_run(struct sqlclient *client, const char *sql, char *text, size_t size);

void sqlclient_close(struct sqlclient **client);

/* For the implementations: appends text and a separator (0: none), always terminated, cut to size. */
void sqlclient_append(char *text, size_t size, const char *more, char separator);

#endif
