/* SPDX-License-Identifier: MIT
 *
 * ties.h: which columns are equal because the definition says so, and where a way leads from a changed row to the key
 * (docs/adr/010).
 */
#ifndef VIEWD_COMMON_ANALYSIS_TIES_H
#define VIEWD_COMMON_ANALYSIS_TIES_H

#include "common/analysis/meaning/names.h"

#define TIES_MAX 256

struct tie_end {
	struct occurrence *of;
	size_t column;
};

/* a = b for all rows inside scope. */
struct tie {
	struct tie_end a, b;
	int scope;
};

struct ties {
	struct tie *items;
	size_t n;
	bool null_safe; /* some of them hold for NULL */
};

/* Collects the ties of a resolved query. False with a refusal when there are too many. [any] */
bool ties_collect(struct names *names, struct ties *out);

/* Does a row with `from` belong to results in which `to` has the same value? Only from the inside outwards. */
bool ties_reach(const struct names *names, const struct ties *ties, struct tie_end from, struct tie_end to);

/* Have both the same value in each row of the query (scope 0)? */
bool ties_same(const struct names *names, const struct ties *ties, struct tie_end a, struct tie_end b);

/* May column number i of a query be tied to something outside: do its changed rows change only results that have one
 * of its values? */
bool ties_exit(const struct query *query, const struct facts *facts, size_t i, struct tie_end *end_r);

/* A pair of columns with equal values. */
struct way_pair {
	size_t from;
	struct tie_end to;
};

/* How the key of a changed row of one occurrence is found. */
struct way {
	bool found;
	const struct occurrence *next; /* the table the way leads through next; NULL: the pairs end at the key */
	const struct way_pair *pairs;
	size_t n_pairs;
};

/* Fills ways[occurrence number] for every table; derived tables stay unfound. Returns how many are tied to the key
 * directly. */
size_t ways_find(const struct names *names, const struct ties *ties, const struct tie_end *key, size_t n_key,
                 struct way *ways);

/* The first table without a way; NULL when all have one. */
const struct occurrence *ways_missing(const struct names *names, const struct way *ways);

#endif
