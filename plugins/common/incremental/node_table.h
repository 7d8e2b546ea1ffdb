/* SPDX-License-Identifier: MIT
 *
 * node_table.h: the tables of a view's inner nodes (docs/adr/008-incremental-nodes.md). The state table `nodes` has one
 * row for each: its number, which names it, and a digest of what it was made from.
 */
#ifndef VIEWD_COMMON_INCREMENTAL_NODE_TABLE_H
#define VIEWD_COMMON_INCREMENTAL_NODE_TABLE_H

#include "common/conn/db.h"

struct node_table {
	const char *query; /* its columns are the table's */
	const char *types; /* of the columns that it may read: with others the table is another one; NULL: not known */
	struct relation rel;
	int64_t number;  /* names it */
	size_t n_key;    /* the first columns of an index for finding rows; 0: none */
	size_t n_unique; /* the first columns that identify a row, NULL equal to NULL; 0: none */
	/* Columns whose least or greatest value is looked up, behind others: an index of its own for each. */
	const char *const *ordered, *behind;
	size_t n_ordered;
};

/* Finds or makes the tables of a view; those of another form, or that are gone, are made anew, all of them together,
 * and the view has everything to read. Runs transactions of its own. [worker] */
bool node_tables_ensure(struct db *db, void *mem_ctx, const char *view, struct node_table *tables, size_t n,
                        struct viewd_err *err) MUST_CHECK;

/* The numbers of a view's nodes, in order; n counts also those beyond. */
#define NODES_MAX 16
struct node_numbers {
	size_t n;
	int64_t numbers[NODES_MAX];
};

/* Asks which nodes the view has at the transaction's snapshot: *out is complete when the next call has succeeded.
 * [worker] */
bool node_tables_ask(struct db *db, const char *view, struct node_numbers *out, struct viewd_err *err) MUST_CHECK;

/* In the refresh's transaction: the rows are those of the query, and no others. [worker] */
bool node_table_fill(struct db *db, void *mem_ctx, const struct node_table *table, const char *query,
                     struct viewd_err *err) MUST_CHECK;

/* Do both queries yield columns of the same types, as far as nodes keep types? [worker] */
bool node_same_types(struct db *db, void *mem, const char *view, const char *definition, const char *other,
                     struct viewd_err *err) MUST_CHECK;

/* Drops the tables of views that no longer read change logs. In a transaction where DDL has one. [worker] */
bool node_tables_sweep(struct db *db, struct viewd_err *err) MUST_CHECK;

#endif
