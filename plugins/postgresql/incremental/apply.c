/* SPDX-License-Identifier: MIT
 *
 * apply.c: the rows of some keys, computed by the definition for these keys alone and written as a difference by bytes,
 * in one statement.
 */
#include "postgresql/incremental/part_diff.h"

#include <talloc.h>

#include "common/sqltext/sqltext.h"
#include "postgresql/incremental/log_objects.h"

static bool take_written_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	pg_difference_read(v, ctx);
	return false;
}

static const struct db_reader take_written[] = {{take_written_fn, "nnn", "what was written"}};

bool pg_op_apply_part(struct db *db, const struct part *part, const struct key_set *keys, struct part_written *out,
                      struct viewd_err *err)
{
	struct pg_difference difference = {.mem = talloc_new(NULL), .part = part, .keys = keys, .prefix = "viewd_"};
	const char *params[KEY_WIDTH_MAX];
	size_t n = keys != NULL ? keys->width : 0;
	for (size_t i = 0; i < n; i++)
		params[i] = keys->arrays[i];
	char *sql = pg_difference_add(&difference, sql_add(sql_new(difference.mem), "WITH "));
	sql = pg_difference_counts(&difference, sql_add(sql, " SELECT "));
	bool done = pg_query_writing(pg_of(db), &part->rel, sql, params, n, take_written, out, err);
	talloc_free(difference.mem);
	return done;
}
