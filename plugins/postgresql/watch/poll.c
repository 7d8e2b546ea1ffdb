/* SPDX-License-Identifier: MIT
 *
 * poll.c: noticing changes by the server's counters, where triggers cannot be made or are disabled. A counter that
 * differs in any way, and a file that is another one (TRUNCATE counts nothing), is a change; so a reset of the
 * statistics is one too.
 */
#include "common/text/number.h"
#include "postgresql/watch/watch.h"

#include <string.h>

#define POLLED "SELECT DISTINCT source FROM viewd.captures WHERE mode = 'poll' OR (mode = 'trigger' AND source = ANY " \
	"($1::text[]))"

static bool number_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], 0);
	return false;
}

static const struct db_reader number_row[] = {{number_row_fn, "n", "the counters of the sources"}};

bool pg_poll(struct viewd_watch *w, int64_t *n_r, struct viewd_err *err)
{
	static const char sql[] = PG_TREE_SQL(POLLED) ","
		" read (source, reading) AS (SELECT w.source, "
		"pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce("
		"pg_catalog.string_agg(pg_catalog.concat_ws(':', c.oid, pg_catalog.pg_relation_filenode(c.oid),"
		" pg_catalog.pg_stat_get_tuples_inserted(c.oid), pg_catalog.pg_stat_get_tuples_updated(c.oid),"
		" pg_catalog.pg_stat_get_tuples_deleted(c.oid)), ' ' ORDER BY c.oid), ''), 'UTF8')), 'hex')"
		" FROM wanted w LEFT JOIN tree t ON t.source = w.source LEFT JOIN pg_catalog.pg_class c ON c.oid = t.oid GROUP "
		"BY w.source),"
		" moved AS (INSERT INTO viewd.counters AS k (source, reading) SELECT source, reading FROM read ON CONFLICT "
		"(source) DO UPDATE"
		" SET reading = excluded.reading WHERE k.reading <> excluded.reading RETURNING source),"
		" marked AS (UPDATE viewd.captures c SET " PG_RAISE
		" FROM moved WHERE c.source = moved.source) SELECT pg_catalog.count(*) FROM moved";
	int64_t n = 0;
	const char *params[] = {w->blind != NULL ? w->blind : "{}"};
	struct viewd_err failed = {0};
	if (!pg_op_query(&w->conn->db, sql, params, 1, number_row, &n, &failed) && failed.cls != VIEWD_ERR_CONFLICT) {
		if (err != NULL)
			*err = failed;
		return false;
	}
	*n_r = n;
	return true;
}

bool pg_poll_review(struct viewd_watch *w, struct viewd_err *err)
{
	int64_t n = 0;
	const char *params[] = {w->blind != NULL ? w->blind : "{}"};
	if (!pg_op_query(&w->conn->db, "SELECT pg_catalog.count(*) FROM (" POLLED ") AS p", params, 1, number_row, &n, err))
		return false;
	w->polls = n > 0;
	return true;
}
