/* SPDX-License-Identifier: MIT */
#include "common/sqltext/timeword.h"

#include "common/sqltext/lexer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static struct lex_token next_token(unsigned flags, const char **p)
{
	struct lex_token tok;
	do
		tok = lex_next(flags, p);
	while (tok.kind == LEX_SPACE || tok.kind == LEX_COMMENT);
	return tok;
}

static bool is_char(const struct lex_token *tok, char c)
{
	return tok->kind == LEX_OTHER && tok->text[0] == c;
}

/* list: words separated by blanks; NULL: none. */
static bool is_listed(const char *list, const struct lex_token *tok)
{
	for (; list != NULL && *list != '\0'; list += strspn(list, " ")) {
		size_t len = strcspn(list, " ");
		if (len == tok->len && strncasecmp(list, tok->text, len) == 0)
			return true;
		list += len;
	}
	return false;
}

/* 'now' in quotes of any kind: where no column has that name, SQLite takes "now" for text. */
static bool is_quoted_now(const struct lex_token *tok)
{
	return (tok->kind == LEX_STRING || tok->kind == LEX_IDENT) && tok->len == 5 &&
	       strncasecmp(tok->text + 1, "now", 3) == 0;
}

/* Do the arguments at p (behind the parenthesis) leave the time to the clock? Fewer than `least`, or 'now' among
 * them. */
static bool means_now(unsigned flags, const char *p, size_t least)
{
	size_t n = 0;
	int depth = 1;
	struct lex_token tok;
	while (depth > 0 && (tok = next_token(flags, &p)).kind != LEX_END) {
		depth += is_char(&tok, '(') - is_char(&tok, ')');
		if (is_quoted_now(&tok))
			return true;
		if (depth > 0 && (n == 0 || (depth == 1 && is_char(&tok, ','))))
			n++;
	}
	return n < least;
}

static bool call_reads_clock(const struct syntax *syn, const struct lex_token *name, const char *arguments)
{
	if (is_listed(syn->clock.calls, name))
		return true;
	if (is_listed(syn->clock.formats, name))
		return means_now(syn->lexer.flags, arguments, 2);
	return is_listed(syn->clock.defaults, name) && means_now(syn->lexer.flags, arguments, 1);
}

void timeword_find(const struct syntax *syn, const char *query, char *out, size_t size)
{
	struct lex_token before = {.kind = LEX_END}, tok = next_token(syn->lexer.flags, &query), after;
	out[0] = '\0';
	for (; tok.kind != LEX_END; before = tok, tok = after) {
		after = next_token(syn->lexer.flags, &query);
		if (tok.kind != LEX_WORD)
			continue;
		bool call = is_char(&after, '(');
		/* A column, a table, a label */
		bool named = is_char(&before, '.') || is_char(&after, '.') || lex_is(&before, "AS");
		if ((!named && is_listed(syn->clock.words, &tok)) || (call && call_reads_clock(syn, &tok, query))) {
			snprintf(out, size, "%.*s%s", (int)tok.len, tok.text, call ? "()" : "");
			return;
		}
	}
}
