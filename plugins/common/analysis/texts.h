/* SPDX-License-Identifier: MIT
 *
 * texts.h: a query with groups as the pieces of SQL that a roll is made of, taken from the definition as it is written.
 */
#ifndef VIEWD_COMMON_ANALYSIS_TEXTS_H
#define VIEWD_COMMON_ANALYSIS_TEXTS_H

#include "common/analysis/unit.h"

/* How a roll's columns are called: g1 .. for the groups, s1 and n1 .. for sum and count of the first aggregate, cnt for
 * the rows of a group. */
struct analysis_term {
	bool summed;     /* has s; all have n */
	const char *arg; /* as written; NULL: count(*), which is cnt */
};

struct analysis_texts {
	const char *rows;            /* "FROM .. WHERE .." */
	struct analysis_list groups; /* as written */
	struct analysis_term *terms; /* one for each aggregate that is written differently */
	size_t n_terms;
	const char *list;   /* what is selected, over a roll that is called viewd_n */
	const char *having; /* likewise; NULL: there is none */
};

/* NULL where the query cannot be taken apart so: derived tables, WITH, FILTER, pieces that are not read alike when
 * they stand alone.
 * average: SQL for avg(x), slots {a} its sum and {b} its count. On maker->out. */
struct analysis_texts *texts_make(const struct unit *unit, const char *average);

#endif
