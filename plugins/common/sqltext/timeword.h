/* SPDX-License-Identifier: MIT
 *
 * timeword.h: does a query read the clock? Then its result changes although no table does.
 */
#ifndef VIEWD_COMMON_SQLTEXT_TIMEWORD_H
#define VIEWD_COMMON_SQLTEXT_TIMEWORD_H

#include "common/sqltext/syntax.h"

/* Writes the first thing in the query whose value changes with time as people know it ("now()", "CURRENT_DATE"), cut to
 * size; "" when there is none. Knows words and functions as the syntax lists them, not columns or quoted text of the
 * same name. [any] */
void timeword_find(const struct syntax *syn, const char *query, char *out, size_t size);

#endif
