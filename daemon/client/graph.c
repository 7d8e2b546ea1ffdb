/* SPDX-License-Identifier: MIT
 *
 * graph.c: viewctl graph; the picture is drawn by graphviz.
 */
#include "base/command.h"
#include "base/err.h"
#include "base/span.h"
#include "client/client.h"
#include "work/program.h"

#include <errno.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

/* A big graph takes dot long. */
#define DRAW_LIMIT (10 * SPAN_MINUTE)

extern char **environ;

static bool copy_file(FILE *from, FILE *to)
{
	char piece[8192];
	size_t n;
	rewind(from);
	while ((n = fread(piece, 1, sizeof piece, from)) > 0)
		if (fwrite(piece, 1, n, to) != n)
			return false;
	return ferror(from) == 0;
}

/* Gives the file in to dot, and its picture to out. */
static bool draw(const char *dot, FILE *in, FILE *picture, FILE *out, struct viewd_err *err)
{
	char *words[] = {(char *)(uintptr_t)dot, (char *)(uintptr_t) "-Tsvg", NULL};
	const struct program program = {.argv = words,
	                                .envp = environ,
	                                .timeout_us = DRAW_LIMIT,
	                                .stop_fd = -1,
	                                .in_fd = fileno(in),
	                                .out_fd = fileno(picture)};
	if (fflush(in) != 0 || lseek(program.in_fd, 0, SEEK_SET) < 0)
		return err_sys(err, VIEWD_ERR_RESOURCE, errno, "the graph cannot be written into a temporary file");
	if (!program_run(&program, err))
		return false;
	return copy_file(picture, out) || err_sys(err, VIEWD_ERR_RESOURCE, errno, "the picture cannot be written");
}

static enum client_exit draw_reply(const struct client *client, const struct args *args, const char *dot, FILE *in,
                                   FILE *picture)
{
	struct viewd_err err;
	struct client asker = *client;
	asker.out = in;
	asker.look = (struct look){0};
	enum client_exit end = client_remote(&asker, args);
	if (end != CLIENT_DONE || draw(dot, in, picture, client->out, &err))
		return end;
	client_complain(client, &err);
	return CLIENT_FAILED;
}

static enum client_exit picture(const struct client *client, const struct args *args)
{
	struct viewd_err err;
	const char *dot = command_path(client->mem_ctx, "dot");
	if (dot == NULL) {
		err_set(&err, VIEWD_ERR_MISSING, "there is no program dot, which draws the picture");
		err_hint(&err, "install the package graphviz, or use --format dot or mermaid");
		client_complain(client, &err);
		return CLIENT_FAILED;
	}
	FILE *in = tmpfile(), *out = tmpfile();
	enum client_exit end = CLIENT_FAILED;
	if (in != NULL && out != NULL)
		end = draw_reply(client, args, dot, in, out);
	else if (!err_sys(&err, VIEWD_ERR_RESOURCE, errno, "no temporary file can be made"))
		client_complain(client, &err);
	if (in != NULL)
		fclose(in);
	if (out != NULL)
		fclose(out);
	return end;
}

enum client_exit client_graph(const struct client *client, const struct args *args)
{
	const char *format = args_text(args, "format");
	bool drawn = format != NULL && strcmp(format, "svg") == 0 && !client->json;
	return drawn ? picture(client, args) : client_remote(client, args);
}
