/* SPDX-License-Identifier: MIT
 *
 * read_log.c: the rows of a change log. Their numbers have no gaps: what a transaction rolls back gives its numbers
 * back, and the floor, a row that is no image, keeps the highest one that was read from being given again. So rows that
 * somebody else has removed are missed.
 */
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"
#include "sqlite/conn/conn.h"
#include "sqlite/incremental/incremental.h"
#include "sqlite/incremental/log_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <talloc.h>

struct extent {
	int64_t floor, last; /* -1: none */
	bool sound;          /* the oldest row is a floor */
	int64_t unread;      /* at most LOG_UNREAD_MAX + 1 */
	int64_t untold;      /* of them: marks that no image tells */
};

static bool read_extent_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct extent *out = ctx;
	*out = (struct extent){number_or(v[0], -1), number_or(v[1], -1), number_or(v[2], -1) == 0, number_or(v[3], 0),
	                       number_or(v[4], 0)};
	return false;
}

static const struct db_reader read_extent[] = {{read_extent_fn, "NNNnN", "the extent of a change log"}};

static bool measure(struct db *db, const struct change_log *log, int64_t position, struct extent *out,
                    struct viewd_err *err)
{
	char *table = change_log_table(db, NULL, log->number), *sql = sql_new(table);
	const char *params[] = {talloc_asprintf(table, "%" PRId64, position)};
	sql = sql_template(sql,
	                   "SELECT (SELECT min(viewd_id) FROM main.{}), (SELECT max(viewd_id) FROM main.{}), (SELECT "
	                   "viewd_sign FROM main.{} ORDER BY viewd_id LIMIT 1), count(*), sum(viewd_sign = " SIGN_EVERYTHING
	                   ") FROM (SELECT viewd_sign FROM main.{} WHERE viewd_id > CAST(? AS INTEGER) LIMIT ",
	                   table);
	sql = sql_add(sql, "%d)", LOG_UNREAD_MAX + 1);
	bool done = sqlite_op_query(db, sql, params, 1, read_extent, out, err);
	talloc_free(table);
	return done;
}

/* Why the unread images are not all that has changed; NULL: they are. */
static const char *judge(const struct extent *extent, const char *position, int64_t from)
{
	if (position == NULL)
		return "this view has not read it before";
	if (extent->last - extent->floor > LOG_CAP)
		return "more was changed than is logged";
	if (from < extent->floor || from > extent->last)
		return "it was emptied since this view has read it";
	if (extent->unread <= LOG_UNREAD_MAX && extent->unread != extent->last - from)
		return "somebody has removed rows of it";
	return extent->untold > 0 ? "a default may have replaced other rows" : NULL;
}

bool sqlite_look_at_images(struct db *db, struct change_log *log, const char *position, struct viewd_err *err)
{
	struct extent extent = {0};
	int64_t from = number_or(position, 0);
	if (!measure(db, log, from, &extent, err))
		return false;
	log->unread = extent.unread;
	log->unsound = !extent.sound;
	const char *why = extent.sound ? judge(&extent, position, from) : "somebody has removed rows of it";
	log->everything = why != NULL;
	snprintf(log->why, sizeof log->why, "%s", why != NULL ? why : "");
	return true;
}

char *sqlite_op_unread(struct db *db, void *mem_ctx, const char *view, const struct change_log *log)
{
	char *table = change_log_table(db, mem_ctx, log->number);
	char *sql = sql_add(sql_new(mem_ctx), "(SELECT ");
	sql = sql_names(db->syntax, sql, NULL, log->columns, log->n_columns);
	return sql_add(sql,
	               ", viewd_sign FROM main.%s WHERE viewd_sign IN (" SIGN_OLD ", " SIGN_NEW
	               ") AND viewd_id > (SELECT CAST(position AS INTEGER) FROM main.viewd_log_readers WHERE \"view\" = %s "
	               "AND log = %" PRId64 "))",
	               table, literal_quoted(db->syntax, mem_ctx, view), log->number);
}

/* ---- reading ---- */

static bool read_number_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], -1);
	return false;
}

static const struct db_reader read_number[] = {{read_number_fn, "N", "what other views have read of a change log"}};

/* The least number that the other readers have read. Those that are behind the floor read everything, and so do all
 * when the log was full. */
static bool find_floor(struct db *db, const char *view, const struct change_log *log, const struct extent *extent,
                       int64_t *floor_r, struct viewd_err *err)
{
	char *sql = sql_add(sql_new(NULL),
	                    "SELECT min(CAST(position AS INTEGER)) FROM main.viewd_log_readers WHERE log = %" PRId64
	                    " AND \"view\" <> ? AND CAST(position AS INTEGER) >= CAST(? AS INTEGER)",
	                    log->number);
	const char *params[] = {view, talloc_asprintf(sql, "%" PRId64, extent->floor)};
	int64_t least = -1;
	bool done = sqlite_op_query(db, sql, params, ARRAY_LEN(params), read_number, &least, err);
	talloc_free(sql);
	bool full = extent->last - extent->floor > LOG_CAP;
	*floor_r = full || least < 0 || least > extent->last ? extent->last : least;
	return done;
}

static bool raise_floor(struct db *db, const char *table, int64_t floor, struct viewd_err *err)
{
	char *sql = sql_add(
		sql_new(NULL),
		"INSERT OR REPLACE INTO main.%s (viewd_id, viewd_sign) VALUES (CAST(? AS INTEGER), " SIGN_FLOOR ")", table);
	const char *params[] = {talloc_asprintf(sql, "%" PRId64, floor)};
	bool done = sqlite_op_exec(db, sql, params, 1, NULL, err);
	char *rest = sql_add(sql_new(sql), "DELETE FROM main.%s WHERE viewd_id < CAST(? AS INTEGER)", table);
	done = done && sqlite_op_exec(db, rest, params, 1, NULL, err);
	talloc_free(sql);
	return done;
}

bool sqlite_op_read_log(struct db *db, void *mem_ctx, const char *view, const struct change_log *log, char **position_r,
                        struct viewd_err *err)
{
	struct extent extent = {0};
	int64_t floor = 0;
	if (!measure(db, log, INT64_MAX, &extent, err) || !find_floor(db, view, log, &extent, &floor, err))
		return false;
	char *table = change_log_table(db, NULL, log->number);
	bool done = floor <= extent.floor || raise_floor(db, table, floor, err);
	talloc_free(table);
	if (done)
		*position_r = talloc_asprintf(mem_ctx, "%" PRId64, extent.last);
	return done;
}
