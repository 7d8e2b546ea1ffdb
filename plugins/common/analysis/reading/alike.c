/* SPDX-License-Identifier: MIT */
#include "common/analysis/reading/alike.h"

#include "base/macros.h"
#include "common/analysis/reading/read_sql.h"

#include <string.h>
#include <talloc.h>

/* ---- expressions ---- */

static bool alike_list(const struct expr_list *a, const struct expr_list *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; i < a->n && same; i++)
		same = alike_expr(a->items[i], b->items[i]);
	return same;
}

static bool alike_window(const struct window *a, const struct window *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return strcmp(a->name, b->name) == 0 && a->rows == b->rows && alike_list(&a->partition, &b->partition) &&
	       alike_list(&a->order, &b->order);
}

static bool alike_call(const struct expr_call *a, const struct expr_call *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->star == b->star && a->distinct == b->distinct && a->ordered == b->ordered &&
	       alike_expr(a->filter, b->filter) && alike_window(a->over, b->over);
}

static bool alike_words(const struct expr *a, const struct expr *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->qualifier, b->qualifier) == 0 &&
	       strcmp(a->schema, b->schema) == 0;
}

bool alike_expr(const struct expr *a, const struct expr *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->kind == b->kind && alike_words(a, b) && a->case_results == b->case_results &&
	       a->subquery == b->subquery && alike_list(&a->args, &b->args) && alike_call(a->call, b->call) &&
	       alike_query(a->query, b->query);
}

/* ---- queries ---- */

static bool alike_names(const char *const *a, size_t n_a, const char *const *b, size_t n_b)
{
	bool same = n_a == n_b;
	for (size_t i = 0; i < n_a && same; i++)
		same = strcmp(a[i], b[i]) == 0;
	return same;
}

static bool alike_from(const struct from *a, const struct from *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->kind == b->kind && a->join == b->join && a->lateral == b->lateral &&
	       strcmp(a->schema != NULL ? a->schema : "", b->schema != NULL ? b->schema : "") == 0 &&
	       strcmp(a->name != NULL ? a->name : "", b->name != NULL ? b->name : "") == 0 &&
	       strcmp(a->alias != NULL ? a->alias : "", b->alias != NULL ? b->alias : "") == 0 &&
	       alike_names(a->columns, a->n_columns, b->columns, b->n_columns) &&
	       alike_names(a->using_names, a->n_using, b->using_names, b->n_using) && alike_query(a->query, b->query) &&
	       alike_from(a->left, b->left) && alike_from(a->right, b->right) && alike_expr(a->on, b->on);
}

static bool alike_items(const struct query *a, const struct query *b)
{
	bool same = a->n_items == b->n_items;
	for (size_t i = 0; i < a->n_items && same; i++)
		same = alike_expr(a->items[i].expr, b->items[i].expr) && strcmp(a->items[i].name, b->items[i].name) == 0;
	return same;
}

static bool alike_tables(const struct query *a, const struct query *b)
{
	bool same = a->n_from == b->n_from;
	for (size_t i = 0; i < a->n_from && same; i++)
		same = alike_from(a->from[i], b->from[i]);
	return same && alike_expr(a->where, b->where);
}

static bool alike_windows(const struct query *a, const struct query *b)
{
	bool same = a->n_windows == b->n_windows;
	for (size_t i = 0; i < a->n_windows && same; i++)
		same = alike_window(a->windows[i], b->windows[i]);
	return same;
}

bool alike_query(const struct query *a, const struct query *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return a->op == b->op && a->distinct == b->distinct && alike_query(a->left, b->left) &&
	       alike_query(a->right, b->right) && alike_items(a, b) && alike_tables(a, b) &&
	       alike_list(&a->distinct_on, &b->distinct_on) && alike_list(&a->groups, &b->groups) &&
	       alike_expr(a->having, b->having) && alike_windows(a, b) && alike_list(&a->order, &b->order) &&
	       alike_expr(a->limit, b->limit);
}

/* ---- texts ---- */

/* NULL when it is no query that the reader knows. On mem. */
static struct query *read_piece(void *mem, const struct syntax *syn, const char *before, const char *text,
                                const char *after)
{
	struct refusal no = {0};
	char *whole = talloc_asprintf(mem, "%s%s%s", before, text, after);
	assert(whole != NULL);
	return read_sql(mem, syn, whole, &no);
}

bool alike_condition(const struct syntax *syn, const char *text, const struct expr *expr)
{
	void *mem = talloc_new(NULL);
	const struct query *query = read_piece(mem, syn, "SELECT 1 FROM viewd_t WHERE ", text, "");
	bool same = query != NULL && query->n_from == 1 && query->groups.n == 0 && query->order.n == 0 &&
	            query->limit == NULL && query->having == NULL && alike_expr(query->where, expr);
	talloc_free(mem);
	return same;
}

bool alike_value(const struct syntax *syn, const char *text, const struct expr *expr)
{
	void *mem = talloc_new(NULL);
	const struct query *query = read_piece(mem, syn, "SELECT ", text, " FROM viewd_t");
	bool same = query != NULL && query->n_from == 1 && query->n_items == 1 && query->where == NULL &&
	            alike_expr(query->items[0].expr, expr);
	talloc_free(mem);
	return same;
}

bool alike_rows(const struct syntax *syn, const char *text, const struct query *query)
{
	void *mem = talloc_new(NULL);
	const struct query *read = read_piece(mem, syn, "SELECT 1 ", text, "");
	bool same = read != NULL && read->groups.n == 0 && read->having == NULL && read->order.n == 0 &&
	            read->limit == NULL && alike_tables(read, query);
	talloc_free(mem);
	return same;
}
