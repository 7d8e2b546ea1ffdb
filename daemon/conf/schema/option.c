/* SPDX-License-Identifier: MIT */
#include "conf/schema/option.h"

#include "base/err.h"
#include "base/nearest.h"
#include "conf/schema/option_types.h"

#include <string.h>
#include <talloc.h>

static bool row_matches(const struct option_row *row, const char *key)
{
	if (row->key[0] != key[0]) /* spares most of the comparisons of a big configuration */
		return false;
	size_t len = strlen(row->key);
	if ((row->flags & OPTION_DYNAMIC) == 0)
		return strcmp(row->key, key) == 0;
	return strncmp(row->key, key, len - 1) == 0 && key[len - 1] != '\0';
}

/* Exact rows stand before dynamic ones with the same beginning (definition_file before definition_*). */
const struct option_row *option_find(const struct option_table *table, const char *key)
{
	for (size_t i = 0; i < table->n; i++)
		if (row_matches(&table->rows[i], key))
			return &table->rows[i];
	return NULL;
}

const char *option_nearest(const struct option_table *table, const char *key)
{
	const char *words[96];
	size_t n = 0;
	for (size_t i = 0; i < table->n && n < ARRAY_LEN(words); i++)
		words[n++] = table->rows[i].key;
	return nearest_word(words, n, key);
}

/* A file that has a place by default has to be somewhere. */
static bool may_be_empty(const struct option_row *row)
{
	return option_type(row->type)->empty_ok && (row->flags & OPTION_REQUIRED) == 0 &&
	       (row->type != OPTION_PATH || row->dflt == NULL);
}

bool option_set(const struct option_row *row, struct arena *arena, const char *base_dir, void *base, const char *text,
                struct viewd_err *err)
{
	const struct option_type_row *type = option_type(row->type);
	if (text[0] == '\0' && !may_be_empty(row)) {
		err_set(err, VIEWD_ERR_CONFIG, "the value is empty");
		return err_hint(err, "write %s", type->doc);
	}
	if (type->parse == NULL)
		return true;
	struct option_parse p = {.row = row, .arena = arena, .base_dir = base_dir, .text = text, .err = err};
	p.field = (char *)base + row->offset;
	p.count = (char *)base + row->count_offset;
	return type->parse(&p);
}

void option_set_defaults(const struct option_table *table, struct arena *arena, void *base)
{
	for (size_t i = 0; i < table->n; i++) {
		const struct option_row *row = &table->rows[i];
		struct viewd_err err;
		if (row->dflt != NULL && option_type(row->type)->parse != NULL) {
			bool done = option_set(row, arena, "/", base, row->dflt, &err);
			assert(done);
			(void)done;
		}
	}
}

char *option_format(void *mem_ctx, const struct option_row *row, const void *base)
{
	const struct option_type_row *type = option_type(row->type);
	if (type->format == NULL)
		return NULL;
	return type->format(mem_ctx, row, (const char *)base + row->offset, (const char *)base + row->count_offset);
}

bool option_equal(const struct option_row *row, const void *a, const void *b)
{
	const struct option_type_row *type = option_type(row->type);
	const char *x = a, *y = b;
	return type->equal == NULL ||
	       type->equal(x + row->offset, x + row->count_offset, y + row->offset, y + row->count_offset);
}

const char *option_type_word(enum option_type type)
{
	return option_type(type)->word;
}

const char *option_reload_word(enum option_reload reload)
{
	switch (reload) {
	case OPTION_LIVE:
		return "taken over at once";
	case OPTION_REDEFINE:
		return "the view is compared with what exists and changed if need be";
	case OPTION_RECONNECT:
		return "the connections to the database are opened anew";
	case OPTION_RESTART:
		return "takes effect at the next start";
	}
	return "";
}
