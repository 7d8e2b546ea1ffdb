/* SPDX-License-Identifier: MIT */
#include "common/analysis/split/edits.h"

#include "common/sqltext/sqltext.h"

#include <talloc.h>

static bool is_empty(struct span span)
{
	return span.from == span.to;
}

static const struct edit *edit_at(const struct edits *edits, size_t token, bool empty)
{
	for (size_t i = 0; i < edits->n; i++)
		if (edits->items[i].span.from == token && is_empty(edits->items[i].span) == empty)
			return &edits->items[i];
	return NULL;
}

void edits_add(struct edits *edits, struct span span, const char *text)
{
	if (edit_at(edits, span.from, is_empty(span)) != NULL)
		return;
	edits->items = talloc_realloc(edits->mem, edits->items, struct edit, (unsigned)edits->n + 1);
	assert(edits->items != NULL);
	edits->items[edits->n++] = (struct edit){span, text};
}

/* Blanks between tokens stay. */
char *edits_apply(const struct edits *edits, void *mem_ctx, struct span span)
{
	char *out = sql_new(mem_ctx);
	const char *copied = span.from < span.to ? edits->tokens.items[span.from].text : "";
	for (size_t i = span.from; i <= span.to;) {
		const struct edit *insertion = edit_at(edits, i, true), *edit = edit_at(edits, i, false);
		out = sql_add(out, "%s", insertion != NULL ? insertion->text : "");
		if (i == span.to)
			break;
		size_t next = edit != NULL ? edit->span.to : i + 1;
		const struct lex_token *token = &edits->tokens.items[i], *last = &edits->tokens.items[next - 1];
		out = sql_add(out, "%.*s", (int)(token->text - copied), copied);
		out = edit != NULL ? sql_add(out, "%s", edit->text) : sql_add(out, "%.*s", (int)token->len, token->text);
		copied = last->text + last->len;
		i = next;
	}
	return out;
}
