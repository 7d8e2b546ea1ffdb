/* SPDX-License-Identifier: MIT
 *
 * ready.c: runs a daemon and measures it. Usage: ready CONTROL_FILE IDLE_SECONDS PROGRAM ARGUMENT...
 *
 * Prints "NAME VALUE" lines: ready_us (exec to READY=1), settled_us (then until it uses no more CPU), rss_kib,
 * reload_us (SIGHUP to READY=1), reload_changed_us (when READY_OTHER names a file that takes the place of READY_FILE),
 * idle_wakeups (voluntary context switches of the main thread during IDLE_SECONDS).
 * Around the reload it appends `report` commands for the fake dialect to CONTROL_FILE ("-": none), so that
 * CONTROL_FILE.before and .after hold its calls.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LIMIT_US INT64_C(120000000)

struct run {
	int sock;
	pid_t pid;
	const char *control;
};

static void die(const char *what)
{
	fprintf(stderr, "ready: %s (%s)\n", what, strerror(errno));
	exit(1);
}

static int64_t now(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void pause_us(int64_t us)
{
	poll(NULL, 0, (int)(us / 1000));
}

static void listen_for_news(struct run *r)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	snprintf(addr.sun_path, sizeof addr.sun_path, "/tmp/viewd-bench-%ld", (long)getpid());
	unlink(addr.sun_path);
	r->sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (r->sock < 0 || bind(r->sock, (struct sockaddr *)&addr, sizeof addr) != 0)
		die("cannot bind the notify socket");
	setenv("NOTIFY_SOCKET", addr.sun_path, 1);
}

static void wait_ready(struct run *r)
{
	char text[4096];
	for (int64_t end = now() + LIMIT_US; now() < end;) {
		struct pollfd p = {.fd = r->sock, .events = POLLIN};
		if (poll(&p, 1, 200) == 1) {
			ssize_t n = recv(r->sock, text, sizeof text - 1, 0);
			text[n > 0 ? n : 0] = '\0';
			if (strstr(text, "READY=1") != NULL)
				return;
		}
		if (waitpid(r->pid, NULL, WNOHANG) == r->pid)
			break;
	}
	die("the daemon did not become ready");
}

/* The number behind a word in a file of /proc/PID. */
static int64_t proc_number(pid_t pid, const char *file, const char *word)
{
	char path[64], line[512];
	int64_t value = -1;
	snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, file);
	FILE *f = fopen(path, "re");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (strncmp(line, word, strlen(word)) == 0)
			value = strtoll(line + strlen(word), NULL, 10);
	if (f != NULL)
		fclose(f);
	return value;
}

/* Clock ticks used by all threads. */
static int64_t cpu_ticks(pid_t pid)
{
	char path[64], line[1024];
	snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
	FILE *f = fopen(path, "re");
	if (f == NULL || fgets(line, sizeof line, f) == NULL)
		die("cannot read /proc");
	fclose(f);
	char *p = strrchr(line, ')') + 2;
	for (int i = 0; i < 11; i++)
		p = strchr(p, ' ') + 1;
	char *end;
	int64_t user = strtoll(p, &end, 10);
	return user + strtoll(end, NULL, 10);
}

static void wait_quiet(pid_t pid)
{
	int64_t last = cpu_ticks(pid);
	for (int quiet = 0; quiet < 5;) {
		pause_us(100000);
		int64_t ticks = cpu_ticks(pid);
		quiet = ticks == last ? quiet + 1 : 0;
		last = ticks;
	}
}

static void ask_report(const struct run *r, const char *suffix)
{
	if (strcmp(r->control, "-") == 0)
		return;
	FILE *f = fopen(r->control, "ae");
	if (f == NULL)
		die("cannot write the control file");
	fprintf(f, "report %s.%s\n", r->control, suffix);
	fclose(f);
}

static int64_t reload(struct run *r)
{
	int64_t start = now();
	kill(r->pid, SIGHUP);
	wait_ready(r);
	return now() - start;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: ready CONTROL_FILE IDLE_SECONDS PROGRAM ARGUMENT...\n");
		return 2;
	}
	struct run r = {.control = argv[1]};
	listen_for_news(&r);
	int64_t start = now();
	r.pid = fork();
	if (r.pid == 0) {
		execv(argv[3], argv + 3);
		_exit(127);
	}
	wait_ready(&r);
	printf("ready_us %" PRId64 "\n", now() - start);
	wait_quiet(r.pid);
	printf("settled_us %" PRId64 "\n", now() - start);
	printf("rss_kib %" PRId64 "\n", proc_number(r.pid, "status", "VmRSS:"));
	int idle = (int)strtol(argv[2], NULL, 10);
	if (idle > 0) {
		ask_report(&r, "before");
		printf("reload_us %" PRId64 "\n", reload(&r));
		wait_quiet(r.pid);
		ask_report(&r, "after"); /* obeyed at the first call of the next reload, before that is counted */
		printf("reload_again_us %" PRId64 "\n", reload(&r));
		wait_quiet(r.pid);
		const char *other = getenv("READY_OTHER"), *file = getenv("READY_FILE");
		if (other != NULL && file != NULL && rename(other, file) == 0)
			printf("reload_changed_us %" PRId64 "\n", reload(&r));
		wait_quiet(r.pid);
		printf("rss_after_reloads_kib %" PRId64 "\n", proc_number(r.pid, "status", "VmRSS:"));
		int64_t before = proc_number(r.pid, "status", "voluntary_ctxt_switches:");
		pause_us((int64_t)idle * 1000000);
		printf("idle_wakeups %" PRId64 "\n", proc_number(r.pid, "status", "voluntary_ctxt_switches:") - before);
	}
	kill(r.pid, SIGTERM);
	waitpid(r.pid, NULL, 0);
	unlink(getenv("NOTIFY_SOCKET"));
	return 0;
}
