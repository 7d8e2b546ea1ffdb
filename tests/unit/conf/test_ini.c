/* SPDX-License-Identifier: MIT
 *
 * test_ini.c: everything that iniparser 4.1 would lose, join, rename or crash on must be an error with its place, or
 * must arrive whole.
 */
#include "base/utf8.h"
#include "conf/read/file.h"
#include "conf/read/ini.h"
#include "support/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

struct parsed {
	struct scan scan;
	struct conf_problems problems;
};

static struct parsed parse_bytes(const char *bytes, size_t len)
{
	struct parsed p;
	void *ctx = harness_ctx();
	struct report *report = report_new(ctx);
	unsigned file = report_file(report, "f.conf");
	bool good = ini_parse(ctx, arena_new(ctx), report, file, bytes, len, &p.scan);
	report_finish(report, ctx, &p.problems);
	CHECK(good == (p.problems.n_errors == 0));
	return p;
}

static struct parsed parse(const char *text)
{
	return parse_bytes(text, strlen(text));
}

static void wants_error_bytes(const char *bytes, size_t len, const char *message)
{
	struct parsed p = parse_bytes(bytes, len);
	REQUIRE(p.problems.n >= 1);
	CHECK_INT(p.problems.n, 1);
	CHECK_STR(p.problems.items[0].text, message);
}

static void wants_error(const char *text, const char *message)
{
	wants_error_bytes(text, strlen(text), message);
}

/* The whole text parses, and its last entry has this value. */
static void wants_value(const char *text, const char *value)
{
	struct parsed p = parse(text);
	for (size_t i = 0; i < p.problems.n; i++)
		CHECK_STR(p.problems.items[i].text, NULL);
	REQUIRE(p.scan.n_entries > 0);
	CHECK_STR(p.scan.entries[p.scan.n_entries - 1].value, value);
}

static char *line_of(size_t len)
{
	char *text = talloc_asprintf(harness_ctx(), "[view a]\nd = %*s\n", (int)(len - 4), "x");
	return text;
}

static void i1_long_line(void)
{
	wants_value(line_of(1022), "x");
	wants_error(
		line_of(1023),
		"f.conf:2:1023: [view a]: the line is longer than 1022 bytes; put a long query into a file (definition_file)");
}

static void i2_continuation(void)
{
	wants_error("[view a]\nd = SELECT \\\n1 = 1\n", "f.conf:2:12: [view a]: a backslash at the end would join the next "
	                                                "line; put a long query into a file (definition_file)");
}

static void i3_comment_in_sql(void)
{
	/* without continuation lines "--" can only hide the rest of its own line, which the database says */
	wants_value("[view a]\nd = SELECT 1 -- one\n", "SELECT 1 -- one");
}

static void i4_cut_value(void)
{
	wants_error("[view a]\nd = SELECT a#>b FROM t\n",
	            "f.conf:2:13: [view a] d: the value would be cut at '#'; wrap it in '...' or \"...\"");
	wants_error("[view a]\nd = SELECT a;b\n",
	            "f.conf:2:13: [view a] d: the value would be cut at ';'; wrap it in '...' or \"...\"");
	wants_value("[view a]\nd = 'SELECT a#>b; c FROM t'\n", "SELECT a#>b; c FROM t");
	struct parsed p = parse("[view a]\nd = 5m   ; five\n");
	CHECK_STR(p.scan.entries[0].value, "5m");
	CHECK_INT(p.scan.entries[0].comment_column, 10);
}

static void i5_text_behind_quote(void)
{
	wants_error("[view a]\nr = \"Foo\".\"Bar\"\n",
	            "f.conf:2:10: [view a] r: text behind the closing quote would be lost; wrap the whole value in '...'");
	wants_error(
		"[view a]\nr = '...''y'''\n",
		"f.conf:2:10: [view a] r: text behind the closing quote would be lost; wrap the whole value in \"...\"");
	wants_error("[view a]\nr = \"SELECT 1\n",
	            "f.conf:2:5: [view a] r: the quote is not closed; end the value with the same quote on the same line");
	wants_error("[view a]\nr = '\n",
	            "f.conf:2:5: [view a] r: the quote is not closed; end the value with the same quote on the same line");
	wants_value("[view a]\nr = 'Sales.\"Category Stats\"'   ; a comment\n", "Sales.\"Category Stats\"");
	wants_value("[view a]\nr = '  two  '\n", "  two  ");
	wants_value("[view a]\nr = \"\" ; \"\n", "");
	wants_value("[view a]\nr = ''\n", "");
	wants_value("[view a]\nr = ' '\n", " ");
}

