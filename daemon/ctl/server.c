/* SPDX-License-Identifier: MIT
 *
 * server.c: evhttp on the control socket.
 *
 * evhttp has no limit on connections, none on the time a request may take as long as bytes trickle in, and does not notice a client
 * that goes away while its reply is pending. Hence the client table: each connection's bufferevent is made here and held with a
 * reference of our own, and a sweep looks at all of them once a second while there are any. A bufferevent whose error callback is
 * gone has been given up by evhttp (bufferevent_free clears the callbacks first).
 */
#include "ctl/server.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "ctl/audit.h"
#include "ctl/json.h"
#include "ctl/peer.h"
#include "ctl/socket.h"
#include "loop/loop.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <talloc.h>
#include <unistd.h>

#define SWEEP_US INT64_C(1000000)
#define ACCEPT_PAUSE_US INT64_C(100000)

struct exchange;

struct client {
	struct bufferevent *bev; /* NULL: free slot */
	int64_t since_us;
	struct exchange *exchange; /* request read, reply pending */
	bool evicted;
};

struct ctl_server {
	const struct ctl *ctl;
	struct ctl_limits limits;
	struct event_base *base;
	struct evhttp *http;
	struct evconnlistener *listener;
	struct evhttp_bound_socket *bound;
	struct event *sweep_timer;
	struct event *accept_timer;
	struct event *file_timer;
	struct ctl_socket socket;
	struct client *clients; /* limits.clients of them, one more for the newest */
	size_t n_pending;
	bool foreign_told;
	int reserve_fd; /* given up to accept-and-close one client when descriptors run out */
	uid_t own_uid;
	uid_t overflow_uid;
};

/* One request until its reply. Outlives the connection when the client leaves first. */
struct exchange {
	struct ctl_server *server;
	struct evhttp_request *http; /* NULL: the client is gone */
	bool slow;
	char *audit; /* NULL: not a changing command */
};

static int64_t now_us(void)
{
	return clock_system()->mono(clock_system());
}

static void arm(struct event *timer, int64_t us)
{
	struct timeval tv = {.tv_sec = us / 1000000, .tv_usec = us % 1000000};
	event_add(timer, &tv);
}

/* ---- the client table -------------------------------------------------------------------------------------------- */

static bool client_given_up(const struct client *client)
{
	bufferevent_event_cb on_event = NULL;
	bufferevent_getcb(client->bev, NULL, NULL, &on_event, NULL);
	return on_event == NULL;
}

static void client_forget(struct client *client)
{
	bufferevent_decref(client->bev);
	*client = (struct client){0};
}

