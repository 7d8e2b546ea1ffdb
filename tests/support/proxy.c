/* SPDX-License-Identifier: MIT
 *
 * proxy.c: a bad network between viewd and a server, for system tests. One thread, loopback and unix sockets only.
 *
 * 	proxy LISTEN UPSTREAM CONTROL    LISTEN is tcp:PORT (0: any free one of 127.0.0.1) or unix:PATH, UPSTREAM and
 *  CONTROL are paths
 * 	proxy -c CONTROL COMMAND...      tells the proxy something and prints its answer; when that is there, the command is
 *  in force
 *
 * Commands:
 * 	pass                 forget all troubles: what was held goes on, the port listens
 * 	refuse               the port is closed; existing connections stay
 * 	hold                 accept, but forward nothing: both sides believe that the other one is there
 * 	mute up|down         what the client (server) says disappears
 * 	delay MS             everything arrives so much later
 * 	stall N              N more bytes from the server, then nothing more
 * 	cut [N]              reset all connections now, or each one after N more bytes from the server
 * 	only TEXT            the troubles above hit connections whose greeting contains TEXT; !TEXT: the others; without
 *  TEXT: all
 * 	on PLACE TEXT [AFTER]  once, for the first connection that says TEXT (having said AFTER before): PLACE is before
 *  (cut, not forwarded),
 * 	                     sent (forwarded, then cut), reply (the server's answer is cut off) or hold (forwarded, then
 *                       held)
 * 	port, accepted, open, hits   numbers; hits: how often `on` has struck
 */
#include "proxy.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MAX 4

/* ---- commands ---- */

static bool set_trap(struct proxy *p, char *const *words, size_t n)
{
	static const char *const places[] = {
		[PLACE_BEFORE] = "before", [PLACE_SENT] = "sent", [PLACE_REPLY] = "reply", [PLACE_HOLD] = "hold"};
	for (size_t i = PLACE_BEFORE; i < sizeof places / sizeof places[0]; i++) {
		if (n < 3 || strcmp(words[1], places[i]) != 0)
			continue;
		p->trap.place = (enum place)i;
		snprintf(p->trap.text, sizeof p->trap.text, "%s", words[2]);
		snprintf(p->trap.after, sizeof p->trap.after, "%s", n > 3 ? words[3] : "");
		links_forget_said(p);
		return true;
	}
	return false;
}

static bool set_mute(struct proxy *p, const char *word)
{
	bool up = strcmp(word, "up") == 0;
	if (!up && strcmp(word, "down") != 0)
		return false;
	p->trouble.mute[up ? CLIENT : SERVER] = true;
	return true;
}

static bool set_budget(struct proxy *p, const char *number, bool cuts)
{
	p->trouble.budget = strtoll(number, NULL, 10);
	p->trouble.cuts = cuts;
	return true;
}

static void pass(struct proxy *p)
{
	p->trouble = (struct trouble){.budget = -1};
	p->trap.place = PLACE_NONE;
	p->only[0] = '\0';
	links_release(p);
	if (p->listener < 0)
		p->listener = address_listen(&p->address);
}

static void refuse(struct proxy *p)
{
	if (p->listener >= 0)
		address_close(&p->address, &p->listener);
}

/* Returns false for what is no command. */
static bool obey(struct proxy *p, char *const *words, size_t n)
{
	const char *first = n > 0 ? words[0] : "", *second = n > 1 ? words[1] : NULL;
	if (strcmp(first, "pass") == 0)
		pass(p);
	else if (strcmp(first, "refuse") == 0)
		refuse(p);
	else if (strcmp(first, "hold") == 0)
		p->trouble.hold = true;
	else if (strcmp(first, "cut") == 0 && second == NULL)
		links_cut(p);
	else if (strcmp(first, "only") == 0)
		snprintf(p->only, sizeof p->only, "%s", second != NULL ? second : "");
	else if (strcmp(first, "on") == 0)
		return set_trap(p, words, n);
	else if (second == NULL)
		return false;
	else if (strcmp(first, "mute") == 0)
		return set_mute(p, second);
	else if (strcmp(first, "delay") == 0)
		p->trouble.delay_ms = strtoll(second, NULL, 10);
	else if (strcmp(first, "stall") == 0 || strcmp(first, "cut") == 0)
		return set_budget(p, second, first[0] == 'c');
	else
		return false;
	return true;
}

