/* SPDX-License-Identifier: MIT
 *
 * known.h: answers that hold for as long as the schema of the file is the same, kept with the connection. Functions run
 * on its thread.
 */
#ifndef VIEWD_SQLITE_OBJECTS_KNOWN_H
#define VIEWD_SQLITE_OBJECTS_KNOWN_H

#include "sqlite/conn/conn.h"

/* The answer that was kept for a question; *answer_r NULL: there is none that holds now. Another answer may take it
 * away. */
bool sqlite_known_find(struct db *db, const char *question, const void **answer_r, struct viewd_err *err) MUST_CHECK;

/* After that: keeps an answer, which is talloc'ed and taken over. */
void sqlite_known_keep(struct viewd_conn *conn, const char *question, void *answer);

#endif
