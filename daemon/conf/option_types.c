/* SPDX-License-Identifier: MIT */
#include "conf/option_types.h"

#include "base/err.h"
#include "base/span.h"
#include "conf/list.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* The one place that turns a field's address back into its type: the row macros have checked it. */
#define FIELD(type, p) (*(type *)(void *)(p))
#define CONST_FIELD(type, p) (*(__typeof__(type) const *)(const void *)(p))

static bool parse_bool(const struct option_parse *p)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(p->text, words[i]) == 0) {
			FIELD(bool, p->field) = i % 2 == 1;
			return true;
		}
	err_set(p->err, VIEWD_ERR_CONFIG, "'%s' is neither yes nor no", p->text);
	return err_hint(p->err, "write yes or no (true false on off are understood too)");
}

static char *format_bool(void *mem_ctx, const struct option_row *row UNUSED, const char *field, const char *count UNUSED)
{
	return talloc_strdup(mem_ctx, CONST_FIELD(bool, field) ? "yes" : "no");
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
	FIELD(int64_t, p->field) = value;
	return true;
}

static char *format_int(void *mem_ctx, const struct option_row *row UNUSED, const char *field, const char *count UNUSED)
{
	return talloc_asprintf(mem_ctx, "%" PRId64, CONST_FIELD(int64_t, field));
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
	FIELD(int64_t, p->field) = value;
	return true;
}

static char *format_span(void *mem_ctx, const struct option_row *row UNUSED, const char *field, const char *count UNUSED)
{
	char buf[64];
	return talloc_strdup(mem_ctx, span_format(CONST_FIELD(int64_t, field), buf, sizeof buf));
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
	const char *near = option_nearest_word(words, n, p->text);
	err_set(p->err, VIEWD_ERR_CONFIG, "unknown value '%s'", p->text);
	return near != NULL ? err_hint(p->err, "did you mean %s (one of %s)", near, all) : err_hint(p->err, "one of %s", all);
}

static bool parse_word(const struct option_parse *p)
{
	for (const struct option_choice *c = p->row->choices; c->word != NULL; c++) {
		if (strcmp(c->word, p->text) != 0)
			continue;
		if (c->later) {
			err_set(p->err, VIEWD_ERR_CONFIG, "'%s' is not supported yet", p->text);
			return err_hint(p->err, "use another value until it is");
		}
		FIELD(int, p->field) = c->value;
		return true;
	}
	return unknown_word(p);
}

static char *format_word(void *mem_ctx, const struct option_row *row, const char *field, const char *count UNUSED)
{
	for (const struct option_choice *c = row->choices; c->word != NULL; c++)
		if (c->value == CONST_FIELD(int, field))
			return talloc_strdup(mem_ctx, c->word);
	return NULL;
}

static bool parse_text(const struct option_parse *p)
{
	FIELD(const char *, p->field) = p->text[0] != '\0' ? arena_strdup(p->arena, p->text) : NULL;
	return true;
}

static char *format_text(void *mem_ctx, const struct option_row *row UNUSED, const char *field, const char *count UNUSED)
{
	const char *text = CONST_FIELD(const char *, field);
	return text != NULL ? talloc_strdup(mem_ctx, text) : NULL;
}

static bool parse_path(const struct option_parse *p)
{
	if (p->text[0] == '/' || p->text[0] == '\0')
		return parse_text(p);
	char *path = talloc_asprintf(NULL, "%s/%s", p->base_dir, p->text);
	FIELD(const char *, p->field) = arena_strdup(p->arena, path);
	talloc_free(path);
	return true;
}

static bool bad_list(const struct option_parse *p, bool open)
{
	if (open)
		err_set(p->err, VIEWD_ERR_CONFIG, "a quote or parenthesis is not closed in '%s'", p->text);
	else
		err_set(p->err, VIEWD_ERR_CONFIG, "an item of the list '%s' is empty", p->text);
	return err_hint(p->err, "separate items by single commas");
}

/* Counts the items; false when one is empty or the text is not well formed. */
static bool count_items(const struct option_parse *p, size_t *n_r)
{
	const char *rest = p->text[0] != '\0' ? p->text : NULL, *item;
	size_t len;
	bool open = false;
	*n_r = 0;
	for (; list_next(&rest, &item, &len, &open); ++*n_r)
		if (len == 0)
			return bad_list(p, false);
	return open ? bad_list(p, true) : true;
}

static bool bad_item(const struct option_parse *p, const char *item, size_t len, const char *right)
{
	err_set(p->err, VIEWD_ERR_CONFIG, "'%.*s' cannot be understood", (int)(len < 200 ? len : 200), item);
	return err_hint(p->err, "%s", right);
}

