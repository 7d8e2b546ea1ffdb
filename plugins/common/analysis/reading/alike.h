/* SPDX-License-Identifier: MIT
 *
 * alike.h: compares two trees that the reader has made of texts, wherever they stand in them. [any]
 */
#ifndef VIEWD_COMMON_ANALYSIS_READING_ALIKE_H
#define VIEWD_COMMON_ANALYSIS_READING_ALIKE_H

#include "common/analysis/reading/query.h"
#include "common/sqltext/syntax.h"

/* By their words alone: a column is what it is called. */
bool alike_expr(const struct expr *a, const struct expr *b);
bool alike_query(const struct query *a, const struct query *b);

/* Is this text, as a condition, as a value in a list, as everything from FROM on, what the tree says? A text that was
 * cut out of a definition is believed only then. */
bool alike_condition(const struct syntax *syn, const char *text, const struct expr *expr);
bool alike_value(const struct syntax *syn, const char *text, const struct expr *expr);
bool alike_rows(const struct syntax *syn, const char *text, const struct query *query);

#endif
