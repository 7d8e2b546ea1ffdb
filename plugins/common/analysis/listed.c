/* SPDX-License-Identifier: MIT */
#include "common/analysis/node.h"

#include "common/analysis/exact.h"
#include "common/analysis/print.h"

#include <string.h>
#include <talloc.h>

struct expr_list listed_items(const struct unit *unit)
{
	const struct query *query = unit->query;
	struct expr_list list = {talloc_array(unit->maker->mem, struct expr *, (unsigned)query->n_items + 1),
	                         query->n_items};
	assert(list.items != NULL);
	for (size_t i = 0; i < query->n_items; i++)
		list.items[i] = query->items[i].expr;
	return list;
}

bool listed_in(const struct unit *unit, const struct expr_list *list, struct tie_end end, struct tie_end *found_r)
{
	for (size_t i = 0; i < list->n; i++)
		if (names_column(list->items[i], &found_r->of, &found_r->column) != NULL &&
		    ties_same(&unit->names, &unit->ties, *found_r, end))
			return true;
	return false;
}

/* The name of the result's column that is this column; NULL: none is. */
static const char *name_of_end(const struct unit *unit, struct tie_end end)
{
	struct tie_end found;
	for (size_t i = 0; i < unit->query->n_items; i++)
		if (names_column(unit->query->items[i].expr, &found.of, &found.column) != NULL &&
		    ties_same(&unit->names, &unit->ties, found, end) && unit->query->items[i].name[0] != '\0')
			return unit->query->items[i].name;
	return NULL;
}

/* Printed texts are for people: two columns may be printed alike. */
static bool is_group(const struct unit *unit, struct expr *expr, struct expr *group)
{
	struct tie_end a, b;
	bool column_a = names_column(expr, &a.of, &a.column) != NULL,
		 column_b = names_column(group, &b.of, &b.column) != NULL;
	if (column_a || column_b)
		return column_a && column_b && a.of == b.of && a.column == b.column;
	return strcmp(print_expr(unit->maker->mem, expr), print_expr(unit->maker->mem, group)) == 0;
}

static const char *name_of_group(const struct unit *unit, struct expr *group)
{
	for (size_t i = 0; i < unit->query->n_items; i++)
		if (is_group(unit, unit->query->items[i].expr, group) && unit->query->items[i].name[0] != '\0')
			return unit->query->items[i].name;
	return NULL;
}

/* Adds a name; without one nothing is known. */
static bool add_name(const struct unit *unit, struct analysis_list *list, const char *name)
{
	if (name != NULL)
		unit_list_add(unit->maker, list, talloc_strdup(unit->maker->out, name));
	else
		list->n = 0;
	return name != NULL;
}

static void rows_by_groups(const struct unit *unit, struct analysis_list *list)
{
	struct expr_list groups = unit_groups(unit);
	for (size_t i = 0; i < groups.n; i++)
		if (!add_name(unit, list, name_of_group(unit, groups.items[i])))
			return;
	/* Two groups in one column: it does not tell them apart. */
	if (list->n != groups.n)
		list->n = 0;
}

/* Rows of the table that determines all others, by its unique key. */
static void rows_by_root(const struct unit *unit, struct analysis_list *list)
{
	const struct occurrence *root = root_find(unit);
	const struct fact_key *key = root != NULL && root_whole(unit, root) ? root_key(root) : NULL;
	for (size_t i = 0; key != NULL && i < key->n; i++) {
		struct tie_end end = {unit->names.occurrences[root->number], key->columns[i]};
		if (!add_name(unit, list, name_of_end(unit, end)))
			return;
	}
}

void listed_columns(const struct unit *unit, const struct tie_end *key, size_t n_key, struct analysis_node *node)
{
	for (size_t i = 0; i < n_key; i++)
		if (!add_name(unit, &node->key_columns, name_of_end(unit, key[i])))
			return;
	if (unit->grouped)
		rows_by_groups(unit, &node->row_columns);
	else if (unit->query->distinct_on.n == 0)
		rows_by_root(unit, &node->row_columns);
}

bool listed_one_spelling(const struct fact_column *fact)
{
	return fact != NULL && (fact->type == FACT_INTEGER || fact->type == FACT_TEXT ||
	                        (fact->type == FACT_DECIMAL && fact->scale != FACT_NO_SCALE));
}

bool listed_spelled_one_way(const struct expr_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct tie_end end;
		bool number = names_meaning(list->items[i])->kind == EXPR_CAST && exact_of(list->items[i]).exact;
		if (!number && !listed_one_spelling(names_column(list->items[i], &end.of, &end.column)))
			return false;
	}
	return true;
}
