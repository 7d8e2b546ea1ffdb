/* SPDX-License-Identifier: MIT
 *
 * server_error.c: requests that evhttp refuses by itself (no HTTP, too long) get their reply in JSON like all others.
 *
 * evhttp writes a page of its own for these and asks nobody. The page is found in the connection's output before it
 * leaves, and another one takes its place: what viewd itself writes never ends like that.
 */
#include "ctl/serve/server_private.h"

#include "base/err.h"
#include "ctl/call/call.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>

static const char page_end[] = "</BODY></HTML>\n";
/* Far more than the page has. */
#define PAGE_MAX 2048

static const char *explain(int status)
{
	switch (status) {
	case 413:
		return "the request is too long";
	case 501:
		return "the method is not known";
	default:
		return "the request is no HTTP";
	}
}

static void write_instead(struct evbuffer *out, const char *status_line)
{
	struct viewd_err err;
	int status = (int)strtol(status_line + strlen("HTTP/1.1 "), NULL, 10);
	err_set(&err, status == 413 ? VIEWD_ERR_RESOURCE : VIEWD_ERR_CONFIG, "%s", explain(status));
	json_t *body = call_error_body("usage", &err);
	char *text = json_dumps(body, JSON_COMPACT);
	assert(text != NULL);
	evbuffer_add_printf(out, "%s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n",
	                    status_line, strlen(text) + 1);
	for (const struct server_header *h = server_headers(); h->name != NULL; h++)
		evbuffer_add_printf(out, "%s: %s\r\n", h->name, h->value);
	evbuffer_add_printf(out, "\r\n%s\n", text);
	free(text);
	json_decref(body);
}

static void on_output(struct evbuffer *out, const struct evbuffer_cb_info *info, void *ctx UNUSED)
{
	char text[PAGE_MAX + 1];
	size_t len = evbuffer_get_length(out), end = sizeof page_end - 1;
	if (info->n_added == 0 || len < end || len > PAGE_MAX)
		return;
	/* A page is added whole, so what cannot be copied whole is none. */
	if (evbuffer_copyout(out, text, len) != (ev_ssize_t)len)
		return;
	text[len] = '\0';
	char *line_end = strstr(text, "\r\n");
	if (line_end == NULL || strncmp(text, "HTTP/1.", 7) != 0 || strcmp(text + len - end, page_end) != 0)
		return;
	*line_end = '\0';
	evbuffer_drain(out, len);
	write_instead(out, text);
}

void server_watch_errors(struct bufferevent *bev)
{
	evbuffer_add_cb(bufferevent_get_output(bev), on_output, NULL);
}
