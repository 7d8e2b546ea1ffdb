/* SPDX-License-Identifier: MIT
 *
 * conf_support.h: loads configurations from text and looks at the problems.
 */
#ifndef VIEWD_TESTS_UNIT_CONF_CONF_SUPPORT_H
#define VIEWD_TESTS_UNIT_CONF_CONF_SUPPORT_H

#include "base/err.h"
#include "conf/conf.h"
#include "support/harness.h"

#include <string.h>
#include <talloc.h>

/* A database and a view that are right; tests add to them. */
#define GOOD_DB "[database shop]\nurl = postgresql://viewd@/shop\n"
#define GOOD_VIEW "[view a]\ndatabase = shop\ndefinition = SELECT 1\n"

struct loaded {
	struct conf *conf; /* NULL after errors; released by unload() */
	struct conf_problems problems;
};

static inline struct loaded load_with(const char *text, const struct conf_dialects *dialects)
{
	struct loaded l;
	l.conf = conf_load(harness_ctx(), harness_file("viewd.conf", text), dialects, &l.problems);
	CHECK((l.conf == NULL) == (l.problems.n_errors > 0));
	return l;
}

/* Three dialects; "oracle" has a plugin that cannot be used. */
static const char *const pg_schemes[] = {"postgres", NULL}, *const my_schemes[] = {"mariadb", NULL};
static const struct viewd_dialect_option pg_keys[] = {
	{.key = "search_path", .default_value = "public", .help = "schemas", .doc = "Schemas."},
};
static const struct viewd_dialect_option sqlite_keys[] = {
	{.key = "busy_timeout", .help = "wait", .doc = "Wait."},
	{.key = "journal_mode", .default_value = "wal", .help = "journal", .doc = "Journal."},
};
static const struct conf_dialect three_dialects[] = {
	{.name = "mysql", .schemes = my_schemes, .url_form = "mysql://user@host/name"},
	{.name = "postgresql", .schemes = pg_schemes, .options = pg_keys, .n_options = ARRAY_LEN(pg_keys)},
	{.name = "sqlite", .url_form = "sqlite:////file.db", .options = sqlite_keys, .n_options = ARRAY_LEN(sqlite_keys)},
};

/* ctx may point to a counter of the questions. */
static inline bool find_dialect(void *ctx, const char *word, const char *plugin_dir, struct conf_dialect *out,
                                struct viewd_err *err)
{
	CHECK(plugin_dir != NULL);
	if (ctx != NULL)
		++*(int *)ctx;
	for (size_t i = 0; i < ARRAY_LEN(three_dialects); i++) {
		const struct conf_dialect *d = &three_dialects[i];
		if (strcmp(d->name, word) != 0 && (d->schemes == NULL || strcmp(d->schemes[0], word) != 0))
			continue;
		*out = *d;
		return true;
	}
	err_set(err, VIEWD_ERR_PLUGIN, "there is no plugin '%s'", word);
	return err_hint(err, "install viewd-%s", word);
}

static inline void list_dialects(void *ctx UNUSED, const char *plugin_dir UNUSED,
                                 void (*fn)(void *fn_ctx, const struct conf_dialect *dialect), void *fn_ctx)
{
	char unusable[] = "oracle";
	fn(fn_ctx, &three_dialects[0]);
	fn(fn_ctx, &(struct conf_dialect){.name = unusable});
	memset(unusable, 'x', sizeof unusable - 1);
	for (size_t i = 1; i < ARRAY_LEN(three_dialects); i++)
		fn(fn_ctx, &three_dialects[i]);
}

static inline struct loaded load(const char *text)
{
	return load_with(text, &(struct conf_dialects){.find = find_dialect, .list = list_dialects});
}

static inline void unload(struct loaded *l)
{
	conf_unref(&l->conf);
}

/* A problem without the directory's name in front; "" when there is none. */
static inline const char *problem(const struct loaded *l, size_t i)
{
	if (i >= l->problems.n)
		return "";
	const char *text = l->problems.items[i].text;
	size_t len = strlen(harness_dir());
	return strncmp(text, harness_dir(), len) == 0 ? text + len + 1 : text;
}

/* The text loads without any problem. */
static inline struct loaded load_good(const char *text)
{
	struct loaded l = load(text);
	for (size_t i = 0; i < l.problems.n; i++)
		CHECK_STR(problem(&l, i), NULL);
	REQUIRE(l.conf != NULL);
	return l;
}

/* The text has exactly this one error. */
static inline void wants_error(const char *text, const char *message)
{
	struct loaded l = load(text);
	CHECK_INT(l.problems.n, 1);
	CHECK_INT(l.problems.n_errors, 1);
	CHECK_STR(problem(&l, 0), message);
	unload(&l);
}

#endif
