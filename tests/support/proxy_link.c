/* SPDX-License-Identifier: MIT
 *
 * proxy_link.c: pairs of connections and what passes between them.
 */
#include "proxy.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define QUEUE_MAX (1024 * 1024)

struct piece {
	struct piece *next;
	int64_t due_ms;
	size_t len, sent;
	char data[];
};

/* Bytes that one side has sent and the other one has not got yet. */
struct flow {
	struct piece *head, **tail;
	size_t queued;
	bool ended;
};

struct link {
	int fd[2];
	struct flow flow[2]; /* by who speaks */
	char hello[512];     /* the first things that the client said */
	size_t n_hello;
	bool said;         /* the trap's AFTER */
	bool held, doomed; /* by the trap */
	bool dead;
};

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* ---- who is in trouble ---- */

static bool is_meant(const struct proxy *p, const struct link *l)
{
	const char *text = p->only;
	bool other = text[0] == '!';
	if (text[0] == '\0')
		return true;
	text += other;
	return l->n_hello > 0 && (memmem(l->hello, l->n_hello, text, strlen(text)) != NULL) != other;
}

static bool is_held(const struct proxy *p, const struct link *l, enum side from)
{
	const struct trouble *t = &p->trouble;
	return l->held || (is_meant(p, l) && (t->hold || (from == SERVER && t->budget == 0 && !t->cuts)));
}

/* ---- ends ---- */

/* With a reset instead of an orderly end, where the kind of socket has one. */
static void reset(int fd)
{
	const struct linger now = {.l_onoff = 1, .l_linger = 0};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}

static void link_free(struct link *l)
{
	for (int side = CLIENT; side <= SERVER; side++) {
		reset(l->fd[side]);
		for (struct piece *piece = l->flow[side].head, *next; piece != NULL; piece = next) {
			next = piece->next;
			free(piece);
		}
	}
	free(l);
}

void links_cut(struct proxy *p)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		if (p->links[i] == NULL || !is_meant(p, p->links[i]))
			continue;
		link_free(p->links[i]);
		p->links[i] = NULL;
	}
}

void links_release(struct proxy *p)
{
	for (size_t i = 0; i < LINKS_MAX; i++)
		if (p->links[i] != NULL)
			p->links[i]->held = false;
}

void links_forget_said(struct proxy *p)
{
	for (size_t i = 0; i < LINKS_MAX; i++)
		if (p->links[i] != NULL)
			p->links[i]->said = false;
}

size_t links_open(const struct proxy *p)
{
	size_t n = 0;
	for (size_t i = 0; i < LINKS_MAX; i++)
		n += p->links[i] != NULL;
	return n;
}

/* ---- begin ---- */

void links_accept(struct proxy *p)
{
	size_t i = 0;
	int fd = accept_one(p->listener);
	if (fd < 0)
		return;
	p->n_accepted++;
	while (i < LINKS_MAX && p->links[i] != NULL)
		i++;
	int up = i < LINKS_MAX ? address_connect(&p->upstream) : -1;
	if (up < 0) {
		reset(fd);
		return;
	}
	struct link *l = calloc(1, sizeof *l);
	if (l == NULL)
		abort();
	l->fd[CLIENT] = fd;
	l->fd[SERVER] = up;
	for (int side = CLIENT; side <= SERVER; side++)
		l->flow[side].tail = &l->flow[side].head;
	p->links[i] = l;
}

/* ---- what passes ---- */

static void take(struct flow *flow, const char *data, size_t len, int64_t due_ms)
{
	struct piece *piece = malloc(sizeof *piece + len);
	if (piece == NULL)
		abort();
	*piece = (struct piece){.due_ms = due_ms, .len = len};
	memcpy(piece->data, data, len);
	*flow->tail = piece;
	flow->tail = &piece->next;
	flow->queued += len;
}

static void give(struct link *l, enum side from)
{
	struct flow *flow = &l->flow[from];
	struct piece *piece = flow->head;
	ssize_t sent = send(l->fd[!from], piece->data + piece->sent, piece->len - piece->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0) {
		l->dead = errno != EAGAIN && errno != EINTR;
		return;
	}
	piece->sent += (size_t)sent;
	flow->queued -= (size_t)sent;
	if (piece->sent < piece->len)
		return;
	flow->head = piece->next;
	if (flow->head == NULL)
		flow->tail = &flow->head;
	free(piece);
}