static bool client_hung_up(const struct client *client)
{
	struct pollfd p = {.fd = bufferevent_getfd(client->bev)};
	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

/* The end of file makes evhttp close the connection by its own ways. */
static void client_evict(struct client *client)
{
	client->evicted = true;
	shutdown(bufferevent_getfd(client->bev), SHUT_RDWR);
}

static void client_sweep_one(struct ctl_server *server, struct client *client)
{
	if (client_given_up(client)) {
		client_forget(client);
		return;
	}
	if (client->exchange == NULL) {
		if (!client->evicted && now_us() - client->since_us > server->limits.idle_us)
			client_evict(client);
		return;
	}
	/* evhttp does not read while a reply is pending, so it cannot see this; freeing the connection runs on_close() */
	if (client_hung_up(client)) {
		evhttp_connection_free(evhttp_request_get_connection(client->exchange->http));
		client_forget(client);
	}
}

/* Returns how many connections are open. */
static size_t clients_sweep(struct ctl_server *server)
{
	size_t n = 0;
	for (size_t i = 0; i <= server->limits.clients; i++) {
		struct client *client = &server->clients[i];
		if (client->bev != NULL)
			client_sweep_one(server, client);
		n += client->bev != NULL;
	}
	return n;
}

static void on_sweep(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct ctl_server *server = ctx;
	size_t n = clients_sweep(server);
	if (server->listener != NULL && n < server->limits.clients && !event_pending(server->accept_timer, EV_TIMEOUT, NULL))
		evconnlistener_enable(server->listener);
	if (n > 0)
		arm(server->sweep_timer, SWEEP_US);
}

static struct client *client_oldest_idle(struct ctl_server *server)
{
	struct client *oldest = NULL;
	for (size_t i = 0; i <= server->limits.clients; i++) {
		struct client *client = &server->clients[i];
		if (client->bev != NULL && client->exchange == NULL && !client->evicted &&
		    (oldest == NULL || client->since_us < oldest->since_us))
			oldest = client;
	}
	return oldest;
}

static struct client *client_slot(struct ctl_server *server, const struct bufferevent *bev)
{
	for (size_t i = 0; i <= server->limits.clients; i++)
		if (server->clients[i].bev == bev)
			return &server->clients[i];
	return NULL;
}

/* A full table makes room by closing the connection that has been idle longest, and accepts nothing until that happened. */
static struct bufferevent *on_new_connection(struct event_base *base, void *ctx)
{
	struct ctl_server *server = ctx;
	size_t n = clients_sweep(server) + 1;
	struct client *client = client_slot(server, NULL);
	struct bufferevent *bev = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
	assert(client != NULL && bev != NULL);
	if (n >= server->limits.clients) {
		struct client *oldest = client_oldest_idle(server);
		if (oldest != NULL)
			client_evict(oldest);
		evconnlistener_disable(server->listener);
		arm(server->sweep_timer, 1000);
	} else {
		arm(server->sweep_timer, SWEEP_US);
	}
	/* evhttp may have given up a connection, and we not yet noticed: it must not read on without bounds */
	bufferevent_setwatermark(bev, EV_READ, 0, server->limits.header_bytes + server->limits.body_bytes);
	bufferevent_incref(bev);
	*client = (struct client){.bev = bev, .since_us = now_us()};
	return bev;
}

/* ---- replies ----------------------------------------------------------------------------------------------------- */

/* evhttp is about to give up the connection: sweep right after that. */
static void on_sent(struct evhttp_request *http UNUSED, void *ctx)
{
	struct ctl_server *server = ctx;
	arm(server->sweep_timer, 0);
}

static void send_text(struct ctl_server *server, struct evhttp_request *http, int status, char *text)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(http);
	struct evbuffer *out = evbuffer_new();
	assert(out != NULL);
	evhttp_add_header(headers, "Content-Type", "application/json");
	evhttp_add_header(headers, "Cache-Control", "no-store");
	evhttp_add_header(headers, "Connection", "close");
	evbuffer_add_printf(out, "%s\n", text);
	evhttp_request_set_on_complete_cb(http, on_sent, server);
	evhttp_send_reply(http, status, NULL, out);
	evbuffer_free(out);
}

static void send_json(struct ctl_server *server, struct evhttp_request *http, int status, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT);
	assert(text != NULL);
	if (strlen(text) > server->limits.reply_bytes) {
		struct viewd_err err;
		err_set(&err, VIEWD_ERR_RESOURCE, "reply is too large (at most %zu bytes)", server->limits.reply_bytes);
		json_t *small = call_error_body("resource", &err);
		free(text);
		text = json_dumps(small, JSON_COMPACT);
		status = 500;
		json_decref(small);
	}
	send_text(server, http, status, text);
	free(text);
}

static void refuse(struct ctl_server *server, struct evhttp_request *http, int status, const char *class_word,
                   const struct viewd_err *err)
{
	json_t *body = call_error_body(class_word, err);
	send_json(server, http, status, body);
	json_decref(body);
}

static struct client *client_of(struct ctl_server *server, struct evhttp_request *http)
{
	return client_slot(server, evhttp_connection_get_bufferevent(evhttp_request_get_connection(http)));
}

/* Parts a request from its connection. */
static void exchange_detach(struct exchange *ex)
{
	struct client *client = client_of(ex->server, ex->http);
	client->exchange = NULL;
	client->since_us = now_us();
	ex->server->n_pending -= ex->slow;
	ex->http = NULL;
}

static void on_close(struct evhttp_connection *evcon UNUSED, void *ctx)
{
	exchange_detach(ctx);
}

static void on_reply(void *ctx, int status, json_t *body)
{
	struct exchange *ex = ctx;
	struct evhttp_request *http = ex->http;
	if (ex->audit != NULL)
		audit_log(ex->audit, status, body, http == NULL);
	if (http != NULL) {
		exchange_detach(ex);
		evhttp_connection_set_closecb(evhttp_request_get_connection(http), NULL, NULL);
		send_json(ex->server, http, status, body);
	}
	json_decref(body);
	talloc_free(ex);
}

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
		refuse(server, http, 404, "usage", &err);
		return NULL;
	}
	bool get = command->verb == COMMAND_GET;
	if (evhttp_request_get_command(http) == (get ? EVHTTP_REQ_GET : EVHTTP_REQ_POST))
		return command;
	err_set(&err, VIEWD_ERR_CONFIG, "%s takes %s", command->path, get ? "GET" : "POST");
	evhttp_add_header(evhttp_request_get_output_headers(http), "Allow", get ? "GET" : "POST");
	refuse(server, http, 405, "usage", &err);
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
	refuse(server, http, 403, "denied", &err);
	return false;
}

