/* SPDX-License-Identifier: MIT
 *
 * spans.h: pieces of a definition as they were written, so that the engine reads them as it reads the definition.
 */
#ifndef VIEWD_COMMON_ANALYSIS_SPANS_H
#define VIEWD_COMMON_ANALYSIS_SPANS_H

#include "common/analysis/reading/query.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/syntax.h"

/* A text without blanks and comments. */
struct span_tokens {
	struct lex_token *items;
	size_t n;
};

/* Tokens from .. to - 1. */
struct span {
	size_t from, to;
};

/* talloc'ed on mem. [any] */
struct span_tokens span_split(void *mem, const struct syntax *syn, const char *text);

/* Is the token this sign? */
bool span_is_sign(const struct lex_token *token, char sign);

/* Is token number `at` this keyword, and not part of a name (`t.order`)? */
bool span_is_word(const struct span_tokens *tokens, size_t at, const char *word);

/* 1 for what opens a parenthesis or bracket, -1 for what closes one, 0. */
int span_opens(const struct lex_token *token);

/* The text of a span as it stands, talloc'ed on mem_ctx. */
char *span_text(void *mem_ctx, const struct span_tokens *tokens, struct span span);

/* A column with what qualifies it, or a function with its arguments in parentheses, that begins at this byte of text.
 * False where that is not what stands there. */
bool span_of_column(const struct span_tokens *tokens, const char *text, int at, struct span *out);
bool span_of_call(const struct span_tokens *tokens, const char *text, int at, struct span *out);

/* The arguments of such a call, without parentheses. */
struct span span_arguments(const struct span_tokens *tokens, struct span call);

/* The parts of a text that is one SELECT without WITH: what is selected, and everything from FROM to before GROUP BY,
 * HAVING or ORDER BY. False for any other text. */
bool span_of_select(const struct span_tokens *tokens, struct span *list_r, struct span *rows_r);

/* Column number `number` (from 0) of what is selected: the tokens between commas. */
struct span span_of_item(const struct span_tokens *tokens, struct span list, size_t number);

/* A condition that stands between ANDs, in parentheses or not; false where its ends are not sure. [any] */
bool span_of_condition(const struct syntax *syn, const struct span_tokens *tokens, const char *text,
                       const struct expr *expr, struct span *out);

/* The text of a condition that stands between ANDs; NULL where its ends are not sure. talloc'ed on mem_ctx. [any] */
char *span_condition(void *mem_ctx, const struct syntax *syn, const char *text, const struct expr *expr);

#endif
