/* SPDX-License-Identifier: MIT */
#include "common/analysis/spans.h"

#include "common/analysis/reading/alike.h"

#include <string.h>
#include <talloc.h>

struct span_tokens span_split(void *mem, const struct syntax *syn, const char *text)
{
	struct span_tokens out = {NULL, 0};
	size_t room = 0;
	for (struct lex_token token = lex_next(syn->lexer.flags, &text); token.kind != LEX_END;
	     token = lex_next(syn->lexer.flags, &text)) {
		if (token.kind == LEX_SPACE || token.kind == LEX_COMMENT)
			continue;
		if (out.n == room) {
			room = room * 2 + 32;
			out.items = talloc_realloc(mem, out.items, struct lex_token, (unsigned)room);
			assert(out.items != NULL);
		}
		out.items[out.n++] = token;
	}
	return out;
}

bool span_is_sign(const struct lex_token *token, char sign)
{
	return token->kind == LEX_OTHER && token->text[0] == sign;
}

bool span_is_word(const struct span_tokens *tokens, size_t at, const char *word)
{
	return lex_is(&tokens->items[at], word) && (at == 0 || !span_is_sign(&tokens->items[at - 1], '.'));
}

int span_opens(const struct lex_token *token)
{
	return span_is_sign(token, '(') + span_is_sign(token, '[') - span_is_sign(token, ')') - span_is_sign(token, ']');
}

static bool is_any(const struct span_tokens *tokens, size_t at, const char *const *words)
{
	for (size_t i = 0; words[i] != NULL; i++)
		if (span_is_word(tokens, at, words[i]))
			return true;
	return false;
}

/* Does the condition end before this token, which stands in no parentheses of it? LEFT and RIGHT are functions too. */
static bool ends(const struct span_tokens *tokens, size_t at)
{
	static const char *const words[] = {"AND",       "OR",     "WHERE", "GROUP",         "HAVING", "ORDER",
	                                    "LIMIT",     "OFFSET", "FETCH", "WINDOW",        "UNION",  "EXCEPT",
	                                    "INTERSECT", "JOIN",   "INNER", "CROSS",         "FULL",   "NATURAL",
	                                    "ON",        "USING",  "FOR",   "STRAIGHT_JOIN", NULL};
	static const char *const sides[] = {"LEFT", "RIGHT", NULL};
	const struct lex_token *token = &tokens->items[at];
	bool called = at + 1 < tokens->n && span_is_sign(&tokens->items[at + 1], '(');
	return is_any(tokens, at, words) || (is_any(tokens, at, sides) && !called) || span_is_sign(token, ',') ||
	       span_is_sign(token, ';');
}

/* Only what stands before a condition may stand before its first token. */
static bool begins(const struct span_tokens *tokens, size_t at)
{
	static const char *const words[] = {"WHERE", "AND", "OR", "ON", NULL};
	return at > 0 && (is_any(tokens, at - 1, words) || span_is_sign(&tokens->items[at - 1], '('));
}

struct depth {
	int parentheses, cases, betweens;
};

static void enter(struct depth *depth, const struct span_tokens *tokens, size_t at)
{
	depth->parentheses += span_opens(&tokens->items[at]);
	depth->cases += span_is_word(tokens, at, "CASE") - span_is_word(tokens, at, "END");
	if (depth->parentheses == 0 && depth->cases == 0)
		depth->betweens += span_is_word(tokens, at, "BETWEEN");
}

/* Moves *from before the parenthesis that closes at `at`; false when that one belongs to what is around it. */
static bool take_in(const struct span_tokens *tokens, size_t *from)
{
	if (*from == 0 || !span_is_sign(&tokens->items[*from - 1], '('))
		return false;
	/* A word before it is a function, or IN. */
	if (*from > 1 && tokens->items[*from - 2].kind == LEX_WORD && !begins(tokens, *from - 1))
		return false;
	--*from;
	return true;
}

/* The token behind the condition. */
static size_t find_end(const struct span_tokens *tokens, size_t *from)
{
	struct depth depth = {0};
	size_t at = *from;
	for (; at < tokens->n; at++) {
		const struct lex_token *token = &tokens->items[at];
		bool outside = depth.parentheses == 0 && depth.cases == 0;
		if (outside && span_is_sign(token, ')')) {
			if (!take_in(tokens, from))
				break;
			continue;
		}
		if (outside && depth.betweens > 0 && span_is_word(tokens, at, "AND")) {
			depth.betweens--;
			continue;
		}
		if (outside && ends(tokens, at))
			break;
		enter(&depth, tokens, at);
	}
	return at;
}

/* `schema.table.column` does not fit a log that stands in the table's place. */
static bool has_long_name(const struct span_tokens *tokens, size_t from, size_t to)
{
	for (size_t i = from; i + 3 < to; i++)
		if (span_is_sign(&tokens->items[i], '.') && tokens->items[i + 1].kind != LEX_NUMBER &&
		    span_is_sign(&tokens->items[i + 2], '.'))
			return true;
	return false;
}

static size_t first_at(const struct span_tokens *tokens, const char *text, int at)
{
	size_t i = 0;
	while (i < tokens->n && tokens->items[i].text < text + at)
		i++;
	return i < tokens->n && at >= 0 && tokens->items[i].text == text + at ? i : tokens->n;
}

static bool is_name(const struct lex_token *token)
{
	return token->kind == LEX_WORD || token->kind == LEX_IDENT;
}

