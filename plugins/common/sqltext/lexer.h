/* SPDX-License-Identifier: MIT
 *
 * lexer.h: a tokenizer good enough for the SQL of all engines; it knows quotes and comments, not grammar.
 */
#ifndef VIEWD_COMMON_SQLTEXT_LEXER_H
#define VIEWD_COMMON_SQLTEXT_LEXER_H

#include "base/macros.h"
#include "common/sqltext/syntax.h"

enum lex_kind {
	LEX_END,
	LEX_SPACE,
	LEX_COMMENT,
	LEX_WORD,   /* identifier or keyword, unquoted */
	LEX_IDENT,  /* quoted identifier */
	LEX_STRING, /* any quoted string, prefix letters are a WORD before it unless it is E'' */
	LEX_NUMBER,
	LEX_PARAM,  /* $1 ?1 :name @name: left to the server to refuse */
	LEX_OTHER,  /* one character */
	LEX_BROKEN, /* an unterminated quote or comment: runs to the end of the text */
};

struct lex_token {
	enum lex_kind kind;
	const char *text; /* points into the input */
	size_t len;
};

/* Reads the token at *p and moves *p behind it. Never reads past the NUL. Only LEX_END has len 0. [any] */
struct lex_token lex_next(unsigned flags, const char **p);

/* Is the token this keyword (any case)? */
bool lex_is(const struct lex_token *tok, const char *word);

/* Judges that text is exactly one query (begins with SELECT, WITH, VALUES, TABLE or an opening parenthesis), balanced,
 * one statement; returns it without trailing semicolon, blanks and comments, talloc'ed on mem_ctx. NULL: err says what
 * is wrong. */
char *lex_one_query(const struct syntax *syn, void *mem_ctx, const char *text, struct viewd_err *err);

/* Comments out, runs of white space outside quotes become one blank: equal texts mean the same. talloc'ed on
 * mem_ctx. */
char *lex_normalise(const struct syntax *syn, void *mem_ctx, const char *text);

/* Calls sink for every word and quoted identifier (unquoted spelling; words folded as the engine does). */
void lex_mentions(const struct syntax *syn, const char *text, struct viewd_text_sink sink);

/* Does the text contain this keyword outside quotes and comments? */
bool lex_has_word(const struct syntax *syn, const char *text, const char *word);

/* Judges the text of an index: `[UNIQUE] [USING word] ( ... ) ...` with balanced parentheses, no semicolon, no comment.
 * *unique_r tells whether UNIQUE was there, *rest_r points at what follows it. */
bool lex_index_text(const struct syntax *syn, const char *text, bool *unique_r, const char **rest_r,
                    struct viewd_err *err) MUST_CHECK;

/* Judges a declared column type: words, numbers, one level of parentheses or brackets; nothing that could end the
 * column. */
bool lex_type_text(const struct syntax *syn, const char *text, struct viewd_err *err) MUST_CHECK;

/* The length of a column type without the collation that follows it. */
size_t lex_type_length(const struct syntax *syn, const char *text);

#endif
