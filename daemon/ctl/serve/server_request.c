/* SPDX-License-Identifier: MIT
 *
 * server_request.c: makes a call of a request, if it may come in at all.
 */
#include "ctl/serve/server_private.h"

#include "base/err.h"
#include "base/log.h"
#include "ctl/page/files.h"
#include "ctl/serve/host.h"
#include "ctl/serve/peer.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <string.h>
#include <talloc.h>

/* ---- where it comes from ----------------------------------------------------------------------------------------- */

/* The one Host header; NULL: there is none, or there are several. */
static const char *host_of(struct evhttp_request *http)
{
	const char *host = NULL;
	const struct evkeyval *header;
	for (header = evhttp_request_get_input_headers(http)->tqh_first; header != NULL; header = header->next.tqe_next) {
		if (evutil_ascii_strcasecmp(header->key, "Host") != 0)
			continue;
		if (host != NULL)
			return NULL;
		host = header->value;
	}
	return host;
}

/* A request in the form for proxies names its host twice, and is none of ours. */
static bool names_us(const struct ctl_server *server, struct evhttp_request *http, const char *host)
{
	static const struct conf_list none = {.n = 0};
	const struct conf *conf = engine_conf(server->ctl->engine);
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
	return uri != NULL && evhttp_uri_get_host(uri) == NULL &&
	       host_is_ours(host, conf != NULL ? &conf->daemon.http_hosts : &none);
}

/* Nobody asks the socket under a strange name: a browser cannot reach it. On false the request is answered. */
static bool host_is_right(struct ctl_server *server, struct evhttp_request *http)
{
	struct viewd_err err;
	const char *host = host_of(http);
	if (!server->web || (host != NULL && names_us(server, http, host)))
		return true;
	if (host == NULL) {
		err_set(&err, VIEWD_ERR_CONFIG, "the request has no Host, or more than one");
		server_refuse(server, http, 400, "usage", &err);
		return false;
	}
	err_set(&err, VIEWD_ERR_DENIED, "host '%.100s' is not served here", host);
	err_hint(&err, "ask for the address itself, or add the name to http_hosts");
	server_refuse(server, http, 403, "denied", &err);
	return false;
}

/* ---- what it asks for -------------------------------------------------------------------------------------------- */

static void refuse_method(struct ctl_server *server, struct evhttp_request *http, const char *path, const char *method)
{
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_CONFIG, "%s takes %s", path, method);
	evhttp_add_header(evhttp_request_get_output_headers(http), "Allow",
	                  strcmp(method, "GET") == 0 ? "GET, HEAD" : method);
	server_refuse(server, http, 405, "usage", &err);
}

static void refuse_path(struct ctl_server *server, struct evhttp_request *http, const char *path)
{
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_MISSING, "path '%.100s' is not known", path);
	err_hint(&err, "for example GET /v1/status");
	server_refuse(server, http, 404, "usage", &err);
}

static void refuse_change(struct ctl_server *server, struct evhttp_request *http, const struct command *command)
{
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_DENIED, "this address only shows, and %s changes something", command->name);
	err_hint(&err, "use the control socket");
	server_refuse(server, http, 403, "denied", &err);
}

static bool asks_to_look(struct evhttp_request *http)
{
	enum evhttp_cmd_type method = evhttp_request_get_command(http);
	return method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD;
}

/* The files of the page. True: the request is answered. */
static bool send_file(struct ctl_server *server, struct evhttp_request *http, const char *path)
{
	const struct page_file *file = page_file(path);
	if (file == NULL)
		return false;
	if (asks_to_look(http))
		server_send_file(server, http, file);
	else
		refuse_method(server, http, path, "GET");
	return true;
}

/* The command a request is for, or NULL and the request is answered. */
static const struct command *route(struct ctl_server *server, struct evhttp_request *http)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(http);
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	const struct command *command = path != NULL ? command_by_path(path) : NULL;
	if (command == NULL) {
		if (path == NULL || !send_file(server, http, path))
			refuse_path(server, http, path != NULL ? path : "");
		return NULL;
	}
	bool get = command->verb != COMMAND_POST;
	bool looks = asks_to_look(http), posts = evhttp_request_get_command(http) == EVHTTP_REQ_POST;
	if (server->web && !get && looks)
		refuse_change(server, http, command);
	else if (server->web && !looks)
		refuse_method(server, http, command->path, "GET");
	else if (get ? !looks : !posts)
		refuse_method(server, http, command->path, get ? "GET" : "POST");
	else
		return command;
	return NULL;
}

static bool read_args(struct evhttp_request *http, struct args *args, struct viewd_err *err)
{
	if (args_command(args)->verb != COMMAND_POST)
		return args_from_query(args, evhttp_uri_get_query(evhttp_request_get_evhttp_uri(http)), err);
	struct evbuffer *in = evhttp_request_get_input_buffer(http);
	size_t len = evbuffer_get_length(in);
	return args_from_json(args, len > 0 ? (const char *)evbuffer_pullup(in, -1) : "", len, err);
}

/* ---- whether it may ---------------------------------------------------------------------------------------------- */

/* Whether the peer of the socket may make this call; on false the request is answered. peer_r is filled for the log. */
static bool admit_peer(struct ctl_server *server, struct evhttp_request *http, const struct args *args,
                       struct peer *peer_r)
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

static bool admit(struct ctl_server *server, struct evhttp_request *http, const struct args *args, struct peer *peer_r)
{
	if (!server->web)
		return admit_peer(server, http, args, peer_r);
	if (!args_mutates(args))
		return true;
	refuse_change(server, http, args_command(args));
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

void server_on_request(struct evhttp_request *http, void *ctx)
{
	struct ctl_server *server = ctx;
	const struct command *command = host_is_right(server, http) ? route(server, http) : NULL;
	if (command == NULL)
		return;
	struct viewd_err err;
	struct peer peer = {.pid = 0};
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
