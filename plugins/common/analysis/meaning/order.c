/* SPDX-License-Identifier: MIT */
#include "common/analysis/meaning/order.h"

#include "common/analysis/meaning/calls.h"

#include <string.h>
#include <strings.h>

static bool lists(const struct expr_list *list, const struct occurrence *of, size_t column)
{
	for (size_t i = 0; i < list->n; i++) {
		struct occurrence *found;
		size_t at;
		if (names_column(list->items[i], &found, &at) != NULL && found == of && at == column)
			return true;
	}
	return false;
}

/* An order, and what is equal in all the rows that it is about. */
struct order {
	const struct expr_list *list, *same;
};

/* Position of the column of a query that is this group; n_items: none is. */
static size_t column_of_group(const struct query *query, struct expr *group)
{
	struct occurrence *of, *found;
	size_t column, at, i = 0;
	if (names_column(group, &of, &column) == NULL)
		return query->n_items;
	while (i < query->n_items &&
	       (names_column(query->items[i].expr, &found, &at) == NULL || found != of || at != column))
		i++;
	return i;
}

/* Rows of a derived table with groups differ in these. */
static bool lists_derived(const struct order *order, const struct occurrence *of)
{
	for (size_t i = 0; i < of->derived->groups.n; i++) {
		size_t column = column_of_group(of->derived, of->derived->groups.items[i]);
		if (column == of->derived->n_items || !(lists(order->list, of, column) || lists(order->same, of, column)))
			return false;
	}
	return of->derived->groups.n > 0;
}

static bool lists_key(const struct order *order, const struct occurrence *of)
{
	const struct fact_relation *relation = of->relation;
	if (relation == NULL)
		return lists_derived(order, of);
	for (size_t i = 0; i < relation->n_keys; i++) {
		bool all = relation->keys[i].n > 0;
		for (size_t k = 0; k < relation->keys[i].n; k++) {
			size_t column = relation->keys[i].columns[k];
			all = all && !relation->columns[column].nullable &&
			      (lists(order->list, of, column) || lists(order->same, of, column));
		}
		if (all)
			return true;
	}
	return false;
}

/* The order of a query with groups must list every column of GROUP BY. */
static bool lists_groups(const struct order *order, const struct query *query)
{
	for (size_t i = 0; i < query->groups.n; i++) {
		struct occurrence *of;
		size_t column;
		if (names_column(query->groups.items[i], &of, &column) == NULL)
			return false;
		if (!lists(order->list, of, column) && !lists(order->same, of, column))
			return false;
	}
	return true;
}

static bool in_query(const struct names *names, const struct occurrence *of, const struct query *query)
{
	int scope = of->scope;
	while (names_nullable(names, scope))
		scope = names->scopes[scope].parent;
	return scope == query->scope;
}

/* Are no two rows of the query equal in these expressions? */
static bool decides(const struct names *names, const struct query *query, struct order order)
{
	if (query->groups.n > 0)
		return lists_groups(&order, query);
	for (size_t i = 0; i < names->n_occurrences; i++)
		if (in_query(names, names->occurrences[i], query) && !lists_key(&order, names->occurrences[i]))
			return false;
	return true;
}

/* Functions whose value for one of two equal rows is another than for the other. */
static bool tells_equals_apart(const struct expr *expr)
{
	static const char *const names[] = {"row_number", "ntile", "lag", "lead", "first_value", "last_value", "nth_value"};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(names[i], expr->name) == 0)
			return true;
	return false;
}

struct windows {
	const struct names *names;
	const struct query *query;
};

static const struct window *definition_of(const struct query *query, const struct window *window)
{
	for (size_t i = 0; window->name[0] != '\0' && i < query->n_windows; i++)
		if (strcmp(query->windows[i]->name, window->name) == 0)
			return query->windows[i];
	return window;
}

static bool check_window(void *ctx, struct expr *expr)
{
	const struct windows *w = ctx;
	if (expr->kind != EXPR_CALL || expr->call->over == NULL)
		return true;
	const struct window *own = expr->call->over, *named = definition_of(w->query, own);
	const struct order order = {own->order.n > 0 ? &own->order : &named->order,
	                            own->partition.n > 0 ? &own->partition : &named->partition};
	if (!own->rows && !named->rows && !tells_equals_apart(expr))
		return true;
	return decides(w->names, w->query, order) ||
	       refuse_named(w->names->no, expr->at, "window function", expr->name, "its order may leave rows equal",
	                    "add a unique key of each table to its ORDER BY");
}

bool order_check(const struct names *names, struct query *query)
{
	struct windows windows = {names, query};
	const struct order order = {&query->order, &query->distinct_on};
	if (!query_walk(query, check_window, &windows))
		return false;
	if (query->limit != NULL && !decides(names, query, order))
		return refuse(names->no, query->limit->at, "LIMIT or OFFSET", "its order may leave rows equal",
		              "add a unique key of each table to ORDER BY");
	if (query->distinct_on.n > 0 && !decides(names, query, order))
		return refuse(names->no, query->distinct_on.items[0]->at, "DISTINCT ON", "its order may leave rows equal",
		              "add a unique key of each table to ORDER BY");
	return true;
}