static void i6_backslash_in_quotes(void)
{
	wants_error(
		"[view a]\nd = \"SELECT \\\"Foo\\\"\"\n",
		"f.conf:2:13: [view a] d: a backslash in a quoted value is read differently by versions of iniparser; put "
		"the text into a file (definition_file)");
	wants_value("[view a]\nd = a\\b\n", "a\\b");
}

static void i7_kept_in_quotes(void)
{
	wants_value("[view a]\nd = \"a ; b # c ' d % e = f\"\n", "a ; b # c ' d % e = f");
	wants_value("[view a]\nd = x = y == z %s%n\n", "x = y == z %s%n");
	wants_value("[view a]\nd == x\n", "= x");
}

static void i8_case(void)
{
	struct parsed p = parse("[View Foo]\nEVERY = Five\n");
	CHECK_STR(p.scan.sections[0].name, "view foo");
	CHECK_STR(p.scan.entries[0].key, "every");
	CHECK_STR(p.scan.entries[0].value, "Five");
}

static void i9_duplicates(void)
{
	wants_error("[view a]\na = 1\nb = 2\nA = 2\n",
	            "f.conf:4:1: [view a] a: the key is set twice (first at line 2); keep one of them");
	wants_error("[view a]\na = 1\n[view b]\n[View A]\nb = 1\n",
	            "f.conf:4: [view a]: the section exists already (at line 1); put all settings into one");
}

static void i10_colon(void)
{
	wants_error("[view:foo.bar]\na = 1\n",
	            "f.conf:1:6: ':' in a section name would hide the section; a name holds a-z 0-9 _ . - only");
}

static void i11_before_section(void)
{
	wants_error("a = 1\n[viewd]\n",
	            "f.conf:1:1: a setting before the first section; put it under [viewd], [database ...] or [view ...]");
}

static void i12_section_named_like_key(void)
{
	/* iniparser_getint("viewd") crashes there; nothing but strings is asked of it here */
	wants_value("[viewd]\n[view viewd]\nviewd = 1\n", "1");
}

static void i13_i14_values_stay_text(void)
{
	wants_value("[a]\nb = tomato\n", "tomato");
	wants_value("[a]\nb = 010\n", "010");
	wants_value("[a]\nb = 99999999999\n", "99999999999");
	wants_value("[a]\nb =\n", "");
	wants_value("[a]\nb = ; nothing\n", "");
	wants_value("[a]\nb =# nothing\n", "");
}

static void i17_comment_with_backslash(void)
{
	wants_error("[a]\n; C:\\\nb = 1\n", "f.conf:2:5: [a]: a backslash at the end would join the next line; put a long "
	                                    "query into a file (definition_file)");
	wants_error("[a]\nx = foo\\   \n[b]\n",
	            "f.conf:2:8: [a]: a backslash at the end would join the next line; put a long "
	            "query into a file (definition_file)");
}

static void i18_blank_in_continuation(void)
{
	wants_error("[a]\nx = foo \\\n\n# bar\n", "f.conf:2:9: [a]: a backslash at the end would join the next line; put a "
	                                          "long query into a file (definition_file)");
}

static void i19_headers_and_bytes(void)
{
	wants_error("[viewd] ; the daemon\n", "f.conf:1:9: a comment behind a section header; put it on a line of its own");
	wants_error("[x] = 3]\n", "f.conf:1:5: text behind a section header; a header stands alone on its line");
	wants_error("[x\n", "f.conf:1:3: a section header without ']'; write [view NAME]");
	wants_error("[]\n", "f.conf:1:2: a section without a name; write [viewd], [database NAME] or [view NAME]");
	wants_error("\xef\xbb\xbf[viewd]\n", "f.conf:1:1: a byte order mark; save the file as UTF-8 without BOM");
	wants_error_bytes("[viewd]\na = \0b\n", 15, "f.conf:2:5: [viewd]: a NUL byte; a configuration file is text");
	wants_error("[viewd]\na = \x1b[2J\n", "f.conf:2:5: [viewd]: a control character; a configuration file is text");
	wants_error("[viewd]\na = b\rc = d\n",
	            "f.conf:2:6: [viewd]: a carriage return inside the line; end lines with LF or CRLF");
	wants_error("[viewd]\na = caf\xe9\n", "f.conf:2:8: [viewd]: a byte that is not UTF-8; save the file as UTF-8");
	wants_value("\r\n[viewd]\r\na = b\r\n", "b");
	wants_value("[viewd]\r\na = 'b'\r\n\r\n; c\r\n", "b");
	wants_value("[viewd]\na = caf\xc3\xa9", "caf\xc3\xa9");
}

