/* SPDX-License-Identifier: MIT
 *
 * restored.c: an older copy that is put into the open file (.restore, sqlite3_backup) is a commit like others, and its
 * marks are as old as it. As many changes later as were lost they would look like those that have been settled. So the
 * watch remembers the marks row by row: numbers that have gone back tell of it, and all marks are then raised above
 * every number that was seen.
 */
#include "sqlite/watch/restored.h"
#include "common/depends/objects.h"
#include "common/sqltext/sqltext.h"
#include "common/state/marks.h"
#include "common/text/number.h"

#include <assert.h>
#include <string.h>
#include <talloc.h>

struct row {
	char *name; /* view, source and mode */
	int64_t dirty, clean;
};
struct sqlite_marks_seen {
	struct row *rows;
	size_t n;
};

static bool take_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct sqlite_marks_seen *list = ctx;
	if ((list->n & (list->n - 1)) == 0)
		list->rows = talloc_realloc(list, list->rows, struct row, (unsigned)(list->n == 0 ? 1 : list->n * 2));
	assert(list->rows != NULL);
	list->rows[list->n++] =
		(struct row){talloc_asprintf(list, "%s\n%s\n%s", v[0], v[1], v[2]), number_or(v[3], 0), number_or(v[4], 0)};
	return true;
}

static const struct db_reader take_row[] = {{take_row_fn, "tttNN", "marks"}};

/* By how much the marks must be raised to be above all that was seen; 0: nothing has gone back. Both lists are in one
 * order. */
static int64_t find_loss(const struct sqlite_marks_seen *seen, const struct sqlite_marks_seen *now)
{
	int64_t loss = 0;
	for (size_t i = 0, k = 0; i < seen->n && k < now->n;) {
		const struct row *a = &seen->rows[i], *b = &now->rows[k];
		int order = strcmp(a->name, b->name);
		if (order == 0 && (b->dirty < a->dirty || b->clean < a->clean)) {
			int64_t above = number_sum(number_difference(a->dirty, b->dirty), 1);
			loss = loss > above ? loss : above > 0 ? above : 1;
		}
		i += order <= 0;
		k += order >= 0;
	}
	return loss;
}

/* Definitions are told of as well: the copy may know the new one of a source, and have a view that was made of the
 * former one. */
static bool raise_marks(struct db *db, int64_t by, struct viewd_err *err)
{
	static const char tell[] = "UPDATE viewd_objects SET stamp = '', digest = '" OBJECT_UNTOLD "' WHERE digest <> ''";
	char *sql = sql_add(sql_new(NULL), "UPDATE viewd_captures SET dirty_seq = dirty_seq + %lld", (long long)by);
	bool good = db->ops->begin(db, DB_BEGIN_WRITE, err) && db_exec(db, sql, err) && db_exec(db, tell, err) &&
	            db->ops->commit(db, err);
	if (!good)
		db->ops->rollback(db);
	talloc_free(sql);
	return good;
}

static bool read_marks(struct db *db, struct sqlite_marks_seen *list, struct viewd_err *err)
{
	return db->ops->query(db,
	                      "SELECT \"view\", source, \"mode\", dirty_seq, clean_seq FROM viewd_captures ORDER BY "
	                      "\"view\" || char(10) || source || char(10) || \"mode\"",
	                      NULL, 0, take_row, list, err);
}

bool sqlite_look_for_restore(struct viewd_conn *conn, struct sqlite_marks_seen **seen, struct viewd_err *err)
{
	struct db *db = &conn->db;
	struct sqlite_marks_seen *now = talloc_zero(conn, struct sqlite_marks_seen);
	assert(now != NULL);
	int64_t loss = 0;
	bool good = read_marks(db, now, err);
	if (good && *seen != NULL)
		loss = find_loss(*seen, now);
	if (good && loss > 0) {
		good = raise_marks(db, loss, err);
		for (size_t i = 0; i < now->n; i++)
			now->rows[i].dirty = number_sum(now->rows[i].dirty, loss);
		if (good)
			db_log(db, VIEWD_LOG_WARNING, "database '%s', an older copy was put into the file: all views are refreshed",
			       db->database_name);
	}
	if (good) {
		talloc_free(*seen);
		*seen = now;
	} else {
		talloc_free(now);
	}
	return good;
}