/* A section's name, or db:view. */
static char *name_item(const struct option_parse *p, const char *item, size_t len)
{
	char *copy = arena_strndup(p->arena, item, len);
	for (char *c = copy; *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
		if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_.-:", *c) == NULL) {
			bad_item(p, item, len, "names of sections hold a-z 0-9 _ . - only");
			return NULL;
		}
	}
	return copy;
}

static char *ident_item(const struct option_parse *p, const char *item, size_t len)
{
	size_t used;
	char *name = list_ident(p->arena, item, len, &used);
	if (name != NULL && used == len)
		return name;
	bad_item(p, item, len, "write names separated by commas, \"quoted\" where they hold blanks or capitals");
	return NULL;
}

static char *plain_item(const struct option_parse *p, const char *item, size_t len)
{
	return arena_strndup(p->arena, item, len);
}

static bool is_double(const struct option_parse *p, const char *const *items, size_t n, const char *item)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(items[i], item) == 0) {
			err_set(p->err, VIEWD_ERR_CONFIG, "'%s' is named twice", item);
			return true;
		}
	return false;
}

static bool parse_list(const struct option_parse *p, char *(*one)(const struct option_parse *, const char *, size_t))
{
	size_t n, len, i = 0;
	bool open = false;
	if (!count_items(p, &n))
		return false;
	const char **items = arena_array(p->arena, const char *, n);
	const char *rest = n > 0 ? p->text : NULL, *item;
	while (list_next(&rest, &item, &len, &open)) {
		items[i] = one(p, item, len);
		if (items[i] == NULL || is_double(p, items, i, items[i]))
			return false;
		i++;
	}
	FIELD(struct conf_list, p->field) = (struct conf_list){.items = items, .n = n};
	return true;
}

static bool parse_names(const struct option_parse *p)
{
	return parse_list(p, name_item);
}

static bool parse_idents(const struct option_parse *p)
{
	return parse_list(p, ident_item);
}

static bool parse_items(const struct option_parse *p)
{
	return parse_list(p, plain_item);
}

static char *join(char *text, const char *item)
{
	return talloc_asprintf_append_buffer(text, "%s%s", text[0] != '\0' ? ", " : "", item);
}

static char *format_list(void *mem_ctx, const struct option_row *row UNUSED, const char *field, const char *count UNUSED)
{
	const struct conf_list *list = (const void *)field;
	char *text = talloc_strdup(mem_ctx, "");
	for (size_t i = 0; i < list->n; i++)
		text = join(text, list->items[i]);
	return text;
}

