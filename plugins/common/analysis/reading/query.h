/* SPDX-License-Identifier: MIT
 *
 * query.h: a definition as the analysis sees it. Made by read.h, completed by names.h. Positions are bytes of the text
 * as it was given.
 */
#ifndef VIEWD_COMMON_ANALYSIS_READING_QUERY_H
#define VIEWD_COMMON_ANALYSIS_READING_QUERY_H

#include <stdbool.h>
#include <stddef.h>

struct query;
struct occurrence;

enum expr_kind {
	EXPR_COLUMN,
	EXPR_STAR, /* `*` or `t.*` in a list of columns */
	EXPR_CONST,
	EXPR_CALL,
	EXPR_COMPARE, /* a binary operator, name says which */
	EXPR_SAME,    /* IS NOT DISTINCT FROM, <=> */
	EXPR_OTHER,   /* anything else whose value follows from its arguments: name says what */
	EXPR_CASE,    /* arguments: conditions and results; results are listed in case_results */
	EXPR_CAST,    /* name is the type */
	EXPR_AND,
	EXPR_OR,
	EXPR_NOT,
	EXPR_ROW,
	EXPR_SUBQUERY
};

enum subquery_kind {
	SUBQUERY_EXISTS,
	SUBQUERY_IN,     /* the test is the first argument */
	SUBQUERY_NOT_IN, /* likewise; <> ALL as well */
	SUBQUERY_VALUE,
	SUBQUERY_OTHER /* compared with all or any of its rows by another operator */
};

struct expr_list {
	struct expr **items;
	size_t n;
};

/* PARTITION BY of a window; the rest does not matter here. */
struct window {
	const char *name; /* of a WINDOW clause, or "" */
	struct expr_list partition;
	struct expr_list order;
	bool rows; /* its frame counts rows */
	int at;
};

/* The part of an expression that only calls have. */
struct expr_call {
	bool star; /* count(*) */
	bool distinct;
	bool ordered; /* ORDER BY inside, or WITHIN GROUP */
	struct expr *filter;
	struct window *over;
};

struct expr {
	enum expr_kind kind;
	int at;                /* leftmost position of it and its arguments */
	const char *name;      /* column, function, operator, type; "" */
	const char *qualifier; /* table before a column; "" */
	const char *schema;    /* before the table or function; "" */
	struct expr_list args;
	size_t case_results; /* the last so many arguments of a CASE are its results */
	struct expr_call *call;
	enum subquery_kind subquery;
	struct query *query; /* of a subquery */

	/* filled by names.h */
	struct expr *means;    /* a column of a derived table that is merged into the query: the expression it stands for */
	struct occurrence *of; /* a column of a table or of a derived table that is not merged */
	size_t column;         /* its position there */
	int scope;             /* of a subquery */
};

struct select_item {
	struct expr *expr;
	const char *name; /* "" when none is written and the expression has none */
};

enum from_kind { FROM_TABLE, FROM_QUERY, FROM_JOIN };
enum join_kind { JOIN_INNER, JOIN_LEFT, JOIN_RIGHT, JOIN_FULL };

struct from {
	enum from_kind kind;
	int at;
	const char *schema; /* of a table; "" */
	const char *name;
	const char *alias; /* never "" but for a join */
	struct query *query;
	const char **columns; /* names given to a query's columns */
	size_t n_columns;
	bool lateral;
	enum join_kind join;
	struct from *left, *right;
	struct expr *on;
	const char **using_names;
	size_t n_using;
};

enum query_op { QUERY_SELECT, QUERY_UNION, QUERY_EXCEPT, QUERY_INTERSECT };

struct query {
	enum query_op op;
	struct query *left, *right; /* of a set operation */
	int at;                     /* position of the first thing known of it */
	struct select_item *items;
	size_t n_items;
	bool distinct;
	struct expr_list distinct_on;
	struct from **from;
	size_t n_from;
	struct expr *where;
	struct expr_list groups;
	struct expr *having;
	struct window **windows; /* of the WINDOW clause */
	size_t n_windows;
	struct expr_list order;
	struct expr *limit; /* LIMIT or OFFSET */

	/* filled by names.h */
	int scope;
	bool correlated; /* names a column from outside */
};

#endif
