/* SPDX-License-Identifier: MIT
 *
 * http.h: one HTTP call over the control socket. The only user of libcurl. viewctl has one thread.
 */
#ifndef VIEWD_CLIENT_HTTP_H
#define VIEWD_CLIENT_HTTP_H

#include <stddef.h>
#include <stdint.h>

enum http_end {
	HTTP_REPLIED,
	HTTP_UNREACHABLE, /* nobody listens, or no right to connect */
	HTTP_TIMED_OUT,
	HTTP_BROKEN /* connected, but no whole reply came */
};

struct http_call {
	const char *socket;
	const char *path;
	const char *query;  /* "" none */
	const char *body;   /* NULL: GET, else POST */
	int64_t timeout_us; /* 0: as long as it takes */
	/* http_do calls it several times a second while it waits; NULL: nobody wants that */
	void (*tick)(void *ctx);
	void *tick_ctx;
};

struct http_reply {
	long status;
	char *body; /* talloc'ed, NUL-terminated */
	size_t len;
	char error[256]; /* unless HTTP_REPLIED: why */
	int os_error;    /* HTTP_UNREACHABLE: errno of the connect; 0: not known */
};

/* Blocks. The reply's memory belongs to mem_ctx (talloc). */
enum http_end http_do(void *mem_ctx, const struct http_call *call, struct http_reply *reply);

/* A reply that comes bit by bit, in lines. */
struct http_stream;
enum http_news {
	HTTP_NEWS,  /* whole lines have come */
	HTTP_QUIET, /* none until the timeout */
	HTTP_OVER   /* no more will come */
};

/* Begins a GET. A child of mem_ctx (talloc); end it with http_stream_close. Never NULL. */
struct http_stream *http_stream_open(void *mem_ctx, const struct http_call *call);

/* Blocks until one of the three. */
enum http_news http_stream_wait(struct http_stream *stream, int64_t timeout_us);

/* The whole lines that have come since the last time, talloc'ed; NULL: none. */
char *http_stream_take(struct http_stream *stream);

/* Ends it; reply tells its status and what was not taken. HTTP_REPLIED also for a stream that was still going on. */
enum http_end http_stream_close(void *mem_ctx, struct http_stream **stream, struct http_reply *reply);

#endif
