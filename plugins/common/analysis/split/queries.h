/* SPDX-License-Identifier: MIT
 *
 * queries.h: the queries of a tree, the tree itself first. Two trees of one text have them in the same order, resolved
 * or not. [any]
 */
#ifndef VIEWD_COMMON_ANALYSIS_SPLIT_QUERIES_H
#define VIEWD_COMMON_ANALYSIS_SPLIT_QUERIES_H

#include "common/analysis/reading/query.h"

struct queries {
	void *mem;
	struct query **items;
	size_t n;
};

void queries_list(struct queries *queries, struct query *query);

/* Is `inner` the query itself, or in it? */
bool queries_inside(struct query *outer, const struct query *inner);

/* Does its FROM name tables alone? */
bool queries_of_tables(const struct query *query);

#endif
