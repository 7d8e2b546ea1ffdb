/* SPDX-License-Identifier: MIT
 *
 * quote.h: writing what scan.h reads. [any]
 */
#ifndef VIEWD_CONF_READ_QUOTE_H
#define VIEWD_CONF_READ_QUOTE_H

#include "base/macros.h"

/* "key = text" as a line of a configuration file, the value wrapped in quotes where it needs them, allocated on mem_ctx
 * (talloc). NULL: no line can hold it, for a line break, its length, or the quotes in it. */
char *quote_line(void *mem_ctx, const char *key, const char *text) MUST_CHECK;

/* A name of a section or key that resembles text: lower case, other characters as '_'. Allocated on mem_ctx. */
char *quote_name(void *mem_ctx, const char *text);

#endif
