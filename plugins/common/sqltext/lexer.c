/* SPDX-License-Identifier: MIT */
#include "common/sqltext/lexer.h"

#include "common/sqltext/ident.h"

#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}

static bool is_word(char c)
{
	return is_word_start(c) || is_digit(c) || c == '$';
}

/* Behind the closing quote, or NULL when there is none. s stands on the opening one. */
static const char *skip_quoted(const char *s, char close, bool backslash)
{
	for (s++; *s != '\0'; s++) {
		if (backslash && *s == '\\' && s[1] != '\0')
			s++;
		else if (*s == close && *++s != close)
			return s;
	}
	return NULL;
}

/* Behind a C comment, or NULL. */
static const char *skip_block_comment(const char *s, bool nested)
{
	int depth = 1;
	for (s += 2; *s != '\0'; s++) {
		if (nested && s[0] == '/' && s[1] == '*') {
			depth++;
			s++;
		} else if (s[0] == '*' && s[1] == '/') {
			s++;
			if (--depth == 0)
				return s + 1;
		}
	}
	return NULL;
}

/* Behind $tag$ ... $tag$; s itself when no dollar quote begins here; NULL when it is not closed. */
static const char *skip_dollar_quoted(const char *s)
{
	const char *end = s + 1;
	if (is_digit(*end))
		return s;
	while (is_word(*end) && *end != '$')
		end++;
	if (*end != '$')
		return s;
	size_t len = (size_t)(end + 1 - s);
	for (const char *p = end + 1; (p = strchr(p, '$')) != NULL; p++)
		if (strncmp(p, s, len) == 0)
			return p + len;
	return NULL;
}

static bool line_comment_begins(unsigned flags, const char *s)
{
	if (*s == '#')
		return (flags & LEX_HASH_COMMENTS) != 0;
	return s[0] == '-' && s[1] == '-' && (!(flags & LEX_DASH_NEEDS_BLANK) || s[2] == '\0' || is_space(s[2]));
}

/* 1.5e-3, 0x1F, .5: everything that cannot begin a word, so that `1a` is one token as well. */
static const char *skip_number(const char *s)
{
	bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
	for (; is_word(*s) || *s == '.'; s++)
		if (!hex && (*s == 'e' || *s == 'E') && (s[1] == '+' || s[1] == '-') && is_digit(s[2]))
			s++;
	return s;
}

/* The closing quote of what begins with c, or 0 when c opens nothing here. */
static char closing(unsigned flags, char c)
{
	if (c == '\'' || c == '"')
		return c;
	if (c == '`')
		return flags & LEX_BACKTICK ? c : '\0';
	return c == '[' && flags & LEX_BRACKETS ? ']' : '\0';
}

static enum lex_kind quoted_kind(unsigned flags, char c)
{
	return c == '\'' || (c == '"' && flags & LEX_DOUBLE_IS_STRING) ? LEX_STRING : LEX_IDENT;
}

/* Quotes of every kind; LEX_OTHER when none begins at s. */
static enum lex_kind read_quoted(unsigned flags, const char *s, const char **end)
{
	bool escapes = (flags & LEX_E_STRINGS) && (*s == 'e' || *s == 'E') && s[1] == '\'';
	if (escapes) {
		*end = skip_quoted(s + 1, '\'', true);
		return LEX_STRING;
	}
	char close = closing(flags, *s);
	if (close != '\0') {
		enum lex_kind kind = quoted_kind(flags, *s);
		*end = skip_quoted(s, close, kind == LEX_STRING && flags & LEX_BACKSLASH);
		return kind;
	}
	if (*s == '$' && flags & LEX_DOLLAR_QUOTES) {
		*end = skip_dollar_quoted(s);
		return *end == s ? LEX_OTHER : LEX_STRING;
	}
	return LEX_OTHER;
}

static enum lex_kind read_blank(unsigned flags, const char *s, const char **end)
{
	if (is_space(*s)) {
		for (*end = s; is_space(**end); (*end)++)
			;
		return LEX_SPACE;
	}
	if (line_comment_begins(flags, s)) {
		*end = s + strcspn(s, "\n");
		return LEX_COMMENT;
	}
	if (s[0] == '/' && s[1] == '*') {
		*end = skip_block_comment(s, flags & LEX_NESTED_COMMENTS);
		return LEX_COMMENT;
	}
	return LEX_OTHER;
}

static enum lex_kind read_plain(const char *s, const char **end)
{
	*end = s + 1;
	if (is_word_start(*s)) {
		while (is_word(**end))
			(*end)++;
		return LEX_WORD;
	}
	if (is_digit(*s) || (*s == '.' && is_digit(s[1]))) {
		*end = skip_number(s);
		return LEX_NUMBER;
	}
	if ((*s == '$' || *s == '?') && is_digit(s[1])) {
		while (is_digit(**end))
			(*end)++;
		return LEX_PARAM;
	}
	return LEX_OTHER;
}

struct lex_token lex_next(unsigned flags, const char **p)
{
	const char *s = *p, *end = s;
	if (*s == '\0')
		return (struct lex_token){LEX_END, s, 0};
	enum lex_kind kind = read_blank(flags, s, &end);
	if (kind == LEX_OTHER)
		kind = read_quoted(flags, s, &end);
	if (kind == LEX_OTHER)
		kind = read_plain(s, &end);
	if (end == NULL) {
		kind = LEX_BROKEN;
		end = s + strlen(s);
	}
	*p = end;
	return (struct lex_token){kind, s, (size_t)(end - s)};
}

bool lex_is(const struct lex_token *tok, const char *word)
{
	return tok->kind == LEX_WORD && strlen(word) == tok->len && strncasecmp(tok->text, word, tok->len) == 0;
}

bool lex_has_word(const struct syntax *syn, const char *text, const char *word)
{
	struct lex_token tok;
	while ((tok = lex_next(syn->lexer.flags, &text)).kind != LEX_END)
		if (lex_is(&tok, word))
			return true;
	return false;
}

/* The inside of a quoted identifier with doubled quotes made single; false when it is too long for a name. */
static bool unquote(const struct lex_token *tok, char out[static IDENT_MAX])
{
	char close = tok->text[0] == '[' ? ']' : tok->text[0];
	size_t len = 0;
	for (size_t i = 1; i + 1 < tok->len; i++) {
		if (len + 1 >= IDENT_MAX)
			return false;
		out[len++] = tok->text[i];
		if (tok->text[i] == close)
			i++;
	}
	out[len] = '\0';
	return len > 0;
}

static bool fold_word(const struct syntax *syn, const struct lex_token *tok, char out[static IDENT_MAX])
{
	if (tok->len >= IDENT_MAX)
		return false;
	for (size_t i = 0; i < tok->len; i++) {
		char c = tok->text[i];
		out[i] = syn->names.fold_lower && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	out[tok->len] = '\0';
	return true;
}

void lex_mentions(const struct syntax *syn, const char *text, struct viewd_text_sink sink)
{
	struct lex_token tok;
	char name[IDENT_MAX];
	while ((tok = lex_next(syn->lexer.flags, &text)).kind != LEX_END) {
		bool named =
			(tok.kind == LEX_WORD && fold_word(syn, &tok, name)) || (tok.kind == LEX_IDENT && unquote(&tok, name));
		if (named && !sink.fn(sink.ctx, name))
			return;
	}
}
