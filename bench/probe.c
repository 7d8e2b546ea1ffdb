/* SPDX-License-Identifier: MIT
 *
 * probe.c: asks the control socket for the status again and again until SIGTERM. Usage: probe CONTROL_SOCKET PAUSE_MS
 *
 * Prints how many answers there were and how long they took, milliseconds: median, 99th percentile, longest. A question
 * that is not answered with 200 ends it with exit status 1.
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_ANSWERS 1000000

static volatile sig_atomic_t over;

static void end(int sig)
{
	(void)sig;
	over = 1;
}

static int64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "probe: %s (%s)\n", what, why);
	exit(EXIT_FAILURE);
}

static int connect_to(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path);
	if (sock < 0 || connect(sock, (const struct sockaddr *)&addr, sizeof addr) != 0)
		die(path, strerror(errno));
	return sock;
}

/* Microseconds until the last byte of the answer. */
static int64_t ask(const char *path)
{
	static const char question[] = "GET /v1/status HTTP/1.1\r\nHost: viewd\r\nConnection: close\r\n\r\n";
	char text[65536], head[16] = "";
	int64_t from = now_us();
	int sock = connect_to(path);
	if (write(sock, question, sizeof question - 1) != (ssize_t)sizeof question - 1)
		die("cannot ask", strerror(errno));
	for (ssize_t n; (n = read(sock, text, sizeof text)) != 0;) {
		if (n < 0 && errno != EINTR)
			die("no answer", strerror(errno));
		if (n > 12 && head[0] == '\0')
			snprintf(head, sizeof head, "%.12s", text);
	}
	close(sock);
	if (strcmp(head, "HTTP/1.1 200") != 0)
		die("another answer than 200", head);
	return now_us() - from;
}

static int ascending(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return *a < *b ? -1 : *a > *b;
}

int main(int argc, char **argv)
{
	static int64_t times[MAX_ANSWERS];
	size_t n = 0;
	if (argc != 3) {
		fprintf(stderr, "usage: probe CONTROL_SOCKET PAUSE_MS\n");
		return 2;
	}
	const struct timespec pause = {.tv_nsec = strtol(argv[2], NULL, 10) * 1000000};
	signal(SIGTERM, end);
	while (!over && n < MAX_ANSWERS) {
		times[n++] = ask(argv[1]);
		nanosleep(&pause, NULL);
	}
	qsort(times, n, sizeof *times, ascending);
	printf("%zu %.2f %.2f %.2f\n", n, (double)times[n / 2] / 1e3, (double)times[n * 99 / 100] / 1e3,
	       (double)times[n - 1] / 1e3);
	return EXIT_SUCCESS;
}
