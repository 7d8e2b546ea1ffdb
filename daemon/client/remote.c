/* SPDX-License-Identifier: MIT
 *
 * remote.c: commands that the daemon carries out.
 */
#include "client/client.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/span.h"
#include "client/http.h"
#include "client/live.h"
#include "client/print/print.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <poll.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

#define WATCH_DEFAULT_US (2 * SPAN_SECOND)
#define WATCH_SOONEST_US (250 * SPAN_MS)

static int64_t timeout_of(const struct args *args)
{
	return command_param_index(args_command(args), "timeout") >= 0 ? args_number(args, "timeout", 0) : 0;
}

/* The group that the socket is shut to strangers for: of the socket, or of its directory where that is shut. NULL: it
 * cannot be told. */
static const char *group_of(void *mem_ctx, const char *socket)
{
	struct stat st;
	char *dir = dirname(talloc_strdup(mem_ctx, socket));
	if (stat(socket, &st) != 0 && stat(dir, &st) != 0)
		return NULL;
	const struct group *group = st.st_gid != 0 ? getgrgid(st.st_gid) : NULL;
	return group != NULL ? group->gr_name : NULL;
}

static void hint_reach(const struct client *client, int os_error)
{
	const struct passwd *user = getpwuid(geteuid());
	const char *group = os_error == EACCES ? group_of(client->mem_ctx, client->socket) : NULL;
	if (group != NULL)
		fprintf(client->err, "viewctl: hint: join group %s: usermod -a -G %s %s, and log in again\n", group, group,
		        user != NULL ? user->pw_name : "USER");
	else if (os_error == EACCES)
		fputs("viewctl: hint: its directory is shut to this user\n", client->err);
	else
		fputs("viewctl: hint: is viewd running? another socket is named with -s\n", client->err);
}

enum client_exit client_not_replied(const struct client *client, enum http_end end, const struct http_reply *reply)
{
	switch (end) {
	case HTTP_UNREACHABLE:
		fprintf(client->err, "viewctl: daemon is not reachable on '%s' (%s)\n", client->socket, reply->error);
		hint_reach(client, reply->os_error);
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

/* No work goes on when a mere wait is over. */
static enum client_exit not_that_new(const struct client *client, const struct args *args)
{
	const char *view = args_text(args, "view");
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_TIMEOUT, "timed out, %s is not that new yet", view);
	err_hint(&err, "viewctl why %s tells what holds it up", view);
	client_complain(client, &err);
	return CLIENT_TIMED_OUT;
}

/* All fields of thousands of views take longer to read than everything else takes. */
static char *query_of(void *mem_ctx, const struct client *client, const struct args *args)
{
	char *query = args_to_query(mem_ctx, args);
	const char *more = client->json ? "" : print_query(args);
	return talloc_asprintf(mem_ctx, "%s%s%s", query, query[0] != '\0' && more[0] != '\0' ? "&" : "", more);
}

static enum client_exit ask_daemon(const struct client *client, const struct args *args, void *mem_ctx)
{
	const struct command *command = args_command(args);
	bool get = command->verb == COMMAND_GET;
	struct http_call call = {
		.socket = client->socket,
		.path = command->path,
		.query = get ? query_of(mem_ctx, client, args) : "",
		.body = get ? NULL : args_to_json(mem_ctx, args),
		.timeout_us = timeout_of(args),
	};
	struct bar *bar = bar_new(mem_ctx, client, args);
	call.tick = bar != NULL ? bar_tick : NULL;
	call.tick_ctx = bar;
	struct http_reply reply;
	enum http_end end = http_do(mem_ctx, &call, &reply);
	bar_end(bar);
	if (end == HTTP_TIMED_OUT && command->id == COMMAND_WAIT)
		return not_that_new(client, args);
	if (end != HTTP_REPLIED)
		return client_not_replied(client, end, &reply);
	json_error_t why;
	json_t *body = json_loadb(reply.body, reply.len, 0, &why);
	if (body == NULL) {
		char *clean = look_clean(client->mem_ctx, why.text, false);
		fprintf(client->err, "viewctl: reply is not JSON (HTTP status %ld, %s)\n", reply.status, clean);
		return CLIENT_FAILED;
	}
	enum client_exit shown = client_show(client, args, reply.status, body);
	json_decref(body);
	return shown;
}

/* Does anybody still read our output? */
static bool is_read(const struct client *client)
{
	struct pollfd p = {.fd = fileno(client->out)};
	return fflush(client->out) == 0 && poll(&p, 1, 0) == 0;
}

static int64_t now_us(void)
{
	return clock_system()->mono(clock_system());
}

/* Until something happened, but not too soon after the last look, and at the latest after the interval: ages grow by
 * themselves. A listing that takes long is not asked for all the time. */
static void await_news(struct http_stream *stream, int64_t interval, int64_t took)
{
	int64_t soonest = took * 4 > WATCH_SOONEST_US ? took * 4 : WATCH_SOONEST_US;
	int64_t start = now_us();
	int64_t until = start + (interval > soonest ? interval : soonest);
	enum http_news news = HTTP_QUIET;
	for (int64_t now = start; now < until; now = now_us()) {
		news = http_stream_wait(stream, until - now);
		talloc_free(http_stream_take(stream));
		if (news == HTTP_NEWS && start + soonest < until)
			until = start + soonest;
		else if (news == HTTP_OVER) /* without events, the interval alone */
			poll(NULL, 0, (int)((until - now_us()) / SPAN_MS));
	}
}

static enum client_exit watch(const struct client *client, const struct args *args)
{
	const struct http_call events = {.socket = client->socket, .path = command_by_name("events")->path, .query = ""};
	struct http_stream *stream = http_stream_open(client->mem_ctx, &events);
	int64_t interval = args_number(args, "interval", WATCH_DEFAULT_US);
	struct frame *frame = frame_new(client->mem_ctx, client->out);
	enum client_exit end;
	struct http_reply ignored;
	for (;;) {
		void *round = talloc_new(client->mem_ctx);
		struct client once = *client;
		int64_t start = now_us();
		once.mem_ctx = round;
		once.look.width = look_of(client->out).width; /* the window may have been resized */
		once.out = frame_begin(frame);
		end = ask_daemon(&once, args, round);
		talloc_free(round);
		if (end != CLIENT_DONE)
			break;
		frame_show(frame);
		if (!is_read(client))
			break;
		await_news(stream, interval, now_us() - start);
	}
	(void)http_stream_close(client->mem_ctx, &stream, &ignored);
	return end;
}

enum client_exit client_remote(const struct client *client, const struct args *args)
{
	bool status = args_command(args)->id == COMMAND_STATUS;
	if (status && args_text(args, "fields") != NULL && !client->json) {
		fputs("viewctl: --fields is for --json\n", client->err);
		return CLIENT_USAGE;
	}
	if (status && args_flag(args, "watch"))
		return watch(client, args);
	return ask_daemon(client, args, client->mem_ctx);
}
