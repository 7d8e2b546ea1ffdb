/* SPDX-License-Identifier: MIT */
#include "common/analysis/meaning/ranges.h"

#include "common/sqltext/ident.h"

#include <string.h>
#include <talloc.h>

void ranges_add(struct names *names, struct ranges *ranges, const struct range *range)
{
	ranges->items = talloc_realloc(names->mem, ranges->items, struct range, (unsigned)ranges->n + 1);
	assert(ranges->items != NULL);
	ranges->items[ranges->n++] = *range;
}

void ranges_merge(struct names *names, struct ranges *ranges, const char *name, struct expr *expr)
{
	ranges->merged = talloc_realloc(names->mem, ranges->merged, struct range_merged, (unsigned)ranges->n_merged + 1);
	assert(ranges->merged != NULL);
	ranges->merged[ranges->n_merged++] = (struct range_merged){name, expr};
}

static size_t width(const struct range *range)
{
	if (range->occurrence != NULL && range->occurrence->relation != NULL)
		return range->occurrence->relation->n_columns;
	return range->merged != NULL ? range->merged->n_items : range->occurrence->derived->n_items;
}

static const char *column_name(const struct range *range, size_t i)
{
	if (i < range->n_columns)
		return range->columns[i];
	if (range->occurrence != NULL && range->occurrence->relation != NULL)
		return range->occurrence->relation->columns[i].name;
	return range->merged != NULL ? range->merged->items[i].name : range->occurrence->derived->items[i].name;
}

static bool is_hidden(const struct range *range, size_t i)
{
	return range->occurrence != NULL && range->occurrence->relation != NULL &&
	       range->occurrence->relation->columns[i].hidden;
}

static bool alias_matches(const struct names *names, const struct range *range, const struct expr *expr)
{
	if (expr->qualifier[0] == '\0')
		return true;
	return ident_same(names->syn, range->alias, expr->qualifier) &&
	       (expr->schema[0] == '\0' || ident_same(names->syn, range->schema, expr->schema));
}

static void refer(struct expr *expr, const struct range *range, size_t column)
{
	expr->means = range->merged != NULL ? range->merged->items[column].expr : NULL;
	expr->of = range->occurrence;
	expr->column = column;
	if (range->occurrence != NULL && range->occurrence->relation != NULL)
		range->occurrence->read[column] = true;
}

/* How many columns of these ranges it may be; refers to the last of them. */
static size_t matches(const struct names *names, const struct ranges *ranges, size_t first, size_t last,
                      struct expr *expr)
{
	size_t n = 0;
	for (size_t i = first; i < last; i++) {
		const struct range *range = &ranges->items[i];
		if (!alias_matches(names, range, expr))
			continue;
		for (size_t k = 0; k < width(range); k++) {
			if (ident_same(names->syn, column_name(range, k), expr->name)) {
				refer(expr, range, k);
				n++;
			}
		}
	}
	return n;
}

static bool find_merged(const struct names *names, const struct ranges *ranges, struct expr *expr)
{
	for (size_t i = 0; expr->qualifier[0] == '\0' && i < ranges->n_merged; i++) {
		if (ident_same(names->syn, ranges->merged[i].name, expr->name)) {
			expr->means = ranges->merged[i].expr;
			return true;
		}
	}
	return false;
}

/* A name of the list of columns, where an engine allows that outside ORDER BY. */
static bool find_label(const struct names *names, const struct ranges *ranges, struct expr *expr)
{
	const struct query *query = ranges->query;
	for (size_t i = 0; query != NULL && expr->qualifier[0] == '\0' && i < query->n_items; i++) {
		if (query->items[i].expr != expr && ident_same(names->syn, query->items[i].name, expr->name)) {
			expr->means = query->items[i].expr;
			return true;
		}
	}
	return false;
}

/* Engines differ in whether such a name is known there, or that of what is around it. */
static bool known_outside(struct names *names, const struct ranges *level, const struct expr *expr)
{
	for (level = level->outer; level != NULL; level = level->outer) {
		struct expr other = *expr;
		if (find_merged(names, level, &other) || matches(names, level, 0, level->n, &other) > 0 ||
		    find_label(names, level, &other))
			return true;
	}
	return false;
}

