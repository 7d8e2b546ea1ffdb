/* SPDX-License-Identifier: MIT
 *
 * option.h: the description of an option, one row a key; everything users see of an option (parsing, defaults, ranges,
 * unknown keys, `show`, reload classes, the manual, the sample file) comes from its row. [any]
 */
#ifndef VIEWD_CONF_SCHEMA_OPTION_H
#define VIEWD_CONF_SCHEMA_OPTION_H

#include "conf/conf.h"
#include "conf/read/arena.h"

enum option_type {
	OPTION_BOOL,       /* bool: yes no true false on off */
	OPTION_INT,        /* int64_t: decimal digits */
	OPTION_SPAN,       /* int64_t, microseconds: 30s 1h30m */
	OPTION_WORD,       /* int: one of choices */
	OPTION_TEXT,       /* const char * */
	OPTION_PATH,       /* const char *: relative to the directory of the file that says it */
	OPTION_NAME,       /* const char *: one name, folded to lower case */
	OPTION_NAMES,      /* struct conf_list: comma-separated names of sections, folded to lower case */
	OPTION_ITEMS,      /* struct conf_list: comma-separated texts */
	OPTION_IDENTS,     /* struct conf_list: comma-separated SQL names as written, quotes included */
	OPTION_COLUMNS,    /* const struct viewd_column * and a count */
	OPTION_PAIRS,      /* const struct viewd_kv * and a count: a=b, c=d */
	OPTION_CRON,       /* const char *: times as in crontab(5) */
	OPTION_ZONE,       /* const char *: name of a time zone */
	OPTION_ADDRESS,    /* const char *: address and port to listen on; NULL: off */
	OPTION_COMMAND,    /* const char *: a program and its arguments */
	OPTION_DEFINITION, /* key definition, definition_DIALECT: collected by define.c */
	OPTION_INDEX,      /* key index_NAME: collected by define.c */
	OPTION_TYPE_COUNT
};

/* Work of a reload when the value changed; the order is the strength. */
enum option_reload {
	OPTION_LIVE,      /* taken over as it is */
	OPTION_REDEFINE,  /* the view's object is compared with its definition again */
	OPTION_RECONNECT, /* connections to the database are opened anew */
	OPTION_RESTART    /* takes effect at the next start; the reload says so */
};

#define OPTION_REQUIRED 1u
#define OPTION_SECRET 2u    /* shown redacted */
#define OPTION_FREE_TEXT 4u /* no comment behind an unquoted value: ';' and '#' could be part of it */
#define OPTION_DYNAMIC 8u   /* key ends in '*': any key with that prefix */
#define OPTION_OWN 16u      /* not allowed in [view-defaults] */

struct option_choice {
	const char *word; /* NULL ends the array */
	int value;
	const char *doc;
};

struct option_row {
	const char *key;
	enum option_type type;
	enum option_reload reload;
	unsigned flags;
	size_t offset;       /* of the field in the section's struct */
	size_t count_offset; /* of the field's count, for arrays */
	const char *dflt;    /* as text; NULL: none */
	int64_t min, max;    /* OPTION_INT, OPTION_SPAN */
	const struct option_choice *choices;
	const char *unit; /* what the number counts; NULL for types that need none */
	const char *help; /* one line */
	const char *doc;  /* a paragraph for the manual */
};

struct option_table {
	const char *section; /* as users write it: "viewd", "database NAME" */
	const struct option_row *rows;
	size_t n;
	size_t struct_size;
};

/* The field's offset, checked against the C type that the option type fills. */
#define OPTION_AT(st, field, ctype) \
	(offsetof(struct st, field) + \
	 0 * sizeof(struct { \
		 _Static_assert(__builtin_types_compatible_p(__typeof__(((struct st *)0)->field), ctype), \
		                "option row type does not match field " #field); \
		 int unused; \
	 }))
#define OPTION_BOOL_AT(st, field) .type = OPTION_BOOL, .offset = OPTION_AT(st, field, bool)
#define OPTION_INT_AT(st, field) .type = OPTION_INT, .offset = OPTION_AT(st, field, int64_t)
#define OPTION_SPAN_AT(st, field) .type = OPTION_SPAN, .offset = OPTION_AT(st, field, int64_t), .unit = "duration"
#define OPTION_WORD_AT(st, field) .type = OPTION_WORD, .offset = OPTION_AT(st, field, int)
#define OPTION_TEXT_AT(st, field) .type = OPTION_TEXT, .offset = OPTION_AT(st, field, const char *)
#define OPTION_NAME_AT(st, field) .type = OPTION_NAME, .offset = OPTION_AT(st, field, const char *)
#define OPTION_PATH_AT(st, field) .type = OPTION_PATH, .offset = OPTION_AT(st, field, const char *)
#define OPTION_CRON_AT(st, field) .type = OPTION_CRON, .offset = OPTION_AT(st, field, const char *)
#define OPTION_ZONE_AT(st, field) .type = OPTION_ZONE, .offset = OPTION_AT(st, field, const char *)
#define OPTION_ADDRESS_AT(st, field) .type = OPTION_ADDRESS, .offset = OPTION_AT(st, field, const char *)
#define OPTION_COMMAND_AT(st, field) .type = OPTION_COMMAND, .offset = OPTION_AT(st, field, const char *)
#define OPTION_LIST_AT(kind, st, field) .type = kind, .offset = OPTION_AT(st, field, struct conf_list)
#define OPTION_COLUMNS_AT(st, field, count) \
	.type = OPTION_COLUMNS, .offset = OPTION_AT(st, field, const struct viewd_column *), \
	.count_offset = OPTION_AT(st, count, size_t)
#define OPTION_PAIRS_AT(st, field, count) \
	.type = OPTION_PAIRS, .offset = OPTION_AT(st, field, const struct viewd_kv *), \
	.count_offset = OPTION_AT(st, count, size_t)

/* The row of key (dynamic rows match by prefix), or NULL. */
const struct option_row *option_find(const struct option_table *table, const char *key);

/* The known key nearest to a mistyped one, or NULL when none is near. */
const char *option_nearest(const struct option_table *table, const char *key);

/* Parses text as the row says and stores it in the section's struct at base; memory comes from arena. base_dir: where
 * relative paths start. Untouched on failure. Rows without a field (definitions, indexes) are not
 * stored. */
bool option_set(const struct option_row *row, struct arena *arena, const char *base_dir, void *base, const char *text,
                struct viewd_err *err) MUST_CHECK;

/* Fills every field that has a default. */
void option_set_defaults(const struct option_table *table, struct arena *arena, void *base);

/* The stored value as a user would write it, allocated on mem_ctx (a talloc context); NULL: not set. Secrets are not
 * redacted here. */
char *option_format(void *mem_ctx, const struct option_row *row, const void *base);

/* Two structs hold the same value in this row's field. */
bool option_equal(const struct option_row *row, const void *a, const void *b);

/* Words for manuals: "boolean", "duration" ...; never NULL. */
const char *option_type_word(enum option_type type);
const char *option_reload_word(enum option_reload reload);

#endif
