/* SPDX-License-Identifier: MIT */
#include "common/analysis/node.h"

#include "common/analysis/meaning/calls.h"

/* ---- refusing ---- */

bool node_refuse_scope(const struct unit *unit, const struct scope *scope)
{
	struct refusal *no = unit->maker->no;
	if (scope->kind == SCOPE_DERIVED && scope->query->limit != NULL)
		return refuse(no, scope->query->limit->at, "LIMIT or OFFSET in a derived table",
		              "a row may enter because another one has left",
		              "LATERAL with a condition column = column, or row_number() with PARTITION BY");
	if (scope->kind == SCOPE_DERIVED && query_has_windows(scope->query))
		return refuse(no, scope->query->at, "a window function in a derived table",
		              "its rows depend on rows of other keys", "add the key to each PARTITION BY");
	if (scope->kind == SCOPE_DERIVED)
		return refuse(no, scope->query->at, "a derived table with GROUP BY or DISTINCT",
		              "no grouped column of it leads to the key", "make it a view of its own, and read that");
	if (scope->kind != SCOPE_SUBQUERY)
		return true;
	if (scope->subquery->subquery == SUBQUERY_NOT_IN)
		return refuse(no, scope->subquery->at, "NOT IN over columns that may be NULL",
		              "one NULL in it decides about every row", "NOT EXISTS, or columns declared NOT NULL");
	if (scope->query->limit != NULL && !scope->query->correlated)
		return refuse(no, scope->query->limit->at, "LIMIT or OFFSET in a subquery",
		              "a row may enter because another one has left", "");
	if (scope->query->correlated)
		return refuse(no, scope->subquery->at, "a subquery tied by no equality",
		              "a change below it may touch every row", "tie it by column = column of the same type");
	return refuse(no, scope->subquery->at, "a subquery that does not follow from the row",
	              "a change below it may touch every row", "tie it by column = column, or make it a view of its own");
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

/* Over a part there is a roll. */
static size_t node_of_derived(struct unit *unit, const struct occurrence *of)
{
	struct maker *maker = unit->maker;
	struct refusal none = {0};
	struct expr *bad;
	const char *why;
	size_t before = maker->out->n_nodes;
	if (unit_rollable(unit, &bad, &why)) {
		size_t inner = node_of_query(maker, of->derived, false);
		if (inner != 0 && maker->out->nodes[inner - 1].kind == ANALYSIS_PART)
			return roll_over(unit, inner);
	}
	*maker->no = none;
	maker->out->n_nodes = before;
	bool result = unit->result;
	if (!unit_open(maker, unit->query, unit))
		return 0;
	unit->result = result;
	return part_make(unit);
}

/* ---- any query ---- */

static size_t node_of_unit(struct unit *unit)
{
	const struct occurrence *derived = only_derived(unit);
	if (unit->maker->one_part)
		return part_make(unit);
	if (roll_images_possible(unit))
		return roll_images(unit);
	if (unit->grouped && derived != NULL && !derived->derived->correlated)
		return node_of_derived(unit, derived);
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