static void i20_all_errors(void)
{
	struct parsed p = parse("[viewd]\nno equals\n= 1\na b = 1\nx = '\n[y\n");
	REQUIRE(p.problems.n == 5);
	CHECK_STR(p.problems.items[0].text,
	          "f.conf:2:1: [viewd]: neither a section, a comment nor a setting; write key = value");
	CHECK_STR(p.problems.items[1].text, "f.conf:3:1: [viewd]: a value without a key; write key = value");
	CHECK_STR(p.problems.items[2].text,
	          "f.conf:4:2: [viewd]: a character that no key may hold; a key holds a-z 0-9 _ . - only");
	CHECK_STR(p.problems.items[3].text,
	          "f.conf:5:5: [viewd] x: the quote is not closed; end the value with the same quote on the same line");
	CHECK_STR(p.problems.items[4].text, "f.conf:6:3: a section header without ']'; write [view NAME]");
}

static void i21_long_names(void)
{
	char text[256];
	snprintf(text, sizeof text, "[view %064d]\n%064d = 1\n", 1, 2);
	wants_value(text, "1");
	snprintf(text, sizeof text, "[view %065d]\n", 1);
	wants_error(text, "f.conf:1:71: the name is too long; a name has at most 64 characters");
	snprintf(text, sizeof text, "[viewd]\n%065d = 1\n", 1);
	wants_error(text, "f.conf:2:1: [viewd]: the key is too long; a key has at most 64 characters");
}

static void i22_many_sections(void)
{
	char *text = talloc_strdup(harness_ctx(), "");
	for (int i = 0; i < 3000; i++)
		text = talloc_asprintf_append_buffer(text, "[view v%d]\na = %d\nb = '%d # %d'\n", i, i, i, i);
	struct parsed p = parse(text);
	CHECK_INT(p.problems.n, 0);
	REQUIRE(p.scan.n_sections == 3000 && p.scan.n_entries == 6000);
	CHECK_STR(p.scan.sections[2999].name, "view v2999");
	CHECK_INT(p.scan.sections[2999].line, 8998);
	CHECK_STR(p.scan.entries[5999].value, "2999 # 2999");
	CHECK_INT(p.scan.entries[5999].line, 9000);
}

static void section_names(void)
{
	static const char odd[] = "f.conf:1:6: a character that no section name may hold; write [view NAME] with one "
							  "blank, NAME of a-z 0-9 _ . -";
	wants_error("[view\ta]\n", odd);
	wants_error("[view\"a]\n", odd);
	wants_error("[view/../x]\n", odd);
	wants_error("[view\xe2\x80\xae"
	            "a]\n",
	            odd);
	wants_error("[view  a]\n", "f.conf:1:7: a character that no section name may hold; write [view NAME] with one "
	                           "blank, NAME of a-z 0-9 _ . -");
	CHECK_INT(parse("  [ viewd ]  \n  a  =  b  \n").problems.n, 0);
}

static void too_many_keys(void)
{
	char *text = talloc_strdup(harness_ctx(), "[viewd]\n");
	for (int i = 0; i < 513; i++)
		text = talloc_asprintf_append_buffer(text, "k%d = 1\n", i);
	wants_error(text, "f.conf:514:1: [viewd] k512: too many keys in one section; a section has at most 512");
}

static void nothing_to_read(void)
{
	CHECK_INT(parse("").problems.n, 0);
	CHECK_INT(parse("\n\n; only a comment").problems.n, 0);
	wants_error("x", "f.conf:1:1: neither a section, a comment nor a setting; write key = value");
}

/* ---- files ---- */

static struct conf_problems read_file(const char *path)
{
	struct conf_problems problems;
	struct scan scan;
	void *ctx = harness_ctx();
	struct report *report = report_new(ctx);
	ini_read(ctx, arena_new(ctx), report, report_file(report, path), NULL, &scan);
	report_finish(report, ctx, &problems);
	return problems;
}

