/* SPDX-License-Identifier: MIT
 *
 * refresh.c: what a refresh through viewd costs beside the same SQL sent by a client. Usage: refresh TARGET
 * CONTROL_SOCKET VIEW PAIRS CHANGE STATEMENT...
 *
 * Runs PAIRS pairs: the statements through the client library, and a refresh of VIEW through the control socket, in
 * alternating order; before each the statement CHANGE, which is not timed. Prints the medians, their ratio and their
 * difference.
 */
#include "support/sqlclient.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MAX_PAIRS 10000

struct bench {
	struct sqlclient *client;
	const char *socket_path;
	const char *view;
	const char *change;
	char **statements;
	int64_t direct[MAX_PAIRS], viewd[MAX_PAIRS];
};

static void die(const char *what, const char *why)
{
	fprintf(stderr, "refresh: %s (%s)\n", what, why);
	exit(EXIT_FAILURE);
}

static int64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void sql(struct bench *b, const char *text)
{
	char answer[1024];
	if (!sqlclient_run(b->client, text, answer, sizeof answer))
		die(text, answer);
}

static int connect_control(const char *path)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof addr.sun_path)
		die(path, "the path is too long");
	memcpy(addr.sun_path, path, strlen(path));
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || connect(sock, (const struct sockaddr *)&addr, sizeof addr) != 0)
		die(path, strerror(errno));
	return sock;
}

/* One answer: head, then as many bytes as it says. */
static void read_answer(int sock, char *text, size_t size)
{
	size_t used = 0, wanted = size - 1;
	while (used < wanted) {
		ssize_t n = read(sock, text + used, size - 1 - used);
		if (n <= 0)
			die("the control socket was closed", n < 0 ? strerror(errno) : "end of file");
		used += (size_t)n;
		text[used] = '\0';
		const char *body = strstr(text, "\r\n\r\n");
		const char *length = strcasestr(text, "content-length:");
		if (body != NULL && length != NULL && length < body)
			wanted = (size_t)(body + 4 - text) + strtoul(length + strlen("content-length:"), NULL, 10);
	}
}

static void through_viewd(struct bench *b)
{
	char body[256], text[8192];
	int n = snprintf(body, sizeof body, "{\"view\":[\"%s\"],\"wait\":true}", b->view);
	int total = snprintf(text, sizeof text,
	                     "POST /v1/refresh HTTP/1.1\r\nHost: viewd\r\nContent-Type: "
	                     "application/json\r\nContent-Length: %d\r\n\r\n%s",
	                     n, body);
	int sock = connect_control(b->socket_path); /* the server closes after each answer */
	if (write(sock, text, (size_t)total) != total)
		die("cannot write to the control socket", strerror(errno));
	read_answer(sock, text, sizeof text);
	close(sock);
	if (strstr(text, "SUCCEEDED") == NULL)
		die("the refresh failed", text);
}

static int64_t time_direct(struct bench *b)
{
	sql(b, b->change);
	int64_t from = now_us();
	for (char **s = b->statements; *s != NULL; s++)
		sql(b, *s);
	return now_us() - from;
}

static int64_t time_viewd(struct bench *b)
{
	sql(b, b->change);
	int64_t from = now_us();
	through_viewd(b);
	return now_us() - from;
}

static int ascending(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return *a < *b ? -1 : *a > *b;
}

static int64_t median(int64_t *times, size_t n)
{
	qsort(times, n, sizeof *times, ascending);
	return times[n / 2];
}

int main(int argc, char **argv)
{
	static struct bench b;
	long pairs = argc > 6 ? strtol(argv[4], NULL, 10) : 0;
	if (pairs < 1 || pairs > MAX_PAIRS) {
		fprintf(stderr, "usage: %s TARGET CONTROL_SOCKET VIEW PAIRS CHANGE STATEMENT...\n", argv[0]);
		return 2;
	}
	b = (struct bench){.client = sqlclient_open(argv[1]),
	                   .socket_path = argv[2],
	                   .view = argv[3],
	                   .change = argv[5],
	                   .statements = argv + 6};
	time_direct(&b);
	time_viewd(&b);
	for (long i = 0; i < pairs; i++) {
		if (i % 2 == 0)
			b.direct[i] = time_direct(&b);
		b.viewd[i] = time_viewd(&b);
		if (i % 2 == 1)
			b.direct[i] = time_direct(&b);
	}
	int64_t direct = median(b.direct, (size_t)pairs), viewd = median(b.viewd, (size_t)pairs);
	printf("%10.2f %10.2f %8.3f %10.2f\n", (double)direct / 1e3, (double)viewd / 1e3, (double)viewd / (double)direct,
	       (double)(viewd - direct) / 1e3);
	sqlclient_close(&b.client);
	return EXIT_SUCCESS;
}
