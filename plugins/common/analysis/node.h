/* SPDX-License-Identifier: MIT
 *
 * node.h: the nodes of a query: one, or several when it is split. Each function returns the number of the node that has
 * the query's rows, 0 with a refusal. [any]
 */
#ifndef VIEWD_COMMON_ANALYSIS_NODE_H
#define VIEWD_COMMON_ANALYSIS_NODE_H

#include "common/analysis/unit.h"

#define NODE_DEPTH_MAX 8

/* Values of a key may have so many rows each in the largest table. */
#define NODE_ROWS_A_KEY 100

/* Refuses what prevents a table inside this scope from leading to a key; true: nothing about the scope does. */
bool node_refuse_scope(const struct unit *unit, const struct scope *scope);

/* Any query that stands alone. result: its rows are what the user named. */
size_t node_of_query(struct maker *maker, struct query *query, bool result);

/* Sums and counts of one table, moved by its images (roll.c). */
bool roll_images_possible(const struct unit *unit);
size_t roll_images(const struct unit *unit);

/* The same of the rows of a node. */
size_t roll_over(const struct unit *unit, size_t node);

/* Rows that belong to keys; with a roll over them where that is better (part.c). */
size_t part_make(const struct unit *unit);

/* The table whose row determines the rows of the others; NULL when none has a unique key (root.c). */
const struct occurrence *root_find(const struct unit *unit);

/* Has a value of this column few rows? */
bool root_fine(const struct unit *unit, const struct occurrence *root, struct tie_end end);

/* Does a row of it determine one row of each table in FROM, and is there nothing else? */
bool root_whole(const struct unit *unit, const struct occurrence *root);

/* Columns of the index numbered at (from 0) among those of the tables of FROM whose values have few rows each, though
 * NULL may have more; at most max, all of them read. *n_r 0: that one is none. False: there are no more. */
bool root_index(const struct unit *unit, size_t at, struct tie_end *ends, size_t max, size_t *n_r);

/* The root's unique key with the fewest columns, none of which may be NULL; NULL: none. */
const struct fact_key *root_key(const struct occurrence *root);

/* The columns of the query as a list (listed.c). */
struct expr_list listed_items(const struct unit *unit);

/* Is there a column in the list that has the same value? */
bool listed_in(const struct unit *unit, const struct expr_list *list, struct tie_end end, struct tie_end *found_r);

/* Are equal values of the column the same bytes? Of a NULL fact they are not. */
bool listed_one_spelling(const struct fact_column *fact);
bool listed_spelled_one_way(const struct expr_list *list);

/* Finds the columns of the result that hold the key, and those that identify its rows. */
void listed_columns(const struct unit *unit, const struct tie_end *key, size_t n_key, struct analysis_node *node);

#endif
