/* SPDX-License-Identifier: MIT
 *
 * conf_support.h: loads configurations from text and looks at the problems.
 */
#ifndef VIEWD_TESTS_UNIT_CONF_CONF_SUPPORT_H
#define VIEWD_TESTS_UNIT_CONF_CONF_SUPPORT_H

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

static inline struct loaded load(const char *text)
{
	return load_with(text, NULL);
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
