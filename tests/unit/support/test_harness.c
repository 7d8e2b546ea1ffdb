/* SPDX-License-Identifier: MIT
 *
 * test_harness.c: the harness must be able to fail: a child process runs bad tests, the parent looks at its verdict.
 */
#include "base/log.h"
#include "support/harness.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD "harness-child"

static void bad_check(void)
{
	CHECK_STR("one", "two");
}

static void bad_require(void)
{
	REQUIRE(1 == 2);
	CHECK_STR("after", "require");
}

static void bad_log(void)
{
	log_error("nobody expects this");
}

static void bad_expectation(void)
{
	expect_log("never comes");
}

static void good_log(void)
{
	expect_log("half expected");
	log_warning("a half expected warning");
	log_info("an info line needs no declaration");
	CHECK_INT(harness_log_count("line"), 1);
}

static void good_skip(void)
{
	harness_skip("no reason");
}

/* Runs one test of the children's suite in a new process; its exit status, and its output in *out_r. */
static int verdict(const char *name, const char **out_r)
{
	const char *log = harness_path("out");
	fflush(NULL);
	pid_t pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		if (freopen(log, "w", stdout) != NULL)
			execl("/proc/self/exe", CHILD, "-k", name, (char *)NULL);
		_exit(99);
	}
	int status = 0;
	REQUIRE(waitpid(pid, &status, 0) == pid);
	*out_r = harness_read(log);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void failures_are_reported(void)
{
	const char *out;
	CHECK_INT(verdict("bad check", &out), 1);
	CHECK_CONTAINS(out, "not ok 1 - child: bad check");
	CHECK_CONTAINS(out, "'two'");
	CHECK_INT(verdict("bad require", &out), 1);
	CHECK_CONTAINS(out, "1 == 2");
	CHECK(strstr(out, "after") == NULL);
}

static void logs_are_judged(void)
{
	const char *out;
	CHECK_INT(verdict("bad log", &out), 1);
	CHECK_CONTAINS(out, "undeclared line: nobody expects this");
	CHECK_INT(verdict("bad expectation", &out), 1);
	CHECK_CONTAINS(out, "declared line did not come: never comes");
	CHECK_INT(verdict("good log", &out), 0);
}

static void skips_are_told(void)
{
	const char *out;
	CHECK_INT(verdict("good skip", &out), 77);
	CHECK_CONTAINS(out, "# SKIP no reason");
}

static void files_come_and_go(void)
{
	const char *path = harness_file("a/b/c.txt", "hello");
	CHECK_STR(harness_read(path), "hello");
	CHECK_STR(harness_read(harness_path("absent")), "");
}

static bool never(void *ctx UNUSED)
{
	return false;
}

static bool third_time(void *ctx)
{
	int *n = ctx;
	return ++*n == 3;
}

static void waiting_ends(void)
{
	int n = 0;
	CHECK(harness_wait(third_time, &n, 10 * INT64_C(1000000)));
	CHECK(!harness_wait(never, NULL, 5000));
}

static const struct harness_test child_tests[] = {
	{"bad check", bad_check}, {"bad require", bad_require}, {"bad log", bad_log}, {"bad expectation", bad_expectation},
	{"good log", good_log},   {"good skip", good_skip},
};
static const struct harness_test tests[] = {
	{"failures are reported", failures_are_reported},
	{"undeclared and missing log lines fail a test", logs_are_judged},
	{"skips are told", skips_are_told},
	{"files come and go", files_come_and_go},
	{"waiting ends", waiting_ends},
};

int main(int argc, char **argv)
{
	const struct harness_suite suites[] = {SUITE("harness", tests), SUITE("child", child_tests)};
	bool child = strcmp(argv[0], CHILD) == 0;
	return harness_main(argc, argv, &suites[child], 1);
}