static void start(struct ctl_server *server, struct evhttp_request *http, struct args *args, const struct peer *peer)
{
	struct exchange *ex = talloc_zero(NULL, struct exchange);
	assert(ex != NULL);
	ex->server = server;
	ex->http = http;
	ex->slow = args_command(args)->pace == COMMAND_SLOW;
	if (args_mutates(args))
		ex->audit = talloc_asprintf(ex, "uid %u pid %ld, %s%s", (unsigned)peer->uid, (long)peer->pid, args_command(args)->name,
		                            args_describe(ex, args));
	server->n_pending += ex->slow;
	client_of(server, http)->exchange = ex;
	evhttp_connection_set_closecb(evhttp_request_get_connection(http), on_close, ex);
	call_start(server->ctl, args, on_reply, ex);
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
		refuse(server, http, 400, "usage", &err);
	} else if (command->pace == COMMAND_SLOW && server->n_pending >= server->limits.pending) {
		err_set(&err, VIEWD_ERR_RESOURCE, "too many calls are waiting (%zu)", server->n_pending);
		err_hint(&err, "try again later");
		refuse(server, http, 503, "resource", &err);
	} else if (admit(server, http, args, &peer)) {
		start(server, http, args, &peer);
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

/* Out of descriptors: libevent would report the same connection again at once, for ever. One client is told by a close, then
 * accepting pauses. The second argument is evhttp's, not ours; our file timer, always pending, leads to the server. */
static void on_accept_error(struct evconnlistener *listener, void *http UNUSED)
{
	int why = errno;
	struct search search = {.listener = listener};
	event_base_foreach_event(evconnlistener_get_base(listener), search_event, &search);
	struct ctl_server *server = search.server;
	assert(server != NULL);
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
	arm(server->accept_timer, ACCEPT_PAUSE_US);
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
static void on_file_check(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct ctl_server *server = ctx;
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
	arm(server->file_timer, server->limits.file_check_us);
}

static void http_open(struct ctl_server *server)
{
	struct timeval idle = {.tv_sec = server->limits.idle_us / 1000000, .tv_usec = server->limits.idle_us % 1000000};
	server->http = evhttp_new(server->base);
	assert(server->http != NULL);
	evhttp_set_gencb(server->http, on_request, server);
	evhttp_set_bevcb(server->http, on_new_connection, server);
	evhttp_set_max_headers_size(server->http, (ev_ssize_t)server->limits.header_bytes);
	evhttp_set_max_body_size(server->http, (ev_ssize_t)server->limits.body_bytes);
	evhttp_set_timeout_tv(server->http, &idle);
	evhttp_set_allowed_methods(server->http, UINT16_MAX); /* all, so that a wrong one gets a reply in JSON too */
}

struct ctl_server *ctl_server_new(struct loop *loop, const char *path, const struct ctl *ctl, const struct ctl_limits *limits,
                                  struct viewd_err *err)
{
	struct ctl_server *server = talloc_zero(NULL, struct ctl_server);
	assert(server != NULL);
	server->ctl = ctl;
	server->limits = limits != NULL ? *limits : ctl_limits_default();
	server->base = loop_base(loop);
	server->clients = talloc_zero_array(server, struct client, (unsigned)server->limits.clients + 1);
	server->own_uid = geteuid();
	server->overflow_uid = peer_overflow_uid();
	server->sweep_timer = evtimer_new(server->base, on_sweep, server);
	server->accept_timer = evtimer_new(server->base, on_sweep, server);
	server->file_timer = evtimer_new(server->base, on_file_check, server);
	signal(SIGPIPE, SIG_IGN);
	server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	http_open(server);
	if (!ctl_socket_lock(&server->socket, path, err) || !listener_open(server, err)) {
		ctl_server_free(&server);
		return NULL;
	}
	arm(server->file_timer, server->limits.file_check_us);
	return server;
}

void ctl_server_free(struct ctl_server **server_p)
{
	struct ctl_server *server = *server_p;
	if (server == NULL)
		return;
	event_free(server->sweep_timer);
	event_free(server->accept_timer);
	event_free(server->file_timer);
	evhttp_free(server->http); /* the listener and every connection; on_close() parts running calls from theirs */
	for (size_t i = 0; i <= server->limits.clients; i++)
		if (server->clients[i].bev != NULL)
			client_forget(&server->clients[i]);
	if (server->reserve_fd >= 0)
		close(server->reserve_fd);
	ctl_socket_close(&server->socket);
	talloc_free(server);
	*server_p = NULL;
}
