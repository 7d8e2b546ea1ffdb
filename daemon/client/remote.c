/* SPDX-License-Identifier: MIT
 *
 * remote.c: commands that the daemon carries out.
 */
#include "client/client.h"

#include "base/span.h"
#include "client/http.h"

#include <poll.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

#define WATCH_DEFAULT_US (2 * SPAN_SECOND)
#define CLEAR_SCREEN "\033[H\033[2J\033[3J"

static int64_t timeout_of(const struct args *args)
{
	return command_param_index(args_command(args), "timeout") >= 0 ? args_number(args, "timeout", 0) : 0;
}

static enum client_exit not_replied(const struct client *client, enum http_end end, const struct http_reply *reply)
{
	switch (end) {
	case HTTP_UNREACHABLE:
		fprintf(client->err, "viewctl: daemon is not reachable on '%s' (%s)\n", client->socket, reply->error);
		fputs("viewctl: hint: is viewd running? another socket is named with -s\n", client->err);
		return CLIENT_UNREACHABLE;
	case HTTP_TIMED_OUT:
		fputs("viewctl: timed out; the daemon goes on with the work\n", client->err);
		return CLIENT_TIMED_OUT;
	case HTTP_BROKEN:
		fprintf(client->err, "viewctl: daemon on '%s' gave no reply (%s)\n", client->socket, reply->error);
		return CLIENT_UNREACHABLE;
	case HTTP_REPLIED:
		break;
	}
	return CLIENT_FAILED;
}

static enum client_exit ask(const struct client *client, const struct args *args, void *mem_ctx)
{
	const struct command *command = args_command(args);
	bool get = command->verb == COMMAND_GET;
	struct http_call call = {
		.socket = client->socket,
		.path = command->path,
		.query = get ? args_to_query(mem_ctx, args) : "",
		.body = get ? NULL : args_to_json(mem_ctx, args),
		.timeout_us = timeout_of(args),
	};
	struct http_reply reply;
	enum http_end end = http_do(mem_ctx, &call, &reply);
	if (end != HTTP_REPLIED)
		return not_replied(client, end, &reply);
	json_error_t why;
	json_t *body = json_loadb(reply.body, reply.len, 0, &why);
	if (body == NULL) {
		fprintf(client->err, "viewctl: reply is not JSON (HTTP status %ld, %s)\n", reply.status, why.text);
		return CLIENT_FAILED;
	}
	enum client_exit shown = client_show(client, args, reply.status, body);
	json_decref(body);
	return shown;
}

/* Waits; false when nobody reads our output any more. */
static bool pause_watch(const struct client *client, int64_t us)
{
	struct pollfd p = {.fd = fileno(client->out)};
	return poll(&p, 1, (int)(us / SPAN_MS)) == 0;
}

static enum client_exit watch(const struct client *client, const struct args *args)
{
	int64_t interval = args_number(args, "interval", WATCH_DEFAULT_US);
	bool terminal = isatty(fileno(client->out)) != 0;
	enum client_exit end;
	do {
		void *round = talloc_new(client->mem_ctx);
		struct client once = *client;
		once.mem_ctx = round;
		if (terminal)
			fputs(CLEAR_SCREEN, client->out);
		end = ask(&once, args, round);
		talloc_free(round);
	} while (end == CLIENT_DONE && fflush(client->out) == 0 && pause_watch(client, interval));
	return end;
}

enum client_exit client_remote(const struct client *client, const struct args *args)
{
	if (args_command(args)->id == COMMAND_STATUS && args_flag(args, "watch"))
		return watch(client, args);
	return ask(client, args, client->mem_ctx);
}
