/* SPDX-License-Identifier: MIT */
#include "common/analysis/ties.h"

#include "common/analysis/meaning/calls.h"

#include <string.h>
#include <talloc.h>

/* Only values that are compared alike everywhere may be carried from one column to the next: of one kind, too, since an
 * index on whole numbers is of no use for decimals. */
static bool compare_alike(const struct fact_column *a, const struct fact_column *b)
{
	bool exact = a->type == FACT_INTEGER || a->type == FACT_DECIMAL;
	return (exact && a->type == b->type) || strcmp(a->written, b->written) == 0;
}

static bool end_of(struct expr *expr, struct tie_end *end_r, const struct fact_column **fact_r)
{
	*fact_r = names_column(expr, &end_r->of, &end_r->column);
	return *fact_r != NULL;
}

static bool add_tie(const struct names *names, struct ties *ties, struct tie tie)
{
	if (ties->n == TIES_MAX)
		return refuse(names->no, -1, "more than 256 equalities", "they are not looked at",
		              "split it into views on views");
	ties->items = talloc_realloc(names->mem, ties->items, struct tie, (unsigned)ties->n + 1);
	assert(ties->items != NULL);
	ties->items[ties->n++] = tie;
	return true;
}

static bool is_equality(const struct expr *expr)
{
	return expr->args.n == 2 &&
	       (expr->kind == EXPR_SAME ||
	        (expr->kind == EXPR_COMPARE && (strcmp(expr->name, "=") == 0 || strcmp(expr->name, "==") == 0)));
}

/* column = column. A null-safe one says nothing about rows that an outer join has filled up. */
static bool tie_of(const struct names *names, struct expr *expr, int scope, struct tie *out)
{
	const struct fact_column *a, *b;
	if (!is_equality(expr) || !end_of(expr->args.items[0], &out->a, &a) || !end_of(expr->args.items[1], &out->b, &b))
		return false;
	out->scope = scope;
	if (expr->kind == EXPR_SAME && (names_nullable(names, out->a.of->scope) || names_nullable(names, out->b.of->scope)))
		return false;
	return compare_alike(a, b);
}

static bool same_end(struct tie_end a, struct tie_end b)
{
	return a.of == b.of && a.column == b.column;
}

/* Does the expression, a branch of an OR, contain the tie as well? */
static bool holds_tie(const struct names *names, struct expr *expr, const struct tie *tie)
{
	struct tie here;
	if (tie_of(names, expr, tie->scope, &here))
		return (same_end(here.a, tie->a) && same_end(here.b, tie->b)) ||
		       (same_end(here.a, tie->b) && same_end(here.b, tie->a));
	for (size_t i = 0; expr->kind == EXPR_AND && i < expr->args.n; i++)
		if (holds_tie(names, expr->args.items[i], tie))
			return true;
	return false;
}

static bool add_common(const struct names *names, struct ties *ties, const struct expr *either, struct expr *expr,
                       int scope)
{
	struct tie tie;
	for (size_t i = 0; expr->kind == EXPR_AND && i < expr->args.n; i++)
		if (!add_common(names, ties, either, expr->args.items[i], scope))
			return false;
	if (!tie_of(names, expr, scope, &tie))
		return true;
	for (size_t i = 1; i < either->args.n; i++)
		if (!holds_tie(names, either->args.items[i], &tie))
			return true;
	return add_tie(names, ties, tie);
}

static bool is_no_same(void *ctx UNUSED, struct expr *expr)
{
	return expr->kind != EXPR_SAME;
}

static bool add_conjuncts(const struct names *names, struct ties *ties)
{
	for (size_t i = 0; i < names->n_conjuncts; i++) {
		const struct conjunct *conjunct = names->conjuncts[i];
		struct tie tie;
		if (tie_of(names, conjunct->expr, conjunct->scope, &tie) && !add_tie(names, ties, tie))
			return false;
		ties->null_safe |= conjunct->expr->kind == EXPR_SAME ||
		                   (conjunct->expr->kind == EXPR_OR && !expr_walk(conjunct->expr, is_no_same, NULL));
		if (conjunct->expr->kind == EXPR_OR &&
		    !add_common(names, ties, conjunct->expr, conjunct->expr->args.items[0], conjunct->scope))
			return false;
	}
	return true;
}

/* ---- what leaves a query ---- */

static bool listed(const struct expr_list *list, struct tie_end end)
{
	struct tie_end other;
	const struct fact_column *fact;
	for (size_t i = 0; i < list->n; i++)
		if (end_of(list->items[i], &other, &fact) && same_end(other, end))
			return true;
	return false;
}

struct partitioned {
	struct tie_end end;
	const struct query *query;
};

