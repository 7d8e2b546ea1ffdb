/* SPDX-License-Identifier: MIT
 *
 * split.h: a definition as a small query, the top, over other queries, its pieces, each of which can be kept by itself
 * (docs/adr/008-incremental-nodes.md). [any]
 *
 * All of it is done with the text. A piece is a subquery that stands alone, or what a rewriting has made to stand
 * alone. In the text a table of viewd's own comes in its place. Then the text is read again.
 */
#ifndef VIEWD_COMMON_ANALYSIS_SPLIT_SPLIT_H
#define VIEWD_COMMON_ANALYSIS_SPLIT_SPLIT_H

#include "common/analysis/analysis.h"
#include "common/analysis/meaning/names.h"
#include "common/analysis/spans.h"
#include "common/analysis/split/queries.h"

#define SPLIT_PIECES_MAX 8
#define SPLIT_REWRITES_MAX 6
#define SPLIT_PREFIX "viewd_piece_" /* and a number: the name of a piece in the text */

/* Tables of no more rows are read as a whole without a second thought. */
#define SPLIT_FEW_ROWS 2000

struct split {
	void *mem, *out;
	const struct syntax *syn;
	const struct facts *base; /* the definition's */
	struct facts facts;       /* these, and the pieces as tables */
	analysis_runs_fn *runs;
	void *ctx;
	bool early; /* sums are made below a join, or nothing is */
	struct refusal no;
	const char *text; /* as far as it is split */
	/* The text, read anew after each step: tokens, tables and columns; its queries as they are written, and the same
	 * resolved. */
	struct span_tokens tokens;
	struct names names;
	struct queries written, resolved;
	struct analysis_piece *pieces;
	struct fact_relation *relations;
	size_t n_pieces;
};

/* Splits a definition that is no part and no roll. False with a refusal in no. On split->out. */
bool split_run(struct split *split, const char *text, struct analysis *out);

/* ---- for the files of this folder ---- */

/* A query and its tokens, without parentheses around. The text of the definition itself may begin with WITH, which
 * stands before. */
struct level {
	struct span span;
	struct query *query;         /* resolved */
	const struct query *written; /* not */
};

/* The level between the parentheses that open at this token; false when there is none, or it names what is around it.
 * *close_r is the token that closes them. */
bool split_level_at(struct split *split, size_t open, size_t *close_r, struct level *out);

/* The query that this span of the text is; false when there is none, or it names what is around it. */
bool split_find_query(const struct split *split, struct span span, struct level *out);

/* The branch of UNION, EXCEPT or INTERSECT that begins with this token and has no parentheses around; false when there
 * is none, or it names what is around it, or it is the first one and a column of it has no name. *end_r is the token
 * behind it. (branch.c) */
bool split_branch_at(const struct split *split, size_t at, size_t *end_r, struct level *out);

/* The level that is the definition. */
bool split_root(const struct split *split, struct level *out);

/* Does it read a piece? */
bool split_reads_piece(const struct split *split, struct span span);

/* The span as a text of its own, on split->mem. */
char *split_text(const struct split *split, struct span span);

/* Can the query be kept by itself? Then it is a piece; text_r is what stands in its place from now on. (piece.c) */
bool split_take_piece(struct split *split, const struct level *level, const char **text_r);

/* Is something saved by keeping it: groups, sums, or joins? */
bool split_saves(const struct analysis *analysis);

/* NULL, or what stands in the place of the query so that more of it stands alone. (lift.c, split.c) */
const char *split_lift_limit(struct split *split, const struct level *level);
const char *split_lift_rows(struct split *split, const struct level *level);
const char *split_lift_groups(struct split *split, const struct level *level);

/* NULL, or the query with a table summed before it is joined with others. (early.c) */
const char *split_sum_early(struct split *split, const struct level *level);

/* Does the table of an occurrence stand for a piece? */
bool split_is_piece(const struct split *split, const struct fact_relation *relation);

#endif
