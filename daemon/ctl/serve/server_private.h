/* SPDX-License-Identifier: MIT
 *
 * server_private.h: the records that the files of the control server share. [loop]
 */
#ifndef VIEWD_CTL_SERVE_SERVER_PRIVATE_H
#define VIEWD_CTL_SERVE_SERVER_PRIVATE_H

#include "ctl/serve/server.h"
#include "ctl/serve/socket.h"

#include <event2/util.h>
#include <sys/types.h>

struct ctl_exchange;
struct bufferevent;
struct evhttp_request;
struct page_file;

struct ctl_client {
	struct bufferevent *bev; /* NULL: free slot */
	int64_t since_us;
	struct ctl_exchange *exchange; /* request read, reply pending */
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
	struct event *mark;       /* always pending: leads from a listener to its server */
	struct event *file_event; /* something happened in the socket's directory */
	int dir_fd;               /* inotify; -1: none to be had, then nobody looks */
	struct ctl_socket socket;
	struct ctl_client *clients;   /* limits.clients of them, one more for the newest */
	size_t n_open[COMMAND_PACES]; /* calls without their whole reply yet */
	bool foreign_told;
	bool web;       /* an address, not the control socket: whoever asks may look and no more */
	int reserve_fd; /* given up to accept-and-close one client when descriptors run out */
	uid_t own_uid;
	uid_t overflow_uid;
};

/* One request until its reply. Outlives the connection when the client leaves first. */
struct ctl_exchange {
	struct ctl_server *server;
	struct evhttp_request *http; /* NULL: the client is gone */
	struct bufferevent *bev;     /* of its connection */
	struct call *call;
	enum command_pace pace;
	char *audit;               /* NULL: not a changing command */
	struct call_stream stream; /* fill NULL: no stream */
	enum call_more more;       /* what fill said last */
	bool sending;              /* a piece is on its way */
	int64_t sent_us;
};

/* ---- server_client.c: the client table --------------------------------------------------------------------------- */

int64_t server_now(void);
void server_arm(struct event *timer, int64_t us);

/* evhttp's callback for a new connection: makes its bufferevent and keeps it in the table. */
struct bufferevent *server_new_connection(struct event_base *base, void *server);

/* The sweep timer's work. */
void server_on_sweep(evutil_socket_t fd, short what, void *server);

/* The slot of a connection; of NULL a free one. */
struct ctl_client *server_client(struct ctl_server *server, const struct bufferevent *bev);
void server_forget_client(struct ctl_client *client);

/* ---- server_error.c ---------------------------------------------------------------------------------------------- */

/* Has the replies of this connection that evhttp makes by itself written in JSON. */
void server_watch_errors(struct bufferevent *bev);

/* ---- server_request.c: what comes in ----------------------------------------------------------------------------- */

/* evhttp's callback for a request. */
void server_on_request(struct evhttp_request *http, void *server);

/* ---- server_reply.c: what goes out ------------------------------------------------------------------------------- */

/* Headers of every reply, up to a NULL name. */
struct server_header {
	const char *name, *value;
};
const struct server_header *server_headers(void);

/* Answers a request that never became a call. */
void server_refuse(struct ctl_server *server, struct evhttp_request *http, int status, const char *class_word,
                   const struct viewd_err *err);

/* Answers with a file of the page. */
void server_send_file(struct ctl_server *server, struct evhttp_request *http, const struct page_file *file);

/* Makes a call of an admitted request and runs it. audit is what the log tells; NULL nothing. */
void server_start_call(struct ctl_server *server, struct evhttp_request *http, struct args *args, const char *audit);

/* A stream that has been silent for long says that it is alive. */
void server_heartbeat(struct ctl_exchange *ex);

#endif
