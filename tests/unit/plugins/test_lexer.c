/* SPDX-License-Identifier: MIT */
#include "base/err.h"
#include "common/sqltext/lexer.h"
#include "support/harness.h"
#include "unit/plugins/plugins_support.h"

#include <stdio.h>
#include <talloc.h>

/* "kind:text|kind:text|..." of a whole input. */
static const char *tokens(unsigned flags, const char *text)
{
	static const char letters[] = {
		[LEX_SPACE] = '_',  [LEX_COMMENT] = 'c', [LEX_WORD] = 'w',  [LEX_IDENT] = 'i', [LEX_STRING] = 's',
		[LEX_NUMBER] = 'n', [LEX_PARAM] = 'p',   [LEX_OTHER] = 'o', [LEX_BROKEN] = 'B'};
	char *out = talloc_strdup(harness_ctx(), "");
	struct lex_token tok;
	while ((tok = lex_next(flags, &text)).kind != LEX_END)
		if (tok.kind != LEX_SPACE)
			out = talloc_asprintf_append_buffer(out, "%c:%.*s|", letters[tok.kind], (int)tok.len, tok.text);
	return out;
}

static void reads_plain_tokens(void)
{
	CHECK_STR(tokens(0, "SELECT a.b, 1.5e-3, .5, 0x1F, 2a FROM t1"),
	          "w:SELECT|w:a|o:.|w:b|o:,|n:1.5e-3|o:,|n:.5|o:,|n:0x1F|o:,|n:2a|w:FROM|w:t1|");
	CHECK_STR(tokens(0, ""), "");
	CHECK_STR(tokens(0, "$1 ?2 ? :x"), "p:$1|p:?2|o:?|o::|w:x|");
	CHECK_STR(tokens(0, "na\xc3\xafve"), "w:na\xc3\xafve|");
}

static void reads_quotes(void)
{
	CHECK_STR(tokens(0, "'it''s' \"a\"\"b\" ';'"), "s:'it''s'|i:\"a\"\"b\"|s:';'|");
	CHECK_STR(tokens(0, "'a\\' b"), "s:'a\\'|w:b|");
	CHECK_STR(tokens(LEX_BACKSLASH, "'a\\' b'"), "s:'a\\' b'|");
	CHECK_STR(tokens(LEX_E_STRINGS, "E'a\\' b' 'c\\'"), "s:E'a\\' b'|s:'c\\'|");
	CHECK_STR(tokens(LEX_BACKTICK, "`a``b`"), "i:`a``b`|");
	CHECK_STR(tokens(LEX_BRACKETS, "[a b]"), "i:[a b]|");
	CHECK_STR(tokens(0, "[a]"), "o:[|w:a|o:]|");
	CHECK_STR(tokens(LEX_DOUBLE_IS_STRING | LEX_BACKSLASH, "\"a\\\"b\""), "s:\"a\\\"b\"|");
	CHECK_STR(tokens(0, "'open"), "B:'open|");
	CHECK_STR(tokens(LEX_BACKSLASH, "'open\\"), "B:'open\\|");
}

static void reads_dollar_quotes(void)
{
	CHECK_STR(tokens(LEX_DOLLAR_QUOTES, "$$a'b;$$ x"), "s:$$a'b;$$|w:x|");
	CHECK_STR(tokens(LEX_DOLLAR_QUOTES, "$t$ $$ $u$ $t$"), "s:$t$ $$ $u$ $t$|");
	CHECK_STR(tokens(LEX_DOLLAR_QUOTES, "$1 a$b$c"), "p:$1|w:a$b$c|");
	CHECK_STR(tokens(LEX_DOLLAR_QUOTES, "$t$ open"), "B:$t$ open|");
	CHECK_STR(tokens(0, "$$;$$"), "o:$|o:$|o:;|o:$|o:$|");
}

