/* SPDX-License-Identifier: MIT
 *
 * lift.c: a query that reads pieces in its conditions is taken apart: its rows become a derived table that stands
 * alone, and what is done with them stays around it.
 */
#include "common/analysis/split/split.h"

#include "common/analysis/meaning/calls.h"
#include "common/analysis/split/edits.h"
#include "common/sqltext/ident.h"
#include "common/sqltext/sqltext.h"

#include <strings.h>
#include <talloc.h>

/* ---- LIMIT ---- */

/* Does the order name columns of the result, by name or number? */
static bool orders_by_columns(const struct split *split, const struct query *query)
{
	for (size_t i = 0; i < query->order.n; i++) {
		const struct expr *expr = query->order.items[i];
		bool named = expr->kind == EXPR_CONST;
		for (size_t k = 0; k < query->n_items && !named; k++)
			named = expr->kind == EXPR_COLUMN && expr->qualifier[0] == '\0' &&
			        ident_same(split->syn, query->items[k].name, expr->name);
		if (!named)
			return false;
	}
	return true;
}

/* The token with which ORDER BY, or LIMIT, begins. */
static size_t tail_of(const struct split *split, struct span span)
{
	int depth = 0;
	size_t found = span.to;
	for (size_t i = span.from; i < span.to; i++) {
		depth += span_opens(&split->tokens.items[i]);
		if (depth != 0)
			continue;
		if (span_is_word(&split->tokens, i, "ORDER"))
			return i;
		if (found == span.to && (span_is_word(&split->tokens, i, "LIMIT") ||
		                         span_is_word(&split->tokens, i, "OFFSET") || span_is_word(&split->tokens, i, "FETCH")))
			found = i;
	}
	return found;
}

const char *split_lift_limit(struct split *split, const struct level *level)
{
	size_t tail = tail_of(split, level->span);
	if (level->query->limit == NULL || !orders_by_columns(split, level->written) || tail == level->span.to)
		return NULL;
	return sql_add(sql_new(split->mem), "SELECT viewd_p.* FROM (%s) AS viewd_p %s",
	               split_text(split, (struct span){level->span.from, tail}),
	               split_text(split, (struct span){tail, level->span.to}));
}

/* ---- rows ---- */

struct lift {
	struct split *split;
	struct query *query;
	size_t from;               /* its first token */
	struct span_tokens tokens; /* of the query alone */
	struct edits around, rows;
	struct lifted {
		struct occurrence *of;
		size_t column;
	} * columns;
	size_t n_columns;
	char *list; /* of the derived table */
};

/* Number of the column in the derived table. */
static size_t number_of(struct lift *lift, const struct expr *expr, struct span span)
{
	for (size_t i = 0; i < lift->n_columns; i++)
		if (lift->columns[i].of == expr->of && lift->columns[i].column == expr->column)
			return i + 1;
	void *mem = lift->split->mem;
	lift->columns = talloc_realloc(mem, lift->columns, struct lifted, (unsigned)lift->n_columns + 1);
	assert(lift->columns != NULL);
	lift->columns[lift->n_columns++] = (struct lifted){expr->of, expr->column};
	lift->list = sql_add(lift->list, "%s%s AS viewd_v%zu", lift->n_columns > 1 ? ", " : "",
	                     span_text(mem, &lift->tokens, span), lift->n_columns);
	return lift->n_columns;
}

/* Is it a column of the list, known by its name there? A column of USING is none: nothing around has that. */
static bool is_listed(const struct query *query, const struct expr *means)
{
	for (size_t i = 0; i < query->n_items; i++)
		if (query->items[i].expr == means)
			return true;
	return false;
}

/* Columns of the query's tables come from the derived table. A subquery that names them cannot stand around it. */
static bool lift_expr(void *ctx, struct expr *expr)
{
	struct lift *lift = ctx;
	struct span span;
	if (expr->kind == EXPR_SUBQUERY)
		return !expr->query->correlated;
	if (expr->kind != EXPR_COLUMN)
		return expr->kind != EXPR_STAR;
	if (expr->of == NULL) /* a name of the list, or an order that is not looked at */
		return expr->means == NULL || is_listed(lift->query, expr->means);
	if (expr->of->in != lift->query || !span_of_column(&lift->tokens, lift->split->text, expr->at, &span))
		return false;
	edits_add(&lift->around, span,
	          talloc_asprintf(lift->split->mem, "viewd_p.viewd_v%zu", number_of(lift, expr, span)));
	return true;
}

