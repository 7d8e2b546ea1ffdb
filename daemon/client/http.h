/* SPDX-License-Identifier: MIT
 *
 * http.h: one HTTP call over the control socket. The only user of libcurl.
 */
#ifndef VIEWD_CLIENT_HTTP_H
#define VIEWD_CLIENT_HTTP_H

#include <stddef.h>
#include <stdint.h>

enum http_end {
	HTTP_REPLIED,
	HTTP_UNREACHABLE, /* nobody listens, or no right to connect */
	HTTP_TIMED_OUT,
	HTTP_BROKEN       /* connected, but no whole reply came */
};

struct http_call {
	const char *socket;
	const char *path;
	const char *query;  /* "" none */
	const char *body;   /* NULL: GET, else POST */
	int64_t timeout_us; /* 0: as long as it takes */
};

struct http_reply {
	long status;
	char *body; /* talloc'ed, NUL-terminated */
	size_t len;
	char error[256]; /* unless HTTP_REPLIED: why */
};

/* Blocks. The reply's memory belongs to mem_ctx (talloc). */
enum http_end http_do(void *mem_ctx, const struct http_call *call, struct http_reply *reply);

#endif
