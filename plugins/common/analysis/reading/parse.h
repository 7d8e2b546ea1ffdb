/* SPDX-License-Identifier: MIT
 *
 * parse.h: libpg_query behind one function. The only user of its header.
 */
#ifndef VIEWD_COMMON_ANALYSIS_READING_PARSE_H
#define VIEWD_COMMON_ANALYSIS_READING_PARSE_H

#include "common/analysis/reading/refusal.h"

#include <jansson.h>

/* The tree of the one SELECT that text is, as libpg_query writes it in JSON; the caller releases it. NULL with a
 * refusal. [any] */
json_t *parse_select(const char *text, struct refusal *no);

#endif