static void reads_comments(void)
{
	CHECK_STR(tokens(0, "a -- b\nc"), "w:a|c:-- b|w:c|");
	CHECK_STR(tokens(0, "a--b"), "w:a|c:--b|");
	CHECK_STR(tokens(LEX_DASH_NEEDS_BLANK, "1--1 -- x"), "n:1|o:-|o:-|n:1|c:-- x|");
	CHECK_STR(tokens(LEX_HASH_COMMENTS, "a # b\nc"), "w:a|c:# b|w:c|");
	CHECK_STR(tokens(0, "a # b"), "w:a|o:#|w:b|");
	CHECK_STR(tokens(LEX_NESTED_COMMENTS, "/* a /* b */ c */ d"), "c:/* a /* b */ c */|w:d|");
	CHECK_STR(tokens(0, "/* a /* b */ d"), "c:/* a /* b */|w:d|");
	CHECK_STR(tokens(0, "/*/ x"), "B:/*/ x|");
}

static const char *one(const struct syntax *syn, const char *text)
{
	struct viewd_err err = {0};
	const char *query = lex_one_query(syn, harness_ctx(), text, &err);
	if (query == NULL)
		CHECK_INT(err.cls, VIEWD_ERR_CONFIG);
	return query != NULL ? query : talloc_strdup(harness_ctx(), err.msg);
}

static void one_query_is_accepted(void)
{
	CHECK_STR(one(&like_sqlite, " SELECT 1 ; "), "SELECT 1");
	CHECK_STR(one(&like_sqlite, "-- a\nWITH x AS (SELECT 1) SELECT * FROM x -- end"),
	          "WITH x AS (SELECT 1) SELECT * FROM x");
	CHECK_STR(one(&like_sqlite, "values (1), (2)"), "values (1), (2)");
	CHECK_STR(one(&like_postgresql, "TABLE x"), "TABLE x");
	CHECK_STR(one(&like_postgresql, "(SELECT 1);-- x"), "(SELECT 1)");
	CHECK_STR(one(&like_postgresql, "SELECT $$;$$"), "SELECT $$;$$");
	CHECK_STR(one(&like_mysql, "SELECT 1 # ;"), "SELECT 1");
	CHECK_STR(one(&like_mysql, "SELECT /*+ BKA(t) */ 1"), "SELECT /*+ BKA(t) */ 1");
}

static void anything_else_is_refused(void)
{
	CHECK_CONTAINS(one(&like_sqlite, ""), "is empty");
	CHECK_CONTAINS(one(&like_sqlite, " -- x"), "is empty");
	CHECK_CONTAINS(one(&like_sqlite, ";"), "not a query");
	CHECK_CONTAINS(one(&like_sqlite, "DROP TABLE x"), "not a query");
	CHECK_CONTAINS(one(&like_sqlite, "selection"), "not a query");
	CHECK_CONTAINS(one(&like_sqlite, "SELECT 1;;"), "more than one statement");
	CHECK_CONTAINS(one(&like_sqlite, "SELECT 1; SELECT 2"), "more than one statement");
	CHECK_CONTAINS(one(&like_sqlite, "SELECT 1) ; DROP TABLE x; --"), "parenthesis too many");
	CHECK_CONTAINS(one(&like_sqlite, "SELECT (1"), "not closed");
	CHECK_CONTAINS(one(&like_sqlite, "SELECT 'x"), "not closed");
	CHECK_CONTAINS(one(&like_sqlite, "SELECT 1 \xff"), "UTF-8");
	CHECK_CONTAINS(one(&like_mysql, "SELECT 1 /*! ; DROP TABLE x */"), "executable comment");
	CHECK_CONTAINS(one(&like_mysql, "SELECT 1 /*M! UNION SELECT 2 */"), "executable comment");
	CHECK_CONTAINS(one(&like_mysql, "SELECT 1 /*!99999 x */"), "executable comment");
	CHECK_STR(one(&like_sqlite, "SELECT 1 /*! x */"), "SELECT 1");
}

static void what_belongs_elsewhere_is_told(void)
{
	struct syntax syn = like_mysql;
	struct viewd_err err = {0};
	syn.has.view_settings = true;
	CHECK(lex_one_query(&syn, harness_ctx(), "SET STATEMENT group_concat_max_len = 9 FOR SELECT 1", &err) == NULL);
	CHECK_CONTAINS(err.msg, "not a query");
	CHECK_CONTAINS(err.hint, "the view's settings = NAME=VALUE");
	CHECK(lex_one_query(&like_sqlite, harness_ctx(), "SET STATEMENT x = 9 FOR SELECT 1", &err) == NULL);
	CHECK_CONTAINS(err.hint, "one query that begins with");
}