static bool partitioned_by(void *ctx, struct expr *expr)
{
	const struct partitioned *p = ctx;
	if (expr->kind != EXPR_CALL || expr->call->over == NULL)
		return true;
	if (listed(&expr->call->over->partition, p->end))
		return true;
	for (size_t i = 0; expr->call->over->name[0] != '\0' && i < p->query->n_windows; i++)
		if (strcmp(p->query->windows[i]->name, expr->call->over->name) == 0 &&
		    listed(&p->query->windows[i]->partition, p->end))
			return true;
	return false;
}

bool ties_exit(const struct query *query, const struct facts *facts, size_t i, struct tie_end *end_r)
{
	const struct fact_column *fact;
	struct query *walked = (struct query *)(uintptr_t)query;
	if (i >= query->n_items || query->op != QUERY_SELECT || query->limit != NULL)
		return false;
	if (!end_of(query->items[i].expr, end_r, &fact) || end_r->of->scope != query->scope)
		return false;
	bool grouped = query->groups.n > 0 || query_aggregates(facts, walked);
	if (grouped && !listed(&query->groups, *end_r))
		return false;
	if (query->distinct_on.n > 0 && !listed(&query->distinct_on, *end_r))
		return false;
	return query_walk(walked, partitioned_by, &(struct partitioned){*end_r, query});
}

/* test IN (SELECT column ..): a row with that value decides about results with that value only. Where NULL is not as
 * good as false, neither may be NULL: one NULL decides about everything. */
static bool add_in(const struct names *names, struct ties *ties, const struct scope *scope, int number)
{
	struct expr *test = scope->subquery->args.items[0];
	size_t n = test->kind == EXPR_ROW ? test->args.n : 1;
	for (size_t i = 0; i < n; i++) {
		struct expr *one = test->kind == EXPR_ROW ? test->args.items[i] : test;
		struct tie tie = {.scope = number};
		const struct fact_column *inner, *outer;
		if (!ties_exit(scope->query, names->facts, i, &tie.a) || !end_of(one, &tie.b, &outer))
			continue;
		inner = names_fact(tie.a.of, tie.a.column);
		bool never_null = !inner->nullable && !outer->nullable && !names_nullable(names, tie.b.of->scope);
		bool null_is_false = scope->subquery->subquery == SUBQUERY_IN && scope->filters;
		if ((never_null || null_is_false) && compare_alike(inner, outer) && !add_tie(names, ties, tie))
			return false;
	}
	return true;
}

static bool add_subqueries(const struct names *names, struct ties *ties)
{
	for (size_t i = 0; i < names->n_scopes; i++) {
		const struct scope *scope = &names->scopes[i];
		bool in = scope->kind == SCOPE_SUBQUERY &&
		          (scope->subquery->subquery == SUBQUERY_IN || scope->subquery->subquery == SUBQUERY_NOT_IN);
		if (in && !add_in(names, ties, scope, (int)i))
			return false;
	}
	return true;
}

/* A derived table's column and the one below it. */
static bool add_derived(const struct names *names, struct ties *ties)
{
	for (size_t i = 0; i < names->n_occurrences; i++) {
		struct occurrence *of = names->occurrences[i];
		for (size_t k = 0; of->relation == NULL && k < of->derived->n_items; k++) {
			struct tie tie = {.b = {of, k}, .scope = of->derived->scope};
			if (ties_exit(of->derived, names->facts, k, &tie.a) && !add_tie(names, ties, tie))
				return false;
		}
	}
	return true;
}

bool ties_collect(struct names *names, struct ties *out)
{
	*out = (struct ties){0};
	return add_conjuncts(names, out) && add_subqueries(names, out) && add_derived(names, out);
}

/* ---- following them ---- */

/* Where the tie holds and `from` is there, `to` is there as well, be it on the nullable side of an outer join. */
static bool usable(const struct names *names, const struct tie *tie, struct tie_end from, struct tie_end to)
{
	int around = to.of->scope;
	while (names_nullable(names, around))
		around = names->scopes[around].parent;
	return names_inside(names, from.of->scope, around) && names_inside(names, from.of->scope, tie->scope);
}

static bool reach(const struct names *names, const struct ties *ties, struct tie_end from, struct tie_end to,
                  bool *seen)
{
	if (same_end(from, to))
		return true;
	for (size_t i = 0; i < ties->n; i++) {
		const struct tie *tie = &ties->items[i];
		bool forward = same_end(tie->a, from), back = same_end(tie->b, from);
		if (seen[i] || (!forward && !back))
			continue;
		struct tie_end next = forward ? tie->b : tie->a;
		if (!usable(names, tie, from, next))
			continue;
		seen[i] = true;
		if (reach(names, ties, next, to, seen))
			return true;
	}
	return false;
}

bool ties_reach(const struct names *names, const struct ties *ties, struct tie_end from, struct tie_end to)
{
	bool seen[TIES_MAX] = {false};
	return reach(names, ties, from, to, seen);
}

bool ties_same(const struct names *names, const struct ties *ties, struct tie_end a, struct tie_end b)
{
	return a.of->scope == 0 && b.of->scope == 0 && ties_reach(names, ties, a, b);
}
