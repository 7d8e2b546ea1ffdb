/* SPDX-License-Identifier: MIT
 *
 * read.h: libpg_query's tree as a struct query. A list of what is accepted: every kind of node and every field that is
 * not known here is a refusal.
 */
#ifndef VIEWD_COMMON_ANALYSIS_READING_READ_H
#define VIEWD_COMMON_ANALYSIS_READING_READ_H

#include "common/analysis/reading/query.h"
#include "common/analysis/reading/refusal.h"

#include <jansson.h>

#define READ_NODES_MAX 20000 /* nodes of a definition after its WITH queries have been put in place */
#define READ_DEPTH_MAX 200

/* A query of a WITH clause, visible to what follows it. */
struct with {
	const char *name;
	json_t *query;
	const char **columns;
	size_t n_columns;
	const struct with *before; /* what it sees itself */
};

struct reader {
	void *mem;
	struct refusal *no;
	const struct with *with;
	size_t nodes;
	size_t depth;
};

/* Reads a SelectStmt. NULL with a refusal. [any] */
struct query *read_query(struct reader *reader, json_t *select);

/* Reads an expression; NULL with a refusal. */
struct expr *read_expr(struct reader *reader, json_t *node);

/* Reads a list of expressions; a missing one is empty. */
bool read_list(struct reader *reader, json_t *array, struct expr_list *out);

/* ---- for the two files of the reader ---- */

/* The one member of a node: its kind, *body_r its fields. "" when there is none. */
const char *read_kind(json_t *node, json_t **body_r);

/* Are these all the fields (words)? Otherwise a refusal. */
bool read_only(struct reader *reader, json_t *body, const char *kind, const char *fields);

/* Text of a field, "" when it is missing; lives as long as the reader's memory. */
const char *read_text(struct reader *reader, json_t *body, const char *field);

/* String items of an array: number and texts. */
const char **read_names(struct reader *reader, json_t *array, size_t *n_r);

/* Position of a node, -1 unknown. */
int read_at(json_t *body);

/* The same, or that of its first part. */
int read_near(json_t *body);

/* Counts a node; false with a refusal when there are too many. */
bool read_budget(struct reader *reader, int at);

/* Reads a WindowDef's fields. */
struct window *read_window(struct reader *reader, json_t *body);

#endif
