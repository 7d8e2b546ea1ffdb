/* SPDX-License-Identifier: MIT
 *
 * args_wire.c: parameters from and to query strings and JSON bodies. What comes in is untrusted.
 */
#include "base/err.h"
#include "ctl/command/args_private.h"
#include "ctl/text/json_text.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes len bytes of s; NULL when an escape is broken or a NUL byte hides in it. */
static char *percent_decode(void *mem_ctx, const char *s, size_t len)
{
	char *out = talloc_size(mem_ctx, len + 1);
	assert(out != NULL);
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		char c = s[i] == '+' ? ' ' : s[i];
		if (c == '%') {
			int hi = i + 2 < len ? hex_digit(s[i + 1]) : -1;
			int lo = i + 2 < len ? hex_digit(s[i + 2]) : -1;
			if (hi < 0 || lo < 0 || (hi == 0 && lo == 0))
				return NULL;
			c = (char)(hi * 16 + lo);
			i += 2;
		}
		out[n++] = c;
	}
	out[n] = '\0';
	return out;
}

/* A parameter that may come over the wire, or -1 with err set. */
static int wire_param(const struct args *args, const char *name, struct viewd_err *err)
{
	int index = command_param_index(args->command, name);
	if (index >= 0 && (args->command->params[index].flags & PARAM_ONLY_CLI) == 0)
		return index;
	err_set(err, VIEWD_ERR_CONFIG, "%s has no parameter '%.80s'", args->command->name, name);
	return -1;
}

static bool flag_from_text(const char *text, bool *on_r)
{
	*on_r = args_word_known("1|true|yes|on", text);
	return *on_r || args_word_known("0|false|no|off", text);
}

static bool put_pair(struct args *args, const char *key, const char *value, struct viewd_err *err)
{
	if (!json_text_valid(key) || !json_text_valid(value))
		return err_set(err, VIEWD_ERR_CONFIG, "query string is not UTF-8");
	int index = wire_param(args, key, err);
	if (index < 0)
		return false;
	if (args->command->params[index].kind != PARAM_FLAG)
		return args_put_text(args, (size_t)index, value, err);
	bool on = false;
	if (!flag_from_text(value, &on))
		return err_set(err, VIEWD_ERR_CONFIG, "%s '%.80s' is not yes or no", key, value);
	args_put_flag(args, (size_t)index, on);
	return true;
}

bool args_from_query(struct args *args, const char *query, struct viewd_err *err)
{
	for (const char *p = query != NULL ? query : ""; *p != '\0';) {
		size_t len = strcspn(p, "&");
		size_t key_len = strcspn(p, "=&");
		const char *value = key_len < len ? p + key_len + 1 : "1";
		size_t value_len = key_len < len ? len - key_len - 1 : 1;
		char *k = percent_decode(args, p, key_len);
		char *v = percent_decode(args, value, value_len);
		if (k == NULL || v == NULL)
			return err_set(err, VIEWD_ERR_CONFIG, "query string has a broken %% escape");
		if (len > 0 && !put_pair(args, k, v, err))
			return false;
		p += len + (p[len] == '&');
	}
	return args_check(args, err);
}

static bool put_json_list(struct args *args, size_t index, const json_t *list, struct viewd_err *err)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item) {
		if (!json_is_string(item))
			return err_set(err, VIEWD_ERR_CONFIG, "%s holds something that is not a string",
			               args->command->params[index].name);
		if (!args_put_text(args, index, json_string_value(item), err))
			return false;
	}
	return true;
}

static bool put_json(struct args *args, const char *key, const json_t *value, struct viewd_err *err)
{
	int index = wire_param(args, key, err);
	if (index < 0)
		return false;
	const struct command_param *param = &args->command->params[index];
	if (json_is_null(value))
		return true;
	if (param->kind == PARAM_FLAG && json_is_boolean(value)) {
		args_put_flag(args, (size_t)index, json_is_true(value));
		return true;
	}
	if (param->kind == PARAM_ARG_LIST && json_is_array(value))
		return put_json_list(args, (size_t)index, value, err);
	if (param->kind == PARAM_COUNTER && json_is_integer(value)) {
		char text[32];
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		return args_put_text(args, (size_t)index, text, err);
	}
	if (param->kind != PARAM_FLAG && json_is_string(value))
		return args_put_text(args, (size_t)index, json_string_value(value), err);
	return err_set(err, VIEWD_ERR_CONFIG, "%s is of the wrong type", param->name);
}

