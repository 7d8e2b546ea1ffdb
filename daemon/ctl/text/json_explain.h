/* SPDX-License-Identifier: MIT
 *
 * json_explain.h: an explanation as JSON, the same from the daemon and from viewctl alone. [any]
 */
#ifndef VIEWD_CTL_TEXT_JSON_EXPLAIN_H
#define VIEWD_CTL_TEXT_JSON_EXPLAIN_H

#include "viewd_dialect.h"

#include <jansson.h>

/* An explanation without facts yet. They make of it {"possible", ..., "nodes": [{..., "sources": [{...}]}]}. The
 * caller releases it. Never NULL. */
json_t *json_explained_new(void);

/* Adds one fact, in the order in which they come. A viewd_explained_sink's function; ctx is that object.
 * Always true. */
bool json_explained_add(void *ctx, const struct viewd_explained *fact);

#endif