static bool ask(const struct proxy *p, const char *word, long long *number_r)
{
	const struct {
		const char *word;
		long long number;
	} known[] = {{"port", p->address.port},
	             {"accepted", p->n_accepted},
	             {"open", (long long)links_open(p)},
	             {"hits", p->n_hits}};
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		if (strcmp(word, known[i].word) != 0)
			continue;
		*number_r = known[i].number;
		return true;
	}
	return false;
}

/* One request: words that end with a NUL each. The client writes it at once and waits, so nothing here blocks for
 * long. */
static void serve_control(struct proxy *p)
{
	char text[1024], answer[64] = "?\n";
	char *words[WORDS_MAX];
	size_t n = 0;
	long long number;
	int fd = accept_one(p->control);
	ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
	if (got > 0) {
		text[got] = '\0';
		for (char *w = text; w < text + got && n < WORDS_MAX; w += strlen(w) + 1)
			words[n++] = w;
		if (n == 1 && ask(p, words[0], &number))
			snprintf(answer, sizeof answer, "%lld\n", number);
		else if (obey(p, words, n))
			answer[0] = '\0';
		if (write(fd, answer, strlen(answer)) < 0)
			fprintf(stderr, "proxy: nobody waits for the answer\n");
	}
	if (fd >= 0)
		close(fd);
}

/* ---- the two programs ---- */

static int tell(const char *control, char *const *words, int n)
{
	char text[1024], answer[64];
	size_t len = 0;
	struct address address = {.path = control};
	int fd = address_connect(&address);
	for (int i = 0; i < n && len + strlen(words[i]) < sizeof text; i++) {
		strcpy(text + len, words[i]);
		len += strlen(words[i]) + 1;
	}
	ssize_t got = fd >= 0 && write(fd, text, len) == (ssize_t)len ? read(fd, answer, sizeof answer) : -1;
	if (got < 0) {
		fprintf(stderr, "proxy: no answer (%s)\n", strerror(errno));
		return EXIT_FAILURE;
	}
	fwrite(answer, 1, (size_t)got, stdout);
	return got > 0 && answer[0] == '?' ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void serve(struct proxy *p)
{
	struct pollfd fds[2 + 2 * LINKS_MAX];
	for (;;) {
		int timeout_ms = -1;
		fds[0] = (struct pollfd){.fd = p->control, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = p->listener, .events = POLLIN};
		size_t n = 2 + links_poll(p, fds + 2, &timeout_ms);
		if (poll(fds, n, timeout_ms) < 0 && errno != EINTR)
			return;
		links_serve(p, fds + 2);
		if (fds[1].revents != 0)
			links_accept(p);
		if (fds[0].revents != 0)
			serve_control(p);
	}
}

int main(int argc, char **argv)
{
	static struct proxy p = {.trouble.budget = -1};
	struct address control;
	if (argc > 3 && strcmp(argv[1], "-c") == 0)
		return tell(argv[2], argv + 3, argc - 3);
	if (argc != 4 || !address_parse(argv[1], &p.address)) {
		fprintf(stderr, "usage: %s tcp:PORT|unix:PATH UPSTREAM CONTROL, or %s -c CONTROL COMMAND...\n", argv[0],
		        argv[0]);
		return 2;
	}
	if (!address_parse(argv[2], &p.upstream))
		p.upstream = (struct address){.path = argv[2]};
	control = (struct address){.path = argv[3]};
	p.listener = address_listen(&p.address);
	p.control = address_listen(&control);
	if (p.listener >= 0 && p.control >= 0)
		serve(&p);
	fprintf(stderr, "proxy: %s\n", strerror(errno));
	return EXIT_FAILURE;
}
