/* SPDX-License-Identifier: MIT */
#include "common/analysis/exact.h"

#include "common/analysis/meaning/names.h"

#include <string.h>
#include <strings.h>

#define SCALE_MAX 1000

static const struct exact inexact = {0}, whole = {.exact = true};

static struct exact of_column(struct expr *expr)
{
	struct occurrence *of;
	size_t column;
	const struct fact_column *fact = names_column(expr, &of, &column);
	if (expr->of != NULL && expr->of->relation == NULL)
		return exact_of(expr->of->derived->items[expr->column].expr);
	if (fact == NULL)
		return inexact;
	if (fact->type == FACT_INTEGER)
		return whole;
	bool fixed = fact->type == FACT_DECIMAL && fact->scale >= 0;
	return fixed ? (struct exact){true, fact->scale, fact->scale, false} : inexact;
}

static struct exact of_const(const struct expr *expr)
{
	const char *digits = expr->name;
	if (strspn(digits, "-0123456789.") != strlen(digits) || digits[0] == '\0')
		return inexact;
	const char *point = strchr(digits, '.');
	int scale = point != NULL ? (int)strlen(point + 1) : 0;
	return (struct exact){true, scale, scale, false};
}

static int larger(int a, int b)
{
	return a > b ? a : b;
}

static struct exact of_operator(struct expr *expr)
{
	if (expr->args.n == 1 && strcmp(expr->name, "-") == 0)
		return exact_of(expr->args.items[0]);
	if (expr->args.n != 2 || strlen(expr->name) != 1)
		return inexact;
	struct exact a = exact_of(expr->args.items[0]), b = exact_of(expr->args.items[1]);
	if (!a.exact || !b.exact || a.high > SCALE_MAX || b.high > SCALE_MAX)
		return inexact;
	bool between = a.between || b.between || (a.low != a.high && b.low != b.high);
	switch (expr->name[0]) {
	case '+':
	case '-':
		return (struct exact){true, larger(a.low, b.low), larger(a.high, b.high), between};
	case '*':
		return (struct exact){true, a.low + b.low, a.high + b.high, between};
	default:
		return inexact;
	}
}

/* One of the last n arguments. NULL among them is no value. */
static struct exact of_choice(const struct expr *expr, size_t n)
{
	struct exact all = {true, SCALE_MAX, 0, false};
	for (size_t i = expr->args.n - n; i < expr->args.n; i++) {
		struct expr *arg = expr->args.items[i];
		if (arg->kind == EXPR_CONST && arg->name[0] == '\0')
			continue;
		struct exact one = exact_of(arg);
		if (!one.exact)
			return inexact;
		all.low = one.low < all.low ? one.low : all.low;
		all.high = larger(all.high, one.high);
		all.between |= one.between;
	}
	for (size_t i = expr->args.n - n; i < expr->args.n; i++) {
		struct exact one = exact_of(expr->args.items[i]);
		all.between |=
			one.exact && ((one.low != all.low && one.low != all.high) || (one.high != all.low && one.high != all.high));
	}
	return all.low <= all.high ? all : inexact;
}

static struct exact of_cast(struct expr *expr)
{
	static const char *const types[] = {"int2", "int4", "int8", "signed"};
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcasecmp(expr->name, types[i]) == 0)
			return whole;
	return inexact;
}

struct exact exact_of(struct expr *expr)
{
	expr = names_meaning(expr);
	switch (expr->kind) {
	case EXPR_COLUMN:
		return of_column(expr);
	case EXPR_CONST:
		return of_const(expr);
	case EXPR_COMPARE:
		return of_operator(expr);
	case EXPR_CASE:
		return of_choice(expr, expr->case_results);
	case EXPR_CAST:
		return of_cast(expr);
	case EXPR_OTHER:
		return strcmp(expr->name, "CoalesceExpr") == 0 ? of_choice(expr, expr->args.n) : inexact;
	case EXPR_CALL:
		return strcasecmp(expr->name, "count") == 0 && expr->schema[0] == '\0' ? whole : inexact;
	case EXPR_STAR:
	case EXPR_SAME:
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_NOT:
	case EXPR_ROW:
	case EXPR_SUBQUERY:
		break;
	}
	return inexact;
}

bool exact_rollable(const struct facts *facts, struct expr *expr, const char **why_r)
{
	enum aggregate aggregate = call_aggregate(facts, expr);
	*why_r = "of distinct values, which differences do not tell";
	if (expr->call->distinct)
		return false;
	if (aggregate == AGGREGATE_COUNT)
		return true;
	*why_r = "it is not a count, a sum, an average, a least or a greatest value";
	if (aggregate == AGGREGATE_WHOLE || aggregate == AGGREGATE_ORDER || expr->args.n != 1)
		return false;
	*why_r = "its values are not known to be whole numbers or decimals of a fixed number of digits";
	return exact_of(expr->args.items[0]).exact;
}
