/* SPDX-License-Identifier: MIT
 *
 * args.c: the parameter record, the setters that judge one value, and the accessors.
 */
#include "ctl/command/args.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/span.h"
#include "ctl/command/args_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

struct args *args_new(void *mem_ctx, const struct command *command)
{
	struct args *args = talloc_zero(mem_ctx, struct args);
	assert(args != NULL && command->n_params <= COMMAND_PARAMS_MAX);
	args->command = command;
	return args;
}

bool args_word_known(const char *words, const char *text)
{
	size_t len = strlen(text);
	for (const char *p = words; *p != '\0';) {
		size_t n = strcspn(p, "|");
		if (n == len && strncmp(p, text, n) == 0)
			return true;
		p += n + (p[n] == '|');
	}
	return false;
}

static bool check_number(const char *name, const char *text, int64_t *out_r, struct viewd_err *err)
{
	char *end = NULL;
	long long n = isdigit((unsigned char)text[0]) ? strtoll(text, &end, 10) : 0;
	if (end == NULL || *end != '\0' || n < 1 || n > 1000000)
		return err_set(err, VIEWD_ERR_CONFIG, "%s '%s' is not a number from 1 to 1000000", name, text);
	*out_r = n;
	return true;
}

static bool check_time(const char *name, const char *text, int64_t *wall_us_r, struct viewd_err *err)
{
	int64_t ago = 0;
	if (clock_parse(text, wall_us_r))
		return true;
	if (!span_parse(text, &ago, err)) {
		err_set(err, VIEWD_ERR_CONFIG, "%s '%.80s' is not a time", name, text);
		return err_hint(err, "for example 2026-11-22T08:44:01Z, or 5m for five minutes ago");
	}
	*wall_us_r = clock_system()->wall(clock_system()) - ago;
	return true;
}

/* Kind-dependent judgement of one text. */
static bool check_text(const struct command_param *param, const char *text, int64_t *number_r, struct viewd_err *err)
{
	switch (param->kind) {
	case PARAM_WORD:
	case PARAM_ARG_WORD:
		if (args_word_known(param->values, text))
			return true;
		err_set(err, VIEWD_ERR_CONFIG, "%s '%s' is not known", param->name, text);
		return err_hint(err, "one of %s", param->values);
	case PARAM_SPAN:
		return span_parse(text, number_r, err) || err_wrap(err, "%s", param->name);
	case PARAM_TIME:
		return check_time(param->name, text, number_r, err);
	case PARAM_COUNTER:
		return check_number(param->name, text, number_r, err);
	case PARAM_FLAG:
	case PARAM_TEXT:
	case PARAM_ARG:
	case PARAM_ARG_LIST:
		return true;
	}
	return true;
}

static bool check_characters(const char *name, const char *text, struct viewd_err *err)
{
	size_t len = strlen(text);
	if (len == 0)
		return err_set(err, VIEWD_ERR_CONFIG, "%s is empty", name);
	if (len > ARGS_TEXT_MAX)
		return err_set(err, VIEWD_ERR_CONFIG, "%s is too long (%zu bytes, at most %d)", name, len, ARGS_TEXT_MAX);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return err_set(err, VIEWD_ERR_CONFIG, "%s holds a control character", name);
	return true;
}

static bool add_item(struct args *args, const struct command_param *param, struct arg_value *value, const char *text,
                     struct viewd_err *err)
{
	if (value->n_items >= ARGS_ITEMS_MAX)
		return err_set(err, VIEWD_ERR_CONFIG, "%s is given too often (at most %d)", param->name, ARGS_ITEMS_MAX);
	value->items = talloc_realloc(args, value->items, const char *, value->n_items + 1);
	assert(value->items != NULL);
	value->items[value->n_items++] = talloc_strdup(args, text);
	return true;
}

bool args_put_text(struct args *args, size_t index, const char *text, struct viewd_err *err)
{
	const struct command_param *param = &args->command->params[index];
	struct arg_value *value = &args->values[index];
	int64_t number = 0;
	if (!check_characters(param->name, text, err) || !check_text(param, text, &number, err))
		return false;
	if (param->kind == PARAM_ARG_LIST)
		return add_item(args, param, value, text, err);
	if (value->text != NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "%s is given twice", param->name);
	value->text = talloc_strdup(args, text);
	value->number = number;
	return true;
}

void args_put_flag(struct args *args, size_t index, bool on)
{
	args->values[index].flag = on;
}

static bool value_given(const struct arg_value *value)
{
	return value->text != NULL || value->n_items > 0 || value->flag;
}

bool args_check(const struct args *args, struct viewd_err *err)
{
	const struct command *command = args->command;
	for (size_t i = 0; i < command->n_params; i++) {
		const struct command_param *param = &command->params[i];
		bool given = value_given(&args->values[i]);
		if ((param->flags & PARAM_REQUIRED) != 0 && !given) {
			err_set(err, VIEWD_ERR_CONFIG, "%s needs %s", command->name,
			        param->values != NULL ? param->values : param->name);
			return err_hint(err, "see viewctl %s --help", command->name);
		}
		if ((param->flags & PARAM_OR_ALL) == 0)
			continue;
		bool all = args_flag(args, "all");
		if (!given && !all) {
			err_set(err, VIEWD_ERR_CONFIG, "%s needs a view", command->name);
			return err_hint(err, "name views, or say --all");
		}
		if (given && all)
			return err_set(err, VIEWD_ERR_CONFIG, "%s takes views or --all, not both", command->name);
	}
	return true;
}

static const struct arg_value *value_of(const struct args *args, const char *name)
{
	int index = command_param_index(args->command, name);
	assert(index >= 0);
	return &args->values[index];
}

bool args_flag(const struct args *args, const char *name)
{
	return value_of(args, name)->flag;
}

const char *args_text(const struct args *args, const char *name)
{
	return value_of(args, name)->text;
}

int64_t args_number(const struct args *args, const char *name, int64_t fallback)
{
	const struct arg_value *value = value_of(args, name);
	return value->text != NULL ? value->number : fallback;
}

size_t args_list(const struct args *args, const char *name, const char *const **items_r)
{
	const struct arg_value *value = value_of(args, name);
	*items_r = value->items;
	return value->n_items;
}

const struct command *args_command(const struct args *args)
{
	return args->command;
}

bool args_mutates(const struct args *args)
{
	if (args->command->access == COMMAND_MUTATE)
		return true;
	for (size_t i = 0; i < args->command->n_params; i++)
		if ((args->command->params[i].flags & PARAM_ADMIN) != 0 && value_given(&args->values[i]))
			return true;
	return false;
}
