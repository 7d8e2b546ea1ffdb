/* SPDX-License-Identifier: MIT
 *
 * server.c: evhttp on the control socket: the listener, and from a request to a call.
 */
#include "ctl/serve/server_private.h"

#include "base/err.h"
#include "base/log.h"
#include "ctl/serve/peer.h"
#include "loop/loop.h"

#include <errno.h>
#include <event2/buffer.h>
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

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* The command a request is for, or NULL and the request is answered. */
static const struct command *route(struct ctl_server *server, struct evhttp_request *http)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	const struct command *command = path != NULL ? command_by_path(path) : NULL;
	struct viewd_err err;
	if (command == NULL) {
		err_set(&err, VIEWD_ERR_MISSING, "path '%.100s' is not known", path != NULL ? path : "");
		err_hint(&err, "for example GET /v1/status");
		server_refuse(server, http, 404, "usage", &err);
		return NULL;
	}
	bool get = command->verb == COMMAND_GET;
	if (evhttp_request_get_command(http) == (get ? EVHTTP_REQ_GET : EVHTTP_REQ_POST))
		return command;
	err_set(&err, VIEWD_ERR_CONFIG, "%s takes %s", command->path, get ? "GET" : "POST");
	evhttp_add_header(evhttp_request_get_output_headers(http), "Allow", get ? "GET" : "POST");
	server_refuse(server, http, 405, "usage", &err);
	return NULL;
}

static bool read_args(struct evhttp_request *http, struct args *args, struct viewd_err *err)
{
	if (args_command(args)->verb == COMMAND_GET)
		return args_from_query(args, evhttp_uri_get_query(evhttp_request_get_evhttp_uri(http)), err);
	struct evbuffer *in = evhttp_request_get_input_buffer(http);
	size_t len = evbuffer_get_length(in);
	return args_from_json(args, len > 0 ? (const char *)evbuffer_pullup(in, -1) : "", len, err);
}

/* Whether the peer may make this call; on false the request is answered. peer_r is filled for the log. */
static bool admit(struct ctl_server *server, struct evhttp_request *http, const struct args *args, struct peer *peer_r)
{
	struct viewd_err err;
	struct bufferevent *bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(http));
	bool known = peer_of(bufferevent_getfd(bev), peer_r, &err);
	if (known && (!args_mutates(args) || peer_may_mutate(peer_r, server->own_uid, server->overflow_uid, &err)))
		return true;
	if (known)
		log_warning("control, uid %u pid %ld, %s: refused (%s)", (unsigned)peer_r->uid, (long)peer_r->pid,
		            args_command(args)->name, err.msg);
	server_refuse(server, http, 403, "denied", &err);
	return false;
}

static void start_call(struct ctl_server *server, struct evhttp_request *http, struct args *args,
                       const struct peer *peer)
{
	char *audit = NULL;
	if (args_mutates(args))
		audit = talloc_asprintf(args, "uid %u pid %ld, %s%s", (unsigned)peer->uid, (long)peer->pid,
		                        args_command(args)->name, args_describe(args, args));
	server_start_call(server, http, args, audit);
}

/* Is there room for one more call of that pace? */
static bool has_room(const struct ctl_server *server, enum command_pace pace, struct viewd_err *err)
{
	const size_t limits[COMMAND_PACES] = {
		[COMMAND_QUICK] = SIZE_MAX, [COMMAND_SLOW] = server->limits.pending, [COMMAND_HELD] = server->limits.held};
	if (server->n_open[pace] < limits[pace])
		return true;
	err_set(err, VIEWD_ERR_RESOURCE, "too many calls are waiting (%zu)", server->n_open[pace]);
	return err_hint(err, "try again later");
}

