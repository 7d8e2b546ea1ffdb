/* SPDX-License-Identifier: MIT
 *
 * test_log.c: levels, escaping and passwords in log lines.
 */
#include "base/log.h"
#include "support/harness.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The last line and how many there were. */
struct lines {
	char last[4096];
	enum viewd_log_level level;
	int n;
};

static void keep(void *ctx, enum viewd_log_level level, const char *line)
{
	struct lines *lines = ctx;
	snprintf(lines->last, sizeof lines->last, "%s", line);
	lines->level = level;
	lines->n++;
}

/* Everything logged by fn goes to lines instead of the harness. */
static struct lines logged(void (*fn)(void))
{
	struct lines lines = {0};
	enum viewd_log_level before = log_level();
	log_set_sink(keep, &lines);
	fn();
	log_set_sink(NULL, NULL);
	log_set_level(before);
	return lines;
}

static void log_controls(void)
{
	log_error("a\nviewd: error: forged\r\x1b[2J\x7f\ttab \xc3\xa9");
}

static void escapes(void)
{
	struct lines l = logged(log_controls);
	CHECK_STR(l.last, "a\\x0aviewd: error: forged\\x0d\\x1b[2J\\x7f\\x09tab \xc3\xa9");
	CHECK_INT(l.level, VIEWD_LOG_ERROR);
}

static void log_c1(void)
{
	log_warning("x\xc2\x9b"
	            "31my");
}

static void escapes_two_byte_controls(void)
{
	CHECK_STR(logged(log_c1).last, "x\\xc2\\x9b31my");
}

static void log_secret(void)
{
	log_info("database 'shop', connect failed (%s)", "postgresql://u:geheim@h/x");
}

static void redacts(void)
{
	CHECK_STR(logged(log_secret).last, "database 'shop', connect failed (postgresql://u:***@h/x)");
}

static void log_levels(void)
{
	log_set_level(VIEWD_LOG_WARNING);
	log_error("1");
	log_warning("2");
	log_info("3");
	log_debug("4");
}

static void levels(void)
{
	struct lines l = logged(log_levels);
	CHECK_INT(l.n, 2);
	CHECK_STR(l.last, "2");
	enum viewd_log_level level = VIEWD_LOG_INFO;
	CHECK(log_level_parse("error", &level) && level == VIEWD_LOG_ERROR);
	CHECK(log_level_parse("debug", &level) && level == VIEWD_LOG_DEBUG);
	CHECK(!log_level_parse("Debug", &level) && !log_level_parse("", &level) && level == VIEWD_LOG_DEBUG);
}

static void log_long(void)
{
	static char big[5000];
	memset(big, '\n', sizeof big - 1);
	log_error("%s", big);
}

static void long_lines_are_cut(void)
{
	struct lines l = logged(log_long);
	CHECK(strlen(l.last) > 1000 && strlen(l.last) < 2200);
	CHECK(strncmp(l.last, "\\x0a\\x0a", 8) == 0);
}

/* stderr into a file while fn runs. */
static const char *on_stderr(void (*fn)(void))
{
	const char *path = harness_file("err", "");
	int saved = dup(STDERR_FILENO);
	REQUIRE(saved >= 0 && freopen(path, "w", stderr) != NULL);
	log_set_sink(NULL, NULL);
	fn();
	fflush(stderr);
	REQUIRE(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
	return harness_read(path);
}

static void log_to_the_journal(void)
{
	struct stat st;
	char stream[64];
	REQUIRE(fstat(STDERR_FILENO, &st) == 0);
	snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	REQUIRE(setenv("JOURNAL_STREAM", stream, 1) == 0);
	CHECK(log_is_journal());
	log_secret();
}

/* A name that a service manager gave, of a stream that was redirected since, is no journal. */
static void to_stderr(void)
{
	REQUIRE(unsetenv("JOURNAL_STREAM") == 0);
	CHECK_STR(on_stderr(log_secret), "viewd: info: database 'shop', connect failed (postgresql://u:***@h/x)\n");
	REQUIRE(setenv("JOURNAL_STREAM", "8:1", 1) == 0);
	CHECK_STR(on_stderr(log_secret), "viewd: info: database 'shop', connect failed (postgresql://u:***@h/x)\n");
	CHECK_STR(on_stderr(log_to_the_journal), "<6>database 'shop', connect failed (postgresql://u:***@h/x)\n");
	REQUIRE(unsetenv("JOURNAL_STREAM") == 0);
}

static const struct harness_test tests[] = {
	{"escapes", escapes},
	{"escapes two-byte controls", escapes_two_byte_controls},
	{"redacts", redacts},
	{"levels", levels},
	{"long lines are cut", long_lines_are_cut},
	{"to stderr", to_stderr},
};
HARNESS_MAIN(SUITE("log", tests))
