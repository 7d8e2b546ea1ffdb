/* SPDX-License-Identifier: MIT */
#include "common/analysis/node.h"

#include "common/analysis/meaning/calls.h"
#include "common/analysis/print.h"

#include <stdio.h>
#include <talloc.h>

/* ---- tops ---- */

static struct analysis_node *new_top(struct maker *maker, const size_t *nodes, size_t n, size_t *number_r)
{
	struct analysis_node *top = unit_add_node(maker, ANALYSIS_TOP, number_r);
	for (size_t i = 0; i < n; i++) {
		bool twice = false;
		for (size_t k = 0; k < i; k++)
			twice |= nodes[k] == nodes[i];
		if (twice)
			continue;
		struct analysis_source *source = unit_add_source(maker, top);
		source->node = nodes[i];
		source->whole = true;
	}
	return top;
}

/* A table that a top reads as a whole. */
static bool top_table(const struct unit *unit, struct analysis_node *top, const struct occurrence *of)
{
	struct maker *maker = unit->maker;
	if (of->relation->rows > NODE_TOP_ROWS) {
		char why[128];
		snprintf(why, sizeof why, "it would be read as a whole at each refresh, and has some %.0f rows",
		         of->relation->rows);
		return refuse_named(maker->no, of->at, "table", of->alias, why,
		                    "make the subquery beside it a view of its own");
	}
	struct analysis_source *source = unit_add_source(maker, top);
	source->schema = of->relation->schema;
	source->name = of->relation->name;
	source->alias = of->alias;
	source->whole = true;
	for (size_t i = 0; i < of->relation->n_columns; i++)
		if (of->read[i])
			unit_list_add(maker, &source->read, of->relation->columns[i].name);
	return true;
}

/* The tables beside the nodes. */
static bool top_tables(const struct unit *unit, struct analysis_node *top)
{
	for (size_t i = 0; i < unit->names.n_occurrences; i++) {
		const struct occurrence *of = unit->names.occurrences[i];
		if (of->relation != NULL && of->scope == 0 && !top_table(unit, top, of))
			return false;
	}
	return true;
}

/* ---- a subquery that follows from no row ---- */

static const struct scope *find_cut(const struct unit *unit)
{
	for (size_t i = 0; i < unit->names.n_scopes; i++) {
		const struct scope *scope = &unit->names.scopes[i];
		if (scope->kind != SCOPE_SUBQUERY || scope->query->correlated)
			continue;
		if (scope->subquery->subquery == SUBQUERY_VALUE || scope->subquery->subquery == SUBQUERY_EXISTS)
			return scope;
	}
	return NULL;
}

static size_t refuse_cut(const struct unit *unit, const struct scope *scope)
{
	refuse(unit->maker->no, scope->subquery->at, "a subquery that does not follow from the row",
	       "a change below it may touch every row", "make it a view of its own");
	return 0;
}

/* Only what a top can put together: one such subquery, in a condition of the query itself, and nothing else below it
 * but derived tables. */
static bool can_cut(const struct unit *unit, const struct scope *cut, bool *derived_r)
{
	int number = (int)(cut - unit->names.scopes);
	*derived_r = false;
	if (cut->subquery->subquery != SUBQUERY_VALUE || cut->parent != 0)
		return false;
	if (!cut->in_having && (cut->within == NULL || cut->within->scope != 0))
		return false;
	for (size_t i = 1; i < unit->names.n_scopes; i++) {
		const struct scope *scope = &unit->names.scopes[i];
		if (names_inside(&unit->names, (int)i, number))
			continue;
		if (scope->kind == SCOPE_SUBQUERY && !scope->query->correlated && scope->subquery->subquery == SUBQUERY_VALUE)
			return false;
		*derived_r |= scope->kind == SCOPE_DERIVED && scope->parent == 0;
	}
	return true;
}

/* Each derived table becomes a node; what is around them is read as it is. */
static size_t top_of_derived(struct unit *unit, const struct scope *cut)
{
	struct maker *maker = unit->maker;
	size_t nodes[NODE_DEPTH_MAX] = {0}, n = 0, number;
	for (size_t i = 1; i < unit->names.n_scopes; i++)
		if (unit->names.scopes[i].kind != SCOPE_DERIVED && unit->names.scopes[i].parent == 0 &&
		    &unit->names.scopes[i] != cut)
			return refuse_cut(unit, cut);
	for (size_t i = 0; i < unit->names.n_occurrences; i++) {
		struct occurrence *of = unit->names.occurrences[i];
		if (of->relation != NULL || of->scope != 0)
			continue;
		if (n + 1 == NODE_DEPTH_MAX || of->derived->correlated)
			return refuse_cut(unit, cut);
		if ((nodes[n++] = node_of_query(maker, of->derived, false)) == 0)
			return 0;
	}
	if ((nodes[n++] = node_of_query(maker, cut->query, false)) == 0)
		return 0;
	struct analysis_node *top = new_top(maker, nodes, n, &number);
	return top_tables(unit, top) ? number : 0;
}

