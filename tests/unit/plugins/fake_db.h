/* SPDX-License-Identifier: MIT
 *
 * fake_db.h: a connection that answers what it is told to, for tests of the shared code without a server.
 */
#ifndef VIEWD_TESTS_FAKE_DB_H
#define VIEWD_TESTS_FAKE_DB_H

#include "common/conn/db.h"

struct fake_db {
	struct db db;        /* first */
	const char *answers; /* what is left of them */
};

/* answers: one after another for each query, separated by form feeds; rows end with a newline, columns are separated by
 * tabs, \N is NULL. After the last one queries have no rows. Every statement without rows succeeds. answers and syntax
 * must outlive it. */
void fake_db_init(struct fake_db *fake, const struct syntax *syntax, const char *answers);

#endif
