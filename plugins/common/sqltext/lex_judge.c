/* SPDX-License-Identifier: MIT
 *
 * lex_judge.c: judges the tokens of a definition or an index.
 */
#include "base/err.h"
#include "base/utf8.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"

#include <string.h>
#include <talloc.h>

static bool is_char(const struct lex_token *tok, char c)
{
	return tok->kind == LEX_OTHER && tok->text[0] == c;
}

static bool is_blank(const struct lex_token *tok)
{
	return tok->kind == LEX_SPACE || tok->kind == LEX_COMMENT;
}

static bool is_special(const struct syntax *syn, const struct lex_token *tok)
{
	return tok->kind == LEX_COMMENT && (syn->lexer.flags & LEX_EXECUTABLE_COMMENTS) && tok->text[0] == '/';
}

/* Comments that the server runs as code. */
static bool is_executable(const struct syntax *syn, const struct lex_token *tok)
{
	return is_special(syn, tok) && (tok->text[2] == '!' || (tok->text[2] == 'M' && tok->text[3] == '!'));
}

/* A hint for the optimizer holds no code, but another one is another definition. */
static bool is_hint(const struct syntax *syn, const struct lex_token *tok)
{
	return is_special(syn, tok) && tok->text[2] == '+';
}

static bool begins_query(const struct lex_token *tok)
{
	static const char *const words[] = {"SELECT", "WITH", "VALUES", "TABLE"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (lex_is(tok, words[i]))
			return true;
	return is_char(tok, '(');
}

static bool refuse_query(struct viewd_err *err, const char *why)
{
	err_set(err, VIEWD_ERR_CONFIG, "definition %s", why);
	return err_hint(err, "a definition is one query that begins with SELECT, WITH, VALUES or TABLE");
}

static bool refuse_beginning(const struct syntax *syn, const struct lex_token *tok, struct viewd_err *err)
{
	refuse_query(err, "is not a query");
	if (!syn->has.view_settings || !lex_is(tok, "SET"))
		return false;
	return err_hint(err, "what SET STATEMENT sets for a query belongs into the view's settings = NAME=VALUE, "
	                     "NAME=VALUE; its limits of time are timeout and lock_timeout");
}

/* Findings of one walk over a definition. */
struct walk {
	const char *begin; /* first token that counts */
	const char *end;   /* behind the last one */
	int depth;
	bool closed; /* a semicolon was seen */
};

/* Takes one token; false with err when the text can no longer be one query. */
static bool walk_token(const struct syntax *syn, struct walk *walk, const struct lex_token *tok, struct viewd_err *err)
{
	if (tok->kind == LEX_BROKEN)
		return refuse_query(err, "has a quote or comment that is not closed");
	if (is_executable(syn, tok))
		return refuse_query(err, "holds an executable comment");
	if (is_blank(tok))
		return true;
	if (walk->closed)
		return refuse_query(err, "holds more than one statement");
	if (walk->begin == NULL && !begins_query(tok))
		return refuse_beginning(syn, tok, err);
	if (is_char(tok, ';')) {
		walk->closed = true;
		return true;
	}
	walk->depth += is_char(tok, '(') - is_char(tok, ')');
	if (walk->depth < 0)
		return refuse_query(err, "has a closing parenthesis too many");
	if (walk->begin == NULL)
		walk->begin = tok->text;
	walk->end = tok->text + tok->len;
	return true;
}

char *lex_one_query(const struct syntax *syn, void *mem_ctx, const char *text, struct viewd_err *err)
{
	struct walk walk = {0};
	struct lex_token tok;
	if (!utf8_valid(text)) {
		refuse_query(err, "is not valid UTF-8");
		return NULL;
	}
	for (const char *p = text; (tok = lex_next(syn->lexer.flags, &p)).kind != LEX_END;)
		if (!walk_token(syn, &walk, &tok, err))
			return NULL;
	if (walk.begin == NULL || walk.depth != 0) {
		refuse_query(err, walk.begin == NULL ? "is empty" : "has a parenthesis that is not closed");
		return NULL;
	}
	return talloc_strndup(mem_ctx, walk.begin, (size_t)(walk.end - walk.begin));
}

char *lex_normalise(const struct syntax *syn, void *mem_ctx, const char *text)
{
	char *out = sql_new(mem_ctx);
	bool gap = false;
	struct lex_token tok;
	while ((tok = lex_next(syn->lexer.flags, &text)).kind != LEX_END) {
		if (is_blank(&tok) && !is_executable(syn, &tok) && !is_hint(syn, &tok)) {
			gap = true;
			continue;
		}
		out = sql_add(out, "%s%.*s", gap && out[0] != '\0' ? " " : "", (int)tok.len, tok.text);
		gap = false;
	}
	return out;
}

static struct lex_token next_solid(unsigned flags, const char **p)
{
	struct lex_token tok;
	do
		tok = lex_next(flags, p);
	while (tok.kind == LEX_SPACE);
	return tok;
}

/* Walks `( ... ) rest`, from tok on; what is wrong, or NULL. */
static const char *index_fault(unsigned flags, struct lex_token tok, const char *p)
{
	int depth = 0;
	bool list = false;
	for (; tok.kind != LEX_END; tok = next_solid(flags, &p)) {
		if (tok.kind == LEX_BROKEN)
			return "has a quote that is not closed";
		if (tok.kind == LEX_COMMENT || is_char(&tok, ';'))
			return "holds a comment or a semicolon";
		list = list || is_char(&tok, '(');
		depth += is_char(&tok, '(') - is_char(&tok, ')');
		if (depth < 0 || (!list && tok.kind != LEX_WORD))
			return "has unbalanced parentheses";
	}
	if (!list)
		return "has no column list in parentheses";
	return depth != 0 ? "has unbalanced parentheses" : NULL;
}

bool lex_index_text(const struct syntax *syn, const char *text, bool *unique_r, const char **rest_r,
                    struct viewd_err *err)
{
	const char *p = text;
	const char *fault = utf8_valid(text) ? NULL : "is not valid UTF-8";
	struct lex_token tok = next_solid(syn->lexer.flags, &p);
	bool unique = lex_is(&tok, "UNIQUE");
	if (unique)
		tok = next_solid(syn->lexer.flags, &p);
	const char *rest = tok.text;
	if (fault == NULL && !is_char(&tok, '(') && !lex_is(&tok, "USING"))
		fault = "does not begin with a column list in parentheses";
	if (fault == NULL)
		fault = index_fault(syn->lexer.flags, tok, p);
	if (fault != NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "index text '%s' %s", text, fault);
		return err_hint(err, "write (amount DESC) or UNIQUE (id)");
	}
	*unique_r = unique;
	*rest_r = rest;
	return true;
}

