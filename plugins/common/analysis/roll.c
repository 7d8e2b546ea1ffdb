/* SPDX-License-Identifier: MIT */
#include "common/analysis/node.h"

#include "common/analysis/exact.h"
#include "common/analysis/meaning/calls.h"
#include "common/analysis/print.h"
#include "common/analysis/texts.h"
#include "common/sqltext/ident.h"
#include "common/sqltext/sqltext.h"

#include <string.h>
#include <talloc.h>

bool roll_images_possible(const struct unit *unit)
{
	struct expr *bad;
	const char *why;
	return unit->grouped && !unit->maker->one_part && !unit->maker->no_images && unit_flat(unit) &&
	       unit->names.n_occurrences == 1 && unit_rollable(unit, &bad, &why);
}

static void note_scale(const struct unit *unit, struct analysis_node *node, struct expr *aggregate)
{
	if (aggregate->args.n != 1 || call_aggregate(unit->maker->facts, aggregate) == AGGREGATE_COUNT)
		return;
	struct exact exact = exact_of(aggregate->args.items[0]);
	if (unit->maker->facts->sums_keep_scale && exact.low != exact.high)
		unit_list_add(unit->maker, &node->notes,
		              talloc_asprintf(unit->maker->out,
		                              "terms of %s have %d to %d digits behind the point: they are counted by that",
		                              print_expr(unit->maker->mem, aggregate), exact.low, exact.high));
}

static void note_extreme(const struct unit *unit, struct analysis_node *node, struct expr *aggregate)
{
	enum aggregate kind = call_aggregate(unit->maker->facts, aggregate);
	if (kind == AGGREGATE_MIN || kind == AGGREGATE_MAX)
		unit_list_add(unit->maker, &node->notes,
		              talloc_asprintf(unit->maker->out,
		                              "an index on the groups and the value of %s finds the next one when it is gone",
		                              print_expr(unit->maker->mem, aggregate)));
}

static struct analysis_node *new_roll(const struct unit *unit, size_t *number_r)
{
	struct maker *maker = unit->maker;
	struct analysis_node *node = unit_add_node(maker, ANALYSIS_ROLL, number_r);
	struct expr_list groups = unit_groups(unit), aggregates = unit_aggregates(unit);
	for (size_t i = 0; i < groups.n; i++)
		unit_list_add(maker, &node->groups, print_expr(maker->out, groups.items[i]));
	for (size_t i = 0; i < aggregates.n; i++) {
		unit_list_add(maker, &node->aggregates, print_expr(maker->out, aggregates.items[i]));
		note_scale(unit, node, aggregates.items[i]);
		note_extreme(unit, node, aggregates.items[i]);
	}
	unit_list_add(maker, &node->aggregates, "count(*)");
	if (unit->result) {
		node->texts = texts_make(unit, maker->facts->average);
		listed_columns(unit, NULL, 0, node);
		node->key_columns = node->row_columns;
		node->one_answer = listed_spelled_one_way(&groups);
	}
	return node;
}

size_t roll_images(const struct unit *unit)
{
	struct maker *maker = unit->maker;
	if (!unit_groups_listed(unit))
		return 0;
	const struct occurrence *of = unit->names.occurrences[0];
	size_t number;
	struct analysis_node *node = new_roll(unit, &number);
	struct analysis_source *source = unit_add_source(maker, node);
	*source = (struct analysis_source){
		.schema = of->relation->schema, .name = of->relation->name, .alias = of->alias, .images = true, .way = ""};
	unit_conditions(unit, of, source);
	unit_columns(unit, of, source);
	struct expr_list groups = unit_groups(unit), aggregates = unit_aggregates(unit);
	for (size_t i = 0; i < groups.n; i++)
		unit_log_columns(maker, source, of, groups.items[i]);
	for (size_t i = 0; i < aggregates.n; i++)
		unit_log_columns(maker, source, of, aggregates.items[i]);
	return number;
}

/* The name by which a column of the derived table is known outside. */
/* The key of a part that is a derived table: by the columns that it has for it. */
static void name_key(const struct unit *unit, const struct occurrence *derived, struct analysis_node *part)
{
	struct maker *maker = unit->maker;
	part->key_sql.n = part->key_inside.n = 0;
	for (size_t i = 0; i < part->key.n; i++)
		for (size_t c = 0; c < derived->derived->n_items; c++) {
			struct expr *expr = derived->derived->items[c].expr;
			if (expr->kind != EXPR_COLUMN || print_column(derived, c)[0] == '\0' ||
			    strcmp(print_expr(maker->mem, expr), part->key.items[i]) != 0)
				continue;
			char *sql = ident_append(maker->syn, sql_new(maker->out), derived->alias);
			unit_list_add(maker, &part->key_sql, ident_append(maker->syn, sql_add(sql, "."), print_column(derived, c)));
			break;
		}
}

size_t roll_over(const struct unit *unit, size_t node)
{
	size_t number;
	if (!unit_groups_listed(unit))
		return 0;
	struct analysis_node *roll = new_roll(unit, &number);
	struct analysis_source *source = unit_add_source(unit->maker, roll);
	source->node = node;
	source->images = true;
	if (roll->texts != NULL && texts_grouped(unit) != NULL)
		name_key(unit, texts_grouped(unit), &unit->maker->out->nodes[node - 1]);
	return number;
}