static void on_request(struct evhttp_request *http, void *ctx)
{
	struct ctl_server *server = ctx;
	const struct command *command = route(server, http);
	if (command == NULL)
		return;
	struct viewd_err err;
	struct peer peer;
	struct args *args = args_new(NULL, command);
	if (!read_args(http, args, &err)) {
		server_refuse(server, http, 400, "usage", &err);
	} else if (!has_room(server, command->pace, &err)) {
		server_refuse(server, http, 503, "resource", &err);
	} else if (admit(server, http, args, &peer)) {
		start_call(server, http, args, &peer);
		return;
	}
	talloc_free(args);
}

/* ---- the listener ------------------------------------------------------------------------------------------------ */

static void on_file_check(evutil_socket_t fd, short what, void *ctx);

struct search {
	const struct evconnlistener *listener;
	struct ctl_server *server;
};

static int search_event(const struct event_base *base UNUSED, const struct event *event, void *ctx)
{
	struct search *search = ctx;
	struct ctl_server *server = event_get_callback(event) == on_file_check ? event_get_callback_arg(event) : NULL;
	if (server != NULL && server->listener == search->listener)
		search->server = server;
	return search->server != NULL;
}

/* Out of descriptors: libevent would report the same connection again at once, for ever. One client is told by a close,
 * then accepting pauses. The second argument is evhttp's, not ours; our file timer, always pending, leads to the
 * server. */
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
		log_warning("control socket, accept failed (%s)", strerror(why));
	server_arm(server->accept_timer, ACCEPT_PAUSE_US);
}

static bool listener_open(struct ctl_server *server, struct viewd_err *err)
{
	int fd = -1;
	if (!ctl_socket_listen(&server->socket, &fd, err))
		return false;
	unsigned flags = LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC;
	server->listener = evconnlistener_new(server->base, NULL, NULL, flags, 0, fd);
	assert(server->listener != NULL);
	evconnlistener_set_error_cb(server->listener, on_accept_error);
	server->bound = evhttp_bind_listener(server->http, server->listener);
	assert(server->bound != NULL);
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
	evhttp_set_gencb(server->http, on_request, server);
	evhttp_set_bevcb(server->http, server_new_connection, server);
	evhttp_set_max_headers_size(server->http, (ev_ssize_t)server->limits.header_bytes);
	evhttp_set_max_body_size(server->http, (ev_ssize_t)server->limits.body_bytes);
	evhttp_set_timeout_tv(server->http, &idle);
	evhttp_set_allowed_methods(server->http, UINT16_MAX); /* all, so that a wrong one gets a reply in JSON too */
}

struct ctl_server *ctl_server_new(struct loop *loop, const char *path, const struct ctl *ctl,
                                  const struct ctl_limits *limits, struct viewd_err *err)
{
	struct ctl_server *server = talloc_zero(NULL, struct ctl_server);
	assert(server != NULL);
	server->ctl = ctl;
	server->limits = limits != NULL ? *limits : ctl_limits_default();
	server->base = loop_base(loop);
	server->clients = talloc_zero_array(server, struct ctl_client, (unsigned)server->limits.clients + 1);
	server->own_uid = geteuid();
	server->overflow_uid = peer_overflow_uid();
	server->sweep_timer = evtimer_new(server->base, server_on_sweep, server);
	server->accept_timer = evtimer_new(server->base, server_on_sweep, server);
	server->dir_fd = ctl_socket_watch(path);
	server->file_event = event_new(server->base, server->dir_fd, EV_READ | EV_PERSIST, on_file_check, server);
	signal(SIGPIPE, SIG_IGN);
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	http_open(server);
	if (!ctl_socket_lock(&server->socket, path, err) || !listener_open(server, err)) {
		ctl_server_free(&server);
		return NULL;
	}
	if (server->dir_fd >= 0)
		event_add(server->file_event, NULL);
	return server;
}

void ctl_server_free(struct ctl_server **server_p)
{
	struct ctl_server *server = *server_p;
	if (server == NULL)
		return;
	event_free(server->sweep_timer);
	event_free(server->accept_timer);
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
