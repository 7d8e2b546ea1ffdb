/* SPDX-License-Identifier: MIT */
#include "base/err.h"
#include "base/utf8.h"
#include "common/sqltext/ident.h"
#include "common/sqltext/sqltext.h"
#include "support/harness.h"
#include "unit/plugins/plugins_support.h"

#include <talloc.h>

/* The relation as the engine would quote it, or the reason why it is refused. */
static const char *parsed(const struct syntax *syn, const char *text)
{
	struct relation rel;
	struct viewd_err err = {0};
	if (relation_parse(syn, text, &rel, &err))
		return relation_quoted(syn, harness_ctx(), &rel);
	CHECK_INT(err.cls, VIEWD_ERR_CONFIG);
	return talloc_strdup(harness_ctx(), err.msg);
}

static void folds_and_keeps(void)
{
	CHECK_STR(parsed(&like_postgresql, "Sales.\"Category Stats\""), "\"sales\".\"Category Stats\"");
	CHECK_STR(parsed(&like_postgresql, "V"), "\"v\"");
	CHECK_STR(parsed(&like_mysql, "Shop.`a``b`"), "`Shop`.`a``b`");
	CHECK_STR(parsed(&like_mysql, "\"x`y\""), "`x``y`");
	CHECK_STR(parsed(&like_sqlite, "daily-Stats_1"), "\"daily-Stats_1\"");
}

static void hostile_names_are_quoted(void)
{
	CHECK_STR(parsed(&like_postgresql, "\"\"\"; DROP TABLE x;--\""), "\"\"\"; DROP TABLE x;--\"");
	CHECK_STR(parsed(&like_postgresql, "\"a\"\"b\""), "\"a\"\"b\"");
	CHECK_STR(parsed(&like_postgresql, "\"`\""), "\"`\"");
	CHECK_STR(parsed(&like_postgresql, "\"%s%n\""), "\"%s%n\"");
	CHECK_STR(parsed(&like_postgresql, "\"../x\""), "\"../x\"");
	CHECK_STR(parsed(&like_postgresql, "\"select\""), "\"select\"");
	CHECK_STR(parsed(&like_postgresql, "\"x \""), "\"x \"");
	CHECK_STR(parsed(&like_postgresql, "\"\xe2\x80\xae"
	                                   "abc\""),
	          "\"\xe2\x80\xae"
	          "abc\"");
}

static void impossible_names_are_refused(void)
{
	CHECK_CONTAINS(parsed(&like_postgresql, ""), "empty part");
	CHECK_CONTAINS(parsed(&like_postgresql, "\"\""), "empty part");
	CHECK_CONTAINS(parsed(&like_postgresql, "a."), "empty part");
	CHECK_CONTAINS(parsed(&like_postgresql, "a.b.c"), "too many parts");
	CHECK_CONTAINS(parsed(&like_sqlite, "a.b"), "no schemas");
	CHECK_CONTAINS(parsed(&like_postgresql, "\"a"), "not closed");
	CHECK_CONTAINS(parsed(&like_postgresql, "\"a\"b"), "follows the closing quote");
	CHECK_CONTAINS(parsed(&like_postgresql, "a b"), "must be quoted");
	CHECK_CONTAINS(parsed(&like_postgresql, "a;b"), "must be quoted");
	CHECK_CONTAINS(parsed(&like_postgresql, "\"a\nb\""), "control character");
	CHECK_CONTAINS(parsed(&like_postgresql, "\"a\x7f\""), "control character");
	CHECK_CONTAINS(parsed(&like_postgresql, "\"\xff\""), "UTF-8");
	CHECK_CONTAINS(parsed(&like_mysql, "`x `"), "ends in a blank");
	CHECK_CONTAINS(parsed(&like_mysql, "`\xf0\x9f\x98\x80`"), "above U+FFFF");
}

static const char *repeated(const char *unit, int times)
{
	char *out = talloc_strdup(harness_ctx(), "");
	for (int i = 0; i < times; i++)
		out = talloc_strdup_append_buffer(out, unit);
	return out;
}