bool lex_type_text(const struct syntax *syn, const char *text, struct viewd_err *err)
{
	int depth = 0;
	bool good = utf8_valid(text) && text[0] != '\0';
	struct lex_token tok;
	for (const char *p = text; good && (tok = lex_next(syn->lexer.flags, &p)).kind != LEX_END;) {
		depth += is_char(&tok, '(') - is_char(&tok, ')');
		bool list = depth > 0 && (is_char(&tok, ',') || tok.kind == LEX_STRING);
		bool mark =
			is_char(&tok, '(') || is_char(&tok, ')') || is_char(&tok, '[') || is_char(&tok, ']') || is_char(&tok, '.');
		good = depth >= 0 && depth <= 1 &&
		       (list || mark || tok.kind == LEX_WORD || tok.kind == LEX_NUMBER || tok.kind == LEX_SPACE ||
		        tok.kind == LEX_IDENT);
	}
	if (good && depth == 0)
		return true;
	return err_set(err, VIEWD_ERR_CONFIG, "'%s' is not a column type", text);
}

size_t lex_type_length(const struct syntax *syn, const char *text)
{
	size_t length = 0;
	struct lex_token tok;
	for (const char *p = text; (tok = lex_next(syn->lexer.flags, &p)).kind != LEX_END && !lex_is(&tok, "COLLATE");)
		if (tok.kind != LEX_SPACE)
			length = (size_t)(tok.text - text) + tok.len;
	return length;
}
