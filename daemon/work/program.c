/* SPDX-License-Identifier: MIT */
#include "work/program.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/span.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long a program that is told to end gets to do so. */
#define END_GRACE (2 * SPAN_SECOND)

enum end { END_BY_ITSELF, END_TIME, END_STOPPED };

static int64_t now(void)
{
	return clock_system()->mono(clock_system());
}

/* ---- the child: until it is the program it makes system calls only, since it shares the memory ------------------ */

static bool set_files(const struct program *program)
{
	int in = program->in_fd > 0 ? program->in_fd : open("/dev/null", O_RDONLY);
	int out = program->out_fd > 0 ? program->out_fd : STDERR_FILENO;
	return in >= 0 && dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	       close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

static void set_signals(void)
{
	const struct sigaction dflt = {.sa_handler = SIG_DFL};
	sigset_t none;
	sigemptyset(&none);
	for (int n = 1; n < NSIG; n++)
		(void)sigaction(n, &dflt, NULL); /* some numbers belong to the library */
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Lowering a limit is always allowed. */
static void set_limit(uint64_t files_max)
{
	struct rlimit limit;
	if (files_max == 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = files_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static _Noreturn void become(const struct program *program, int tell_fd)
{
	int failed = setpgid(0, 0) != 0 || !set_files(program) ? errno : 0;
	if (failed == 0) {
		set_limit(program->files_max);
		set_signals();
		execve(program->argv[0], program->argv, program->envp);
		failed = errno;
	}
	while (write(tell_fd, &failed, sizeof failed) < 0 && errno == EINTR)
		continue;
	_exit(127);
}

/* ---- who starts it ----------------------------------------------------------------------------------------------- */

/* The number of the error that the child has met before it became the program, or 0. */
static int hear(int fd)
{
	int failed = 0;
	ssize_t got;
	do
		got = read(fd, &failed, sizeof failed);
	while (got < 0 && errno == EINTR);
	return got == (ssize_t)sizeof failed ? failed : 0;
}

/* Not posix_spawn(), which sets no limits, nor fork(), which copies the page tables of all that viewd holds. The child
 * shares this memory until it is the program or ends, so handlers of this process must not run in it. */
static pid_t fork_quietly(const struct program *program, int tell_fd)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pid_t pid = vfork();
	if (pid == 0)
		become(program, tell_fd);
	int failed = errno;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = failed;
	return pid;
}

/* The number of an error, or 0. */
static int spawn(const struct program *program, pid_t *pid_r)
{
	int pipe_fds[2];
	if (pipe2(pipe_fds, O_CLOEXEC) != 0)
		return errno;
	*pid_r = fork_quietly(program, pipe_fds[1]);
	int failed = *pid_r < 0 ? errno : 0;
	close(pipe_fds[1]);
	if (failed == 0)
		failed = hear(pipe_fds[0]);
	close(pipe_fds[0]);
	while (failed != 0 && *pid_r > 0 && waitpid(*pid_r, NULL, 0) < 0 && errno == EINTR)
		continue;
	return failed;
}

/* ---- its end ----------------------------------------------------------------------------------------------------- */

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
	pid_t pid = -1;
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
