/* SPDX-License-Identifier: MIT
 *
 * latency.c: from the commit of a change until it is visible in a view that follows its source.
 * Usage: latency TARGET CHANGES CHANGE READ REFRESH
 *
 * CHANGE is a statement that makes READ (a query on the view) answer something else. Each time is taken beside one run of REFRESH alone,
 * which a client runs on a view of its own. Prints median and 99th percentile of both, and the difference. Exit 1: a change was
 * not seen within 30 seconds.
 */
#include "support/sqlclient.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_CHANGES 10000
#define GIVE_UP_US INT64_C(30000000)
#define PAUSE_NS 200000L /* between two looks: a reader that never pauses would take a core from the server */

static int64_t now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void sql(struct sqlclient *client, const char *text, char *answer, size_t size)
{
	if (sqlclient_run(client, text, answer, size))
		return;
	fprintf(stderr, "latency: %s (%s)\n", text, answer);
	exit(EXIT_FAILURE);
}

/* Microseconds from the end of the change until the view answers differently. */
static int64_t one_change(struct sqlclient *client, const char *change, const char *read_it)
{
	char before[256], after[256], ignored[256];
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	sql(client, read_it, before, sizeof before);
	sql(client, change, ignored, sizeof ignored);
	int64_t from = now_us();
	do {
		nanosleep(&pause, NULL);
		sql(client, read_it, after, sizeof after);
		if (now_us() - from > GIVE_UP_US) {
			fprintf(stderr, "latency: the view still answers %s\n", before);
			exit(EXIT_FAILURE);
		}
	} while (strcmp(before, after) == 0);
	return now_us() - from;
}

static int64_t one_refresh(struct sqlclient *client, const char *refresh)
{
	char ignored[256];
	int64_t from = now_us();
	sql(client, refresh, ignored, sizeof ignored);
	return now_us() - from;
}

static int ascending(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return *a < *b ? -1 : *a > *b;
}

int main(int argc, char **argv)
{
	static int64_t seen[MAX_CHANGES], alone[MAX_CHANGES];
	size_t n = argc == 6 ? strtoul(argv[2], NULL, 10) : 0;
	if (n == 0 || n > MAX_CHANGES) {
		fprintf(stderr, "usage: latency TARGET CHANGES CHANGE READ REFRESH\n");
		return 2;
	}
	struct sqlclient *client = sqlclient_open(argv[1]);
	for (size_t i = 0; i < n; i++) {
		seen[i] = one_change(client, argv[3], argv[4]);
		alone[i] = one_refresh(client, argv[5]);
	}
	sqlclient_close(&client);
	qsort(seen, n, sizeof *seen, ascending);
	qsort(alone, n, sizeof *alone, ascending);
	double median = (double)(seen[n / 2] - alone[n / 2]) / 1000, p99 = (double)(seen[n * 99 / 100] - alone[n / 2]) / 1000;
	printf("commit to visible: median %.1f ms, p99 %.1f ms; refresh alone: median %.1f ms, p99 %.1f ms; added: median %.1f (goal 10), p99 %.1f (goal 50)\n",
	       (double)seen[n / 2] / 1000, (double)seen[n * 99 / 100] / 1000, (double)alone[n / 2] / 1000, (double)alone[n * 99 / 100] / 1000,
	       median, p99);
	return EXIT_SUCCESS;
}
