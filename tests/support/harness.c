/* SPDX-License-Identifier: MIT */
#include "support/harness.h"

#include "base/err.h"
#include "base/log.h"
#include "support/harness_private.h"

#include <CUnit/TestRun.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <talloc.h>
#include <unistd.h>

#define EXIT_SKIPPED 77

/* CUnit calls tests without an argument, so the harness itself needs one place for its state. */
static struct {
	const char *pattern;
	const char *skip_reason; /* of the running test */
	unsigned n_run;
	unsigned n_skipped;
} run;

/* ---- checks ---- */

bool harness_check(bool ok, const char *file, int line, const char *fmt, ...)
{
	char text[4096] = "";
	if (!ok) {
		va_list ap;
		va_start(ap, fmt);
		vsnprintf(text, sizeof text, fmt, ap);
		va_end(ap);
	}
	CU_assertImplementation(ok, (unsigned)line, text, file, "", CU_FALSE);
	return ok;
}

bool harness_check_ok(bool ok, const char *file, int line, const char *call, const struct viewd_err *err)
{
	if (ok)
		return harness_check(true, file, line, "%s", call);
	return harness_check(false, file, line, "%s: [%s] %s%s%s", call, err_class_word(err->cls), err->msg,
	                     err->hint[0] != '\0' ? "; hint: " : "", err->hint);
}

bool harness_check_int(int64_t actual, int64_t expected, const char *file, int line, const char *expr)
{
	return harness_check(actual == expected, file, line, "%s is %lld, expected %lld", expr, (long long)actual,
	                     (long long)expected);
}

bool harness_check_str(const char *actual, const char *expected, const char *file, int line, const char *expr)
{
	bool same = actual == NULL || expected == NULL ? actual == expected : strcmp(actual, expected) == 0;
	return harness_check(same, file, line, "%s is\n#     '%s', expected\n#     '%s'", expr,
	                     actual != NULL ? actual : "(null)", expected != NULL ? expected : "(null)");
}

bool harness_check_contains(const char *text, const char *part, const char *file, int line, const char *expr)
{
	bool found = text != NULL && strstr(text, part) != NULL;
	return harness_check(found, file, line, "%s is\n#     '%s', expected to contain\n#     '%s'", expr,
	                     text != NULL ? text : "(null)", part);
}

void harness_abort(void)
{
	/* CUnit prepared the jump in its runner; a fatal assertion takes it. */
	longjmp(*CU_get_current_test()->pJumpBuf, 1);
}

void harness_skip(const char *reason)
{
	run.skip_reason = reason;
	harness_abort();
}

/* ---- runner ---- */

static void before_test(void)
{
	run.skip_reason = NULL;
	harness_log_begin();
}

/* Runs even after a fatal failure, while CUnit still counts for this test. */
static void after_test(void)
{
	harness_log_end(run.skip_reason != NULL);
	harness_files_end();
}

static void test_done(const CU_pTest test, const CU_pSuite suite, const CU_pFailureRecord failures)
{
	run.n_run++;
	if (failures == NULL && run.skip_reason != NULL) {
		run.n_skipped++;
		printf("ok %u - %s: %s # SKIP %s\n", run.n_run, suite->pName, test->pName, run.skip_reason);
	} else {
		printf("%s %u - %s: %s\n", failures == NULL ? "ok" : "not ok", run.n_run, suite->pName, test->pName);
	}
	for (CU_pFailureRecord f = failures; f != NULL; f = f->pNext)
		printf("#   %s:%u: %s\n", f->strFileName, f->uiLineNumber, f->strCondition);
	fflush(stdout);
}

static bool selected(const char *suite, const char *test)
{
	if (run.pattern == NULL)
		return true;
	char full[512], glob[512];
	snprintf(full, sizeof full, "%s: %s", suite, test);
	snprintf(glob, sizeof glob, "*%s*", run.pattern);
	return fnmatch(glob, full, 0) == 0;
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "harness: %s (%s)\n", what, CU_get_error_msg());
	exit(EXIT_FAILURE);
}

static size_t register_suite(const struct harness_suite *s, bool list_only)
{
	size_t n = 0;
	CU_pSuite suite = NULL;
	for (size_t i = 0; i < s->n_tests; i++) {
		if (!selected(s->name, s->tests[i].name))
			continue;
		n++;
		if (list_only) {
			printf("%s: %s\n", s->name, s->tests[i].name);
			continue;
		}
		if (suite == NULL)
			suite = CU_add_suite_with_setup_and_teardown(s->name, NULL, NULL, before_test, after_test);
		must(suite != NULL, "cannot register a suite");
		must(CU_add_test(suite, s->tests[i].name, s->tests[i].fn) != NULL, "cannot register a test");
	}
	return n;
}

static bool parse_args(int argc, char **argv, bool *list_only_r)
{
	int c;
	while ((c = getopt(argc, argv, "k:l")) != -1)
		if (c == 'k')
			run.pattern = optarg;
		else if (c == 'l')
			*list_only_r = true;
		else
			return false;
	return optind == argc;
}

void harness_start_server(const char *script, const char *variable, int argc, char **argv)
{
	const char *src = getenv("VIEWD_SRC");
	if (getenv(variable) != NULL)
		return;
	char **args = talloc_zero_array(NULL, char *, (size_t)argc + 2);
	args[0] = talloc_asprintf(args, "%s/%s", src != NULL ? src : ".", script);
	args[1] = realpath("/proc/self/exe", NULL);
	for (int i = 1; i < argc; i++)
		args[i + 1] = argv[i];
	execv(args[0], args);
	fprintf(stderr, "harness: cannot run %s (VIEWD_SRC names the source tree): %s\n", args[0], strerror(errno));
	exit(EXIT_FAILURE);
}

int harness_main(int argc, char **argv, const struct harness_suite *suites, size_t n_suites)
{
	bool list_only = false;
	if (!parse_args(argc, argv, &list_only)) {
		fprintf(stderr, "usage: %s [-k PATTERN] [-l]\n", argv[0]);
		return 2;
	}
	must(CU_initialize_registry() == CUE_SUCCESS, "cannot start CUnit");
	size_t n = 0;
	for (size_t i = 0; i < n_suites; i++)
		n += register_suite(&suites[i], list_only);
	if (n == 0)
		fprintf(stderr, "%s: no test matches '%s'\n", argv[0], run.pattern != NULL ? run.pattern : "");
	if (list_only || n == 0)
		return n == 0 ? 2 : 0;
	printf("1..%zu\n", n);
	CU_set_test_complete_handler(test_done);
	CU_run_all_tests();
	/* The runner's own return value is not the number of failures. */
	unsigned failed = CU_get_number_of_failures() + CU_get_number_of_suites_failed();
	CU_cleanup_registry();
	if (failed > 0 || run.n_run != n)
		return EXIT_FAILURE;
	return run.n_skipped == run.n_run ? EXIT_SKIPPED : EXIT_SUCCESS;
}
