/* SPDX-License-Identifier: MIT
 *
 * server_reply.c: replies of the control server, whole or in pieces.
 */
#include "ctl/serve/server_private.h"

#include "base/err.h"
#include "ctl/answer/json.h"
#include "ctl/page/files.h"
#include "ctl/serve/audit.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <talloc.h>

/* evhttp is about to give up the connection: sweep right after that. */
static void on_sent(struct evhttp_request *http UNUSED, void *ctx)
{
	struct ctl_server *server = ctx;
	server_arm(server->sweep_timer, 0);
}

const struct server_header *server_headers(void)
{
	static const struct server_header headers[] = {
		{"Content-Security-Policy",
	     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
	     "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
		{"X-Content-Type-Options", "nosniff"},
		{"X-Frame-Options", "DENY"},
		{"Referrer-Policy", "no-referrer"},
		{"Cross-Origin-Resource-Policy", "same-origin"},
		{"Cache-Control", "no-store"},
		{NULL, NULL},
	};
	return headers;
}

static void put_headers(struct ctl_server *server, struct evhttp_request *http, const char *content_type)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(http);
	evhttp_add_header(headers, "Content-Type", content_type);
	for (const struct server_header *h = server_headers(); h->name != NULL; h++)
		evhttp_add_header(headers, h->name, h->value);
	evhttp_add_header(headers, "Connection", "close");
	evhttp_request_set_on_complete_cb(http, on_sent, server);
}

/* HEAD has the headers of GET, and no body. */
static bool is_head(struct evhttp_request *http)
{
	return evhttp_request_get_command(http) == EVHTTP_REQ_HEAD;
}

/* evhttp would send the body of a HEAD, too. Takes over out. */
static void send_whole(struct evhttp_request *http, int status, struct evbuffer *out)
{
	char length[24];
	snprintf(length, sizeof length, "%zu", evbuffer_get_length(out));
	evhttp_add_header(evhttp_request_get_output_headers(http), "Content-Length", length);
	if (is_head(http))
		evbuffer_drain(out, evbuffer_get_length(out));
	evhttp_send_reply(http, status, NULL, out);
	evbuffer_free(out);
}

