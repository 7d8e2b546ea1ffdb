/* SPDX-License-Identifier: MIT
 *
 * ranges.h: the tables and columns that a FROM clause makes visible. [any]
 */
#ifndef VIEWD_COMMON_ANALYSIS_MEANING_RANGES_H
#define VIEWD_COMMON_ANALYSIS_MEANING_RANGES_H

#include "common/analysis/meaning/names.h"

/* One name of a FROM clause. */
struct range {
	const char *alias;
	const char *schema;            /* of a table without an alias of its own; "" */
	struct occurrence *occurrence; /* NULL: a derived table that is merged */
	struct query *merged;
	const char **columns; /* names given to its columns, the first n_columns of them */
	size_t n_columns;
};

/* A column that USING has made one of two. */
struct range_merged {
	const char *name;
	struct expr *expr;
};

struct ranges {
	const struct ranges *outer; /* what a correlated subquery sees besides */
	struct range *items;
	size_t n;
	struct range_merged *merged;
	size_t n_merged;
	struct query *self;
	struct query *query; /* whose columns may be named where none of a table has that name; NULL */
};

/* Adds a name. */
void ranges_add(struct names *names, struct ranges *ranges, const struct range *range);
void ranges_merge(struct names *names, struct ranges *ranges, const char *name, struct expr *expr);

/* Fills what an EXPR_COLUMN refers to; false with a refusal when no column or more than one has that name. */
bool ranges_resolve(struct names *names, const struct ranges *ranges, struct expr *expr);

/* The column of that name among the ranges from number `first` to before number `last` as a new expression; NULL with
 * a refusal. */
struct expr *ranges_find(struct names *names, const struct ranges *ranges, size_t first, size_t last, const char *name);

/* Replaces `*` and `t.*` in the list of columns by the columns they stand for. */
bool ranges_expand(struct names *names, const struct ranges *ranges, struct query *query);

#endif
