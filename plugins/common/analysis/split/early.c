/* SPDX-License-Identifier: MIT
 *
 * early.c: sums over a join of one large table with small ones. The large table is summed by the columns that it is
 * joined by, of which there are few values; the join then reads these sums. So the large table is kept as a roll, and
 * no change of it is looked up in the others.
 */
#include "common/analysis/split/split.h"

#include "common/analysis/exact.h"
#include "common/analysis/meaning/calls.h"
#include "common/analysis/node.h"
#include "common/analysis/split/edits.h"
#include "common/sqltext/ident.h"
#include "common/sqltext/sqltext.h"

#include <string.h>
#include <talloc.h>

#define EARLY_GROUPS_MAX 200 /* values of the columns that it is joined by */

struct early {
	struct split *split;
	struct query *query;
	const struct occurrence *large;
	struct span_tokens tokens; /* of the query */
	struct edits edits;
	char *groups, *terms, *conditions; /* of the query below the join */
	bool *grouped;                     /* columns of the large table */
	size_t n_terms;
	double n_groups;
};

/* ---- the tables ---- */

static bool is_inner(const struct from *from)
{
	if (from->kind != FROM_JOIN)
		return from->kind == FROM_TABLE && from->n_columns == 0;
	return from->join == JOIN_INNER && from->n_using == 0 && from->on != NULL && is_inner(from->left) &&
	       is_inner(from->right);
}

/* The only large one. How many rows a table has decides how it is kept, not whether. */
static const struct occurrence *find_large(const struct split *split, struct query *query)
{
	const struct occurrence *large = NULL;
	for (size_t i = 0; i < split->names.n_occurrences; i++) {
		const struct occurrence *of = split->names.occurrences[i];
		if (of->in != query || of->relation == NULL || of->relation->rows <= 0)
			return NULL;
		if (of->relation->rows <= SPLIT_FEW_ROWS)
			continue;
		if (large != NULL)
			return NULL;
		large = of;
	}
	return split->names.n_occurrences > 1 ? large : NULL;
}

static bool is_plain(const struct query *query)
{
	for (size_t i = 0; i < query->n_from; i++)
		if (!is_inner(query->from[i]))
			return false;
	return query->op == QUERY_SELECT && !query->distinct && query->distinct_on.n == 0 && query->n_windows == 0;
}

/* ---- columns ---- */

struct columns_of {
	const struct occurrence *of;
	bool own, others; /* columns of it, of other tables */
};

static bool see_column(void *ctx, struct expr *expr)
{
	struct columns_of *seen = ctx;
	if (expr->kind == EXPR_COLUMN) {
		seen->own |= expr->of == seen->of;
		seen->others |= expr->of != seen->of;
	}
	return expr->kind != EXPR_SUBQUERY && expr->kind != EXPR_STAR && expr->means == NULL;
}

static bool columns_of(const struct early *early, struct expr *expr, struct columns_of *out)
{
	*out = (struct columns_of){.of = early->large};
	return expr_walk(expr, see_column, out);
}

/* Rows of equal values are summed together, so what is made of these values must be equal too. */
static bool is_one_spelling(const struct fact_column *column)
{
	return column->type == FACT_PLAIN || listed_one_spelling(column);
}

/* The column stays known around the sums by its name. */
static bool group_by(struct early *early, const struct expr *expr)
{
	const struct fact_column *column = &early->large->relation->columns[expr->column];
	struct split *split = early->split;
	if (early->grouped[expr->column])
		return true;
	if (!is_one_spelling(column))
		return false;
	early->grouped[expr->column] = true;
	early->n_groups *= column->distinct;
	char *name = ident_append(split->syn, sql_new(split->mem), column->name);
	char *table = ident_append(split->syn, sql_new(split->mem), early->large->alias);
	early->groups = sql_add(early->groups, "%s%s.%s", early->groups[0] != '\0' ? ", " : "", table, name);
	return column->distinct > 0;
}

/* ---- sums ---- */

/* SQL for the sum of sums of this argument; NULL: its type would be another one. */
static const char *sum_again(const struct early *early, struct expr *arg)
{
	const struct facts *facts = early->split->base;
	const struct fact_column *column = arg->kind == EXPR_COLUMN && arg->of != NULL && arg->of->relation != NULL
	                                       ? &arg->of->relation->columns[arg->column]
	                                       : NULL;
	struct exact exact = exact_of(arg);
	if (!exact.exact || exact.low != exact.high)
		return NULL;
	if (column == NULL)
		return exact.low > 0 ? "sum({})" : NULL;
	for (size_t i = 0; facts->small_types[i] != NULL; i++)
		if (strncmp(column->written, facts->small_types[i], strlen(facts->small_types[i])) == 0)
			return facts->sum_of_small;
	return "sum({})";
}

