/* SPDX-License-Identifier: MIT */
#include "common/analysis/reading/mask.h"

#include <string.h>
#include <talloc.h>

#define MASK_HELP "write it in a form that PostgreSQL reads as well"

/* Puts PostgreSQL's quotes around the name; one that contains a quote of either kind cannot be written in the same
 * length. */
static bool mask_name(char *out, const struct lex_token *tok, int at, struct refusal *no)
{
	char close = out[tok->len - 1];
	if (memchr(out + 1, '"', tok->len - 2) != NULL || memchr(out + 1, close, tok->len - 2) != NULL)
		return refuse(no, at, "a name with quotes in it", "it cannot be read without the server", MASK_HELP);
	out[0] = out[tok->len - 1] = '"';
	return true;
}

/* Letters for what stands in quotes, where it could be read otherwise: the contents of a string decide nothing. */
static void mask_string(char *out, size_t len)
{
	size_t first = strcspn(out, "'\"");
	if (first >= len - 1)
		return; /* a dollar quote is PostgreSQL's own */
	bool own = out[first] == '\'';
	for (size_t i = first + 1; own && i < len - 1; i++)
		own = out[i] != '\\' && out[i] != '\'';
	if (own)
		return;
	if (first == 1)
		out[0] = ' '; /* E'..' */
	out[first] = out[len - 1] = '\'';
	memset(out + first + 1, 'x', len - first - 2);
}

static bool refuse_variable(int at, struct refusal *no)
{
	return refuse(no, at, "a parameter or variable", "its value is not part of the definition", "write the value");
}

static bool mask_token(const struct syntax *syn, char *out, const struct lex_token *tok, int at, struct refusal *no)
{
	switch (tok->kind) {
	case LEX_COMMENT:
		for (size_t i = 0; i < tok->len; i++)
			out[i] = out[i] == '\n' ? '\n' : ' ';
		return true;
	case LEX_IDENT:
		return mask_name(out, tok, at, no);
	case LEX_STRING:
		if (!(syn->lexer.flags & LEX_DOLLAR_QUOTES) || tok->text[0] != '$')
			mask_string(out, tok->len);
		return true;
	case LEX_PARAM:
		return refuse_variable(at, no);
	case LEX_OTHER:
		return tok->text[0] != '@' || !(syn->lexer.flags & LEX_AT_VARIABLES) || refuse_variable(at, no);
	case LEX_BROKEN:
		return refuse(no, at, "a quote or comment that is not closed", "the definition cannot be read", "");
	case LEX_END:
	case LEX_SPACE:
	case LEX_WORD:
	case LEX_NUMBER:
		break;
	}
	return true;
}

char *mask_text(const struct syntax *syn, void *mem_ctx, const char *text, struct refusal *no)
{
	size_t size = strlen(text);
	if (size > MASK_TEXT_MAX) {
		refuse(no, 0, "a definition of more than 64 KiB", "it is not looked at", "split it into views on views");
		return NULL;
	}
	char *out = talloc_strdup(mem_ctx, text);
	assert(out != NULL);
	size_t n = 0;
	const char *p = text;
	for (struct lex_token tok; (tok = lex_next(syn->lexer.flags, &p)).kind != LEX_END;) {
		int at = (int)(tok.text - text);
		if (tok.kind != LEX_SPACE && ++n > MASK_TOKENS_MAX) {
			refuse(no, at, "a definition of more than 4000 words", "it is not looked at",
			       "split it into views on views");
			return NULL;
		}
		if (!mask_token(syn, out + at, &tok, at, no))
			return NULL;
	}
	return out;
}
