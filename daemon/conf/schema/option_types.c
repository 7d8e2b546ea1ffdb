/* SPDX-License-Identifier: MIT */
#include "conf/schema/option_types.h"

#include "base/address.h"
#include "base/command.h"
#include "base/err.h"
#include "base/nearest.h"
#include "base/span.h"
#include "sched/cron.h"
#include "sched/zone.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

static bool parse_bool(const struct option_parse *p)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(p->text, words[i]) == 0) {
			OPTION_FIELD(bool, p->field) = i % 2 == 1;
			return true;
		}
	err_set(p->err, VIEWD_ERR_CONFIG, "'%s' is neither yes nor no", p->text);
	return err_hint(p->err, "write yes or no (true false on off are understood too)");
}

static char *format_bool(void *mem_ctx, const struct option_row *row UNUSED, const char *field,
                         const char *count UNUSED)
{
	return talloc_strdup(mem_ctx, OPTION_CONST_FIELD(bool, field) ? "yes" : "no");
}

static bool in_range(const struct option_parse *p, int64_t value, const char *min, const char *max)
{
	if (value >= p->row->min && value <= p->row->max)
		return true;
	err_set(p->err, VIEWD_ERR_CONFIG, "'%s' is out of range", p->text);
	return err_hint(p->err, "from %s to %s", min, max);
}

static bool parse_int(const struct option_parse *p)
{
	char min[24], max[24];
	const char *digits = p->text + (p->text[0] == '-');
	int64_t value = 0;
	bool good = *digits != '\0' && strlen(digits) < 19 && strspn(digits, "0123456789") == strlen(digits);
	if (good)
		value = strtoll(p->text, NULL, 10);
	if (!good || (digits[0] == '0' && digits[1] != '\0')) {
		err_set(p->err, VIEWD_ERR_CONFIG, "'%s' is not a whole number", p->text);
		return err_hint(p->err, "from %" PRId64 " to %" PRId64, p->row->min, p->row->max);
	}
	snprintf(min, sizeof min, "%" PRId64, p->row->min);
	snprintf(max, sizeof max, "%" PRId64, p->row->max);
	if (!in_range(p, value, min, max))
		return false;
	OPTION_FIELD(int64_t, p->field) = value;
	return true;
}

static char *format_int(void *mem_ctx, const struct option_row *row UNUSED, const char *field, const char *count UNUSED)
{
	return talloc_asprintf(mem_ctx, "%" PRId64, OPTION_CONST_FIELD(int64_t, field));
}

static bool parse_span(const struct option_parse *p)
{
	char min[64], max[64];
	int64_t value;
	if (!span_parse(p->text, &value, p->err))
		return false;
	span_format(p->row->min, min, sizeof min);
	span_format(p->row->max, max, sizeof max);
	if (!in_range(p, value, min, max))
		return false;
	OPTION_FIELD(int64_t, p->field) = value;
	return true;
}

static char *format_span(void *mem_ctx, const struct option_row *row UNUSED, const char *field,
                         const char *count UNUSED)
{
	char buf[64];
	return talloc_strdup(mem_ctx, span_format(OPTION_CONST_FIELD(int64_t, field), buf, sizeof buf));
}

/* "auto full swap", and the nearest one if the text is a slip of the pen. */
static bool unknown_word(const struct option_parse *p)
{
	const char *words[16];
	char all[200] = "";
	size_t n = 0, len = 0;
	for (const struct option_choice *c = p->row->choices; c->word != NULL && n < ARRAY_LEN(words); c++) {
		words[n++] = c->word;
		len += (size_t)snprintf(all + len, sizeof all - len, "%s%s", len > 0 ? " " : "", c->word);
	}
	const char *near = nearest_word(words, n, p->text);
	err_set(p->err, VIEWD_ERR_CONFIG, "unknown value '%s'", p->text);
	return near != NULL ? err_hint(p->err, "did you mean %s (one of %s)", near, all)
	                    : err_hint(p->err, "one of %s", all);
}

