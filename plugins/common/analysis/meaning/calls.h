/* SPDX-License-Identifier: MIT
 *
 * calls.h: the table of known functions, and walks through expressions. [any]
 */
#ifndef VIEWD_COMMON_ANALYSIS_MEANING_CALLS_H
#define VIEWD_COMMON_ANALYSIS_MEANING_CALLS_H

#include "common/analysis/facts.h"
#include "common/analysis/reading/query.h"
#include "common/analysis/reading/refusal.h"

enum aggregate {
	AGGREGATE_NONE, /* no aggregate, or one used as a window function */
	AGGREGATE_COUNT,
	AGGREGATE_SUM,
	AGGREGATE_AVG,
	AGGREGATE_MIN,
	AGGREGATE_MAX,
	AGGREGATE_WHOLE, /* right when its group is computed as a whole */
	AGGREGATE_ORDER  /* its result depends on the order of the rows */
};

/* The kind of aggregate that the expression is. */
enum aggregate call_aggregate(const struct facts *facts, const struct expr *expr);

/* Judges a call: volatile and unknown functions, order-sensitive aggregates. */
bool call_check(const struct facts *facts, const struct expr *expr, struct refusal *no);

/* Calls fn for expr and everything below it, subqueries left out. False from fn ends the walk. */
typedef bool expr_fn(void *ctx, struct expr *expr);
bool expr_walk(struct expr *expr, expr_fn *fn, void *ctx);

/* Calls fn as expr_walk does, for each expression of a query's own clauses (columns, groups, HAVING, ORDER BY,
 * windows), without FROM and WHERE. */
bool query_walk(struct query *query, expr_fn *fn, void *ctx);

/* Is there an aggregate, or a window function, in what the query computes? */
bool query_aggregates(const struct facts *facts, struct query *query);
bool query_has_windows(struct query *query);

#endif
