/* SPDX-License-Identifier: MIT
 *
 * option_types.h: one parser, printer and comparison for each option type. For option.c.
 */
#ifndef VIEWD_CONF_OPTION_TYPES_H
#define VIEWD_CONF_OPTION_TYPES_H

#include "conf/option.h"

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
	const char *doc;                                   /* how values are written, for manuals */
	bool empty_ok;                                     /* nothing behind '=' means an empty list or an unset text */
	bool (*parse)(const struct option_parse *p);       /* NULL: nothing to store */
	char *(*format)(void *mem_ctx, const struct option_row *row, const char *field, const char *count);
};

/* Never NULL. */
const struct option_type_row *option_type(enum option_type type);

#endif
