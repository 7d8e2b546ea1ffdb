/* SPDX-License-Identifier: MIT
 *
 * option_lists.c: the option types that hold several items.
 */
#include "base/err.h"
#include "conf/read/list.h"
#include "conf/schema/option_types.h"

#include <string.h>
#include <talloc.h>

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
	if (len > 0 && list_name(item, len) == len)
		return arena_strndup(p->arena, item, len);
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
	OPTION_FIELD(struct conf_list, p->field) = (struct conf_list){.items = items, .n = n};
	return true;
}

bool option_parse_names(const struct option_parse *p)
{
	return parse_list(p, name_item);
}

bool option_parse_idents(const struct option_parse *p)
{
	return parse_list(p, ident_item);
}

bool option_parse_items(const struct option_parse *p)
{
	return parse_list(p, plain_item);
}

static char *join(char *text, const char *item)
{
	return talloc_asprintf_append_buffer(text, "%s%s", text[0] != '\0' ? ", " : "", item);
}

char *option_format_list(void *mem_ctx, const struct option_row *row UNUSED, const char *field,
                         const char *count UNUSED)
{
	const struct conf_list *list = (const void *)field;
	char *text = talloc_strdup(mem_ctx, "");
	for (size_t i = 0; i < list->n; i++)
		text = join(text, list->items[i]);
	return text;
}

static bool one_column(const struct option_parse *p, const char *item, size_t len, struct viewd_column *out)
{
	size_t used = list_name(item, len);
	if (used == 0 || (used < len && item[used] != ' ' && item[used] != '\t'))
		return bad_item(p, item, len, "write `name type, name type` or names only");
	out->name = arena_strndup(p->arena, item, used);
	while (used < len && (item[used] == ' ' || item[used] == '\t'))
		used++;
	out->type = used < len ? arena_strndup(p->arena, item + used, len - used) : NULL;
	return true;
}

bool option_parse_columns(const struct option_parse *p)
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
	OPTION_FIELD(const struct viewd_column *, p->field) = columns;
	OPTION_FIELD(size_t, p->count) = n;
	return true;
}

char *option_format_columns(void *mem_ctx, const struct option_row *row UNUSED, const char *field, const char *count)
{
	const struct viewd_column *columns = OPTION_CONST_FIELD(const struct viewd_column *, field);
	char *text = talloc_strdup(mem_ctx, "");
	for (size_t i = 0; i < OPTION_CONST_FIELD(size_t, count); i++) {
		text = join(text, columns[i].name);
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

bool option_parse_pairs(const struct option_parse *p)
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
	OPTION_FIELD(const struct viewd_kv *, p->field) = pairs;
	OPTION_FIELD(size_t, p->count) = n;
	return true;
}

char *option_format_pairs(void *mem_ctx, const struct option_row *row UNUSED, const char *field, const char *count)
{
	const struct viewd_kv *pairs = OPTION_CONST_FIELD(const struct viewd_kv *, field);
	char *text = talloc_strdup(mem_ctx, "");
	for (size_t i = 0; i < OPTION_CONST_FIELD(size_t, count); i++)
		text = talloc_asprintf_append_buffer(join(text, pairs[i].key), "=%s", pairs[i].value);
	return text;
}

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool option_equal_list(const char *a, const char *a_count UNUSED, const char *b, const char *b_count UNUSED)
{
	const struct conf_list *x = (const void *)a, *y = (const void *)b;
	bool same = x->n == y->n;
	for (size_t i = 0; same && x->items != y->items && i < x->n; i++)
		same = strcmp(x->items[i], y->items[i]) == 0;
	return same;
}

bool option_equal_columns(const char *a, const char *a_count, const char *b, const char *b_count)
{
	const struct viewd_column *x = OPTION_CONST_FIELD(const struct viewd_column *, a);
	const struct viewd_column *y = OPTION_CONST_FIELD(const struct viewd_column *, b);
	size_t n = OPTION_CONST_FIELD(size_t, a_count);
	bool same = n == OPTION_CONST_FIELD(size_t, b_count);
	for (size_t i = 0; same && i < n; i++)
		same = strcmp(x[i].name, y[i].name) == 0 && same_text(x[i].type, y[i].type);
	return same;
}

bool option_equal_pairs(const char *a, const char *a_count, const char *b, const char *b_count)
{
	const struct viewd_kv *x = OPTION_CONST_FIELD(const struct viewd_kv *, a);
	const struct viewd_kv *y = OPTION_CONST_FIELD(const struct viewd_kv *, b);
	size_t n = OPTION_CONST_FIELD(size_t, a_count);
	bool same = n == OPTION_CONST_FIELD(size_t, b_count);
	for (size_t i = 0; same && i < n; i++)
		same = strcmp(x[i].key, y[i].key) == 0 && strcmp(x[i].value, y[i].value) == 0;
	return same;
}
