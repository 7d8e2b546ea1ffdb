/* SPDX-License-Identifier: MIT
 *
 * proxy.h: the parts of tests/support/proxy.c.
 */
#ifndef VIEWD_TESTS_SUPPORT_PROXY_H
#define VIEWD_TESTS_SUPPORT_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINKS_MAX 128
#define TEXT_MAX_LEN 128

struct pollfd;

/* ---- proxy_address.c ---- */

struct address {
	const char *path; /* NULL: TCP on 127.0.0.1 */
	int port;         /* 0: any; address_listen sets it */
};

/* tcp:PORT or unix:PATH; the text must outlive the address. */
bool address_parse(const char *text, struct address *out);
/* Non-blocking sockets; -1 and errno on failure. Listening again uses the port of the first time. */
int address_listen(struct address *address);
int address_connect(const struct address *address);
int accept_one(int listener);
void address_close(const struct address *address, int *listener);

/* ---- proxy_link.c ---- */

enum side { CLIENT, SERVER };

enum place { PLACE_NONE, PLACE_BEFORE, PLACE_SENT, PLACE_REPLY, PLACE_HOLD };

struct trouble {
	bool hold;
	bool mute[2]; /* by who speaks */
	long long delay_ms;
	long long budget; /* bytes from the server that still pass; -1: no limit */
	bool cuts;        /* what follows them: a reset instead of silence */
};

struct trap {
	enum place place;
	char text[TEXT_MAX_LEN], after[TEXT_MAX_LEN];
};

struct link;

struct proxy {
	struct address address, upstream;
	int listener, control; /* listener -1: closed */
	struct trouble trouble;
	struct trap trap;
	char only[TEXT_MAX_LEN];
	struct link *links[LINKS_MAX];
	long long n_accepted, n_hits;
};

/* Takes one connection and opens its other half. */
void links_accept(struct proxy *p);
/* Fills two entries a link slot and returns how many; lowers *timeout_ms (-1: none) to when the next delayed piece is
 * due. */
size_t links_poll(struct proxy *p, struct pollfd *fds, int *timeout_ms);
/* Does what the entries filled by links_poll() have shown. */
void links_serve(struct proxy *p, const struct pollfd *fds);
/* Resets all. */
void links_cut(struct proxy *p);
/* Lets go those that a trap holds. */
void links_release(struct proxy *p);
/* A trap begins: what was said before it does not count. */
void links_forget_said(struct proxy *p);
size_t links_open(const struct proxy *p);

#endif
