/* SPDX-License-Identifier: MIT
 *
 * comparing.h: what the files of compare/ share.
 */
#ifndef VIEWD_MYSQL_INCREMENTAL_COMPARE_COMPARING_H
#define VIEWD_MYSQL_INCREMENTAL_COMPARE_COMPARING_H

#include "mysql/incremental/log.h"

struct side {
	void *mem;
	char ***rows; /* each a column */
	size_t n;
	char *room; /* for the next rows */
	size_t left;
	int64_t bytes;
	bool too_long; /* it was not read to its end */
};

struct comparing {
	const struct difference *d;
	size_t *order; /* of columns: first those that identify a row */
	size_t n_row;  /* so many: all of them where nothing else does */
	bool numbered; /* rows that are there have the number of the row behind their columns, and go by it */
	struct side have, want;
	bool cut;                  /* some text is not whole */
	struct side going, coming; /* rows that differ */
	struct side changing;      /* that come, and take the place of one that goes */
	size_t changed;            /* pairs of going and coming rows */
	int64_t in_place;          /* rows may be changed where they are */
};

/* ---- write_back.c */

/* Makes the relation's rows what they should be: those that go, those that change, those that come. Whoever called has
 * read the relation's rows with a lock. */
bool compared_write(const struct comparing *c, struct viewd_err *err) MUST_CHECK;
/* SQL that inserts all rows that come by one statement. NULL: it takes more than one. talloc'ed on the difference's
 * memory. */
char *compared_insert_text(const struct comparing *c, const char *rel);

#endif
