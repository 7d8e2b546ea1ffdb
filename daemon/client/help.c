/* SPDX-License-Identifier: MIT
 *
 * help.c: help, the manual's command part and completion words.
 */
#include "client/help.h"

#include "base/macros.h"
#include "client/print/look.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define TEXT_WIDTH 78

static bool positional(const struct command_param *param)
{
	return param->kind == PARAM_ARG || param->kind == PARAM_ARG_WORD || param->kind == PARAM_ARG_LIST;
}

static bool takes_value(const struct command_param *param)
{
	return param->kind != PARAM_FLAG;
}

static bool optional(const struct command_param *param)
{
	return (param->flags & (PARAM_REQUIRED | PARAM_OR_ALL)) == 0;
}

static void put_wrapped(FILE *out, const char *text, size_t indent)
{
	char *lines = look_wrap(NULL, text, indent, indent, TEXT_WIDTH);
	fprintf(out, "%*s%s\n", (int)indent, "", lines);
	talloc_free(lines);
}

static void put_positional(FILE *out, const struct command_param *param)
{
	const char *dots = param->kind == PARAM_ARG_LIST ? "..." : "";
	if ((param->flags & PARAM_OR_ALL) != 0)
		fprintf(out, " %s...|--all", param->values);
	else if (optional(param))
		fprintf(out, " [%s%s]", param->values, dots);
	else
		fprintf(out, " %s%s", param->values, dots);
}

void help_synopsis(FILE *out, const struct command *command)
{
	fprintf(out, "viewctl %s", command->name);
	for (size_t i = 0; i < command->n_params; i++)
		if (positional(&command->params[i]))
			put_positional(out, &command->params[i]);
	for (size_t i = 0; i < command->n_params; i++) {
		const struct command_param *param = &command->params[i];
		if (positional(param) || strcmp(param->name, "all") == 0)
			continue;
		fprintf(out, " [--%s%s%s]", param->name, takes_value(param) ? " " : "",
		        takes_value(param) ? param->values : "");
	}
}

/* malloc'ed */
static char *synopsis_of(const struct command *command)
{
	char *text = NULL;
	size_t size = 0;
	FILE *mem = open_memstream(&text, &size);
	assert(mem != NULL);
	help_synopsis(mem, command);
	fclose(mem);
	return text;
}

static void option_text(const struct command_param *param, char *buf, size_t size)
{
	char letter[8] = "";
	if (param->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", param->letter);
	if (positional(param))
		snprintf(buf, size, "%s", param->values);
	else
		snprintf(buf, size, "%s--%s%s%s", letter, param->name, takes_value(param) ? " " : "",
		         takes_value(param) ? param->values : "");
}

void help_command(FILE *out, const struct command *command)
{
	char text[128];
	char *synopsis = synopsis_of(command);
	char *lines = look_wrap(NULL, synopsis, 7, 11, TEXT_WIDTH);
	fprintf(out, "usage: %s\n\n", lines);
	talloc_free(lines);
	free(synopsis);
	put_wrapped(out, command->doc, 0);
	if (command->n_params > 0)
		fputc('\n', out);
	for (size_t i = 0; i < command->n_params; i++) {
		option_text(&command->params[i], text, sizeof(text));
		fprintf(out, "  %s\n", text);
		put_wrapped(out, command->params[i].help, 8);
	}
	fputs("\n  Options of every command: see viewctl --help\n", out);
}

void help_overview(FILE *out)
{
	fputs("usage: viewctl [-s SOCKET] [--json] [--utc] COMMAND [ARGUMENT...]\n\n"
	      "Controls viewd, the daemon that keeps views fresh.\n\ncommands:\n",
	      out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (commands()[i].verb != COMMAND_PAGE)
			fprintf(out, "  %-9s %s\n", commands()[i].name, commands()[i].help);
	fputs("\noptions of every command:\n"
	      "  -s, --socket SOCKET  the daemon's control socket (default $VIEWD_SOCKET, else\n"
	      "                       the one that the configuration names)\n"
	      "  --json               the daemon's reply as JSON\n"
	      "  --utc                times in UTC instead of the local time zone\n"
	      "  -h, --help           this text, or that of a command\n"
	      "  -V, --version        the version\n"
	      "\nexit status:\n"
	      "  0 done, 1 the command failed, 2 usage, 3 daemon not reachable, 4 timed out\n",
	      out);
}

static void put_troff(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '-' || *text == '\\')
			fputs(*text == '-' ? "\\-" : "\\e", out);
		else
			fputc(*text, out);
	}
}

static void man_param(FILE *out, const struct command_param *param)
{
	char text[128];
	option_text(param, text, sizeof(text));
	fputs(".TP\n.B ", out);
	put_troff(out, text);
	fputc('\n', out);
	put_troff(out, param->help);
	fputs(".\n", out);
}

void help_man(FILE *out)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *command = &commands()[i];
		if (command->verb == COMMAND_PAGE)
			continue;
		fprintf(out, ".SS %s\n.B ", command->name);
		char *text = synopsis_of(command);
		put_troff(out, text);
		free(text);
		fputs("\n.PP\n", out);
		put_troff(out, command->doc);
		fputc('\n', out);
		if (command->n_params > 0)
			fputs(".RS\n", out);
		for (size_t k = 0; k < command->n_params; k++)
			man_param(out, &command->params[k]);
		if (command->n_params > 0)
			fputs(".RE\n", out);
	}
}

void help_words(FILE *out)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *command = &commands()[i];
		if (command->verb == COMMAND_PAGE)
			continue;
		fputs(command->name, out);
		for (size_t k = 0; k < command->n_params; k++)
			if (!positional(&command->params[k]))
				fprintf(out, " --%s", command->params[k].name);
		fputc('\n', out);
	}
}