static void wants_file_error(const char *path, const char *message)
{
	struct conf_problems p = read_file(path);
	REQUIRE(p.n == 1);
	CHECK_STR(p.items[0].text, talloc_asprintf(harness_ctx(), "%s: %s", path, message));
}

static void i15_i16_what_is_no_file(void)
{
	const char *fifo = harness_path("fifo"), *loop = harness_path("loop");
	REQUIRE(mkfifo(fifo, 0600) == 0);
	wants_file_error(fifo, "is not a regular file");
	wants_file_error(harness_dir(), "is a directory, not a file");
	wants_file_error("/dev/zero", "is not a regular file");
	wants_file_error(harness_path("absent"), "file cannot be opened (No such file or directory)");
	REQUIRE(symlink("loop", loop) == 0);
	wants_file_error(loop, "file cannot be opened (Too many levels of symbolic links)");
}

static void file_access(void)
{
	const char *path = harness_file("x.conf", "[viewd]\n"), *link = harness_path("link.conf");
	REQUIRE(symlink("x.conf", link) == 0);
	CHECK_INT(read_file(link).n, 0);
	REQUIRE(chmod(path, 0666) == 0);
	wants_file_error(path, "file is writable by everyone; chmod o-w");
	REQUIRE(chmod(path, 0) == 0);
	if (geteuid() != 0)
		wants_file_error(path, "file cannot be opened (Permission denied)");
	REQUIRE(chmod(path, 0600) == 0 && truncate(path, (off_t)INI_SIZE_MAX + 1) == 0);
	wants_file_error(path, "file has 4194305 bytes, at most 4194304 are read");
	CHECK_INT(read_file(harness_file("empty.conf", "")).n, 0);
}

/* i23: the dangerous functions are not even linked. A shared library cannot tell, so the source is asked. */
static void i23_no_dump(void)
{
	const char *src = getenv("VIEWD_SRC");
	if (src == NULL)
		harness_skip("VIEWD_SRC is not set");
	const char *text = harness_read(talloc_asprintf(harness_ctx(), "%s/daemon/conf/read/ini.c", src));
	CHECK_CONTAINS(text, "iniparser_load");
	CHECK(strstr(text, "iniparser_dump") == NULL);
	CHECK(strstr(text, "iniparser_getint") == NULL);
	CHECK(strstr(text, "iniparser_getboolean") == NULL);
	CHECK(strstr(text, "iniparser_getdouble") == NULL);
}

static void utf8(void)
{
	size_t at;
	CHECK(utf8_valid_bytes("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 10, &at));
	/* clang-format off */
	static const char *const bad[] = {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
	                                  "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "\xe2\x82"};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CHECK(!utf8_valid_bytes(bad[i], strlen(bad[i]), &at));
		CHECK_INT(at, 0);
	}
	CHECK(!utf8_valid_bytes("a\0b", 3, &at));
	CHECK_INT(at, 1);
}

static const struct harness_test trap_tests[] = {
	{"i1 long line", i1_long_line},
	{"i2 continuation", i2_continuation},
	{"i3 comment in sql", i3_comment_in_sql},
	{"i4 cut value", i4_cut_value},
	{"i5 text behind quote", i5_text_behind_quote},
	{"i6 backslash in quotes", i6_backslash_in_quotes},
	{"i7 kept in quotes", i7_kept_in_quotes},
	{"i8 case", i8_case},
	{"i9 duplicates", i9_duplicates},
	{"i10 colon in section", i10_colon},
	{"i11 before any section", i11_before_section},
	{"i12 section named like a key", i12_section_named_like_key},
	{"i13 i14 values stay text", i13_i14_values_stay_text},
	{"i15 i16 what is no file", i15_i16_what_is_no_file},
	{"i17 comment with backslash", i17_comment_with_backslash},
	{"i18 blank in continuation", i18_blank_in_continuation},
	{"i19 headers and bytes", i19_headers_and_bytes},
	{"i20 all errors", i20_all_errors},
	{"i21 long names", i21_long_names},
	{"i22 many sections", i22_many_sections},
	{"i23 no dump", i23_no_dump},
};
static const struct harness_test other_tests[] = {
	{"section names", section_names},
	{"too many keys", too_many_keys},
	{"nothing to read", nothing_to_read},
	{"file access", file_access},
	{"utf-8", utf8},
};
HARNESS_MAIN(SUITE("ini traps", trap_tests), SUITE("ini", other_tests))