/* A column that is called what it is keeps that name. */
static bool keep_names(struct lift *lift, struct span list)
{
	struct span column;
	for (size_t i = 0; i < lift->query->n_items; i++) {
		const struct select_item *item = &lift->query->items[i];
		struct span span = span_of_item(&lift->tokens, list, i);
		if (item->expr->kind != EXPR_COLUMN)
			continue;
		if (!span_of_column(&lift->tokens, lift->split->text, item->expr->at, &column))
			return false;
		if (column.to == span.to)
			edits_add(&lift->around, (struct span){span.to, span.to},
			          ident_append(lift->split->syn, sql_add(sql_new(lift->split->mem), " AS "), item->name));
	}
	return true;
}

/* The token behind WHERE, or that behind all rows. */
static size_t where_of(const struct span_tokens *tokens, struct span rows)
{
	int depth = 0;
	for (size_t i = rows.from; i < rows.to; i++) {
		depth += span_opens(&tokens->items[i]);
		if (depth == 0 && span_is_word(tokens, i, "WHERE"))
			return i + 1;
	}
	return rows.to;
}

/* Does this part of the query read a piece? */
static bool is_cut(const struct lift *lift, struct span span)
{
	return split_reads_piece(lift->split, (struct span){lift->from + span.from, lift->from + span.to});
}

/* The same condition with its names resolved. */
static struct expr *resolved(const struct lift *lift, const struct expr *written)
{
	const struct names *names = &lift->split->names;
	for (size_t i = 0; i < names->n_conjuncts; i++)
		if (names->conjuncts[i]->in == lift->query && names->conjuncts[i]->expr->at == written->at)
			return names->conjuncts[i]->expr;
	return NULL;
}

/* Conditions that read pieces are asked around the derived table, after the columns were replaced: they are appended to
 * *sql. False: that cannot be. */
static bool cut_conditions(struct lift *lift, const struct expr *written, size_t where, char **sql)
{
	struct span span;
	for (size_t i = 0; written != NULL && written->kind == EXPR_AND && i < written->args.n; i++)
		if (!cut_conditions(lift, written->args.items[i], where, sql))
			return false;
	if (written == NULL || written->kind == EXPR_AND)
		return true;
	if (!span_of_condition(lift->split->syn, &lift->tokens, lift->split->text, written, &span))
		return false;
	if (!is_cut(lift, span))
		return true;
	struct expr *expr = resolved(lift, written);
	if (span.from < where || expr == NULL || !expr_walk(expr, lift_expr, lift))
		return false;
	edits_add(&lift->rows, span, "1 = 1");
	*sql = sql_add(*sql, "%s(%s)", (*sql)[0] == '\0' ? " WHERE " : " AND ",
	               edits_apply(&lift->around, lift->split->mem, span));
	return true;
}

const char *split_lift_rows(struct split *split, const struct level *level)
{
	struct lift lift = {.split = split, .query = level->query, .from = level->span.from, .list = sql_new(split->mem)};
	struct span list, rows;
	lift.tokens = (struct span_tokens){split->tokens.items + level->span.from, level->span.to - level->span.from};
	lift.around = lift.rows = (struct edits){.mem = split->mem, .tokens = lift.tokens};
	if (!queries_of_tables(level->query) || !span_of_select(&lift.tokens, &list, &rows))
		return NULL;
	size_t where = where_of(&lift.tokens, rows);
	char *conditions = sql_new(split->mem);
	if (is_cut(&lift, (struct span){rows.from, where}) ||
	    !cut_conditions(&lift, level->written->where, where, &conditions) ||
	    (conditions[0] == '\0' && !is_cut(&lift, list)) || !query_walk(level->query, lift_expr, &lift) ||
	    !keep_names(&lift, list))
		return NULL;
	char *sql = sql_add(sql_new(split->mem), "SELECT %s FROM (SELECT %s ", edits_apply(&lift.around, split->mem, list),
	                    lift.n_columns > 0 ? lift.list : "1 AS viewd_v0");
	sql = sql_add(sql, "%s) AS viewd_p%s", edits_apply(&lift.rows, split->mem, rows), conditions);
	struct span tail = {rows.to, lift.tokens.n};
	return tail.from < tail.to ? sql_add(sql, " %s", edits_apply(&lift.around, split->mem, tail)) : sql;
}
