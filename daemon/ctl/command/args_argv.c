/* SPDX-License-Identifier: MIT
 *
 * args_argv.c: command line to parameters. Not getopt, because the rows decide and because getopt keeps global state.
 */
#include "base/err.h"
#include "base/nearest.h"
#include "ctl/command/args_private.h"

#include <string.h>

static bool is_positional(const struct command_param *param)
{
	return param->kind == PARAM_ARG || param->kind == PARAM_ARG_WORD || param->kind == PARAM_ARG_LIST;
}

static bool unknown_option(const struct command *command, const char *given, size_t len, struct viewd_err *err)
{
	char name[64] = "";
	const char *known[COMMAND_PARAMS_MAX];
	size_t n = 0;
	memcpy(name, given, len < sizeof(name) ? len : sizeof(name) - 1);
	err_set(err, VIEWD_ERR_CONFIG, "%s has no option --%s", command->name, name);
	for (size_t i = 0; i < command->n_params; i++)
		if (!is_positional(&command->params[i]))
			known[n++] = command->params[i].name;
	const char *nearest = nearest_word(known, n, name);
	if (nearest != NULL)
		return err_hint(err, "did you mean --%s?", nearest);
	return err_hint(err, "see viewctl %s --help", command->name);
}

static int find_long(const struct command *command, const char *name, size_t len)
{
	for (size_t i = 0; i < command->n_params; i++) {
		const struct command_param *param = &command->params[i];
		if (!is_positional(param) && strlen(param->name) == len && strncmp(param->name, name, len) == 0)
			return (int)i;
	}
	return -1;
}

static int find_letter(const struct command *command, char letter)
{
	for (size_t i = 0; i < command->n_params; i++)
		if (command->params[i].letter != 0 && command->params[i].letter == letter)
			return (int)i;
	return -1;
}

/* value NULL: the next argument is it. */
static bool put_option(struct args *args, int index, const char *value, const char *next, bool *used_next,
                       struct viewd_err *err)
{
	const struct command_param *param = &args->command->params[index];
	if (param->kind == PARAM_FLAG) {
		if (value != NULL)
			return err_set(err, VIEWD_ERR_CONFIG, "--%s takes no value", param->name);
		args_put_flag(args, (size_t)index, true);
		return true;
	}
	if (value == NULL) {
		if (next == NULL)
			return err_set(err, VIEWD_ERR_CONFIG, "--%s needs a value (%s)", param->name, param->values);
		value = next;
		*used_next = true;
	}
	return args_put_text(args, (size_t)index, value, err);
}

static bool put_long(struct args *args, const char *text, const char *next, bool *used_next, struct viewd_err *err)
{
	size_t len = strcspn(text, "=");
	int index = find_long(args->command, text, len);
	if (index < 0)
		return unknown_option(args->command, text, len, err);
	return put_option(args, index, text[len] == '=' ? text + len + 1 : NULL, next, used_next, err);
}

/* -abc is -a -b -c as long as a and b are flags; the rest of the word is a value otherwise. */
static bool put_short(struct args *args, const char *text, const char *next, bool *used_next, struct viewd_err *err)
{
	for (; *text != '\0'; text++) {
		int index = find_letter(args->command, *text);
		if (index < 0) {
			err_set(err, VIEWD_ERR_CONFIG, "%s has no option -%c", args->command->name, *text);
			return err_hint(err, "see viewctl %s --help", args->command->name);
		}
		if (args->command->params[index].kind != PARAM_FLAG)
			return put_option(args, index, text[1] != '\0' ? text + 1 : NULL, next, used_next, err);
		args_put_flag(args, (size_t)index, true);
	}
	return true;
}

static bool put_positional(struct args *args, const char *text, struct viewd_err *err)
{
	const struct command *command = args->command;
	for (size_t i = 0; i < command->n_params; i++) {
		const struct command_param *param = &command->params[i];
		if (is_positional(param) && (param->kind == PARAM_ARG_LIST || args->values[i].text == NULL))
			return args_put_text(args, i, text, err);
	}
	err_set(err, VIEWD_ERR_CONFIG, "%s does not take the argument '%s'", command->name, text);
	return err_hint(err, "see viewctl %s --help", command->name);
}

bool args_from_argv(struct args *args, int argc, char *const argv[], struct viewd_err *err)
{
	bool options_ended = false;
	for (int i = 0; i < argc; i++) {
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;
		bool used_next = false;
		bool ok;
		if (options_ended || argv[i][0] != '-' || argv[i][1] == '\0')
			ok = put_positional(args, argv[i], err);
		else if (strcmp(argv[i], "--") == 0)
			ok = options_ended = true;
		else if (argv[i][1] == '-')
			ok = put_long(args, argv[i] + 2, next, &used_next, err);
		else
			ok = put_short(args, argv[i] + 1, next, &used_next, err);
		if (!ok)
			return false;
		i += used_next;
	}
	return args_check(args, err);
}
