/* SPDX-License-Identifier: MIT
 *
 * analysis.h: can a definition be kept incrementally, and how? A pure function of its text, the engine's syntax and a
 * table of facts.
 *
 * The answer is a chain of nodes (docs/adr/008), or a refusal with what stands in the way. What is not known for sure
 * is a refusal.
 */
#ifndef VIEWD_COMMON_ANALYSIS_ANALYSIS_H
#define VIEWD_COMMON_ANALYSIS_ANALYSIS_H

#include "common/analysis/facts.h"
#include "common/analysis/reading/refusal.h"
#include "common/sqltext/syntax.h"

struct analysis_list {
	const char **items;
	size_t n;
};

enum analysis_kind { ANALYSIS_PART, ANALYSIS_ROLL, ANALYSIS_TOP };

/* A table, or a node before it, as a node reads it: once for each place where it stands in the definition. */
struct analysis_source {
	size_t node; /* number of a node; 0: a table */
	const char *schema;
	const char *name;
	const char *alias;
	bool images;                     /* its logged images are added and subtracted; else they say which keys changed */
	bool tied;                       /* has the key itself */
	bool all_tied;                   /* so has every other place where the table stands */
	bool whole;                      /* read as a whole (of a top) */
	const char *way;                 /* from its columns to the key; "" */
	struct analysis_list conditions; /* that its images must meet to count */
	struct analysis_list logged;     /* columns that its log holds */
	struct analysis_list read;       /* columns whose changes count */
};

struct analysis_node {
	enum analysis_kind kind;
	struct analysis_list key;    /* of a part */
	struct analysis_list groups; /* of a roll, and of a part that one is over */
	struct analysis_list aggregates;
	struct analysis_list notes;
	struct analysis_source *sources;
	size_t n_sources;
	const char *signature; /* equal for equal nodes; NULL: not compared */
	const char *rows;      /* likewise for FROM and WHERE alone */
};

struct analysis {
	bool possible;
	struct refusal refusal;
	struct analysis_node *nodes; /* the last one writes the result */
	size_t n_nodes;
};

/* Analyses a definition as lex_one_query() returns it. Everything hangs on mem_ctx. Never NULL. [any] */
struct analysis *analysis_run(void *mem_ctx, const struct syntax *syn, const char *text, const struct facts *facts);

/* "part", "roll", "top" */
const char *analysis_kind_word(enum analysis_kind kind);

#endif
