/* SPDX-License-Identifier: MIT
 *
 * texts.h: a query with groups as the pieces of SQL that a roll is made of, taken from the definition as it is written.
 * [any]
 */
#ifndef VIEWD_COMMON_ANALYSIS_TEXTS_H
#define VIEWD_COMMON_ANALYSIS_TEXTS_H

#include "common/analysis/unit.h"

/* How a roll's columns are called: g1 .. for the groups, s1 and n1 .. for sum and count of the first aggregate, m1
 * for how many of its terms are long, e1 for the least or greatest one, cnt for the rows of a group. */
struct analysis_term {
	bool summed;         /* has s; all have n */
	const char *extreme; /* has e: "min" or "max"; NULL: it has none */
	const char *arg;     /* as written; NULL: count(*), which is cnt */
	/* SQL that is NULL for terms with fewer digits than others have; NULL: all have the same number. With it there is
	 * m. */
	const char *longer;
	/* m counts terms with which an average is not exact, or which equal others of other bytes: there is to be none. */
	bool none_longer;
};

struct analysis_texts {
	const char *rows; /* "FROM .. WHERE .." */
	/* The same in two pieces, "FROM (SELECT" and what follows, so that further columns may come between, where all rows
	 * come from one derived table; else NULL. */
	const char *opening, *inside;
	struct analysis_list groups; /* as written */
	struct analysis_term *terms; /* one for each aggregate that is written differently */
	size_t n_terms;
	const char *list;   /* what is selected, over a roll that is called viewd_n */
	const char *having; /* likewise; NULL: there is none */
};

/* The derived table that all rows of the query come from, as columns of tables; NULL: they come from elsewhere. */
const struct query *texts_inside(const struct unit *unit);

/* The derived table with groups whose rows are all that the query reads, itself made from tables alone, each of which
 * has a name of its own there; NULL: there is none. */
const struct occurrence *texts_grouped(const struct unit *unit);

/* NULL where the query cannot be taken apart so: several derived tables, WITH, FILTER, pieces that are not read alike
 * when they stand alone. average: SQL for avg(x), slots {a} its sum and {b} its count. On maker->out. */
struct analysis_texts *texts_make(const struct unit *unit, const char *average);

/* The query as one over a derived table that has its groups and aggregates; NULL where it cannot be taken apart so. On
 * maker->mem. */
const char *texts_derived(const struct unit *unit);

#endif
