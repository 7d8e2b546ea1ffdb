/* SPDX-License-Identifier: MIT
 *
 * read_sql.h: reads a text in an engine's SQL into a struct query.
 */
#ifndef VIEWD_COMMON_ANALYSIS_READING_READ_SQL_H
#define VIEWD_COMMON_ANALYSIS_READING_READ_SQL_H

#include "common/analysis/reading/query.h"
#include "common/analysis/reading/refusal.h"
#include "common/sqltext/syntax.h"

/* The one query that text is, on mem; names are not resolved. NULL with a refusal. [any] */
struct query *read_sql(void *mem, const struct syntax *syn, const char *text, struct refusal *no);

#endif
