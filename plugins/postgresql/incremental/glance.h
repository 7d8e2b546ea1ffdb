/* SPDX-License-Identifier: MIT
 *
 * glance.h: has anything changed in the catalogue since all logs of a view were found sound? The whole look (look.c)
 * takes several times as long as this question. What is remembered belongs to one connection. Functions run on its
 * thread.
 */
#ifndef VIEWD_POSTGRESQL_INCREMENTAL_GLANCE_H
#define VIEWD_POSTGRESQL_INCREMENTAL_GLANCE_H

#include "postgresql/pg.h"

#include "common/incremental/change_log.h"
#include "common/incremental/node_table.h"

/* The findings of a whole look at one log. */
struct pg_seen {
	char digest[40];                        /* of all that decides whether changes are logged */
	char relations[80], functions[80];      /* oids, commas between */
	char source[24], nodes[16 * NODES_MAX]; /* and those of inner nodes */
	char place[24];                         /* the value of its sequence: no part of the digest */
};

/* Asks with the next turn whether all is as it was; false: nothing is remembered of these logs. */
bool pg_glance_ask(struct viewd_conn *conn, struct change_log *logs, size_t n);

/* After that turn: nothing has changed, and seen[] is what it was. */
bool pg_glance_same(const struct change_log *logs, struct pg_seen *seen, size_t n);

/* All logs are sound, at this transaction's snapshot: what the glance sees there is asked with the next turn, and kept
 * in logs[0]. */
void pg_glance_remember(struct viewd_conn *conn, struct change_log *logs, const struct pg_seen *seen, size_t n);

#endif
