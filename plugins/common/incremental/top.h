/* SPDX-License-Identifier: MIT
 *
 * top.h: a small query over pieces, each of which is kept by itself (docs/adr/008-incremental-nodes.md). The query is
 * computed as a whole, and written as a difference.
 */
#ifndef VIEWD_COMMON_INCREMENTAL_TOP_H
#define VIEWD_COMMON_INCREMENTAL_TOP_H

#include "common/incremental/roll.h"

/* A query whose rows are kept: a part in a table of its own, or a roll, from which they are computed. */
struct piece {
	const struct analysis_piece *said;
	struct part part;         /* finds the keys; without a roll it has the rows */
	struct node_table table;  /* of these rows */
	struct roll *roll;        /* NULL: a part */
	const struct piece *same; /* has the roll's tables, and keeps them; NULL: it has its own */
	struct key_set keys;      /* of this refresh */
};

struct top {
	const struct analysis_top *said;
	struct piece *pieces;
	size_t n_pieces;
	struct change_log **whole; /* of the tables that it reads itself */
	size_t n_whole;
	struct part result; /* the relation */
};

/* The part of the piece that keys are pushed into; NULL: its roll takes images. */
struct part *piece_keyed(struct piece *piece);

/* The node tables of a piece, in order, at most two; returns how many. */
size_t piece_tables(struct piece *piece, struct node_table *tables[2]);

/* Makes the query, once the tables have their names. talloc'ed on mem. */
void top_bind(struct db *db, void *mem, struct top *top);

/* Makes indexes on the keys, once tables and logs are there. Does the server take the statements, and do they yield the
 * types of the definition? Outside a transaction. [worker] */
bool top_check(struct db *db, void *mem, const char *view, struct top *top, const char *definition,
               struct viewd_err *err) MUST_CHECK;

/* In the refresh's transaction: fills all pieces. [worker] */
bool top_fill(struct db *db, void *mem, struct top *top, struct viewd_err *err) MUST_CHECK;

/* part_ask of each piece. [worker] */
bool top_ask(struct db *db, void *mem, const char *view, struct top *top, int64_t limit,
             struct viewd_err *err) MUST_CHECK;

/* Finds the keys that are affected in each piece, and counts them, together with images that are added. More than limit
 * of them: *all_r. [worker] */
bool top_affected(struct db *db, void *mem, const char *view, struct top *top, int64_t limit, int64_t *n_r, bool *all_r,
                  struct viewd_err *err) MUST_CHECK;

/* After that: moves the pieces, and writes the relation. [worker] */
bool top_apply(struct db *db, void *mem, const char *view, struct top *top, struct part_written *out,
               struct viewd_err *err) MUST_CHECK;

/* The keys are not needed any more. */
void top_drop_keys(struct db *db, struct top *top);

#endif
