/* SPDX-License-Identifier: MIT
 *
 * facts.h: the facts about a database that the analysis of a definition needs. Whoever calls it supplies them, so it
 * needs no server. What is not among the facts does not exist for the analysis, and leads to a refusal.
 */
#ifndef VIEWD_COMMON_ANALYSIS_FACTS_H
#define VIEWD_COMMON_ANALYSIS_FACTS_H

#include "viewd_dialect.h"

/* How sums of a type behave. */
enum fact_type {
	FACT_OTHER,   /* not summed */
	FACT_PLAIN,   /* nor these; values are equal only when their bytes are */
	FACT_TEXT,    /* likewise */
	FACT_INTEGER, /* every value is a whole number */
	FACT_DECIMAL, /* exact, with digits behind the point */
	FACT_FLOAT,   /* the order of additions shows */
};

#define FACT_NO_SCALE (-1) /* the digits behind the point differ from value to value */

struct fact_column {
	const char *name; /* catalogue spelling */
	enum fact_type type;
	int scale; /* of a DECIMAL; FACT_NO_SCALE */
	const char
		*written; /* the type as the engine writes it, with the collation: columns with equal ones compare alike */
	bool nullable;
	double distinct; /* estimated number of values; 0 unknown */
	bool hidden;     /* * does not mean it, its name does */
};

/* Columns, by position, whose values occur once. Rows with NULL in one of them may repeat. */
struct fact_key {
	const size_t *columns;
	size_t n;
};

/* Columns, by position, in the order of an index. */
struct fact_index {
	const size_t *columns;
	size_t n;
	bool apart; /* few rows have the same values: it is unique but for NULL, or viewd has made it for a key */
};

struct fact_relation {
	const char *schema; /* "" where the engine has none */
	const char *name;
	enum viewd_depends kind;
	const struct fact_column *columns;
	size_t n_columns;
	const struct fact_key *keys;
	size_t n_keys;
	double rows;         /* estimated; 0 unknown */
	const char *refused; /* why its changes cannot be followed row by row; NULL: they can */
	const struct fact_index *indexes;
	size_t n_indexes;
};

enum fact_volatility {
	FACT_IMMUTABLE, /* the same result for the same arguments */
	FACT_STABLE,    /* as long as the settings are the same that viewd pins */
	FACT_VOLATILE,  /* everything else */
};

/* A function that is not an aggregate which the analysis knows. Of several functions with one name the worst counts. */
struct fact_function {
	const char *name; /* lower case */
	enum fact_volatility volatility;
	bool aggregate;
	bool returns_set;
};

/* Unqualified names mean the first relation of that name. */
struct facts {
	const struct fact_relation *relations;
	size_t n_relations;
	const struct fact_function *functions;
	size_t n_functions;
	const char *average;       /* SQL for avg(x), slots {a} its sum and {b} its count; NULL: nothing does */
	const char *average_large; /* SQL: is a term {} so large that averages are no longer exact? NULL: none is */
	/* SQL: may a term {} equal one of other bytes? Where no term does, least and greatest values are moved. NULL: they
	 * are not. */
	const char *extreme_odd;
	bool sums_keep_scale; /* a sum has as many digits as its longest term, not as its type (PostgreSQL) */
	const char *digits;   /* then: SQL for the digits behind the point of a value, slot {}; NULL: nothing tells */
	const char *shorter;  /* and for a value {a} with {b} such digits */
	/* SQL: a sum of counts {} as a count, and of sums {} of values of these types (how `written` begins, up to a NULL);
	 * those of other types may be summed again as they are. NULL: nothing is summed before it is joined. */
	const char *sum_of_counts, *sum_of_small;
	const char *const *small_types;
};

#endif