static bool parse_word(const struct option_parse *p)
{
	for (const struct option_choice *c = p->row->choices; c->word != NULL; c++) {
		if (strcmp(c->word, p->text) != 0)
			continue;
		OPTION_FIELD(int, p->field) = c->value;
		return true;
	}
	return unknown_word(p);
}

static char *format_word(void *mem_ctx, const struct option_row *row, const char *field, const char *count UNUSED)
{
	for (const struct option_choice *c = row->choices; c->word != NULL; c++)
		if (c->value == OPTION_CONST_FIELD(int, field))
			return talloc_strdup(mem_ctx, c->word);
	return NULL;
}

static bool parse_text(const struct option_parse *p)
{
	OPTION_FIELD(const char *, p->field) = p->text[0] != '\0' ? arena_strdup(p->arena, p->text) : NULL;
	return true;
}

static bool equal_text(const char *a, const char *a_count UNUSED, const char *b, const char *b_count UNUSED)
{
	const char *x = OPTION_CONST_FIELD(const char *, a), *y = OPTION_CONST_FIELD(const char *, b);
	return x == NULL || y == NULL ? x == y : strcmp(x, y) == 0;
}

static bool equal_bool(const char *a, const char *a_count UNUSED, const char *b, const char *b_count UNUSED)
{
	return OPTION_CONST_FIELD(bool, a) == OPTION_CONST_FIELD(bool, b);
}

static bool equal_word(const char *a, const char *a_count UNUSED, const char *b, const char *b_count UNUSED)
{
	return OPTION_CONST_FIELD(int, a) == OPTION_CONST_FIELD(int, b);
}

static bool equal_int(const char *a, const char *a_count UNUSED, const char *b, const char *b_count UNUSED)
{
	return OPTION_CONST_FIELD(int64_t, a) == OPTION_CONST_FIELD(int64_t, b);
}

static char *format_text(void *mem_ctx, const struct option_row *row UNUSED, const char *field,
                         const char *count UNUSED)
{
	const char *text = OPTION_CONST_FIELD(const char *, field);
	return text != NULL ? talloc_strdup(mem_ctx, text) : NULL;
}

static bool parse_name(const struct option_parse *p)
{
	char *name = arena_strdup(p->arena, p->text);
	for (char *c = name; *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_.-", *c) != NULL)
			continue;
		err_set(p->err, VIEWD_ERR_CONFIG, "'%.200s' is not a name", p->text);
		return err_hint(p->err, "names hold a-z 0-9 _ . - only");
	}
	OPTION_FIELD(const char *, p->field) = name[0] != '\0' ? name : NULL;
	return true;
}

static bool parse_cron(const struct option_parse *p)
{
	struct cron cron;
	return cron_parse(p->text, &cron, p->err) && parse_text(p);
}

static bool parse_zone(const struct option_parse *p)
{
	size_t n;
	void *tmp = talloc_new(NULL);
	bool good = zone_open(tmp, p->text, p->err) != NULL;
	const char **names = good ? NULL : zone_names(tmp, &n);
	const char *near = names != NULL ? nearest_word(names, n, p->text) : NULL;
	if (near != NULL)
		err_hint(p->err, "did you mean %s", near);
	talloc_free(tmp);
	return good && parse_text(p);
}

static bool parse_address(const struct option_parse *p)
{
	struct sockaddr_storage addr;
	socklen_t len;
	if (strcmp(p->text, "off") != 0)
		return address_parse(p->text, &addr, &len, p->err) && parse_text(p);
	OPTION_FIELD(const char *, p->field) = NULL;
	return true;
}

static char *format_address(void *mem_ctx, const struct option_row *row UNUSED, const char *field,
                            const char *count UNUSED)
{
	const char *text = OPTION_CONST_FIELD(const char *, field);
	return talloc_strdup(mem_ctx, text != NULL ? text : "off");
}

static bool parse_command(const struct option_parse *p)
{
	void *tmp = talloc_new(NULL);
	bool good = p->text[0] == '\0' || command_words(tmp, p->text, p->err) != NULL;
	talloc_free(tmp);
	return good && parse_text(p);
}