char *span_text(void *mem_ctx, const struct span_tokens *tokens, struct span span)
{
	const struct lex_token *first = &tokens->items[span.from], *last = &tokens->items[span.to - 1];
	char *text = span.to > span.from
	                 ? talloc_strndup(mem_ctx, first->text, (size_t)(last->text + last->len - first->text))
	                 : talloc_strdup(mem_ctx, "");
	assert(text != NULL);
	return text;
}

bool span_of_column(const struct span_tokens *tokens, const char *text, int at, struct span *out)
{
	size_t i = first_at(tokens, text, at);
	if (i >= tokens->n || !is_name(&tokens->items[i]))
		return false;
	out->from = i;
	for (i++; i + 1 < tokens->n && span_is_sign(&tokens->items[i], '.') && is_name(&tokens->items[i + 1]);)
		i += 2;
	out->to = i;
	return i >= tokens->n || (!span_is_sign(&tokens->items[i], '(') && !span_is_sign(&tokens->items[i], '.'));
}

/* The token behind the parenthesis that closes the one at `open`; 0: none does. */
static size_t behind_closing(const struct span_tokens *tokens, size_t open)
{
	int depth = 0;
	for (size_t i = open; i < tokens->n; i++) {
		depth += span_is_sign(&tokens->items[i], '(') - span_is_sign(&tokens->items[i], ')');
		if (depth == 0)
			return i + 1;
	}
	return 0;
}

bool span_of_call(const struct span_tokens *tokens, const char *text, int at, struct span *out)
{
	size_t i = first_at(tokens, text, at);
	if (i + 1 >= tokens->n || !is_name(&tokens->items[i]))
		return false;
	out->from = i;
	for (i++; i + 2 < tokens->n && span_is_sign(&tokens->items[i], '.') && is_name(&tokens->items[i + 1]);)
		i += 2;
	if (!span_is_sign(&tokens->items[i], '('))
		return false;
	out->to = behind_closing(tokens, i);
	return out->to > 0 && (out->to == tokens->n ||
	                       (!lex_is(&tokens->items[out->to], "FILTER") && !lex_is(&tokens->items[out->to], "OVER") &&
	                        !lex_is(&tokens->items[out->to], "WITHIN")));
}

struct span span_arguments(const struct span_tokens *tokens, struct span call)
{
	struct span inner = {call.from, call.to - 1};
	while (!span_is_sign(&tokens->items[inner.from], '('))
		inner.from++;
	inner.from++;
	return inner;
}

struct span span_of_item(const struct span_tokens *tokens, struct span list, size_t number)
{
	struct span out = {list.from, list.to};
	int depth = 0;
	for (size_t i = list.from; i < list.to; i++) {
		depth += span_opens(&tokens->items[i]);
		if (depth != 0 || !span_is_sign(&tokens->items[i], ','))
			continue;
		if (number == 0) {
			out.to = i;
			break;
		}
		number--;
		out.from = i + 1;
	}
	return out;
}

bool span_of_select(const struct span_tokens *tokens, struct span *list_r, struct span *rows_r)
{
	static const char *const ends[] = {"GROUP", "HAVING", "ORDER", "WINDOW", NULL};
	int depth = 0;
	size_t from = 0, to = tokens->n;
	if (tokens->n == 0 || !lex_is(&tokens->items[0], "SELECT"))
		return false;
	for (size_t i = 1; i < to; i++) {
		depth += span_opens(&tokens->items[i]);
		if (depth == 0 && from == 0 && span_is_word(tokens, i, "FROM"))
			from = i;
		else if (depth == 0 && from > 0 && is_any(tokens, i, ends))
			to = i;
	}
	*list_r = (struct span){1, from};
	*rows_r = (struct span){from, to};
	return from > 1;
}

/* Can a condition whose first column stands behind this token begin here? */
static bool leads(const struct span_tokens *tokens, size_t at)
{
	static const char *const words[] = {"NOT", "CAST", "EXISTS", NULL};
	return span_is_sign(&tokens->items[at], '(') || is_any(tokens, at, words);
}

/* Tokens do not tell how far an expression reaches: the parser does. */
bool span_of_condition(const struct syntax *syn, const struct span_tokens *tokens, const char *text,
                       const struct expr *expr, struct span *out)
{
	void *mem = talloc_new(NULL);
	size_t from = 0;
	bool found = false;
	while (from < tokens->n && (expr->at < 0 || tokens->items[from].text < text + expr->at))
		from++;
	for (bool more = from < tokens->n; more && !found;) {
		*out = (struct span){from, 0};
		out->to = find_end(tokens, &out->from);
		found = out->to > out->from && begins(tokens, out->from) &&
		        alike_condition(syn, span_text(mem, tokens, *out), expr);
		more = from > 0 && leads(tokens, from - 1);
		from -= more;
	}
	talloc_free(mem);
	return found;
}

char *span_condition(void *mem_ctx, const struct syntax *syn, const char *text, const struct expr *expr)
{
	void *mem = talloc_new(mem_ctx);
	struct span_tokens tokens = span_split(mem, syn, text);
	struct span span;
	char *found = span_of_condition(syn, &tokens, text, expr, &span) && !has_long_name(&tokens, span.from, span.to)
	                  ? span_text(mem_ctx, &tokens, span)
	                  : NULL;
	talloc_free(mem);
	return found;
}