static bool put_object(struct args *args, json_t *object, struct viewd_err *err)
{
	const char *key;
	json_t *value;
	if (!json_is_object(object))
		return err_set(err, VIEWD_ERR_CONFIG, "body is not a JSON object");
	json_object_foreach(object, key, value)
		if (!put_json(args, key, value, err))
			return false;
	return args_check(args, err);
}

bool args_from_json(struct args *args, const char *body, size_t len, struct viewd_err *err)
{
	if (len == 0)
		return args_check(args, err);
	json_error_t why;
	json_t *object = json_loadb(body, len, JSON_REJECT_DUPLICATES, &why);
	if (object == NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "body is not JSON (line %d: %s)", why.line, why.text);
	bool ok = put_object(args, object, err);
	json_decref(object);
	return ok;
}

static char *append_encoded(char *out, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		if (isalnum(c) || strchr("-._~:", c) != NULL)
			out = talloc_asprintf_append_buffer(out, "%c", c);
		else
			out = talloc_asprintf_append_buffer(out, "%%%02X", c);
	}
	return out;
}

static char *append_pair(char *out, const char *key, const char *value)
{
	out = talloc_asprintf_append_buffer(out, "%s%s=", out[0] != '\0' ? "&" : "", key);
	return append_encoded(out, value);
}

char *args_to_query(void *mem_ctx, const struct args *args)
{
	char *out = talloc_strdup(mem_ctx, "");
	for (size_t i = 0; i < args->command->n_params; i++) {
		const struct command_param *param = &args->command->params[i];
		const struct arg_value *value = &args->values[i];
		if ((param->flags & PARAM_ONLY_CLI) != 0)
			continue;
		if (value->flag)
			out = append_pair(out, param->name, "1");
		if (value->text != NULL)
			out = append_pair(out, param->name, value->text);
		for (size_t k = 0; k < value->n_items; k++)
			out = append_pair(out, param->name, value->items[k]);
	}
	return out;
}

static json_t *value_to_json(const struct command_param *param, const struct arg_value *value)
{
	if (value->flag)
		return json_true();
	if (value->text != NULL)
		return param->kind == PARAM_COUNTER ? json_integer(value->number) : json_text(value->text);
	if (value->n_items == 0)
		return NULL;
	json_t *list = json_array();
	for (size_t k = 0; k < value->n_items; k++)
		json_array_append_new(list, json_text(value->items[k]));
	return list;
}

char *args_to_json(void *mem_ctx, const struct args *args)
{
	json_t *object = json_object();
	for (size_t i = 0; i < args->command->n_params; i++) {
		const struct command_param *param = &args->command->params[i];
		json_t *value = (param->flags & PARAM_ONLY_CLI) != 0 ? NULL : value_to_json(param, &args->values[i]);
		if (value != NULL)
			json_object_set_new(object, param->name, value);
	}
	char *text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	assert(text != NULL);
	char *out = talloc_strdup(mem_ctx, text);
	free(text);
	return out;
}

#define DESCRIBE_MAX 400

char *args_describe(void *mem_ctx, const struct args *args)
{
	char *out = talloc_strdup(mem_ctx, "");
	for (size_t i = 0; i < args->command->n_params; i++) {
		const struct command_param *param = &args->command->params[i];
		const struct arg_value *value = &args->values[i];
		if (value->flag)
			out = talloc_asprintf_append_buffer(out, " --%s", param->name);
		if (value->text != NULL)
			out = talloc_asprintf_append_buffer(out, " %s=%s", param->name, value->text);
		for (size_t k = 0; k < value->n_items && strlen(out) < DESCRIBE_MAX; k++)
			out = talloc_asprintf_append_buffer(out, " %s", value->items[k]);
	}
	if (strlen(out) > DESCRIBE_MAX)
		memcpy(out + DESCRIBE_MAX - 3, "...", 4);
	return out;
}