static void lengths_are_exact(void)
{
	static const char two[] = "\xc3\xa9"; /* two bytes, one character */
	CHECK_INT(strlen(parsed(&like_postgresql, repeated("x", 63))), 65);
	CHECK_CONTAINS(parsed(&like_postgresql, repeated("x", 64)), "longer");
	CHECK_INT(strlen(parsed(&like_postgresql, repeated(two, 31))), 64);
	CHECK_CONTAINS(parsed(&like_postgresql, repeated(two, 32)), "longer");
	CHECK_INT(strlen(parsed(&like_mysql, repeated("x", 64))), 66);
	CHECK_CONTAINS(parsed(&like_mysql, repeated("x", 65)), "longer");
	CHECK_INT(strlen(parsed(&like_mysql, repeated(two, 64))), 130);
	CHECK_CONTAINS(parsed(&like_mysql, repeated(two, 65)), "longer");
	CHECK_INT(strlen(parsed(&like_sqlite, repeated("x", 255))), 257);
	CHECK_CONTAINS(parsed(&like_sqlite, repeated("x", 256)), "longer");
	CHECK_CONTAINS(parsed(&like_sqlite, repeated("x", 70000)), "longer");
}

static void the_same_text_parses_back(void)
{
	static const char *const names[] = {"a", "\"a\"\"b\"", "\"x.y\"", "s.\"`\"", "\"\xe2\x82\xac\""};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const char *once = parsed(&like_postgresql, names[i]);
		CHECK_STR(parsed(&like_postgresql, once), once);
	}
}

static void columns_are_one_part(void)
{
	char name[IDENT_MAX];
	struct viewd_err err = {0};
	CHECK_OK(ident_parse(&like_postgresql, "Amount", name, &err), &err);
	CHECK_STR(name, "amount");
	CHECK(!ident_parse(&like_postgresql, "a.b", name, &err));
	CHECK(!ident_parse(&like_postgresql, "a b", name, &err));
	CHECK(ident_same(&like_sqlite, "ID", "id"));
	CHECK(!ident_same(&like_postgresql, "ID", "id"));
}

static void literals_are_quoted(void)
{
	CHECK_STR(literal_quoted(&like_postgresql, harness_ctx(), "it's \\ %s"), "'it''s \\ %s'");
	CHECK_STR(literal_quoted(&like_mysql, harness_ctx(), "\\'"), "'\\\\'''");
	CHECK_STR(literal_quoted(&like_mysql, harness_ctx(), ""), "''");
}

static void temporary_names_are_short_and_stable(void)
{
	struct relation a = {.schema = "s", .name = "t"}, b = {.schema = "", .name = "s.t"};
	char first[IDENT_MAX], again[IDENT_MAX], other[IDENT_MAX];
	ident_temporary(&a, "viewd_stage_", first);
	ident_temporary(&a, "viewd_stage_", again);
	ident_temporary(&b, "viewd_stage_", other);
	CHECK_STR(first, again);
	CHECK(strcmp(first, other) != 0);
	CHECK_INT(strlen(first), 12 + 16);
}

static void utf8_is_strict(void)
{
	static const char *const bad[] = {"\xc0\x80",         "\xc1\xbf",         "\xe0\x80\x80", "\xed\xa0\x80",
	                                  "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80",         "\xc3",
	                                  "\xe2\x82",         "\xf0\x9f\x98",     "a\xff"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!utf8_valid(bad[i]));
	CHECK(utf8_valid("") && utf8_valid("\xc2\x80") && utf8_valid("\xef\xbf\xbf") && utf8_valid("\xf4\x8f\xbf\xbf"));
	CHECK_INT(utf8_length("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), 4);
}

static void templates_are_filled(void)
{
	void *mem = harness_ctx();
	CHECK_STR(sql_template(sql_new(mem), "a{}b{}", "%s"), "a%sb%s");
	CHECK_STR(sql_template(sql_new(mem), NULL, "x"), "");
	CHECK_STR(sql_template2(sql_new(mem), "{a} IS {b} {}", "{b}", "2"), "{b} IS 2 {}");
	CHECK_STR(sql_param(&like_postgresql, sql_new(mem), 12), "$12");
	CHECK_STR(sql_param(&like_sqlite, sql_new(mem), 12), "?");
}

static const struct harness_test tests[] = {
	{"folds and keeps", folds_and_keeps},
	{"hostile names are quoted", hostile_names_are_quoted},
	{"impossible names are refused", impossible_names_are_refused},
	{"lengths are exact", lengths_are_exact},
	{"the same text parses back", the_same_text_parses_back},
	{"columns are one part", columns_are_one_part},
	{"literals are quoted", literals_are_quoted},
	{"temporary names are short and stable", temporary_names_are_short_and_stable},
	{"utf8 is strict", utf8_is_strict},
	{"templates are filled", templates_are_filled},
};
HARNESS_MAIN(SUITE("ident", tests))
