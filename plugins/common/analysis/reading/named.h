/* SPDX-License-Identifier: MIT
 *
 * named.h: the relations that a definition names, by its text alone. [any]
 */
#ifndef VIEWD_COMMON_ANALYSIS_READING_NAMED_H
#define VIEWD_COMMON_ANALYSIS_READING_NAMED_H

#include <stdbool.h>

/* Calls fn for each relation that the one SELECT names (schema NULL: none is written), until it returns false. Names of
 * WITH queries are none. A text that the grammar does not read names nothing. False: fn has ended it. */
bool named_relations(const char *definition, bool (*fn)(void *ctx, const char *schema, const char *name), void *ctx);

#endif
