/* SPDX-License-Identifier: MIT
 *
 * drain.c: from the log to the marks.
 */
#include "postgresql/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "common/marks.h"

#define CLEAN_ROWS 20000
#define TRUNCATE_BYTES (16 * 1024 * 1024)

struct draining {
	struct viewd_watch *w;
	struct pg_drained got;
};

static bool drained_row(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct draining *d = ctx;
	int64_t rows = strtoll(v[1], NULL, 10);
	d->got.rows += rows;
	d->got.requests |= v[0][0] == '\0';
	pg_heat_add(d->w, v[0], rows);
	return true;
}

/* DELETE sees committed rows only; one that commits later stays for the next drain. */
bool pg_drain(struct viewd_watch *w, struct pg_drained *out, struct viewd_err *err)
{
	static const char sql[] =
		"WITH gone AS (DELETE FROM viewd.changes RETURNING source),"
		" named AS (SELECT source, pg_catalog.count(*) AS n FROM gone GROUP BY source),"
		" marked AS (UPDATE viewd.captures c SET dirty_seq = c.dirty_seq + 1, changed_time = pg_catalog.now()"
		" FROM named WHERE c.source = named.source)"
		" SELECT source, n FROM named";
	struct draining d = {.w = w};
	struct viewd_err failed = {0};
	if (pg_op_query(&w->conn->db, sql, NULL, 0, drained_row, &d, &failed)) {
		w->drained += d.got.rows;
		*out = d.got;
		return true;
	}
	if (failed.cls == VIEWD_ERR_CONFLICT) {
		*out = (struct pg_drained){.rows = -1};
		return true;
	}
	if (err != NULL)
		*err = failed;
	return false;
}

static bool number_row(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = strtoll(v[0], NULL, 10);
	return false;
}

/* Prepared transactions have survived, the log rows they left have not: they are waited for as the writers of a flood are. */
static bool mark_all(struct viewd_watch *w, struct viewd_err *err)
{
	static const char prepared_sql[] =
		"INSERT INTO viewd.sources (id, source, flood) SELECT 0, '', pg_catalog.now()"
		" WHERE EXISTS (SELECT 1 FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database())"
		" ON CONFLICT (source) DO UPDATE SET flood = excluded.flood";
	struct db *db = &w->conn->db;
	if (pg_op_begin(db, DB_BEGIN_WRITE, err) && marks_touch_all(db, err) && pg_exec(w->conn, prepared_sql, err) &&
	    pg_exec(w->conn, "INSERT INTO viewd.log_intact VALUES (pg_catalog.now())", err) && pg_op_commit(db, err))
		return true;
	pg_op_rollback(db);
	return false;
}

bool pg_check_log(struct viewd_watch *w, struct viewd_err *err)
{
	int64_t n = 0;
	if (!pg_op_query(&w->conn->db, "SELECT pg_catalog.count(*) FROM viewd.log_intact", NULL, 0, number_row, &n, err))
		return false;
	if (n > 0)
		return true;
	pg_log(w->conn, VIEWD_LOG_INFO, "database '%s', the log of changes is new (a first start, a crash or a failover): every view is refreshed",
	       w->conn->db.database_name);
	return mark_all(w, err);
}

/* An old snapshot keeps dead rows from being vacuumed, but not the table from being emptied. Only when no writer is at work: the
 * lock is not waited for. What is in it has been drained in the same transaction. */
static bool truncate_log(struct viewd_watch *w, struct viewd_err *err)
{
	struct db *db = &w->conn->db;
	struct pg_drained got = {.rows = 0};
	bool done = pg_op_begin(db, DB_BEGIN_WRITE, err) &&
	            pg_exec(w->conn, "LOCK TABLE viewd.changes IN ACCESS EXCLUSIVE MODE NOWAIT", err) && pg_drain(w, &got, err) &&
	            (got.rows >= 0 || err_set(err, VIEWD_ERR_CONFLICT, "a lock on the marks is in the way")) && pg_exec(w->conn, "TRUNCATE viewd.changes", err) && pg_op_commit(db, err);
	if (!done)
		pg_op_rollback(db);
	if (done && got.rows > 0)
		pg_watch_wake(w);
	return done;
}

bool pg_clean_log(struct viewd_watch *w, struct viewd_err *err)
{
	int64_t bytes = 0;
	if (w->drained < CLEAN_ROWS)
		return true;
	w->drained = 0;
	/* Not done now is done the next time; a lost connection is noticed by the next statement. */
	struct viewd_err ignored = {0};
	if (!pg_exec(w->conn, "VACUUM (SKIP_LOCKED, TRUNCATE false) viewd.changes", &ignored))
		pg_log(w->conn, VIEWD_LOG_DEBUG, "database '%s', the log of changes is not vacuumed now (%s)", w->conn->db.database_name, ignored.msg);
	if (!pg_op_query(&w->conn->db, "SELECT pg_catalog.pg_relation_size('viewd.changes')", NULL, 0, number_row, &bytes, err))
		return false;
	if (bytes > TRUNCATE_BYTES && !truncate_log(w, &ignored))
		pg_log(w->conn, VIEWD_LOG_DEBUG, "database '%s', the log of changes is not emptied now (%s)", w->conn->db.database_name, ignored.msg);
	return true;
}