static bool sum_early(struct early *early, struct expr *expr)
{
	struct split *split = early->split;
	enum aggregate kind = call_aggregate(split->base, expr);
	struct columns_of seen;
	struct span span;
	const char *again = split->base->sum_of_counts;
	if ((kind != AGGREGATE_COUNT && kind != AGGREGATE_SUM) || expr->call->distinct || expr->call->filter != NULL ||
	    expr->call->ordered || expr->args.n != (expr->call->star ? 0U : 1U) ||
	    !span_of_call(&early->tokens, split->text, expr->at, &span))
		return false;
	if (!expr->call->star && (!columns_of(early, expr->args.items[0], &seen) || !seen.own || seen.others))
		return false;
	if (kind == AGGREGATE_SUM && (again = sum_again(early, expr->args.items[0])) == NULL)
		return false;
	early->n_terms++;
	early->terms =
		sql_add(early->terms, ", %s AS viewd_e%zu", span_text(split->mem, &early->tokens, span), early->n_terms);
	char *column =
		sql_add(ident_append(split->syn, sql_new(split->mem), early->large->alias), ".viewd_e%zu", early->n_terms);
	edits_add(&early->edits, span, sql_template(sql_new(split->mem), again, column));
	return true;
}

/* Aggregates become sums of sums; any other column of the large table is one that it is summed by. */
static bool take_expr(struct early *early, struct expr *expr)
{
	if (expr == NULL)
		return true;
	if (call_aggregate(early->split->base, expr) != AGGREGATE_NONE)
		return sum_early(early, expr);
	if (expr->kind == EXPR_SUBQUERY || expr->kind == EXPR_STAR || (expr->call != NULL && expr->call->over != NULL))
		return false;
	if (expr->kind == EXPR_COLUMN && expr->of == early->large)
		return group_by(early, expr);
	if (expr->kind == EXPR_COLUMN)
		return expr->of != NULL;
	for (size_t i = 0; i < expr->args.n; i++)
		if (!take_expr(early, expr->args.items[i]))
			return false;
	return true;
}

static bool take_list(struct early *early, const struct expr_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!take_expr(early, list->items[i]))
			return false;
	return true;
}

static bool take_columns(struct early *early)
{
	for (size_t i = 0; i < early->query->n_items; i++)
		if (early->query->items[i].name[0] == '\0' || !take_expr(early, early->query->items[i].expr))
			return false;
	return take_list(early, &early->query->groups) && take_expr(early, early->query->having) &&
	       early->query->order.n == 0;
}

/* ---- conditions ---- */

/* Conditions on the large table alone are moved below the join. */
static bool take_conditions(struct early *early)
{
	struct split *split = early->split;
	for (size_t i = 0; i < split->names.n_conjuncts; i++) {
		struct expr *expr = split->names.conjuncts[i]->expr;
		struct columns_of seen;
		struct span span;
		if (!columns_of(early, expr, &seen))
			return false;
		if (!seen.own || seen.others) {
			if (!take_expr(early, expr))
				return false;
			continue;
		}
		if (!span_of_condition(split->syn, &early->tokens, split->text, expr, &span))
			return false;
		early->conditions = sql_add(early->conditions, "%s(%s)", early->conditions[0] != '\0' ? " AND " : " WHERE ",
		                            span_text(split->mem, &early->tokens, span));
		edits_add(&early->edits, span, "1 = 1");
	}
	return true;
}

/* ---- the text ---- */

/* The tokens of the table with its alias. */
static bool find_table(const struct early *early, struct span *out)
{
	const struct span_tokens *tokens = &early->tokens;
	if (!span_of_column(tokens, early->split->text, early->large->at, out) || out->to >= tokens->n)
		return false;
	if (span_is_word(tokens, out->to, "AS"))
		out->to += 2;
	else if (strcmp(early->large->alias, early->large->relation->name) != 0)
		out->to++;
	return out->to <= tokens->n;
}

const char *split_sum_early(struct split *split, const struct level *level)
{
	struct early early = {.split = split,
	                      .query = level->query,
	                      .groups = sql_new(split->mem),
	                      .terms = sql_new(split->mem),
	                      .conditions = sql_new(split->mem),
	                      .n_groups = 1};
	struct span table;
	early.tokens = (struct span_tokens){split->tokens.items + level->span.from, level->span.to - level->span.from};
	early.edits = (struct edits){.mem = split->mem, .tokens = early.tokens};
	if (split->base->sum_of_counts == NULL || !is_plain(level->query) ||
	    (early.large = find_large(split, level->query)) == NULL || !find_table(&early, &table))
		return NULL;
	early.grouped = talloc_zero_array(split->mem, bool, (unsigned)early.large->relation->n_columns);
	assert(early.grouped != NULL);
	if (!take_columns(&early) || !take_conditions(&early) || early.n_terms == 0 || early.groups[0] == '\0' ||
	    early.n_groups > EARLY_GROUPS_MAX)
		return NULL;
	char *sql = sql_add(sql_new(split->mem), "(SELECT %s%s FROM %s%s GROUP BY %s) AS ", early.groups, early.terms,
	                    span_text(split->mem, &early.tokens, table), early.conditions, early.groups);
	edits_add(&early.edits, table, ident_append(split->syn, sql, early.large->alias));
	return edits_apply(&early.edits, split->mem, (struct span){0, early.tokens.n});
}
