/* SPDX-License-Identifier: MIT
 *
 * unit.h: one query of a definition that becomes a node or a short chain of them: the definition itself, or a part of
 * it that stands alone. [any]
 */
#ifndef VIEWD_COMMON_ANALYSIS_UNIT_H
#define VIEWD_COMMON_ANALYSIS_UNIT_H

#include "common/analysis/analysis.h"
#include "common/analysis/ties.h"

/* Shared by the whole analysis. */
struct maker {
	void *mem;
	const struct syntax *syn;
	const struct facts *facts;
	struct refusal *no;
	struct analysis *out;
	const char *text; /* of the definition */
	bool one_part;    /* ANALYSIS_ONE_PART */
	bool unlisted;    /* ANALYSIS_UNLISTED */
	bool no_images;   /* ANALYSIS_NO_IMAGES */
	int depth;
};

struct unit {
	struct maker *maker;
	struct query *query;
	struct names names;
	struct ties ties;
	bool grouped; /* GROUP BY, an aggregate, or DISTINCT */
	bool result;  /* writes what the user named: rows must be found again by their columns */
};

/* Resolves the query and judges what no kind of node can compute. False with a refusal. */
bool unit_open(struct maker *maker, struct query *query, struct unit *out);

/* Aggregates of the columns and of HAVING, each once. */
struct expr_list unit_aggregates(const struct unit *unit);

/* The groups: GROUP BY, or all columns of DISTINCT. */
struct expr_list unit_groups(const struct unit *unit);

/* Are the groups of what the user named among its columns? Otherwise a refusal. */
bool unit_groups_listed(const struct unit *unit);

/* Can all aggregates be rolled? The first that cannot goes to *bad_r with the reason. */
bool unit_rollable(const struct unit *unit, struct expr **bad_r, const char **why_r);

/* Only tables and conditions between them: no subquery, no derived table that is not merged, no window? */
bool unit_flat(const struct unit *unit);

/* Appends a new node; *number_r is its number (from 1). */
struct analysis_node *unit_add_node(struct maker *maker, enum analysis_kind kind, size_t *number_r);

/* Appends to a list / a node's sources. */
void unit_list_add(struct maker *maker, struct analysis_list *list, const char *text);
struct analysis_source *unit_add_source(struct maker *maker, struct analysis_node *node);

/* Conditions that rows of this table alone must meet, as text. */
void unit_conditions(const struct unit *unit, const struct occurrence *of, struct analysis_source *out);

/* Does every row of the query come from a row of this table that has the row's key, of which there is at most one for
 * each key? Then a key for which that row does not meet the conditions on it has no rows (docs/adr/010). way: from the
 * table to the key. */
bool unit_narrows(const struct unit *unit, const struct occurrence *of, const struct way *way);

/* Does each row of the query that has a row of `of` also have one of `other`, found by a unique key of it? pairs: from
 * columns of `of` to that key. */
bool unit_partners(const struct unit *unit, struct occurrence *of, struct occurrence *other, struct way *out);

/* Every column of the table that the definition reads, and those of them that its conditions need. */
void unit_columns(const struct unit *unit, const struct occurrence *of, struct analysis_source *source);
/* The log of the source has to hold the column; or every column of the table that the expression names. */
void unit_log_column(struct maker *maker, struct analysis_source *source, const struct occurrence *of, size_t column);
void unit_log_columns(struct maker *maker, struct analysis_source *source, const struct occurrence *of,
                      struct expr *expr);

#endif