static size_t node_of_cut(struct unit *unit, const struct scope *cut)
{
	struct maker *maker = unit->maker;
	bool derived;
	size_t nodes[2], number;
	if (!can_cut(unit, cut, &derived))
		return refuse_cut(unit, cut);
	if (derived && !cut->in_having)
		return top_of_derived(unit, cut);
	unit->cut = cut->in_having ? NULL : cut->within;
	unit->cut_scope = (int)(cut - unit->names.scopes);
	unit->result = false;
	if ((nodes[0] = part_make(unit)) == 0 || (nodes[1] = node_of_query(maker, cut->query, false)) == 0)
		return 0;
	(void)new_top(maker, nodes, 2, &number);
	return number;
}

/* ---- groups of a derived table's rows ---- */

/* The derived table, when the query reads nothing else. */
static struct occurrence *only_derived(const struct unit *unit)
{
	struct occurrence *found = NULL;
	for (size_t i = 0; i < unit->names.n_occurrences; i++) {
		struct occurrence *of = unit->names.occurrences[i];
		if (of->scope == 0 && (of->relation != NULL || found != NULL))
			return NULL;
		if (of->scope == 0)
			found = of;
	}
	for (size_t i = 1; i < unit->names.n_scopes; i++)
		if (unit->names.scopes[i].parent == 0 && unit->names.scopes[i].kind != SCOPE_DERIVED)
			return NULL;
	return found;
}

static bool is_roll(const struct unit *unit, size_t node)
{
	return unit->maker->out->nodes[node - 1].kind == ANALYSIS_ROLL;
}

/* Chosen and computed columns of sums: where the sums can be rolled, the rest is done when the result is written.
 * Where not, nothing is said. */
static size_t node_of_chosen(struct unit *unit, struct occurrence *of)
{
	struct maker *maker = unit->maker;
	struct refusal none = {0};
	size_t before = maker->out->n_nodes, number;
	size_t inner = node_of_query(maker, of->derived, false);
	if (inner != 0 && is_roll(unit, inner)) {
		(void)new_top(maker, &inner, 1, &number);
		return number;
	}
	*maker->no = none;
	maker->out->n_nodes = before;
	return unit_open(maker, unit->query, unit) ? part_make(unit) : 0;
}

static size_t node_of_derived(const struct unit *unit, struct occurrence *of)
{
	struct expr *bad;
	const char *why;
	size_t number, inner = node_of_query(unit->maker, of->derived, false);
	if (inner == 0)
		return 0;
	if (unit_rollable(unit, &bad, &why))
		return roll_over(unit, inner);
	if (!unit->result)
		return inner; /* whoever reads it computes the rest */
	(void)new_top(unit->maker, &inner, 1, &number);
	return number;
}

/* ---- IN (subselect) with a key of its own ---- */

static bool has_value_below(const struct unit *unit, int number)
{
	for (size_t i = 1; i < unit->names.n_scopes; i++) {
		const struct scope *scope = &unit->names.scopes[i];
		if (scope->kind == SCOPE_SUBQUERY && scope->parent == number && scope->subquery->subquery == SUBQUERY_VALUE)
			return true;
	}
	return false;
}

/* An IN whose rows each need a subquery: computed for its own keys, not for those of the rows around it. */
static const struct scope *find_in(const struct unit *unit)
{
	const struct scope *found = NULL;
	for (size_t i = 1; i < unit->names.n_scopes; i++) {
		const struct scope *scope = &unit->names.scopes[i];
		if (scope->parent != 0)
			continue;
		if (found != NULL || scope->kind != SCOPE_SUBQUERY || scope->subquery->subquery != SUBQUERY_IN ||
		    !scope->filters)
			return NULL;
		if (scope->query->correlated || !has_value_below(unit, (int)i))
			return NULL;
		found = scope;
	}
	return found;
}

static size_t node_of_in(const struct unit *unit, const struct scope *in)
{
	size_t number, inner = node_of_query(unit->maker, in->query, false);
	if (inner == 0)
		return 0;
	struct analysis_node *top = new_top(unit->maker, &inner, 1, &number);
	return top_tables(unit, top) ? number : 0;
}

/* ---- any query ---- */

static size_t node_of_unit(struct unit *unit)
{
	const struct scope *scope = find_cut(unit);
	struct occurrence *derived = only_derived(unit);
	if (unit->maker->one_part)
		return part_make(unit);
	if (roll_images_possible(unit))
		return roll_images(unit);
	if (scope != NULL)
		return node_of_cut(unit, scope);
	if (derived != NULL && !derived->derived->correlated)
		return unit->grouped ? node_of_derived(unit, derived) : node_of_chosen(unit, derived);
	if ((scope = find_in(unit)) != NULL)
		return node_of_in(unit, scope);
	return part_make(unit);
}

size_t node_of_query(struct maker *maker, struct query *query, bool result)
{
	struct unit unit;
	if (maker->depth == NODE_DEPTH_MAX) {
		refuse(maker->no, query->at, "a deeply nested query", "it is not looked at", "split it into views on views");
		return 0;
	}
	maker->depth++;
	size_t number = 0;
	if (unit_open(maker, query, &unit)) {
		unit.result = result;
		number = node_of_unit(&unit);
	}
	maker->depth--;
	return number;
}
