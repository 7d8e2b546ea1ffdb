/* SPDX-License-Identifier: MIT */
#include "common/analysis/print.h"

#include <string.h>
#include <talloc.h>

static char *add_text(char *text, const char *more)
{
	text = talloc_strdup_append_buffer(text, more);
	assert(text != NULL);
	return text;
}

const char *print_column(const struct occurrence *occurrence, size_t column)
{
	if (occurrence->relation != NULL)
		return occurrence->relation->columns[column].name;
	return column < occurrence->n_renamed ? occurrence->renamed[column] : occurrence->derived->items[column].name;
}

char *print_end(void *mem_ctx, struct tie_end end)
{
	char *text = talloc_asprintf(mem_ctx, "%s.%s", end.of->alias, print_column(end.of, end.column));
	assert(text != NULL);
	return text;
}

static char *put_expr(char *text, struct expr *expr);

static char *put_list(char *text, const struct expr_list *list, size_t first, size_t last, const char *between)
{
	for (size_t i = first; i < last; i++)
		text = put_expr(i > first ? add_text(text, between) : text, list->items[i]);
	return text;
}

static char *put_const(char *text, const struct expr *expr)
{
	if (expr->name[0] == '\'')
		return add_text(add_text(text, expr->name), "'");
	return add_text(text, expr->name[0] != '\0' ? expr->name : "NULL");
}

static char *put_call(char *text, const struct expr *expr)
{
	if (expr->schema[0] != '\0' && strcmp(expr->schema, "pg_catalog") != 0)
		text = add_text(add_text(text, expr->schema), ".");
	text = add_text(add_text(text, expr->name), expr->call->distinct ? "(DISTINCT " : "(");
	text = expr->call->star ? add_text(text, "*") : put_list(text, &expr->args, 0, expr->args.n, ", ");
	text = add_text(text, ")");
	if (expr->call->filter != NULL)
		text = add_text(put_expr(add_text(text, " FILTER (WHERE "), expr->call->filter), ")");
	if (expr->call->over != NULL)
		text = add_text(put_list(add_text(text, " OVER (PARTITION BY "), &expr->call->over->partition, 0,
		                         expr->call->over->partition.n, ", "),
		                ")");
	return text;
}

static char *put_operator(char *text, const struct expr *expr)
{
	const char *name = expr->kind == EXPR_SAME ? "IS NOT DISTINCT FROM" : expr->name;
	bool sign = expr->args.n == 1;
	text = add_text(text, sign ? name : "(");
	if (!sign)
		text = add_text(add_text(add_text(put_expr(text, expr->args.items[0]), " "), name), " ");
	text = put_expr(text, expr->args.items[expr->args.n - 1]);
	return sign ? text : add_text(text, ")");
}

static char *put_case(char *text, const struct expr *expr)
{
	size_t results = expr->args.n - expr->case_results;
	text = add_text(add_text(text, "CASE "), expr->name[0] != '\0' ? "OF " : "");
	text = put_list(text, &expr->args, 0, results, ", ");
	text = put_list(add_text(text, " THEN "), &expr->args, results, expr->args.n, ", ");
	return add_text(text, " END");
}

static char *put_column(char *text, const struct expr *expr)
{
	if (expr->of != NULL)
		text = add_text(add_text(add_text(text, expr->of->alias), "."), print_column(expr->of, expr->column));
	else
		text = add_text(text, expr->name);
	return text;
}

static char *put_named(char *text, const char *name, const struct expr *expr)
{
	return add_text(put_list(add_text(add_text(text, name), "("), &expr->args, 0, expr->args.n, ", "), ")");
}

/* Kinds of the grammar that have a name in SQL. */
static const char *other_name(const struct expr *expr)
{
	static const char *const names[][2] = {
		{"CoalesceExpr", "coalesce"},     {"List", ""},
		{"NullTest IS_NULL", "is null "}, {"NullTest IS_NOT_NULL", "is not null "},
		{"A_ArrayExpr", "array "},        {"MinMaxExpr IS_GREATEST", "greatest"},
		{"MinMaxExpr IS_LEAST", "least"},
	};
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(names[i][0], expr->name) == 0)
			return names[i][1];
	return NULL;
}

static char *put_other(char *text, const struct expr *expr)
{
	const char *name = other_name(expr);
	if (name == NULL && expr->args.n == 2)
		return put_operator(text, expr);
	return put_named(text, name != NULL ? name : expr->name, expr);
}

static char *put_expr(char *text, struct expr *expr)
{
	expr = names_meaning(expr);
	switch (expr->kind) {
	case EXPR_COLUMN:
		return put_column(text, expr);
	case EXPR_STAR:
		return add_text(text, "*");
	case EXPR_CONST:
		return put_const(text, expr);
	case EXPR_CALL:
		return put_call(text, expr);
	case EXPR_COMPARE:
	case EXPR_SAME:
		return put_operator(text, expr);
	case EXPR_CASE:
		return put_case(text, expr);
	case EXPR_CAST:
		return add_text(add_text(put_expr(text, expr->args.items[0]), "::"), expr->name);
	case EXPR_AND:
		return add_text(put_list(add_text(text, "("), &expr->args, 0, expr->args.n, " AND "), ")");
	case EXPR_OR:
		return add_text(put_list(add_text(text, "("), &expr->args, 0, expr->args.n, " OR "), ")");
	case EXPR_NOT:
		return put_named(text, "NOT ", expr);
	case EXPR_ROW:
		return put_named(text, "", expr);
	case EXPR_SUBQUERY:
		return add_text(text, "(a subquery)");
	case EXPR_OTHER:
		break;
	}
	return put_other(text, expr);
}

char *print_expr(void *mem_ctx, struct expr *expr)
{
	char *text = talloc_strdup(mem_ctx, "");
	assert(text != NULL);
	return put_expr(text, expr);
}
