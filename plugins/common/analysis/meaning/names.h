/* SPDX-License-Identifier: MIT
 *
 * names.h: finds the table of each column of a query, and the conditions that hold for it.
 *
 * An occurrence is one place where a table stands, at any level. Derived tables that only choose and compute columns
 * are merged into the query around them; every other one is an occurrence too, of its own rows, beside the occurrences
 * inside it.
 *
 * Scopes say for which rows of the result a condition holds. The query has scope 0; the nullable side of an outer
 * join, each subquery and each derived table that is not merged has one of its own below the scope it stands in.
 */
#ifndef VIEWD_COMMON_ANALYSIS_MEANING_NAMES_H
#define VIEWD_COMMON_ANALYSIS_MEANING_NAMES_H

#include "common/analysis/facts.h"
#include "common/analysis/reading/query.h"
#include "common/analysis/reading/refusal.h"
#include "common/sqltext/syntax.h"

enum scope_kind { SCOPE_QUERY, SCOPE_NULLABLE, SCOPE_SUBQUERY, SCOPE_DERIVED };

struct scope {
	enum scope_kind kind;
	int parent;            /* -1 of the query */
	struct query *query;   /* of a subquery or derived table */
	struct expr *subquery; /* of a subquery */
	bool filters;          /* a subquery that stands in WHERE or ON, under AND and OR only: NULL is as good as false */
	bool in_having;
	struct conjunct *within; /* the conjunct that holds the subquery; NULL */
};

struct occurrence {
	const struct fact_relation *relation; /* NULL: the rows of a derived table */
	struct query *derived;
	struct query *in; /* the query in whose FROM it stands */
	const char *alias;
	const char **renamed; /* names given to a derived table's columns, the first n_renamed of them */
	size_t n_renamed;
	int at;
	int scope;
	size_t number; /* its position in struct names */
	bool *read;    /* for each column: does the definition read it? */
};

/* A condition of WHERE or ON that stands between ANDs. */
struct conjunct {
	struct expr *expr;
	struct query *in;
	int scope;
};

struct names {
	void *mem;
	const struct syntax *syn;
	const struct facts *facts;
	struct refusal *no;
	bool whole; /* the query is computed as a whole: UNION and its like, and FULL JOIN, are resolved as well */
	struct scope *scopes;
	size_t n_scopes;
	struct occurrence **occurrences;
	size_t n_occurrences;
	struct conjunct **conjuncts;
	size_t n_conjuncts;
};

/* Resolves everything in query as seen from outside: scope 0, no outer names. False with a refusal. [any] */
bool names_resolve(struct names *names, struct query *query);

/* The expression a column stands for, through merged derived tables. */
struct expr *names_meaning(struct expr *expr);

/* Is it, after that, a column of a table, or one of a derived table that is such a column there? *occurrence_r and
 * *column_r say which one next to the query; the facts are those of the table's column, NULL when it is no such
 * column. */
const struct fact_column *names_column(struct expr *expr, struct occurrence **occurrence_r, size_t *column_r);

/* The facts of column number `column` of an occurrence; NULL when it is computed. */
const struct fact_column *names_fact(const struct occurrence *occurrence, size_t column);

/* Is scope the same as outer, or inside it? */
bool names_inside(const struct names *names, int scope, int outer);

/* May rows of the occurrence be missing from a row of the query in which it stands (nullable side of an outer join)? */
bool names_nullable(const struct names *names, int scope);

/* Is this derived table computed row by row from the tables below it? */
bool names_mergeable(const struct facts *facts, struct query *query);

#endif
