/* SPDX-License-Identifier: MIT
 *
 * inserts.c: clients that commit one statement after the other. Usage: inserts TARGET CLIENTS SECONDS[s]|COUNTx
 * STATEMENT [SETUP...]
 *
 * Each client is a process with a connection of its own, which runs SETUP and then STATEMENT until SECONDS have passed
 * or until all clients have run it COUNT times together (a number that ends in x). A statement that fails because
 * another client holds a lock is tried again. Prints committed statements a second.
 */
#include "support/sqlclient.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLIENTS 64

struct load {
	const char *target, *statement;
	char *const *setup;
	long clients;
	int64_t seconds; /* 0: count */
	long count;      /* of one client */
};

static int64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void need(struct sqlclient *client, const char *sql)
{
	char answer[256];
	if (sqlclient_run(client, sql, answer, sizeof answer))
		return;
	fprintf(stderr, "inserts: %s (%s)\n", sql, answer);
	_exit(EXIT_FAILURE);
}

static long run(const struct load *load, struct sqlclient *client)
{
	char answer[256];
	long n = 0;
	int64_t end = now_us() + load->seconds * 1000000;
	while (load->seconds > 0 ? now_us() < end : n < load->count) {
		if (sqlclient_run(client, load->statement, answer, sizeof answer))
			n++;
		else if (strstr(answer, "lock") == NULL && strstr(answer, "busy") == NULL) {
			fprintf(stderr, "inserts: %s (%s)\n", load->statement, answer);
			_exit(EXIT_FAILURE);
		}
	}
	return n;
}

/* One client: tells that it is connected, waits for the start, tells how many. */
static void be_client(const struct load *load, int start, int result)
{
	char byte = 'x';
	struct sqlclient *client = sqlclient_open(load->target);
	for (char *const *s = load->setup; *s != NULL; s++)
		need(client, *s);
	if (write(result, &byte, 1) != 1 || read(start, &byte, 1) < 0)
		_exit(EXIT_FAILURE);
	long n = run(load, client);
	sqlclient_close(&client);
	_exit(write(result, &n, sizeof n) == (ssize_t)sizeof n ? EXIT_SUCCESS : EXIT_FAILURE);
}

static int begin(const struct load *load, int *result_r)
{
	int start[2], result[2];
	char byte;
	if (pipe(start) != 0 || pipe(result) != 0)
		return -1;
	for (long i = 0; i < load->clients; i++)
		if (fork() == 0) {
			close(start[1]);
			be_client(load, start[0], result[1]);
		}
	close(start[0]);
	close(result[1]);
	for (long i = 0; i < load->clients; i++)
		if (read(result[0], &byte, 1) != 1)
			return -1;
	*result_r = result[0];
	return start[1];
}

static bool parse(struct load *load, int argc, char **argv)
{
	char *unit;
	if (argc < 5)
		return false;
	*load =
		(struct load){.target = argv[1], .statement = argv[4], .setup = argv + 5, .clients = strtol(argv[2], NULL, 10)};
	long n = strtol(argv[3], &unit, 10);
	if (load->clients < 1 || load->clients > MAX_CLIENTS || n < 1)
		return false;
	if (unit[0] == 'x')
		load->count = n / load->clients;
	else
		load->seconds = n;
	return true;
}

int main(int argc, char **argv)
{
	struct load load;
	int result = -1;
	long all = 0, n;
	if (!parse(&load, argc, argv)) {
		fprintf(stderr, "usage: inserts TARGET CLIENTS SECONDS|COUNTx STATEMENT [SETUP...]\n");
		return 2;
	}
	int start = begin(&load, &result);
	if (start < 0)
		return EXIT_FAILURE;
	int64_t from = now_us();
	close(start);
	for (long i = 0; i < load.clients; i++) {
		if (read(result, &n, sizeof n) != (ssize_t)sizeof n)
			return EXIT_FAILURE;
		all += n;
	}
	printf("%.0f\n", (double)all * 1e6 / (double)(now_us() - from));
	while (wait(NULL) > 0)
		continue;
	return EXIT_SUCCESS;
}