/* A name as the list parser reads it back. */
static char *join_ident(char *text, const char *name)
{
	bool plain = name[0] != '\0';
	for (const char *c = name; *c != '\0'; c++)
		plain &= (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_' || (unsigned char)*c >= 0x80;
	if (plain)
		return join(text, name);
	text = join(text, "\"");
	for (const char *c = name; *c != '\0'; c++)
		text = talloc_asprintf_append_buffer(text, *c == '"' ? "\"\"" : "%c", *c);
	return talloc_strdup_append_buffer(text, "\"");
}

static char *format_idents(void *mem_ctx, const struct option_row *row UNUSED, const char *field, const char *count UNUSED)
{
	const struct conf_list *list = (const void *)field;
	char *text = talloc_strdup(mem_ctx, "");
	for (size_t i = 0; i < list->n; i++)
		text = join_ident(text, list->items[i]);
	return text;
}

static bool one_column(const struct option_parse *p, const char *item, size_t len, struct viewd_column *out)
{
	size_t used;
	out->name = list_ident(p->arena, item, len, &used);
	if (out->name == NULL || (used < len && item[used] != ' ' && item[used] != '\t'))
		return bad_item(p, item, len, "write `name type, name type` or names only");
	while (used < len && (item[used] == ' ' || item[used] == '\t'))
		used++;
	out->type = used < len ? arena_strndup(p->arena, item + used, len - used) : NULL;
	return true;
}

static bool parse_columns(const struct option_parse *p)
{
	size_t n, len, i = 0;
	bool open = false;
	if (!count_items(p, &n))
		return false;
	struct viewd_column *columns = arena_array(p->arena, struct viewd_column, n);
	const char *rest = n > 0 ? p->text : NULL, *item;
	for (; list_next(&rest, &item, &len, &open); i++) {
		if (!one_column(p, item, len, &columns[i]))
			return false;
		for (size_t j = 0; j < i; j++)
			if (strcmp(columns[j].name, columns[i].name) == 0)
				return err_set(p->err, VIEWD_ERR_CONFIG, "column '%s' is named twice", columns[i].name);
	}
	FIELD(const struct viewd_column *, p->field) = columns;
	FIELD(size_t, p->count) = n;
	return true;
}

static char *format_columns(void *mem_ctx, const struct option_row *row UNUSED, const char *field, const char *count)
{
	const struct viewd_column *columns = CONST_FIELD(const struct viewd_column *, field);
	char *text = talloc_strdup(mem_ctx, "");
	for (size_t i = 0; i < CONST_FIELD(size_t, count); i++) {
		text = join_ident(text, columns[i].name);
		if (columns[i].type != NULL)
			text = talloc_asprintf_append_buffer(text, " %s", columns[i].type);
	}
	return text;
}

static bool one_pair(const struct option_parse *p, const char *item, size_t len, struct viewd_kv *out)
{
	const char *equals = memchr(item, '=', len);
	size_t key_len = equals != NULL ? (size_t)(equals - item) : len;
	while (key_len > 0 && item[key_len - 1] == ' ')
		key_len--;
	char *key = name_item(p, item, key_len);
	if (key == NULL || key[0] == '\0')
		return bad_item(p, item, len, "write `name=value, name=value`");
	const char *value = equals != NULL ? equals + 1 : "true", *end = equals != NULL ? item + len : value + 4;
	while (value < end && *value == ' ')
		value++;
	if (value == end)
		return bad_item(p, item, len, "write `name=value, name=value`");
	*out = (struct viewd_kv){.key = key, .value = arena_strndup(p->arena, value, (size_t)(end - value))};
	return true;
}

static bool parse_pairs(const struct option_parse *p)
{
	size_t n, len, i = 0;
	bool open = false;
	if (!count_items(p, &n))
		return false;
	struct viewd_kv *pairs = arena_array(p->arena, struct viewd_kv, n);
	const char *rest = n > 0 ? p->text : NULL, *item;
	for (; list_next(&rest, &item, &len, &open); i++) {
		if (!one_pair(p, item, len, &pairs[i]))
			return false;
		for (size_t j = 0; j < i; j++)
			if (strcmp(pairs[j].key, pairs[i].key) == 0)
				return err_set(p->err, VIEWD_ERR_CONFIG, "option '%s' is named twice", pairs[i].key);
	}
	FIELD(const struct viewd_kv *, p->field) = pairs;
	FIELD(size_t, p->count) = n;
	return true;
}

static char *format_pairs(void *mem_ctx, const struct option_row *row UNUSED, const char *field, const char *count)
{
	const struct viewd_kv *pairs = CONST_FIELD(const struct viewd_kv *, field);
	char *text = talloc_strdup(mem_ctx, "");
	for (size_t i = 0; i < CONST_FIELD(size_t, count); i++)
		text = talloc_asprintf_append_buffer(join(text, pairs[i].key), "=%s", pairs[i].value);
	return text;
}

static const struct option_type_row type_rows[OPTION_TYPE_COUNT] = {
	[OPTION_BOOL] = {"boolean", "yes or no (also true, false, on, off)", false, parse_bool, format_bool},
	[OPTION_INT] = {"number", "a whole number in decimal digits", false, parse_int, format_int},
	[OPTION_SPAN] = {"duration", "numbers with units: 250ms, 30s, 5m, 2h, 1d, 1w, 1h30m, or 0", false, parse_span, format_span},
	[OPTION_WORD] = {"word", "one of the words listed", false, parse_word, format_word},
	[OPTION_TEXT] = {"text", "any text", true, parse_text, format_text},
	[OPTION_PATH] = {"path", "a file name; relative to the directory of the file that says it", true, parse_path, format_text},
	[OPTION_NAMES] = {"names", "section names separated by commas", true, parse_names, format_list},
	[OPTION_ITEMS] = {"list", "texts separated by commas", true, parse_items, format_list},
	[OPTION_IDENTS] = {"columns", "SQL names separated by commas; \"quoted\" ones keep their case", true, parse_idents,
	                   format_idents},
	[OPTION_COLUMNS] = {"columns with types", "`name type` separated by commas, or names only", true, parse_columns,
	                    format_columns},
	[OPTION_PAIRS] = {"options", "`name=value` separated by commas", true, parse_pairs, format_pairs},
	[OPTION_DEFINITION] = {"query", "one SQL query, or the name of a file that holds one", false, NULL, NULL},
	[OPTION_INDEX] = {"index", "an index: (column, ...) or UNIQUE (column, ...)", false, NULL, NULL},
	[OPTION_DIALECT] = {"text", "as the dialect says", true, NULL, NULL},
	[OPTION_LATER] = {"text", "not supported yet", true, NULL, NULL},
};

const struct option_type_row *option_type(enum option_type type)
{
	return &type_rows[type];
}
