/* SPDX-License-Identifier: MIT
 *
 * edits.h: a text in which some pieces are replaced; everything else stays as it was written. [any]
 */
#ifndef VIEWD_COMMON_ANALYSIS_SPLIT_EDITS_H
#define VIEWD_COMMON_ANALYSIS_SPLIT_EDITS_H

#include "common/analysis/spans.h"

struct edit {
	struct span span; /* an empty one: behind the token before it */
	const char *text;
};

struct edits {
	void *mem;
	struct span_tokens tokens;
	struct edit *items;
	size_t n;
};

/* Notes a replacement; a second one at the same place is the same. The text must live as long as the edits. */
void edits_add(struct edits *edits, struct span span, const char *text);

/* The text of a span with the edits that lie in it, talloc'ed on mem_ctx. */
char *edits_apply(const struct edits *edits, void *mem_ctx, struct span span);

#endif
