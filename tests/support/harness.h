/* SPDX-License-Identifier: MIT
 *
 * harness.h: main, checks, log expectations, temporary files and waiting for unit tests (on top of CUnit).
 *
 * A test file looks like this:
 *
 *	#include "base/span.h"
 *	#include "support/harness.h"
 *
 *	static void parses_units(void)
 *	{
 *		int64_t us = 0;
 *		struct viewd_err err = {0};
 *		CHECK_OK(span_parse("1h30m", &us, &err), &err);
 *		CHECK_INT(us, 90 * SPAN_MINUTE);
 *		CHECK(!span_parse("5", &us, &err));
 *		CHECK_CONTAINS(err.hint, "5s");
 *	}
 *
 *	static const struct harness_test span_tests[] = {
 *		{"parses units", parses_units},
 *	};
 *	HARNESS_MAIN(SUITE("span", span_tests))
 *
 * and tests/unit/<group>.mk names it (harness, libviewd and CUnit are linked by default; a test that needs more sets
 * tests_unit_base_test_span_LDADD = $(LDADD) more.la):
 *
 *	check_PROGRAMS += tests/unit/base/test_span
 *	TESTS += tests/unit/base/test_span
 *
 * Run one binary by hand: ./tests/unit/base/test_span [-k PATTERN] [-l]. PATTERN is a part of "suite: test" and may
 * hold * and ?; -l lists. Exit status: 0 all passed, 1 a test failed, 2 usage, 77 every selected test was skipped.
 *
 * A test fails when it logged an error or a warning that it did not declare with expect_log(), and when a declared one
 * did not come. Everything here is for the test's thread, except that logging may come from any thread.
 */
#ifndef VIEWD_TESTS_SUPPORT_HARNESS_H
#define VIEWD_TESTS_SUPPORT_HARNESS_H

#include "base/macros.h"
#include "viewd_dialect.h"

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct harness_test {
	const char *name;
	void (*fn)(void);
};

struct harness_suite {
	const char *name;
	const struct harness_test *tests;
	size_t n_tests;
};

#define SUITE(suite_name, array) \
	{ \
		.name = (suite_name), .tests = (array), .n_tests = ARRAY_LEN(array) \
	}

/* Defines main() that runs the suites given, in order. */
#define HARNESS_MAIN(...) \
	int main(int argc, char **argv) \
	{ \
		const struct harness_suite suites[] = {__VA_ARGS__}; \
		return harness_main(argc, argv, suites, ARRAY_LEN(suites)); \
	}

/* The same for tests that need a server. server: a script that starts one, names it in a variable, and runs this
 * program again; and, behind a comma, the variable. */
#define HARNESS_SERVER_MAIN(server, ...) \
	int main(int argc, char **argv) \
	{ \
		const struct harness_suite suites[] = {__VA_ARGS__}; \
		harness_start_server(server, argc, argv); \
		return harness_main(argc, argv, suites, ARRAY_LEN(suites)); \
	}

/* Becomes `script argv...` unless the variable is set; script: its path in the source tree. */
void harness_start_server(const char *script, const char *variable, int argc, char **argv);
/* Runs the suites, prints one TAP-like line a test, returns the exit status. */
int harness_main(int argc, char **argv, const struct harness_suite *suites, size_t n_suites);

/* ---- checks: all go on after a failure; REQUIRE ends the test --------------------------------------------------- */

#define CHECK(cond) harness_check((cond), __FILE__, __LINE__, "%s", #cond)
#define REQUIRE(cond) \
	do { \
		if (!harness_check((cond), __FILE__, __LINE__, "%s", #cond)) \
			harness_abort(); \
	} while (0)
/* A call that takes an error record; prints the record when it fails. */
#define CHECK_OK(call, err) harness_check_ok((call), __FILE__, __LINE__, #call, (err))
#define REQUIRE_OK(call, err) \
	do { \
		if (!harness_check_ok((call), __FILE__, __LINE__, #call, (err))) \
			harness_abort(); \
	} while (0)
#define CHECK_INT(actual, expected) \
	harness_check_int((int64_t)(actual), (int64_t)(expected), __FILE__, __LINE__, #actual)
/* Both may be NULL; prints both when they differ. */
#define CHECK_STR(actual, expected) harness_check_str((actual), (expected), __FILE__, __LINE__, #actual)
#define CHECK_CONTAINS(text, part) harness_check_contains((text), (part), __FILE__, __LINE__, #text)

/* The functions behind the macros. Each returns whether the check held. */
bool harness_check(bool ok, const char *file, int line, const char *fmt, ...) PRINTF_LIKE(4, 5);
bool harness_check_ok(bool ok, const char *file, int line, const char *call, const struct viewd_err *err);
bool harness_check_int(int64_t actual, int64_t expected, const char *file, int line, const char *expr);
bool harness_check_str(const char *actual, const char *expected, const char *file, int line, const char *expr);
bool harness_check_contains(const char *text, const char *part, const char *file, int line, const char *expr);

/* Ends the running test; what it holds in harness_ctx() and harness_dir() is cleaned up as always. */
void harness_abort(void) __attribute__((noreturn));

/* Marks the running test as skipped, with a reason, and ends it. */
void harness_skip(const char *reason) __attribute__((noreturn));

/* ---- log expectations ------------------------------------------------------------------------------------------- */

/* Declares that the test will log at least one error or warning that contains part (at any time before it ends). The
 * string must live as long as the test. At most 16 a test. */
void expect_log(const char *part);

/* How many lines so far in this test, of any level, contain part. */
size_t harness_log_count(const char *part);

/* ---- files, memory, waiting ------------------------------------------------------------------------------------- */

/* A talloc context freed after the test. */
void *harness_ctx(void);

/* The running test's temporary directory, made on first use, removed after the test. */
const char *harness_dir(void);

/* Path of a name in harness_dir(); nothing is created. Freed with harness_ctx(). */
const char *harness_path(const char *name);

/* Writes text to a file in harness_dir() (sub-directories in name are created) and returns its path. */
const char *harness_file(const char *name, const char *text);

/* The whole content of a file, "" when it does not exist. Freed with harness_ctx(). */
const char *harness_read(const char *path);

/* Waits until ready(ctx) is true, asking again about every millisecond; false after timeout_us. */
bool harness_wait(bool (*ready)(void *ctx), void *ctx, int64_t timeout_us) MUST_CHECK;

/* Fails the test when an expression does not become true within ten seconds. */
#define WAIT_UNTIL(cond) \
	do { \
		int64_t deadline_ = harness_deadline(10 * INT64_C(1000000)); \
		while (!(cond) && harness_pause(deadline_)) \
			; \
		harness_check((cond), __FILE__, __LINE__, "timed out waiting for %s", #cond); \
	} while (0)

/* A point timeout_us from now for harness_pause(). */
int64_t harness_deadline(int64_t timeout_us);
/* Gives other threads about a millisecond; false once the deadline has passed. */
bool harness_pause(int64_t deadline);

#endif
