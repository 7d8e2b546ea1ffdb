/* SPDX-License-Identifier: MIT
 *
 * apply.h: computes the rows of some keys by the definition, and writes what differs from the rows that are stored, by
 * bytes. Both sides are put into temporary tables first: reading the relation while it is written would not do, and a
 * definition may take long. [worker]
 */
#ifndef VIEWD_SQLITE_INCREMENTAL_APPLY_H
#define VIEWD_SQLITE_INCREMENTAL_APPLY_H

#include "common/incremental/part.h"

struct applying {
	struct db *db;
	void *mem;
	const struct part *part;
	const struct key_set *keys; /* NULL: all rows */
	/* Filled by applying_begin: */
	const char *collations[KEY_WIDTH_MAX]; /* of the key */
	char *rel;                             /* quoted */
	const char *row_id;                    /* of rel */
	char *now; /* temporary table of what the definition yields: c0, c1 .., n tells the very same rows apart */
	char *had; /* likewise of what is stored, and rid, its row number */
};

/* Fills both tables. */
bool applying_begin(struct applying *a, struct viewd_err *err) MUST_CHECK;

/* Writes the difference; the tables stay as they are. */
bool applying_write(const struct applying *a, struct part_written *out, struct viewd_err *err) MUST_CHECK;

bool applying_end(const struct applying *a, struct viewd_err *err) MUST_CHECK;

#endif