static void send_text(struct ctl_server *server, struct evhttp_request *http, int status, char *text)
{
	struct evbuffer *out = evbuffer_new();
	assert(out != NULL);
	put_headers(server, http, "application/json");
	evbuffer_add_printf(out, "%s\n", text);
	send_whole(http, status, out);
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

void server_refuse(struct ctl_server *server, struct evhttp_request *http, int status, const char *class_word,
                   const struct viewd_err *err)
{
	json_t *body = call_error_body(class_word, err);
	send_json(server, http, status, body);
	json_decref(body);
}

void server_send_file(struct ctl_server *server, struct evhttp_request *http, const struct page_file *file)
{
	struct evbuffer *out = evbuffer_new();
	assert(out != NULL);
	put_headers(server, http, file->content_type);
	evbuffer_add_reference(out, file->data, file->len, NULL, NULL);
	send_whole(http, 200, out);
}

/* ---- one exchange ------------------------------------------------------------------------------------------------ */

/* Parts a request from its connection. */
static void exchange_detach(struct ctl_exchange *ex)
{
	struct ctl_client *client = server_client(ex->server, ex->bev);
	client->exchange = NULL;
	client->since_us = server_now();
	ex->server->n_open[ex->pace]--;
	ex->http = NULL;
}

/* A request that evhttp was answering when the connection broke has been left to us. */
static void on_close(struct evhttp_connection *evcon UNUSED, void *ctx)
{
	struct ctl_exchange *ex = ctx;
	if (evhttp_request_get_connection(ex->http) == NULL)
		evhttp_request_free(ex->http);
	exchange_detach(ex);
	if (call_gone(ex->call))
		talloc_free(ex);
}

static void on_reply(void *ctx, int status, json_t *body)
{
	struct ctl_exchange *ex = ctx;
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

/* ---- streams ----------------------------------------------------------------------------------------------------- */

static void stream_pump(struct ctl_exchange *ex);

static void stream_end(struct ctl_exchange *ex)
{
	struct evhttp_request *http = ex->http;
	exchange_detach(ex);
	evhttp_connection_set_closecb(evhttp_request_get_connection(http), NULL, NULL);
	evhttp_send_reply_end(http);
	bool gone = call_gone(ex->call);
	assert(gone);
	talloc_free(ex);
}

static void on_piece_sent(struct evhttp_connection *evcon UNUSED, void *ctx)
{
	struct ctl_exchange *ex = ctx;
	ex->sending = false;
	if (ex->more == CALL_END)
		stream_end(ex);
	else
		stream_pump(ex);
}

static void free_piece(const void *data, size_t len UNUSED, void *extra UNUSED)
{
	free((void *)(uintptr_t)data);
}

/* Takes over the text. */
static void send_piece(struct ctl_exchange *ex, struct text_out *text)
{
	struct evbuffer *out = evbuffer_new();
	assert(out != NULL);
	evbuffer_add_reference(out, text->data, text->len, free_piece, NULL);
	*text = (struct text_out){0};
	ex->sending = true;
	ex->sent_us = server_now();
	evhttp_send_reply_chunk_with_cb(ex->http, out, on_piece_sent, ex);
	evbuffer_free(out);
}

/* evhttp calls on_piece_sent from the loop, so other work comes in between two pieces. */
static void stream_pump(struct ctl_exchange *ex)
{
	struct text_out text = {0};
	if (ex->sending)
		return;
	ex->more = ex->stream.fill(ex->stream.ctx, &text);
	if (text.len > 0)
		send_piece(ex, &text);
	else if (ex->more == CALL_END)
		stream_end(ex);
	text_out_free(&text);
}

/* While a piece is on its way evhttp reads, to see the client close; there is nothing to read, so only writing has a
 * time limit. */
static void on_stream(void *ctx, const struct call_stream *stream)
{
	struct ctl_exchange *ex = ctx;
	const struct ctl_limits *limits = &ex->server->limits;
	struct timeval idle = {.tv_sec = limits->idle_us / 1000000, .tv_usec = limits->idle_us % 1000000};
	ex->stream = *stream;
	put_headers(ex->server, ex->http, stream->content_type);
	evhttp_send_reply_start(ex->http, 200, NULL);
	bufferevent_set_timeouts(ex->bev, NULL, &idle);
	if (is_head(ex->http))
		stream_end(ex);
	else
		stream_pump(ex);
}

static void on_kick(void *ctx)
{
	stream_pump(ctx);
}

/* The end of file makes evhttp close the connection by its own ways. */
static void on_drop(void *ctx)
{
	struct ctl_exchange *ex = ctx;
	shutdown(bufferevent_getfd(ex->bev), SHUT_RDWR);
}

void server_heartbeat(struct ctl_exchange *ex)
{
	struct text_out text = {0};
	if (ex->stream.heartbeat == NULL || ex->sending || server_now() - ex->sent_us < ex->server->limits.heartbeat_us)
		return;
	text_out_raw(&text, ex->stream.heartbeat);
	send_piece(ex, &text);
}

/* ---- beginning --------------------------------------------------------------------------------------------------- */

void server_start_call(struct ctl_server *server, struct evhttp_request *http, struct args *args, const char *audit)
{
	static const struct call_receiver receiver = {
		.reply = on_reply, .stream = on_stream, .kick = on_kick, .drop = on_drop};
	struct ctl_exchange *ex = talloc_zero(NULL, struct ctl_exchange);
	assert(ex != NULL);
	ex->server = server;
	ex->http = http;
	ex->bev = evhttp_connection_get_bufferevent(evhttp_request_get_connection(http));
	ex->pace = args_command(args)->pace;
	ex->audit = audit != NULL ? talloc_strdup(ex, audit) : NULL;
	ex->call = call_new(server->ctl, args, &receiver, ex);
	call_set_accept(ex->call, evhttp_find_header(evhttp_request_get_input_headers(http), "Accept"));
	server->n_open[ex->pace]++;
	server_client(server, ex->bev)->exchange = ex;
	evhttp_connection_set_closecb(evhttp_request_get_connection(http), on_close, ex);
	call_run(ex->call);
}
