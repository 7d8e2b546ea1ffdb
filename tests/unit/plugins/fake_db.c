/* SPDX-License-Identifier: MIT */
#include "unit/plugins/fake_db.h"

#include <string.h>
#include <talloc.h>

static bool exec(struct db *db UNUSED, const char *sql UNUSED, const char *const *params UNUSED, size_t n_params UNUSED,
                 int64_t *affected_r, struct viewd_err *err UNUSED)
{
	if (affected_r != NULL)
		*affected_r = 0;
	return true;
}

/* Hands one row over, which text is cut up for. */
static bool give_line(char *text, const struct db_reader *row, void *ctx, bool *more_r, struct viewd_err *err)
{
	const char **values = NULL;
	size_t n = 0;
	for (char *value; (value = strsep(&text, "\t")) != NULL; n++) {
		values = talloc_realloc(NULL, values, const char *, n + 1);
		values[n] = strcmp(value, "\\N") == 0 ? NULL : value;
	}
	bool good = db_give(row, ctx, values, n, more_r, err);
	talloc_free(values);
	return good;
}

static bool query(struct db *db, const char *sql UNUSED, const char *const *params UNUSED, size_t n_params UNUSED,
                  const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct fake_db *fake = (struct fake_db *)db;
	size_t len = strcspn(fake->answers, "\f");
	char *answer = talloc_strndup(NULL, fake->answers, len), *rest = answer;
	fake->answers += len + (fake->answers[len] != '\0');
	bool good = true, more = true;
	for (char *line; good && more && (line = strsep(&rest, "\n")) != NULL && (line[0] != '\0' || rest != NULL);)
		good = give_line(line, row, ctx, &more, err);
	talloc_free(answer);
	return good;
}

static bool begin(struct db *db UNUSED, enum db_begin how UNUSED, struct viewd_err *err UNUSED)
{
	return true;
}

static bool commit(struct db *db UNUSED, struct viewd_err *err UNUSED)
{
	return true;
}

static void rollback(struct db *db UNUSED)
{
}

static int64_t now(void *ctx UNUSED)
{
	return INT64_C(1700000000000000);
}

void fake_db_init(struct fake_db *fake, const struct syntax *syntax, const char *answers)
{
	static const struct db_ops ops = {
		.exec = exec, .query = query, .begin = begin, .commit = commit, .rollback = rollback};
	static const struct viewd_host host = {.struct_size = sizeof host, .now = now};
	*fake = (struct fake_db){.db = {.syntax = syntax, .ops = &ops, .host = &host, .database_name = "fake"},
	                         .answers = answers};
}
