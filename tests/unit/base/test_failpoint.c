/* SPDX-License-Identifier: MIT
 *
 * test_failpoint.c: rules of VIEWD_FAILPOINT, each in a child process that may die of it.
 */
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "base/failpoint.h"
#include "support/harness.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Hits place n times under rule; the signal that killed or stopped the child, 0 when it lived. */
static int hit(const char *rule, const char *place, int n)
{
	fflush(NULL);
	pid_t pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0) {
		setenv("VIEWD_FAILPOINT", rule, 1);
		while (n-- > 0)
			failpoint_hit(place);
		_exit(0);
	}
	int status = 0;
	REQUIRE(waitpid(pid, &status, WUNTRACED) == pid);
	if (WIFSTOPPED(status)) {
		int sig = WSTOPSIG(status);
		kill(pid, SIGKILL);
		REQUIRE(waitpid(pid, &status, 0) == pid);
		return sig;
	}
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void without_rules(void)
{
	CHECK_INT(hit("", "a", 5), 0);
	CHECK_INT(hit("nonsense", "a", 5), 0);
	CHECK_INT(hit("a:frobnicate", "a", 5), 0);
}

static void rules(void)
{
#ifndef VIEWD_FAILPOINTS
	CHECK_INT(hit("a:kill", "a", 1), 0);
	harness_skip("failpoints are not compiled in");
#else
	CHECK_INT(hit("a:kill", "a", 1), SIGKILL);
	CHECK_INT(hit("a:stop", "a", 1), SIGSTOP);
	CHECK_INT(hit("a:kill", "b", 1), 0);
	CHECK_INT(hit("a:kill", "ab", 1), 0);
	CHECK_INT(hit("ab:kill", "a", 1), 0);
	CHECK_INT(hit("a:kill:3", "a", 2), 0);
	CHECK_INT(hit("a:kill:3", "a", 3), SIGKILL);
	CHECK_INT(hit("x:kill,a:stop:2", "a", 2), SIGSTOP);
	CHECK_INT(hit("refresh.*:kill", "refresh.swap", 1), SIGKILL);
	CHECK_INT(hit("refresh.*:kill", "create.swap", 1), 0);
	CHECK_INT(hit("*:kill", "any", 1), SIGKILL);
#endif
}

static const struct harness_test tests[] = {{"without rules", without_rules}, {"rules", rules}};
HARNESS_MAIN(SUITE("failpoint", tests))
