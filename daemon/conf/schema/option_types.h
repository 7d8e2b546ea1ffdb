/* SPDX-License-Identifier: MIT
 *
 * option_types.h: one parser, printer and comparison for each option type. For option.c. [any]
 */
#ifndef VIEWD_CONF_SCHEMA_OPTION_TYPES_H
#define VIEWD_CONF_SCHEMA_OPTION_TYPES_H

#include "conf/schema/option.h"

struct option_parse {
	const struct option_row *row;
	struct arena *arena;
	const char *base_dir;
	const char *text;
	char *field; /* points at the struct's field */
	char *count; /* and at its count */
	struct viewd_err *err;
};

struct option_type_row {
	const char *word;
	const char *doc; /* how values are written, for manuals */
	bool empty_ok;   /* nothing behind '=' means an empty list or an unset text */
	/* NULL, all three: nothing is stored in a field. */
	bool (*parse)(const struct option_parse *p);
	char *(*format)(void *mem_ctx, const struct option_row *row, const char *field, const char *count);
	bool (*equal)(const char *a, const char *a_count, const char *b, const char *b_count);
};

/* Never NULL. */
const struct option_type_row *option_type(enum option_type type);

/* A field's address back into its type: the row macros have checked it. */
#define OPTION_FIELD(type, p) (*(type *)(void *)(p))
#define OPTION_CONST_FIELD(type, p) (*(__typeof__(type) const *)(const void *)(p))

/* option_lists.c */
bool option_parse_names(const struct option_parse *p);
bool option_parse_items(const struct option_parse *p);
bool option_parse_idents(const struct option_parse *p);
bool option_parse_columns(const struct option_parse *p);
bool option_parse_pairs(const struct option_parse *p);
char *option_format_list(void *mem_ctx, const struct option_row *row, const char *field, const char *count);
char *option_format_columns(void *mem_ctx, const struct option_row *row, const char *field, const char *count);
char *option_format_pairs(void *mem_ctx, const struct option_row *row, const char *field, const char *count);
bool option_equal_list(const char *a, const char *a_count, const char *b, const char *b_count);
bool option_equal_columns(const char *a, const char *a_count, const char *b, const char *b_count);
bool option_equal_pairs(const char *a, const char *a_count, const char *b, const char *b_count);

#endif