static const char *normal(const char *text)
{
	return lex_normalise(&like_sqlite, harness_ctx(), text);
}

static void normal_form_ignores_layout(void)
{
	CHECK_STR(normal("  SELECT  a ,\n\t'x  y' -- c\n FROM/* c */t "), "SELECT a , 'x  y' FROM t");
	CHECK_STR(normal("SELECT 1"), normal("SELECT/**/1"));
	CHECK(strcmp(normal("SELECT 'a b'"), normal("SELECT 'a  b'")) != 0);
	CHECK(strcmp(normal("SELECT ab"), normal("SELECT a b")) != 0);
}

static bool append(void *ctx, const char *text)
{
	char *out = ctx;
	size_t len = strlen(out);
	snprintf(out + len, 256 - len, "%s|", text);
	return strcmp(text, "stop") != 0;
}

static void mentions_are_listed(void)
{
	char out[256] = "";
	lex_mentions(&like_postgresql, "SELECT A.\"B c\", 'no' FROM S.\"t\"\"x\" -- not\n",
	             (struct viewd_text_sink){append, out});
	CHECK_STR(out, "select|a|B c|from|s|t\"x|");
	out[0] = '\0';
	lex_mentions(&like_mysql, "SELECT `x``y`, \"no\" FROM Stop, stop, more", (struct viewd_text_sink){append, out});
	CHECK_STR(out, "SELECT|x`y|FROM|Stop|stop|");
}

static bool index_ok(const char *text)
{
	bool unique;
	const char *rest;
	return lex_index_text(&like_postgresql, text, &unique, &rest, NULL);
}

static void index_texts_are_judged(void)
{
	bool unique = false;
	const char *rest = NULL;
	struct viewd_err err = {0};
	CHECK_OK(lex_index_text(&like_postgresql, "unique (id) WHERE id > 0", &unique, &rest, &err), &err);
	CHECK(unique);
	CHECK_STR(rest, "(id) WHERE id > 0");
	CHECK_OK(lex_index_text(&like_postgresql, " (amount DESC)", &unique, &rest, &err), &err);
	CHECK(!unique);
	CHECK(index_ok("USING gin (x jsonb_path_ops) INCLUDE (y)"));
	CHECK(index_ok("((lower(name)), \"a;b)\")"));
	CHECK(!index_ok(""));
	CHECK(!index_ok("UNIQUE"));
	CHECK(!index_ok("id"));
	CHECK(!index_ok("(id"));
	CHECK(!index_ok("(id))"));
	CHECK(!index_ok("(id); DROP TABLE x"));
	CHECK(!index_ok("(id) -- x"));
	CHECK(!index_ok("(id) /* x */"));
	CHECK(!index_ok("ON t (id)"));
	CHECK(!index_ok("(a'b)"));
}

static bool type_ok(const char *text)
{
	return lex_type_text(&like_postgresql, text, NULL);
}

static void type_texts_are_judged(void)
{
	CHECK(type_ok("integer") && type_ok("numeric(10,2)") && type_ok("timestamp with time zone") && type_ok("int[]"));
	CHECK(type_ok("public.\"My Type\"") && type_ok("enum('a','b')"));
	CHECK(!type_ok("") && !type_ok("int, b int") && !type_ok("int)") && !type_ok("int(") && !type_ok("int; drop"));
	CHECK(!type_ok("int -- x") && !type_ok("int 'x'") && !type_ok("int DEFAULT (a(b))"));
}

static const struct harness_test tests[] = {
	{"reads plain tokens", reads_plain_tokens},
	{"reads quotes", reads_quotes},
	{"reads dollar quotes", reads_dollar_quotes},
	{"reads comments", reads_comments},
	{"one query is accepted", one_query_is_accepted},
	{"anything else is refused", anything_else_is_refused},
	{"what belongs elsewhere is told", what_belongs_elsewhere_is_told},
	{"normal form ignores layout", normal_form_ignores_layout},
	{"mentions are listed", mentions_are_listed},
	{"index texts are judged", index_texts_are_judged},
	{"type texts are judged", type_texts_are_judged},
};
HARNESS_MAIN(SUITE("lexer", tests))
