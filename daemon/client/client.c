/* SPDX-License-Identifier: MIT
 *
 * client.c: reads argv, runs the command, and gives its exit status.
 */
#include "config.h"

#include "client/client.h"

#include "base/err.h"
#include "base/paths.h"
#include "client/help.h"
#include "client/print/print.h"
#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <unistd.h>

/* Everything that argv said apart from the command's own arguments. */
struct options {
	const char *socket;
	bool json;
	bool utc;
	bool help;
	bool version;
	const char *special; /* --man-commands, --completion-words */
	char **rest;         /* everything else, the command's name first */
	int n_rest;
};

static void complain(const struct client *client, const char *head, const char *text)
{
	char *line = talloc_asprintf(client->mem_ctx, "viewctl: %s%s", head, text);
	look_put_clean(client->err, look_wrap(line, line, 0, 2, look_of(client->err).width));
	fputc('\n', client->err);
	talloc_free(line);
}

void client_complain(const struct client *client, const struct viewd_err *err)
{
	complain(client, "", err->msg);
	if (err->hint[0] != '\0')
		complain(client, "hint: ", err->hint);
}

/* -s, --json, --utc, --help and --version may stand anywhere. Returns how many arguments it took, -1 with err on bad
 * usage. */
static int take_option(struct options *options, char *const arg[], struct viewd_err *err)
{
	const char *text = arg[0];
	if (strcmp(text, "--json") == 0)
		return (options->json = true);
	if (strcmp(text, "--utc") == 0)
		return (options->utc = true);
	if (strcmp(text, "-h") == 0 || strcmp(text, "--help") == 0)
		return (options->help = true);
	if (strcmp(text, "-V") == 0 || strcmp(text, "--version") == 0)
		return (options->version = true);
	if (strcmp(text, "--man-commands") == 0 || strcmp(text, "--completion-words") == 0)
		return (options->special = text) != NULL;
	if (strncmp(text, "--socket=", 9) == 0)
		return (options->socket = text + 9) != NULL;
	if (strcmp(text, "-s") != 0 && strcmp(text, "--socket") != 0) {
		bool glued = text[0] == '-' && text[1] == 's';
		options->socket = glued ? text + 2 : options->socket;
		return glued;
	}
	if (arg[1] == NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "%s needs a value (SOCKET)", text);
		return -1;
	}
	options->socket = arg[1];
	return 2;
}

static bool split_argv(void *mem_ctx, int argc, char *const argv[], struct options *options, struct viewd_err *err)
{
	bool ended = false;
	options->rest = talloc_zero_array(mem_ctx, char *, (unsigned)argc + 1);
	assert(options->rest != NULL);
	for (int i = 1; i < argc;) {
		ended = ended || strcmp(argv[i], "--") == 0;
		int n = ended ? 0 : take_option(options, &argv[i], err);
		if (n < 0)
			return false;
		if (n == 0)
			options->rest[options->n_rest++] = argv[i];
		i += n == 0 ? 1 : n;
	}
	return true;
}

static const struct command *find_command(const char *name, struct viewd_err *err)
{
	const struct command *command = command_by_name(name);
	if (command != NULL)
		return command;
	const char *nearest = command_nearest(name);
	err_set(err, VIEWD_ERR_CONFIG, "command '%s' is not known", name);
	if (nearest != NULL)
		err_hint(err, "did you mean %s?", nearest);
	else
		err_hint(err, "see viewctl --help");
	return NULL;
}

static enum client_exit usage(const struct client *client, const struct viewd_err *err)
{
	client_complain(client, err);
	return CLIENT_USAGE;
}

static enum client_exit client_help(const struct client *client, const char *name)
{
	struct viewd_err err;
	const struct command *command = name != NULL ? find_command(name, &err) : NULL;
	if (name != NULL && command == NULL)
		return usage(client, &err);
	if (command != NULL)
		help_command(client->out, command);
	else
		help_overview(client->out);
	return CLIENT_DONE;
}

