/* SPDX-License-Identifier: MIT
 *
 * server_client.c: the connections of the control server.
 *
 * evhttp has no limit on connections, none on the time a request may take as long as bytes trickle in, and does not
 * notice a client that goes away while its reply is pending. Hence the client table: each connection's bufferevent is
 * made here and held with a reference of our own, and a sweep looks at all of them once a second while there are any. A
 * bufferevent whose error callback is gone has been given up by evhttp (bufferevent_free clears the callbacks first).
 */
#include "ctl/serve/server_private.h"

#include "base/clock.h"

#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <poll.h>
#include <sys/socket.h>

#define SWEEP_US INT64_C(1000000)

int64_t server_now(void)
{
	return clock_system()->mono(clock_system());
}

void server_arm(struct event *timer, int64_t us)
{
	struct timeval tv = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};
	event_add(timer, &tv);
}

static bool client_given_up(const struct ctl_client *client)
{
	bufferevent_event_cb on_event = NULL;
	bufferevent_getcb(client->bev, NULL, NULL, &on_event, NULL);
	return on_event == NULL;
}

void server_forget_client(struct ctl_client *client)
{
	bufferevent_decref(client->bev);
	*client = (struct ctl_client){0};
}

static bool client_hung_up(const struct ctl_client *client)
{
	struct pollfd p = {.fd = bufferevent_getfd(client->bev)};
	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

/* The end of file makes evhttp close the connection by its own ways. */
static void client_evict(struct ctl_client *client)
{
	client->evicted = true;
	shutdown(bufferevent_getfd(client->bev), SHUT_RDWR);
}

static void client_sweep_one(struct ctl_server *server, struct ctl_client *client)
{
	if (client_given_up(client)) {
		server_forget_client(client);
		return;
	}
	if (client->exchange == NULL) {
		if (!client->evicted && server_now() - client->since_us > server->limits.idle_us)
			client_evict(client);
		return;
	}
	/* evhttp does not read while a reply is pending, so it cannot see this; freeing the connection runs on_close() */
	if (client_hung_up(client)) {
		evhttp_connection_free(evhttp_request_get_connection(client->exchange->http));
		server_forget_client(client);
	} else {
		server_heartbeat(client->exchange);
	}
}

/* Returns how many connections are open. */
static size_t clients_sweep(struct ctl_server *server)
{
	size_t n = 0;
	for (size_t i = 0; i <= server->limits.clients; i++) {
		struct ctl_client *client = &server->clients[i];
		if (client->bev != NULL)
			client_sweep_one(server, client);
		n += client->bev != NULL;
	}
	return n;
}

void server_on_sweep(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct ctl_server *server = ctx;
	size_t n = clients_sweep(server);
	if (server->listener != NULL && n < server->limits.clients &&
	    !event_pending(server->accept_timer, EV_TIMEOUT, NULL))
		evconnlistener_enable(server->listener);
	if (n > 0)
		server_arm(server->sweep_timer, SWEEP_US);
}

static struct ctl_client *client_oldest_idle(struct ctl_server *server)
{
	struct ctl_client *oldest = NULL;
	for (size_t i = 0; i <= server->limits.clients; i++) {
		struct ctl_client *client = &server->clients[i];
		if (client->bev != NULL && client->exchange == NULL && !client->evicted &&
		    (oldest == NULL || client->since_us < oldest->since_us))
			oldest = client;
	}
	return oldest;
}

struct ctl_client *server_client(struct ctl_server *server, const struct bufferevent *bev)
{
	for (size_t i = 0; i <= server->limits.clients; i++)
		if (server->clients[i].bev == bev)
			return &server->clients[i];
	return NULL;
}

/* A full table makes room by closing the connection that has been idle longest, and accepts nothing until that
 * happened. */
struct bufferevent *server_new_connection(struct event_base *base, void *ctx)
{
	struct ctl_server *server = ctx;
	size_t n = clients_sweep(server) + 1;
	struct ctl_client *client = server_client(server, NULL);
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	assert(client != NULL && bev != NULL);
	if (n >= server->limits.clients) {
		struct ctl_client *oldest = client_oldest_idle(server);
		if (oldest != NULL)
			client_evict(oldest);
		evconnlistener_disable(server->listener);
		server_arm(server->sweep_timer, 1000);
	} else {
		server_arm(server->sweep_timer, SWEEP_US);
	}
	/* evhttp may have given up a connection, and we not yet noticed: it must not read on without bounds */
	bufferevent_setwatermark(bev, EV_READ, 0, server->limits.header_bytes + server->limits.body_bytes);
	server_watch_errors(bev);
	bufferevent_incref(bev);
	*client = (struct ctl_client){.bev = bev, .since_us = server_now()};
	return bev;
}
