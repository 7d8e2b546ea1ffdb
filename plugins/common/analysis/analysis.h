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

/* column = column on the way to the key. */
struct analysis_pair {
	const char *from; /* of the table */
	const char *to;   /* of the next one; at the end of the way, of the key */
	bool null_safe;   /* NULL leads to NULL */
};

/* A table, or a node before it, as a node reads it: once for each place where it stands in the definition. */
struct analysis_source {
	size_t node; /* number of a node; 0: a table */
	const char *schema;
	const char *name;
	const char *alias;
	bool images;     /* its logged images are added and subtracted; else they say which keys changed */
	bool tied;       /* has the key itself */
	bool all_tied;   /* so has every other place where the table stands */
	bool whole;      /* read as a whole (of a top) */
	bool narrows;    /* a key has no rows unless the one row of this table that has it meets the filters */
	const char *way; /* from its columns to the key; "" */
	const struct analysis_pair *pairs; /* the same in pieces; at the end of the way one for each column of the key */
	size_t n_pairs;
	size_t next;    /* number of the source that the way leads through; 0: it ends at the key */
	size_t partner; /* number of a source: a row counts only with a row of it that meets its filters */
	const struct analysis_pair *partner_pairs; /* from columns of the table to a unique key of the partner */
	size_t n_partner_pairs;
	struct analysis_list conditions; /* that its images must meet to count */
	bool complete;                   /* filters are all that the definition asks of its rows */
	struct analysis_list filters;    /* those of them that can be applied, as they are written in the definition */
	struct analysis_list logged;     /* columns that its log holds */
	struct analysis_list read;       /* columns whose changes count */
};

struct analysis_texts; /* texts.h */

struct analysis_node {
	enum analysis_kind kind;
	struct analysis_list key;         /* of a part */
	struct analysis_list key_columns; /* of the last part: the columns of the result that hold the key */
	bool one_answer; /* of a part: whoever computes a key gets the same bytes, whatever the order of rows */
	struct analysis_list row_columns; /* likewise: that identify its rows; n 0: rows may be equal */
	struct analysis_list groups;      /* of a roll, and of a part that one is over */
	struct analysis_list aggregates;
	struct analysis_list notes;
	struct analysis_source *sources;
	size_t n_sources;
	const struct analysis_texts *texts; /* of a roll that writes the result; NULL: it cannot be taken apart */
	struct analysis_list key_sql;       /* of a part below such a roll: its key as SQL */
	struct analysis_list key_inside;    /* likewise, where texts->inside has it: what key_sql is a name for */
};

/* A column of the result. */
struct analysis_column {
	const char *name;
	bool computed; /* no column of a table */
	bool odd;      /* its collation may be another one in a copy that has no types */
};

/* A query that a top reads from nodes of viewd's own. */
struct analysis_piece {
	const char *name;                /* stands for it in the top's text, as a table */
	const char *text;                /* alone; all its columns have names */
	const struct analysis *analysis; /* a part, or a roll */
	size_t same;                     /* number of an earlier piece that has the same roll; 0: it has its own */
};

/* The definition as a query over pieces. */
struct analysis_top {
	const char *text;
	const struct analysis_piece *pieces;
	size_t n_pieces;
};

struct analysis {
	bool possible;
	struct refusal refusal;
	struct analysis_node *nodes; /* the last one writes the result */
	size_t n_nodes;
	const struct analysis_column *columns;
	size_t n_columns;
	const struct analysis_top *top; /* when the last node is one */
};

/* A chain of one part, or nothing. */
#define ANALYSIS_ONE_PART (1u << 0)

/* No roll adds up the images of a table: its rows are a part, which a roll may be over. */
#define ANALYSIS_NO_IMAGES (1u << 1)

/* As if the columns of the key were among those of the query. */
#define ANALYSIS_UNLISTED (1u << 2)

/* Analyses a definition as lex_one_query() returns it: a part, a roll of images, or a roll over a part. Everything
 * hangs on mem_ctx. Never NULL. [any] */
struct analysis *analysis_run(void *mem_ctx, const struct syntax *syn, const char *text, const struct facts *facts,
                              unsigned options);

/* Can a chain that is one part, or ends in a roll, be run? piece: its rows stay in a table of viewd's own, and are read
 * by a top. */
typedef bool analysis_runs_fn(void *ctx, const struct analysis *analysis, bool piece);

/* Analyses a definition in the same way, for a chain that can run. One that cannot be kept so as a whole is split
 * (split/split.h). */
struct analysis *analysis_keep(void *mem_ctx, const struct syntax *syn, const char *text, const struct facts *facts,
                               analysis_runs_fn *runs, void *ctx);

/* "part", "roll", "top" */
const char *analysis_kind_word(enum analysis_kind kind);

#endif
