/* SPDX-License-Identifier: MIT
 *
 * part_diff.h: rows of a relation that are to become those of a query, as pieces of one statement: what is written is
 * what differs by bytes. Pure text. [any]
 */
#ifndef VIEWD_POSTGRESQL_INCREMENTAL_PART_DIFF_H
#define VIEWD_POSTGRESQL_INCREMENTAL_PART_DIFF_H

#include "common/incremental/part.h"

struct pg_difference {
	void *mem; /* texts are talloc'ed here */
	const struct part *part;
	const struct key_set *keys; /* of which rows are computed and written, as parameters from $1 on; NULL: all rows */
	const char *among;          /* a query of the WITH list whose columns k1 .. are the keys of rows that are written;
	                             * all rows are computed. NULL: as keys says */
	const char *prefix;         /* of the names of its queries */
	bool with_old;              /* the differences have the values of before as well: b1 .. */
	bool nulls;                 /* of the keys those with a NULL in them; else the others. For use inside */
};

/* Appends queries of a WITH list, named by the prefix and a letter: j are the rows that differ (tid, gone, c1 ..); d, u
 * and i write them, and yield a row for each that was deleted, updated, inserted. */
char *pg_difference_add(const struct pg_difference *t, char *sql);

/* Appends three numbers: how many rows were inserted, updated and deleted. */
char *pg_difference_counts(const struct pg_difference *t, char *sql);

/* Reads these from the columns of an answer. */
void pg_difference_read(const char *const *values, struct part_written *out);

#endif