/* True: the piece goes no further. */
static bool trapped(struct proxy *p, struct link *l, const char *data, size_t len)
{
	const struct trap *trap = &p->trap;
	bool after = trap->after[0] == '\0' || l->said;
	if (trap->place == PLACE_NONE)
		return false;
	l->said |= memmem(data, len, trap->after, strlen(trap->after)) != NULL;
	if (!after || memmem(data, len, trap->text, strlen(trap->text)) == NULL)
		return false;
	enum place place = trap->place;
	p->trap.place = PLACE_NONE;
	p->n_hits++;
	l->doomed = place == PLACE_REPLY;
	l->held = place == PLACE_HOLD;
	l->dead = place == PLACE_BEFORE || place == PLACE_SENT;
	if (place != PLACE_BEFORE)
		l->dead |= send(l->fd[SERVER], data, len, MSG_NOSIGNAL) < 0;
	return true;
}

static void heard_client(struct link *l, const char *data, size_t len)
{
	size_t room = sizeof l->hello - l->n_hello;
	if (len > room)
		len = room;
	memcpy(l->hello + l->n_hello, data, len);
	l->n_hello += len;
}

/* How much of what the server said may pass; the rest is the end of the connection or never arrives. */
static size_t spend(struct proxy *p, struct link *l, size_t len)
{
	struct trouble *t = &p->trouble;
	if (t->budget < 0 || !is_meant(p, l))
		return len;
	if ((long long)len > t->budget)
		len = (size_t)t->budget;
	t->budget -= (long long)len;
	return len;
}

static void listen_to(struct proxy *p, struct link *l, enum side from)
{
	char data[16384];
	ssize_t got = recv(l->fd[from], data, sizeof data, MSG_DONTWAIT);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got < 0)
		l->dead = true;
	if (got <= 0) {
		l->flow[from].ended = true;
		return;
	}
	size_t len = (size_t)got;
	if (from == CLIENT)
		heard_client(l, data, len);
	if (from == SERVER && l->doomed) {
		l->dead = true;
		return;
	}
	if ((is_meant(p, l) && p->trouble.mute[from]) || (from == CLIENT && trapped(p, l, data, len)))
		return;
	if (from == SERVER)
		len = spend(p, l, len);
	take(&l->flow[from], data, len, now_ms() + (is_meant(p, l) ? p->trouble.delay_ms : 0));
}

/* ---- the loop's side ---- */

static bool may_listen(const struct proxy *p, const struct link *l, enum side from)
{
	return !l->flow[from].ended && l->flow[from].queued < QUEUE_MAX && !is_held(p, l, from);
}

static bool may_give(const struct link *l, enum side from)
{
	return l->flow[from].head != NULL && l->flow[from].head->due_ms <= now_ms();
}

static void poll_link(const struct proxy *p, const struct link *l, struct pollfd *fds, int *timeout_ms)
{
	for (int side = CLIENT; side <= SERVER; side++) {
		bool gives = may_give(l, !side) && !is_held(p, l, !side);
		int events = (may_listen(p, l, side) ? POLLIN : 0) | (gives ? POLLOUT : 0);
		fds[side] = (struct pollfd){.fd = events != 0 ? l->fd[side] : -1, .events = (short)events};
		if (l->flow[side].head == NULL || is_held(p, l, side))
			continue;
		int64_t left = l->flow[side].head->due_ms - now_ms();
		if (left > 0 && (*timeout_ms < 0 || left < *timeout_ms))
			*timeout_ms = (int)left;
	}
}

size_t links_poll(struct proxy *p, struct pollfd *fds, int *timeout_ms)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		fds[2 * i] = fds[2 * i + 1] = (struct pollfd){.fd = -1};
		if (p->links[i] != NULL)
			poll_link(p, p->links[i], fds + 2 * i, timeout_ms);
	}
	return 2 * LINKS_MAX;
}

static bool is_over(const struct proxy *p, const struct link *l)
{
	const struct trouble *t = &p->trouble;
	bool spent = t->budget == 0 && t->cuts && is_meant(p, l) && l->flow[SERVER].head == NULL;
	bool drained = (l->flow[CLIENT].ended && l->flow[CLIENT].head == NULL) ||
	               (l->flow[SERVER].ended && l->flow[SERVER].head == NULL);
	return l->dead || spent || drained;
}

void links_serve(struct proxy *p, const struct pollfd *fds)
{
	for (size_t i = 0; i < LINKS_MAX; i++) {
		struct link *l = p->links[i];
		if (l == NULL)
			continue;
		for (int side = CLIENT; side <= SERVER; side++) {
			short seen = fds[2 * i + (size_t)side].revents;
			if ((seen & POLLOUT) != 0 && may_give(l, !side))
				give(l, !side);
			if ((seen & (POLLIN | POLLHUP | POLLERR)) != 0 && may_listen(p, l, side))
				listen_to(p, l, side);
		}
		if (!is_over(p, l))
			continue;
		link_free(l);
		p->links[i] = NULL;
	}
}
