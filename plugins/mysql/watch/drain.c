/* SPDX-License-Identifier: MIT
 *
 * drain.c: taking what the triggers wrote off viewd_changes.
 *
 * Rows are read without a lock, so those of transactions that have not ended are found once they have. A locking read,
 * also one with SKIP LOCKED, makes locks of them: each row of a writer gets one in his name. Where pages of the log are
 * split these become locks of gaps, and a node of a cluster ends the writer for a row that comes from another one. Rows
 * go by their numbers, never by a range, in which a lower number may still be uncommitted. The session is READ
 * COMMITTED.
 */
#include "mysql/capture/trigger_procedure.h"

#include "common/sqltext/sqltext.h"

#define BATCH 5000
#define BATCHES 20 /* a call; then the views are told, and the next call goes on */

struct batch {
	struct viewd_conn *conn;
	struct texts sources;
	char *ids;
	size_t n;
};

bool drain_look(struct viewd_conn *conn, bool *found_r, struct viewd_err *err)
{
	int64_t found;

	if (!my_query_int(conn, "SELECT 1 FROM viewd_changes LIMIT 1", NULL, 0, &found, err))
		return false;
	*found_r = found != 0;
	return true;
}

static bool take_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct batch *batch = ctx;
	struct relation source;

	batch->ids = sql_add(batch->ids, "%s%s", batch->n++ > 0 ? ", " : "", v[0]);
	if (!body_source(batch->conn, v[1], &source))
		return true; /* no trigger of viewd's has written that */
	const char *const quoted[] = {relation_quoted(&my_syntax, batch->sources.mem, &source)};
	return texts_contain(&batch->sources, quoted[0]) || texts_keep(&batch->sources, quoted, 1);
}

static const struct db_reader take_row[] = {{take_row_fn, "nt", "the log of changes"}};

static bool take_rows(struct viewd_conn *conn, struct batch *batch, struct viewd_err *err)
{
	char *select =
		talloc_asprintf(batch->sources.mem, "SELECT id, source FROM viewd_changes ORDER BY id LIMIT %d", BATCH);

	if (!my_query(&conn->db, select, NULL, 0, take_row, batch, err) || !texts_touch(conn, &batch->sources, err))
		return false;
	/* Looks each row up by its number. WHERE id IN (...) would read the whole table when that is cheaper, and wait for
	 * the rows of others. */
	char *delete = talloc_asprintf(
		batch->sources.mem,
		"DELETE c FROM JSON_TABLE('[%s]', '$[*]' COLUMNS (id BIGINT PATH '$')) l STRAIGHT_JOIN viewd_changes c"
		" FORCE INDEX (PRIMARY) ON c.id = l.id",
		batch->ids);
	return batch->n == 0 || db_exec(&conn->db, delete, err);
}

static bool take_batch(struct viewd_conn *conn, bool *more_r, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	struct batch batch = {.conn = conn, .sources = {.mem = mem}, .ids = sql_new(mem)};
	bool done = my_begin(&conn->db, DB_BEGIN_WRITE, err) && take_rows(conn, &batch, err);

	if (done)
		db_failpoint(&conn->db, "mysql:drained");
	done = done && my_commit(&conn->db, err);
	if (!done)
		my_rollback(&conn->db);
	else
		*more_r = batch.n == BATCH;
	talloc_free(mem);
	return done;
}

bool drain_log(struct viewd_conn *conn, bool *more_r, struct viewd_err *err)
{
	bool more = true;

	for (int i = 0; i < BATCHES && more; i++)
		if (!take_batch(conn, &more, err))
			return false;
	*more_r = more;
	return true;
}
