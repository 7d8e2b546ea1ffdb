/* SPDX-License-Identifier: MIT
 *
 * dialect.h: the dialects' answers of one load, each asked for once. [any], a load on one thread.
 */
#ifndef VIEWD_CONF_LOAD_DIALECT_H
#define VIEWD_CONF_LOAD_DIALECT_H

#include "conf/load/load.h"

/* The answer about one word. */
struct load_dialect {
	const char *word; /* as it was asked for: the scheme of a URL, or a name */
	bool available;
	struct conf_dialect is; /* when it is not available, only the word stands here as its name */
	struct viewd_err err;   /* why not */
};

/* The dialect that a scheme or a name asks for. Lives as long as the load; never NULL. */
const struct load_dialect *dialect_ask(struct load *load, const char *word);

/* Is it a dialect's name that was asked for, and is the dialect there? */
bool dialect_is_there(const struct load *load, const char *name);

/* The dialect's own [database] key, or NULL; near_r (may be NULL) gets the most similar one, or NULL. */
const struct viewd_dialect_option *dialect_key(const struct conf_dialect *dialect, const char *key,
                                               const char **near_r);

/* The name of an installed dialect that has this [database] key; NULL: none. */
const char *dialect_with_key(struct load *load, const char *key);

/* The suffix of definition_NAME is one of these. */
enum dialect_suffix {
	DIALECT_SUFFIX_GOOD,    /* a dialect's name, or nobody can tell */
	DIALECT_SUFFIX_MISTAKE, /* *near_r is what was probably meant */
	DIALECT_SUFFIX_UNKNOWN  /* no dialect that is installed here */
};
enum dialect_suffix dialect_suffix(struct load *load, const char *suffix, const char **near_r);

/* "a, b and c" of the installed dialects: their names, or how their URLs are written. Allocated on the load; never
 * NULL. */
const char *dialect_names(struct load *load);
const char *dialect_url_forms(struct load *load);

#endif