static bool parse_path(const struct option_parse *p)
{
	if (p->text[0] == '/' || p->text[0] == '\0')
		return parse_text(p);
	char *path = talloc_asprintf(NULL, "%s/%s", p->base_dir, p->text);
	OPTION_FIELD(const char *, p->field) = arena_strdup(p->arena, path);
	talloc_free(path);
	return true;
}

/* clang-format off */
static const struct option_type_row type_rows[OPTION_TYPE_COUNT] = {
	[OPTION_BOOL] = {.word = "boolean", .doc = "yes or no (also true, false, on, off)", .parse = parse_bool,
	                 .format = format_bool, .equal = equal_bool},
	[OPTION_INT] = {.word = "number", .doc = "a whole number in decimal digits", .parse = parse_int,
	                .format = format_int, .equal = equal_int},
	[OPTION_SPAN] = {.word = "duration", .doc = "a number with a unit: 250ms, 30s, 5m, 2h, 1d, 1w, 1h30m, or 0",
	                 .parse = parse_span, .format = format_span, .equal = equal_int},
	[OPTION_WORD] = {.word = "word", .doc = "one of the words listed", .parse = parse_word, .format = format_word,
	                 .equal = equal_word},
	[OPTION_TEXT] = {.word = "text", .doc = "any text", .empty_ok = true, .parse = parse_text, .format = format_text,
	                 .equal = equal_text},
	[OPTION_PATH] = {.word = "path", .doc = "a file name; relative to the directory of the file that says it",
	                 .empty_ok = true, .parse = parse_path, .format = format_text, .equal = equal_text},
	[OPTION_NAME] = {.word = "name", .doc = "a word of a-z 0-9 _ . -", .empty_ok = true, .parse = parse_name,
	                 .format = format_text, .equal = equal_text},
	[OPTION_NAMES] = {.word = "names", .doc = "section names separated by commas", .empty_ok = true,
	                  .parse = option_parse_names, .format = option_format_list, .equal = option_equal_list},
	[OPTION_ITEMS] = {.word = "list", .doc = "texts separated by commas", .empty_ok = true, .parse = option_parse_items,
	                  .format = option_format_list, .equal = option_equal_list},
	[OPTION_IDENTS] = {.word = "columns",
	                   .doc = "SQL names separated by commas, each quoted where it holds capitals, blanks or marks",
	                   .empty_ok = true, .parse = option_parse_idents, .format = option_format_list,
	                   .equal = option_equal_list},
	[OPTION_COLUMNS] = {.word = "columns with types", .doc = "`name type` separated by commas, or names only",
	                    .empty_ok = true, .parse = option_parse_columns, .format = option_format_columns,
	                    .equal = option_equal_columns},
	[OPTION_PAIRS] = {.word = "options", .doc = "`name=value` separated by commas", .empty_ok = true,
	                  .parse = option_parse_pairs, .format = option_format_pairs, .equal = option_equal_pairs},
	[OPTION_CRON] = {.word = "times", .doc = "five fields as in crontab(5), or @daily and the like",
	                 .parse = parse_cron, .format = format_text, .equal = equal_text},
	[OPTION_ZONE] = {.word = "time zone", .doc = "a name of the time zone database, for example Europe/Berlin",
	                 .parse = parse_zone, .format = format_text, .equal = equal_text},
	[OPTION_ADDRESS] = {.word = "address", .doc = "off, or an IP address and a port: 127.0.0.1:7432, [::1]:7432",
	                    .parse = parse_address, .format = format_address, .equal = equal_text},
	[OPTION_COMMAND] = {.word = "command", .doc = "the absolute path of a program, and arguments; no shell reads it",
	                    .empty_ok = true, .parse = parse_command, .format = format_text, .equal = equal_text},
	[OPTION_DEFINITION] = {.word = "query", .doc = "one SQL query, or the name of a file that holds one"},
	[OPTION_INDEX] = {.word = "index", .doc = "(column, ...) or UNIQUE (column, ...)"},
};
/* clang-format on */

const struct option_type_row *option_type(enum option_type type)
{
	return &type_rows[type];
}
