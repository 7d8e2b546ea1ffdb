/* SPDX-License-Identifier: MIT
 *
 * branch.c: branches of UNION, EXCEPT and INTERSECT that stand without parentheses. Which of several operations comes
 * first does not matter here: a branch is what stands between two of them.
 */
#include "common/analysis/split/split.h"

#include "base/macros.h"

static bool is_operation(const struct span_tokens *tokens, size_t at)
{
	return span_is_word(tokens, at, "UNION") || span_is_word(tokens, at, "EXCEPT") ||
	       span_is_word(tokens, at, "INTERSECT");
}

static bool follows_operation(const struct span_tokens *tokens, size_t at)
{
	if (at > 0 && (span_is_word(tokens, at - 1, "ALL") || span_is_word(tokens, at - 1, "DISTINCT")))
		at--;
	return at > 0 && is_operation(tokens, at - 1);
}

static bool begins_tail(const struct span_tokens *tokens, size_t at)
{
	return span_is_word(tokens, at, "ORDER") || span_is_word(tokens, at, "LIMIT") ||
	       span_is_word(tokens, at, "OFFSET") || span_is_word(tokens, at, "FETCH");
}

/* The token behind the query that begins there: an operation, the tail of all rows, or what closes a parenthesis. */
static size_t end_of(const struct span_tokens *tokens, size_t at)
{
	int depth = 0;
	for (; at < tokens->n; at++) {
		depth += span_opens(&tokens->items[at]);
		if (depth < 0 || (depth == 0 && (is_operation(tokens, at) || begins_tail(tokens, at))))
			break;
	}
	return at;
}

/* The names of the first one's columns are those of all. */
static bool all_named(const struct query *query)
{
	for (size_t i = 0; i < query->n_items; i++)
		if (query->items[i].name[0] == '\0')
			return false;
	return true;
}

bool split_branch_at(const struct split *split, size_t at, size_t *end_r, struct level *out)
{
	const struct span_tokens *tokens = &split->tokens;
	if (!span_is_word(tokens, at, "SELECT"))
		return false;
	*end_r = end_of(tokens, at);
	bool first = !follows_operation(tokens, at);
	if (first && (*end_r == tokens->n || !is_operation(tokens, *end_r)))
		return false;
	return split_find_query(split, (struct span){at, *end_r}, out) && (!first || all_named(out->query));
}
