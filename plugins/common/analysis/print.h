/* SPDX-License-Identifier: MIT
 *
 * print.h: expressions as text, for people and for telling whether two are the same. Columns of merged derived tables
 * are written out.
 */
#ifndef VIEWD_COMMON_ANALYSIS_PRINT_H
#define VIEWD_COMMON_ANALYSIS_PRINT_H

#include "common/analysis/ties.h"

/* Text of an expression, talloc'ed on mem_ctx. [any] */
char *print_expr(void *mem_ctx, struct expr *expr);

/* alias.column */
char *print_end(void *mem_ctx, struct tie_end end);

/* The name of a column of a table or derived table. */
const char *print_column(const struct occurrence *occurrence, size_t column);

#endif
