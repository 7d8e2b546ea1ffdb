/* SPDX-License-Identifier: MIT */
#include "work/program.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/span.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a program that is told to end gets to do so. */
#define END_GRACE (2 * SPAN_SECOND)

enum end { END_BY_ITSELF, END_TIME, END_STOPPED };

static int64_t now(void)
{
	return clock_system()->mono(clock_system());
}

static int set_files(const struct program *program, posix_spawn_file_actions_t *files)
{
	int failed = program->in_fd > 0 ? posix_spawn_file_actions_adddup2(files, program->in_fd, STDIN_FILENO)
	                                : posix_spawn_file_actions_addopen(files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	int out = program->out_fd > 0 ? program->out_fd : STDERR_FILENO;
	if (failed == 0)
		failed = posix_spawn_file_actions_adddup2(files, out, STDOUT_FILENO);
	return failed != 0 ? failed : posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
}

static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t all, none;
	sigfillset(&all);
	sigemptyset(&none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setpgroup(attributes, 0);
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
}

/* The number of an error, or 0. */
static int spawn(const struct program *program, pid_t *pid_r)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_init(&files);
	posix_spawnattr_init(&attributes);
	int failed = set_files(program, &files);
	if (failed == 0)
		failed = set_attributes(&attributes);
	if (failed == 0)
		failed = posix_spawn(pid_r, program->argv[0], &files, &attributes, program->argv, program->envp);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return failed;
}

/* False: the time was over before. stop_fd -1: nobody can stop the wait. */
static bool wait_end(int process_fd, int stop_fd, int64_t until, bool *stopped_r)
{
	struct pollfd fds[] = {{.fd = process_fd, .events = POLLIN}, {.fd = stop_fd, .events = POLLIN}};
	for (;;) {
		int64_t left = until - now();
		int n = poll(fds, 2, left > 0 ? (int)((left + SPAN_MS - 1) / SPAN_MS) : 0);
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0 && fds[0].revents != 0)
			return true;
		*stopped_r = n > 0 && fds[1].revents != 0;
		if (*stopped_r || left <= 0)
			return false;
	}
}

static enum end end_of(const struct program *program, pid_t pid, int process_fd)
{
	bool stopped = false;
	if (wait_end(process_fd, program->stop_fd, now() + program->timeout_us, &stopped))
		return END_BY_ITSELF;
	kill(-pid, SIGTERM);
	bool ignored;
	(void)wait_end(process_fd, -1, now() + END_GRACE, &ignored); /* killed next, whether it has ended or not */
	return stopped ? END_STOPPED : END_TIME;
}

static bool judge(const struct program *program, enum end end, int status, struct viewd_err *err)
{
	const char *name = program->argv[0];
	if (end == END_TIME) {
		char span[64];
		return err_set(err, VIEWD_ERR_TIMEOUT, "%s was ended (not done after %s)", name,
		               span_format(program->timeout_us, span, sizeof span));
	}
	if (end == END_STOPPED)
		return err_set(err, VIEWD_ERR_CANCELLED, "%s was ended (viewd stops)", name);
	if (WIFSIGNALED(status))
		return err_set(err, VIEWD_ERR_RESOURCE, "%s ended by signal %d (%s)", name, WTERMSIG(status),
		               strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, VIEWD_ERR_RESOURCE, "%s ended with status %d", name, WEXITSTATUS(status));
	return true;
}

bool program_run(const struct program *program, struct viewd_err *err)
{
	pid_t pid;
	int failed = spawn(program, &pid), status = 0;
	if (failed != 0)
		return err_sys(err, VIEWD_ERR_RESOURCE, failed, "%s cannot be started", program->argv[0]);
	int process_fd = pidfd_open(pid, 0);
	failed = errno;
	enum end end = process_fd >= 0 ? end_of(program, pid, process_fd) : END_BY_ITSELF;
	/* The number of the process, and that of its group, are nobody else's until it has been waited for. */
	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (process_fd < 0)
		return err_sys(err, VIEWD_ERR_RESOURCE, failed, "%s cannot be waited for", program->argv[0]);
	close(process_fd);
	return judge(program, end, status, err);
}
