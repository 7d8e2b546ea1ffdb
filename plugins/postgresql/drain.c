/* SPDX-License-Identifier: MIT
 *
 * drain.c: from the log to the marks.
 */
#include "postgresql/watch.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "common/marks.h"
#include "common/number.h"

#define CLEAN_ROWS 20000
#define TRUNCATE_BYTES (16 * 1024 * 1024)
#define PORTION INT64_C(1024)      /* blocks that one statement takes off a large log */
#define EMPTY_US INT64_C(1000000)  /* between attempts to empty a large log */

struct draining {
	struct viewd_watch *w;
	struct pg_drained got;
};

static bool drained_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct draining *d = ctx;
	int64_t rows = number_or(v[1], 0);
	d->got.rows += rows;
	d->got.requests |= v[0][0] == '\0';
	pg_heat_add(d->w, v[0], rows);
	return true;
}

static const struct db_reader drained_row[] = {{drained_row_fn, "tn", "the log of changes"}};

/* DELETE sees committed rows only; one that commits later stays for the next drain. */
#define DRAIN_SQL(where)                                                                                                              \
	"WITH gone AS (DELETE FROM viewd.changes" where " RETURNING source),"                                                              \
	" named AS (SELECT source, pg_catalog.count(*) AS n FROM gone GROUP BY source),"                                                   \
	" marked AS (UPDATE viewd.captures c SET " PG_RAISE                             \
	" FROM named WHERE c.source = named.source)"                                                                                       \
	" SELECT source, n FROM named"

/* The log has grown while nobody was there, or cannot be emptied: all of it would take longer than a statement may. */
static bool drain_portion(struct draining *d, struct viewd_err *err)
{
	struct viewd_watch *w = d->w;
	int64_t end = w->next_block + PORTION;
	bool last = end >= w->log_blocks;
	char from[32], to[32];
	const char *params[] = {from, to};
	snprintf(from, sizeof from, "(%" PRId64 ",0)", w->next_block);
	snprintf(to, sizeof to, "(%" PRId64 ",0)", last ? INT64_C(0xfffffffe) : end);
	if (!pg_op_query(&w->conn->db, DRAIN_SQL(" WHERE ctid >= $1::tid AND ctid < $2::tid"), params, 2, drained_row, d, err))
		return false;
	if (w->next_block == 0)
		w->unseen = false;
	w->next_block = last ? 0 : end;
	return true;
}

bool pg_drain(struct viewd_watch *w, struct pg_drained *out, struct viewd_err *err)
{
	struct draining d = {.w = w};
	struct viewd_err failed = {0};
	bool done = w->log_blocks > PORTION ? drain_portion(&d, &failed)
	                                    : pg_op_query(&w->conn->db, DRAIN_SQL(""), NULL, 0, drained_row, &d, &failed);
	if (done) {
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

bool pg_drains_on(const struct viewd_watch *w)
{
	return w->next_block > 0 || w->unseen;
}

void pg_drain_anew(struct viewd_watch *w)
{
	w->unseen = w->next_block > 0;
}

static bool number_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], 0);
	return false;
}

static const struct db_reader number_row[] = {{number_row_fn, "n", "the log of changes"}};

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

/* One statement: a process that is stopped here keeps nobody waiting. Writers wait for as long as this waits for a lock and a while more, and
 * it has none of their tables, so nobody dies of it. */
#define EMPTY_SQL(names)                                                                                                              \
	"DO $$BEGIN SET LOCAL lock_timeout = '20ms'; LOCK TABLE viewd.changes IN ACCESS EXCLUSIVE MODE;"                                   \
	" UPDATE viewd.captures c SET " PG_RAISE " WHERE " names ";"                       \
	" TRUNCATE viewd.changes; END$$"

/* An old snapshot keeps dead rows from being vacuumed, but not the table from being emptied. Its rows have been committed, since who has
 * written one holds a lock to the end; of a large log nobody reads which sources they name. */
static bool empty_log(struct viewd_watch *w, struct viewd_err *err)
{
	bool large = w->log_blocks > PORTION;
	if (!pg_exec(w->conn, large ? EMPTY_SQL("c.mode = 'trigger'") : EMPTY_SQL("c.source IN (SELECT source FROM viewd.changes)"), err))
		return false;
	w->log_blocks = w->next_block = 0;
	w->unseen = false;
	pg_watch_wake(w); /* there may be marks and requests to tell of */
	return true;
}

bool pg_measure_log(struct viewd_watch *w, struct viewd_err *err)
{
	return pg_op_query(&w->conn->db,
	                   "SELECT pg_catalog.pg_relation_size('viewd.changes') / pg_catalog.current_setting('block_size')::bigint", NULL, 0,
	                   number_row, &w->log_blocks, err);
}

/* Not done now is done the next time; a lost connection is noticed by the next statement. */
static bool vacuum_log(struct viewd_watch *w, struct viewd_err *err)
{
	struct viewd_err ignored = {0};
	w->drained = 0;
	if (!pg_exec(w->conn, "VACUUM (SKIP_LOCKED, TRUNCATE false) viewd.changes", &ignored))
		pg_log(w->conn, VIEWD_LOG_DEBUG, "database '%s', the log of changes is not vacuumed now (%s)", w->conn->db.database_name, ignored.msg);
	return pg_measure_log(w, err);
}

bool pg_clean_log(struct viewd_watch *w, struct viewd_err *err)
{
	int64_t now = clock_system()->mono(clock_system());
	struct viewd_err ignored = {0};
	bool vacuums = w->drained >= CLEAN_ROWS && w->next_block == 0, large = w->log_blocks > PORTION;
	if (!vacuums && (!large || now < w->empty_us))
		return true;
	if (vacuums && !vacuum_log(w, err))
		return false;
	w->empty_us = now + EMPTY_US;
	if (w->log_blocks * 8192 > TRUNCATE_BYTES && !empty_log(w, &ignored))
		pg_log(w->conn, VIEWD_LOG_DEBUG, "database '%s', the log of changes is not emptied now (%s)", w->conn->db.database_name, ignored.msg);
	return true;
}
