/* SPDX-License-Identifier: MIT */
#include "common/analysis/split/queries.h"

#include "base/macros.h"
#include "common/analysis/meaning/calls.h"

#include <talloc.h>

static bool list_subquery(void *ctx, struct expr *expr)
{
	if (expr->kind == EXPR_SUBQUERY)
		queries_list(ctx, expr->query);
	return true;
}

static void list_from(struct queries *queries, struct from *from)
{
	if (from->kind == FROM_QUERY)
		queries_list(queries, from->query);
	if (from->kind != FROM_JOIN)
		return;
	list_from(queries, from->left);
	list_from(queries, from->right);
	expr_walk(from->on, list_subquery, queries);
}

/* Groups are left out: resolved, they may be expressions of the list of columns, which would be met twice. */
void queries_list(struct queries *queries, struct query *query)
{
	queries->items = talloc_realloc(queries->mem, queries->items, struct query *, (unsigned)queries->n + 1);
	assert(queries->items != NULL);
	queries->items[queries->n++] = query;
	if (query->op != QUERY_SELECT) {
		queries_list(queries, query->left);
		queries_list(queries, query->right);
		return;
	}
	for (size_t i = 0; i < query->n_items; i++)
		expr_walk(query->items[i].expr, list_subquery, queries);
	for (size_t i = 0; i < query->n_from; i++)
		list_from(queries, query->from[i]);
	expr_walk(query->where, list_subquery, queries);
	expr_walk(query->having, list_subquery, queries);
}

bool queries_inside(struct query *outer, const struct query *inner)
{
	struct queries all = {.mem = talloc_new(NULL)};
	bool found = false;
	queries_list(&all, outer);
	for (size_t i = 0; i < all.n && !found; i++)
		found = all.items[i] == inner;
	talloc_free(all.mem);
	return found;
}

/* A column of FULL JOIN .. USING is a column of neither side. */
static bool of_tables(const struct from *from)
{
	return from->kind == FROM_TABLE ||
	       (from->kind == FROM_JOIN && from->join != JOIN_FULL && of_tables(from->left) && of_tables(from->right));
}

bool queries_of_tables(const struct query *query)
{
	for (size_t i = 0; i < query->n_from; i++)
		if (!of_tables(query->from[i]))
			return false;
	return query->op == QUERY_SELECT;
}
