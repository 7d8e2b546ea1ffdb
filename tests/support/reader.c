/* SPDX-License-Identifier: MIT
 *
 * reader.c: a client that reads one thing again and again and expects the same answer. Usage: reader TARGET SQL ANSWER
 *
 * Ends on SIGTERM with "N reads, M wrong" and status 0, or 1 when an answer was an error or another one; the first
 * wrong answers are printed. Says "reading" after the first good read.
 */
#include "support/sqlclient.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 5

static volatile sig_atomic_t stopping;

static void on_term(int number)
{
	(void)number;
	stopping = 1;
}

int main(int argc, char **argv)
{
	const struct sigaction action = {.sa_handler = on_term};
	char answer[4096];
	unsigned long reads = 0;
	unsigned long wrong = 0;
	if (argc != 4) {
		fprintf(stderr, "usage: %s TARGET SQL ANSWER\n", argv[0]);
		return 2;
	}
	struct sqlclient *client = sqlclient_open(argv[1]);
	sigaction(SIGTERM, &action, NULL);
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (; !stopping; reads++) {
		bool good = sqlclient_run(client, argv[2], answer, sizeof answer);
		answer[strcspn(answer, "\n")] = '\0';
		if (good && strcmp(answer, argv[3]) == 0) {
			if (reads == 0)
				puts("reading");
			continue;
		}
		if (wrong++ < SHOWN)
			printf("read %lu: %s\n", reads, answer);
	}
	sqlclient_close(&client);
	printf("%lu reads, %lu wrong\n", reads, wrong);
	return wrong > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
