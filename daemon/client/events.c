/* SPDX-License-Identifier: MIT
 *
 * events.c: viewctl events: what happens, line by line.
 */
#include "client/client.h"

#include "client/http.h"
#include "client/print/print.h"
#include "client/print/text.h"

#include <string.h>
#include <talloc.h>

#define HOUR_US INT64_C(3600000000)

static void print_event(const struct client *client, const json_t *event)
{
	void *tmp = talloc_new(client->mem_ctx);
	const char *result = text_of(event, "result");
	const char *before = text_of(event, "before");
	const char *action = text_of(event, "action");
	const char *trigger = text_of(event, "trigger");
	char *duration = text_ms(tmp, event, "duration_ms");
	char *rows = text_count(tmp, event, "rows");
	char *error = text_error(tmp, json_object_get(event, "error"));
	char *line = talloc_asprintf(tmp, "%s %s:%s: ", text_time(tmp, event, "time", client->look.utc),
	                             text_of(event, "database"), text_of(event, "view"));
	if (before != NULL)
		line = talloc_asprintf_append(line, "%s -> %s", before, text_of(event, "state"));
	else
		line = talloc_asprintf_append(line, "%s%s%s, %s", result != NULL ? result : "?", action != NULL ? ", " : "",
		                              action != NULL ? action : "", trigger != NULL ? trigger : "?");
	if (rows != NULL && before == NULL)
		line = talloc_asprintf_append(line, ", %s rows", rows);
	if (duration != NULL)
		line = talloc_asprintf_append(line, ", %s", duration);
	if (error != NULL && before == NULL)
		line = talloc_asprintf_append(line, ", %s", error);
	look_put_clean(client->out, line);
	fputc('\n', client->out);
	talloc_free(tmp);
}

/* One line of the stream. What begins and what becomes stale is told to pages. */
static void take_line(const struct client *client, const char *line, bool *wanted)
{
	if (strncmp(line, "event: ", 7) == 0)
		*wanted = strcmp(line + 7, "run") == 0 || strcmp(line + 7, "state") == 0;
	if (strncmp(line, "data: ", 6) != 0 || !*wanted)
		return;
	json_t *event = client->json ? NULL : json_loads(line + 6, 0, NULL);
	if (client->json)
		print_json_text(client->out, line + 6);
	else if (event != NULL)
		print_event(client, event);
	json_decref(event);
}

/* False when nobody reads our output any more. */
static bool take_events(const struct client *client, char *text, bool *wanted)
{
	for (char *end; (end = strchr(text, '\n')) != NULL; text = end + 1) {
		*end = '\0';
		take_line(client, text, wanted);
	}
	return fflush(client->out) == 0;
}

/* The daemon does not end the stream by itself: it refused, stopped, or parted with us. */
static enum client_exit ended(const struct client *client, const struct args *args, struct http_stream **stream)
{
	struct http_reply reply;
	enum http_end end = http_stream_close(client->mem_ctx, stream, &reply);
	json_t *body = end == HTTP_REPLIED && reply.status >= 400 ? json_loadb(reply.body, reply.len, 0, NULL) : NULL;
	if (body == NULL)
		return client_not_replied(client, end == HTTP_REPLIED ? HTTP_BROKEN : end, &reply);
	enum client_exit shown = client_show(client, args, reply.status, body);
	json_decref(body);
	return shown;
}

enum client_exit client_events(const struct client *client, const struct args *args)
{
	const struct http_call call = {.socket = client->socket, .path = args_command(args)->path, .query = ""};
	struct http_stream *stream = http_stream_open(client->mem_ctx, &call);
	bool over = false, read = true, wanted = false;
	while (!over && read) {
		over = http_stream_wait(stream, HOUR_US) == HTTP_OVER;
		char *text = http_stream_take(stream);
		read = text == NULL || take_events(client, text, &wanted);
		talloc_free(text);
	}
	return ended(client, args, &stream);
}
