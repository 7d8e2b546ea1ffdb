/* SPDX-License-Identifier: MIT
 *
 * server.c: evhttp on the control socket or on an address: the listener.
 */
#include "ctl/serve/server_private.h"

#include "base/err.h"
#include "base/log.h"
#include "ctl/serve/peer.h"
#include "loop/loop.h"

#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <talloc.h>
#include <unistd.h>

#define ACCEPT_PAUSE_US INT64_C(100000)
/* A timer that has to be pending, and has nothing to do. */
#define MARK_US (INT64_C(1000000) * 86400)

/* ---- the listener ------------------------------------------------------------------------------------------------ */

/* Does nothing: its event leads to the server. */
static void on_mark(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx UNUSED)
{
}

struct search {
	const struct evconnlistener *listener;
	struct ctl_server *server;
};

static int search_event(const struct event_base *base UNUSED, const struct event *event, void *ctx)
{
	struct search *search = ctx;
	struct ctl_server *server = event_get_callback(event) == on_mark ? event_get_callback_arg(event) : NULL;
	if (server != NULL && server->listener == search->listener)
		search->server = server;
	return search->server != NULL;
}

/* Out of descriptors: libevent would report the same connection again at once, for ever. One client is told by a close,
 * then accepting pauses. The second argument is evhttp's, not ours. */
static void on_accept_error(struct evconnlistener *listener, void *http UNUSED)
{
	int why = errno;
	struct search search = {.listener = listener};
	int found = event_base_foreach_event(evconnlistener_get_base(listener), search_event, &search);
	struct ctl_server *server = search.server;
	assert(found != 0 && server != NULL);
	if (why == EMFILE || why == ENFILE) {
		if (server->reserve_fd >= 0)
			close(server->reserve_fd);
		int fd = accept4(evconnlistener_get_fd(listener), NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			close(fd);
		server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	evconnlistener_disable(listener);
	if (!event_pending(server->accept_timer, EV_TIMEOUT, NULL))
		log_warning("%s, accept failed (%s)", server->web ? "http" : "control socket", strerror(why));
	server_arm(server->accept_timer, ACCEPT_PAUSE_US);
}

/* Takes over a socket that listens. */
static void listener_bind(struct ctl_server *server, int fd)
{
	unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC;
	server->listener = evconnlistener_new(server->base, NULL, NULL, flags, 0, fd);
	assert(server->listener != NULL);
	evconnlistener_set_error_cb(server->listener, on_accept_error);
	server->bound = evhttp_bind_listener(server->http, server->listener);
	assert(server->bound != NULL);
}

static bool listener_open(struct ctl_server *server, struct viewd_err *err)
{
	int fd = -1;
	if (!ctl_socket_listen(&server->socket, &fd, err))
		return false;
	listener_bind(server, fd);
	return true;
}

/* Somebody removed the socket: make it again. Somebody put another there: say so, once. */
static void on_file_check(evutil_socket_t fd, short what UNUSED, void *ctx)
{
	struct ctl_server *server = ctx;
	ctl_socket_drain(fd);
	struct viewd_err err;
	enum ctl_socket_fate fate = ctl_socket_look(&server->socket);
	if (fate == CTL_SOCKET_GONE) {
		log_warning("control socket '%s', removed by somebody: made again", server->socket.path);
		if (server->bound != NULL)
			evhttp_del_accept_socket(server->http, server->bound);
		server->bound = NULL;
		server->listener = NULL;
		if (!listener_open(server, &err))
			log_error("control socket '%s', cannot be made again (%s)", server->socket.path, err.msg);
	} else if (fate == CTL_SOCKET_FOREIGN && !server->foreign_told) {
		log_error("control socket '%s', replaced by somebody: viewctl cannot reach this process", server->socket.path);
	}
	server->foreign_told = fate == CTL_SOCKET_FOREIGN;
}

static void http_open(struct ctl_server *server)
{
	struct timeval idle = {.tv_sec = server->limits.idle_us / 1000000, .tv_usec = server->limits.idle_us % 1000000};
	server->http = evhttp_new(server->base);
	assert(server->http != NULL);
	evhttp_set_gencb(server->http, server_on_request, server);
	evhttp_set_bevcb(server->http, server_new_connection, server);
	evhttp_set_max_headers_size(server->http, (ev_ssize_t)server->limits.header_bytes);
	evhttp_set_max_body_size(server->http, (ev_ssize_t)server->limits.body_bytes);
	evhttp_set_timeout_tv(server->http, &idle);
	evhttp_set_allowed_methods(server->http, UINT16_MAX); /* all, so that a wrong one gets a reply in JSON too */
}

/* The parts of both kinds of server; it listens nowhere yet. */
static struct ctl_server *server_new(struct loop *loop, const struct ctl *ctl, const struct ctl_limits *limits)
{
	struct ctl_server *server = talloc_zero(NULL, struct ctl_server);
	assert(server != NULL);
	server->ctl = ctl;
	server->limits = limits != NULL ? *limits : ctl_limits_default();
	server->base = loop_base(loop);
	server->clients = talloc_zero_array(server, struct ctl_client, (unsigned)server->limits.clients + 1);
	server->own_uid = geteuid();
	server->overflow_uid = peer_overflow_uid();
	server->dir_fd = server->socket.lock_fd = -1;
	server->sweep_timer = evtimer_new(server->base, server_on_sweep, server);
	server->accept_timer = evtimer_new(server->base, server_on_sweep, server);
	server->mark = event_new(server->base, -1, EV_PERSIST, on_mark, server);
	server_arm(server->mark, MARK_US);
	signal(SIGPIPE, SIG_IGN);
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	http_open(server);
	return server;
}

struct ctl_server *ctl_server_new(struct loop *loop, const char *path, const struct ctl *ctl,
                                  const struct ctl_limits *limits, struct viewd_err *err)
{
	struct ctl_server *server = server_new(loop, ctl, limits);
	server->dir_fd = ctl_socket_watch(path);
	server->file_event = event_new(server->base, server->dir_fd, EV_READ | EV_PERSIST, on_file_check, server);
	if (!ctl_socket_lock(&server->socket, path, err) || !listener_open(server, err)) {
		ctl_server_free(&server);
		return NULL;
	}
	if (server->dir_fd >= 0)
		event_add(server->file_event, NULL);
	return server;
}

struct ctl_server *ctl_server_new_web(struct loop *loop, int fd, const struct ctl *ctl, const struct ctl_limits *limits)
{
	struct ctl_server *server = server_new(loop, ctl, limits);
	server->web = true;
	listener_bind(server, fd);
	return server;
}

void ctl_server_free(struct ctl_server **server_p)
{
	struct ctl_server *server = *server_p;
	if (server == NULL)
		return;
	event_free(server->sweep_timer);
	event_free(server->accept_timer);
	event_free(server->mark);
	if (server->file_event != NULL)
		event_free(server->file_event);
	if (server->dir_fd >= 0)
		close(server->dir_fd);
	evhttp_free(server->http); /* the listener and every connection; on_close() parts running calls from theirs */
	for (size_t i = 0; i <= server->limits.clients; i++)
		if (server->clients[i].bev != NULL)
			server_forget_client(&server->clients[i]);
	if (server->reserve_fd >= 0)
		close(server->reserve_fd);
	ctl_socket_close(&server->socket);
	talloc_free(server);
	*server_p = NULL;
}
