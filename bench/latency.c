/* SPDX-License-Identifier: MIT
 *
 * latency.c: from the commit of a change until it is visible in a view that follows its source. Usage: latency TARGET
 * CHANGES PAUSE_MS CHANGE READ STATEMENT...
 *
 * CHANGE is a statement that makes READ (a query on the view) answer something else. Each time is taken beside one run
 * of the STATEMENTs, which refresh objects that nothing else uses; before either comes a pause of half to one and a
 * half times PAUSE_MS, in which everything settles. Prints milliseconds: median and 99th percentile of the changes, the
 * same of the refreshes alone. Exit 1: a change was not seen within 30 seconds.
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

static int64_t one_refresh(struct sqlclient *client, char *const *statements)
{
	char ignored[256];
	int64_t from = now_us();
	for (; *statements != NULL; statements++)
		sql(client, *statements, ignored, sizeof ignored);
	return now_us() - from;
}

/* Not in step with anything that looks at fixed intervals. */
static void rest(long ms)
{
	const int64_t us = (int64_t)ms * (500 + rand() % 1000);
	const struct timespec pause = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
	nanosleep(&pause, NULL);
}

static int ascending(const void *x, const void *y)
{
	const int64_t *a = x, *b = y;
	return *a < *b ? -1 : *a > *b;
}

static double ms_at(int64_t *times, size_t n, size_t percent)
{
	qsort(times, n, sizeof *times, ascending);
	return (double)times[n * percent / 100] / 1000;
}

int main(int argc, char **argv)
{
	static int64_t seen[MAX_CHANGES], alone[MAX_CHANGES];
	size_t n = argc > 6 ? strtoul(argv[2], NULL, 10) : 0;
	if (n == 0 || n > MAX_CHANGES) {
		fprintf(stderr, "usage: latency TARGET CHANGES PAUSE_MS CHANGE READ STATEMENT...\n");
		return 2;
	}
	long pause_ms = strtol(argv[3], NULL, 10);
	struct sqlclient *client = sqlclient_open(argv[1]);
	for (size_t i = 0; i < n; i++) {
		rest(pause_ms);
		seen[i] = one_change(client, argv[4], argv[5]);
		rest(pause_ms);
		alone[i] = one_refresh(client, argv + 6);
	}
	sqlclient_close(&client);
	printf("%.2f %.2f %.2f %.2f\n", ms_at(seen, n, 50), ms_at(seen, n, 99), ms_at(alone, n, 50), ms_at(alone, n, 99));
	return EXIT_SUCCESS;
}
