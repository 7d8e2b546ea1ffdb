/* SPDX-License-Identifier: MIT
 *
 * ids.h: sets of numbers of a log's rows. Writers get numbers one after the other, so that what a reader has read is a
 * few ranges: all rows that its snapshot showed. A number inside them that it did not show is not in the set. [any]
 */
#ifndef VIEWD_MYSQL_INCREMENTAL_IDS_H
#define VIEWD_MYSQL_INCREMENTAL_IDS_H

#include "base/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct id_range {
	int64_t first, last;
};

/* In order, none next to another. */
struct ids {
	void *mem; /* items are talloc'ed on it */
	struct id_range *items;
	size_t n;
};

/* Adds numbers above all those of the set. */
void ids_append(struct ids *ids, int64_t first, int64_t last);
/* Adds all of another set. */
void ids_unite(struct ids *ids, const struct ids *more);
/* Leaves those that are in the other set, too. */
void ids_intersect(struct ids *ids, const struct ids *other);
/* Takes away what is below, or above, a number. */
void ids_forget_below(struct ids *ids, int64_t first);
void ids_forget_above(struct ids *ids, int64_t last);
bool ids_contain(const struct ids *ids, int64_t id);

/* "17-300,305", and back. What is not written so gives false. */
char *ids_add_text(char *text, const struct ids *ids);
bool ids_read(struct ids *ids, const char *text) MUST_CHECK;

/* Adds SQL in parentheses: the column is in the set; or it is not, and at least `first`. */
char *ids_add_inside(char *sql, const struct ids *ids, const char *column);
char *ids_add_outside(char *sql, const struct ids *ids, const char *column, int64_t first);

#endif