static enum client_exit run_args(const struct client *client, const struct args *args)
{
	switch (args_command(args)->id) {
	case COMMAND_CHECK:
		return client_check(client, args);
	case COMMAND_HELP:
		return client_help(client, args_text(args, "command"));
	case COMMAND_DOCTOR:
		return client_doctor(client, args);
	case COMMAND_LIST:
		return client_list(client, args);
	case COMMAND_IMPORT:
		return client_import(client, args);
	case COMMAND_GRAPH:
		return client_graph(client, args);
	case COMMAND_EVENTS:
		return client_events(client, args);
	case COMMAND_EXPLAIN:
		return args_text(args, "config") != NULL ? client_explain(client, args) : client_remote(client, args);
	case COMMAND_PLAN:
		return args_text(args, "config") != NULL ? client_plan(client, args) : client_remote(client, args);
	case COMMAND_RENDER:
		return args_text(args, "config") != NULL ? client_render(client, args) : client_remote(client, args);
	case COMMAND_UNINSTALL:
		return args_text(args, "config") != NULL ? client_uninstall(client, args) : client_remote(client, args);
	case COMMAND_STATUS:
	case COMMAND_SHOW:
	case COMMAND_WHY:
	case COMMAND_HISTORY:
	case COMMAND_INFO:
	case COMMAND_REFRESH:
	case COMMAND_CREATE:
	case COMMAND_ADOPT:
	case COMMAND_DROP:
	case COMMAND_VERIFY:
	case COMMAND_PAUSE:
	case COMMAND_RESUME:
	case COMMAND_CANCEL:
	case COMMAND_RELOAD:
	case COMMAND_WAIT:
		return client_remote(client, args);
	case COMMAND_PAGE_LIST:
	case COMMAND_PAGE_VIEW:
	case COMMAND_HEALTHZ:
	case COMMAND_READYZ:
	case COMMAND_METRICS:
	case COMMAND_COUNT:
		break;
	}
	return CLIENT_USAGE;
}

static enum client_exit about(const struct client *client, const struct options *options)
{
	if (options->version)
		fputs("viewctl " PACKAGE_VERSION "\n", client->out);
	else if (strcmp(options->special, "--man-commands") == 0)
		help_man(client->out);
	else
		help_words(client->out);
	return CLIENT_DONE;
}

static enum client_exit run_command(const struct client *client, const struct options *options)
{
	struct viewd_err err;
	if (options->version || options->special != NULL)
		return about(client, options);
	if (options->help || options->n_rest == 0) {
		enum client_exit end = client_help(client, options->n_rest > 0 ? options->rest[0] : NULL);
		return options->help ? end : CLIENT_USAGE;
	}
	const struct command *command = find_command(options->rest[0], &err);
	if (command == NULL)
		return usage(client, &err);
	struct args *args = args_new(client->mem_ctx, command);
	if (!args_from_argv(args, options->n_rest - 1, options->rest + 1, &err))
		return usage(client, &err);
	struct client caller = *client;
	if (caller.socket == NULL && command->verb != COMMAND_LOCAL) {
		struct conf_places places;
		paths_leave_foreign_unit();
		conf_places(client->mem_ctx, paths_conf(client->mem_ctx), &places);
		caller.socket = places.control_socket;
	}
	return run_args(&caller, args);
}

enum client_exit client_main(int argc, char *const argv[], FILE *out, FILE *err)
{
	const char *from_env = getenv("VIEWD_SOCKET");
	struct options options = {.socket = from_env != NULL && from_env[0] != '\0' ? from_env : NULL};
	struct viewd_err why;
	struct client client = {.mem_ctx = talloc_new(NULL), .out = out, .err = err, .look = look_of(out)};
	enum client_exit end;
	void *begun = look_begin();
	if (split_argv(client.mem_ctx, argc, argv, &options, &why)) {
		client.socket = options.socket;
		client.json = options.json;
		client.look.utc = options.utc;
		end = run_command(&client, &options);
	} else {
		end = usage(&client, &why);
	}
	talloc_free(client.mem_ctx);
	look_end(begun);
	/* a full disk or a closed pipe must not look like success */
	if (fflush(out) != 0 && end == CLIENT_DONE)
		end = CLIENT_FAILED;
	return end;
}

static enum client_exit show_error(const struct client *client, long status, const json_t *error)
{
	const char *message = json_string_value(json_object_get(error, "message"));
	const char *hint = json_string_value(json_object_get(error, "hint"));
	if (!client->json) {
		complain(client, "", message != NULL ? message : "the daemon refused without a reason");
		if (hint != NULL)
			complain(client, "hint: ", hint);
	}
	return status == 400 ? CLIENT_USAGE : CLIENT_FAILED;
}

/* A search for trouble that finds some has failed, for cron and monitoring. */
static bool has_found(const struct args *args, const json_t *body)
{
	return args_command(args)->id == COMMAND_STATUS && (args_flag(args, "failed") || args_flag(args, "stale")) &&
	       !args_flag(args, "watch") && json_array_size(body) > 0;
}

enum client_exit client_show(const struct client *client, const struct args *args, long status, const json_t *body)
{
	const json_t *error = json_object_get(body, "error");
	if (client->json) {
		print_json(client->out, body);
	}
	if (status >= 400 || json_is_object(error))
		return show_error(client, status, error);
	if (!client->json)
		print_for(args_command(args)->id)(screen_new(client->mem_ctx, client->out, &client->look), args, body);
	return json_is_false(json_object_get(body, "ok")) || has_found(args, body) ? CLIENT_FAILED : CLIENT_DONE;
}