/* The queries from the inside up to that level depend on what is around them. */
static bool note_level(const struct ranges *ranges, const struct ranges *level)
{
	for (; ranges != level; ranges = ranges->outer)
		ranges->self->correlated = true;
	return true;
}

/* Statements that stand for a table by a subquery with * lose it. */
static bool means_hidden(const struct expr *expr)
{
	return expr->of != NULL && expr->of->relation != NULL && expr->of->relation->columns[expr->column].hidden &&
	       expr->qualifier[0] == '\0';
}

bool ranges_resolve(struct names *names, const struct ranges *ranges, struct expr *expr)
{
	expr->means = NULL;
	expr->of = NULL;
	const struct ranges *level = ranges;
	for (; level != NULL; level = level->outer) {
		bool merged = find_merged(names, level, expr);
		size_t n = merged ? 1 : matches(names, level, 0, level->n, expr);
		if (n > 1)
			return refuse_named(names->no, expr->at, "column", expr->name, "more than one table has it",
			                    "write the table before it");
		if (n == 1 && means_hidden(expr) && known_outside(names, level, expr))
			return refuse_named(names->no, expr->at, "column", expr->name,
			                    "* does not mean it, and what is around it has that name", "write the table before it");
		if (n == 1)
			return note_level(ranges, level);
		if (find_label(names, level, expr))
			return known_outside(names, level, expr)
			           ? refuse_named(names->no, expr->at, "column", expr->name,
			                          "the list of columns and what is around it both have that name",
			                          "write the table before it")
			           : note_level(ranges, level);
	}
	return refuse_named(names->no, expr->at, "column", expr->name, "no table of the definition is known to have it",
	                    "");
}

static struct expr *new_column(struct names *names, const char *name, int at)
{
	struct expr *expr = talloc_zero(names->mem, struct expr);
	assert(expr != NULL);
	*expr = (struct expr){.kind = EXPR_COLUMN, .at = at, .name = name, .qualifier = "", .schema = ""};
	return expr;
}

struct expr *ranges_find(struct names *names, const struct ranges *ranges, size_t first, size_t last, const char *name)
{
	struct expr *expr = new_column(names, name, -1);
	for (size_t i = ranges->n_merged; i-- > 0;) {
		if (ident_same(names->syn, ranges->merged[i].name, name)) {
			refuse_named(names->no, -1, "USING", name, "the analysis does not follow a column through two of them",
			             "write ON");
			return NULL;
		}
	}
	if (matches(names, ranges, first, last, expr) == 1)
		return expr;
	refuse_named(names->no, -1, "USING", name, "not exactly one table on each side is known to have it", "write ON");
	return NULL;
}

static void add_item(struct names *names, struct query *query, const struct range *range, size_t column, int at)
{
	query->items = talloc_realloc(names->mem, query->items, struct select_item, (unsigned)query->n_items + 1);
	assert(query->items != NULL);
	struct expr *expr = new_column(names, column_name(range, column), at);
	expr->qualifier = range->alias;
	refer(expr, range, column);
	query->items[query->n_items++] = (struct select_item){expr, expr->name};
}

bool ranges_expand(struct names *names, const struct ranges *ranges, struct query *query)
{
	struct select_item *old = query->items;
	size_t n = query->n_items;
	query->items = NULL;
	query->n_items = 0;
	for (size_t i = 0; i < n; i++) {
		const struct expr *star = old[i].expr;
		if (star->kind != EXPR_STAR) {
			query->items = talloc_realloc(names->mem, query->items, struct select_item, (unsigned)query->n_items + 1);
			assert(query->items != NULL);
			query->items[query->n_items++] = old[i];
			continue;
		}
		if (ranges->n_merged > 0)
			return refuse(names->no, star->at, "* beside USING", "the analysis does not follow it",
			              "write the columns");
		for (size_t k = 0; k < ranges->n; k++)
			for (size_t c = 0; alias_matches(names, &ranges->items[k], star) && c < width(&ranges->items[k]); c++)
				if (!is_hidden(&ranges->items[k], c))
					add_item(names, query, &ranges->items[k], c, star->at);
	}
	return query->n_items > 0 || refuse(names->no, query->at, "no columns", "no table is known that has some", "");
}
