/* SPDX-License-Identifier: MIT */
#include "common/analysis/meaning/calls.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum aggregate aggregate;
} aggregates[] = {
	{"count", AGGREGATE_COUNT},
	{"sum", AGGREGATE_SUM},
	{"avg", AGGREGATE_AVG},
	{"min", AGGREGATE_MIN},
	{"max", AGGREGATE_MAX},
	{"bool_and", AGGREGATE_WHOLE},
	{"bool_or", AGGREGATE_WHOLE},
	{"every", AGGREGATE_WHOLE},
	{"bit_and", AGGREGATE_WHOLE},
	{"bit_or", AGGREGATE_WHOLE},
	{"bit_xor", AGGREGATE_WHOLE},
	{"percentile_disc", AGGREGATE_WHOLE},
	{"string_agg", AGGREGATE_ORDER},
	{"array_agg", AGGREGATE_ORDER},
	{"json_agg", AGGREGATE_ORDER},
	{"jsonb_agg", AGGREGATE_ORDER},
	{"group_concat", AGGREGATE_ORDER},
	{"json_group_array", AGGREGATE_ORDER},
	{"json_arrayagg", AGGREGATE_ORDER},
	{"xmlagg", AGGREGATE_ORDER},
};

/* Least and greatest of several arguments are no aggregates (SQLite). */
static bool of_several(const struct expr *expr)
{
	return expr->args.n > 1 && (strcasecmp(expr->name, "min") == 0 || strcasecmp(expr->name, "max") == 0);
}

enum aggregate call_aggregate(const struct facts *facts, const struct expr *expr)
{
	if (expr->kind != EXPR_CALL || expr->call->over != NULL || of_several(expr))
		return AGGREGATE_NONE;
	for (size_t i = 0; i < ARRAY_LEN(aggregates); i++)
		if (strcasecmp(aggregates[i].name, expr->name) == 0)
			return aggregates[i].aggregate;
	for (size_t i = 0; i < facts->n_functions; i++)
		if (facts->functions[i].aggregate && strcasecmp(facts->functions[i].name, expr->name) == 0)
			return AGGREGATE_ORDER;
	return AGGREGATE_NONE;
}

static bool is_window_call(const struct expr *expr)
{
	static const char *const names[] = {"row_number", "rank", "dense_rank",  "percent_rank", "cume_dist", "ntile",
	                                    "lag",        "lead", "first_value", "last_value",   "nth_value"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(names[i], expr->name) == 0)
			return true;
	for (size_t i = 0; i < ARRAY_LEN(aggregates); i++)
		if (strcasecmp(aggregates[i].name, expr->name) == 0)
			return aggregates[i].aggregate != AGGREGATE_ORDER;
	return false;
}

static bool check_function(const struct facts *facts, const struct expr *expr, struct refusal *no)
{
	const struct fact_function *found = NULL;
	for (size_t i = 0; i < facts->n_functions && found == NULL; i++)
		if (strcasecmp(facts->functions[i].name, expr->name) == 0)
			found = &facts->functions[i];
	if (found == NULL)
		return refuse_named(no, expr->at, "function", expr->name,
		                    "whether it gives the same result each time is not known",
		                    "leave it to whoever reads the view, or store its value in a column of the table");
	if (found->returns_set)
		return refuse_named(no, expr->at, "function", expr->name, "it makes several rows of one",
		                    "join a table instead");
	if (found->volatility == FACT_VOLATILE)
		return refuse_named(no, expr->at, "function", expr->name, "it may give another result each time",
		                    "leave it to whoever reads the view");
	return true;
}

bool call_check(const struct facts *facts, const struct expr *expr, struct refusal *no)
{
	if (expr->call->over != NULL && !is_window_call(expr))
		return refuse_named(no, expr->at, "window function", expr->name, "the analysis does not know it", "");
	if (expr->call->over != NULL)
		return true;
	if (of_several(expr))
		return true;
	switch (call_aggregate(facts, expr)) {
	case AGGREGATE_NONE:
		return check_function(facts, expr, no);
	case AGGREGATE_ORDER:
		return expr->call->ordered ||
		       refuse_named(no, expr->at, "aggregate", expr->name, "its result depends on the order of the rows",
		                    "give it ORDER BY with columns that leave no two rows equal");
	case AGGREGATE_COUNT:
	case AGGREGATE_SUM:
	case AGGREGATE_AVG:
	case AGGREGATE_MIN:
	case AGGREGATE_MAX:
	case AGGREGATE_WHOLE:
		break;
	}
	return true;
}

static bool walk_list(const struct expr_list *list, expr_fn *fn, void *ctx)
{
	for (size_t i = 0; i < list->n; i++)
		if (!expr_walk(list->items[i], fn, ctx))
			return false;
	return true;
}

bool expr_walk(struct expr *expr, expr_fn *fn, void *ctx)
{
	if (expr == NULL)
		return true;
	if (!fn(ctx, expr) || !walk_list(&expr->args, fn, ctx))
		return false;
	if (expr->call == NULL)
		return true;
	return expr_walk(expr->call->filter, fn, ctx) &&
	       (expr->call->over == NULL ||
	        (walk_list(&expr->call->over->partition, fn, ctx) && walk_list(&expr->call->over->order, fn, ctx)));
}

bool query_walk(struct query *query, expr_fn *fn, void *ctx)
{
	for (size_t i = 0; i < query->n_items; i++)
		if (!expr_walk(query->items[i].expr, fn, ctx))
			return false;
	for (size_t i = 0; i < query->n_windows; i++)
		if (!walk_list(&query->windows[i]->partition, fn, ctx) || !walk_list(&query->windows[i]->order, fn, ctx))
			return false;
	return walk_list(&query->groups, fn, ctx) && expr_walk(query->having, fn, ctx) &&
	       walk_list(&query->distinct_on, fn, ctx) && walk_list(&query->order, fn, ctx);
}

struct known {
	const struct facts *facts;
};

static bool no_aggregate(void *ctx, struct expr *expr)
{
	const struct known *known = ctx;
	return call_aggregate(known->facts, expr) == AGGREGATE_NONE;
}

bool query_aggregates(const struct facts *facts, struct query *query)
{
	struct known known = {facts};
	return !query_walk(query, no_aggregate, &known);
}

static bool no_window(void *ctx UNUSED, struct expr *expr)
{
	return expr->kind != EXPR_CALL || expr->call->over == NULL;
}

bool query_has_windows(struct query *query)
{
	return !query_walk(query, no_window, NULL);
}
