/* SPDX-License-Identifier: MIT
 *
 * drain.c: takes rows off the log of the triggers and raises marks for them.
 */
#include "postgresql/watch/watch.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "common/state/marks.h"
#include "common/text/number.h"

#define CLEAN_ROWS 4000
#define CLEAN_FEW_ROWS 500 /* when the log has become longer than it need be */
#define CLEAN_BLOCKS 32
#define EMPTY_BLOCKS 48       /* below PG_LOG_BLOCKS, so that sources count as changed only where this does not help */
#define PORTION INT64_C(1024) /* blocks that one statement takes off a large log */
#define REVIEW_US INT64_C(50000)  /* between looks for sources that are flagged since the log is too long */
#define EMPTY_US INT64_C(1000000) /* after an attempt to empty the log that has failed */
#define EMPTY_AGAIN_US INT64_C(50000)

struct draining {
	struct viewd_watch *w;
	struct pg_drained got;
};

static bool drained_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct draining *d = ctx;
	int64_t rows = number_or(v[1], 0);
	if (v[0] == NULL) {
		d->w->log.blocks = rows;
		return true;
	}
	d->got.rows += rows;
	d->got.requests |= v[0][0] == '\0';
	pg_write_rate_add(d->w, v[0], rows);
	return true;
}

static const struct db_reader drained_row[] = {{drained_row_fn, "Tn", "the log of changes"}};

#define BLOCKS_SQL "pg_catalog.pg_relation_size('viewd.changes') / pg_catalog.current_setting('block_size')::bigint"

/* DELETE sees committed rows only; one that commits later stays for the next drain. The last row is the size of the
 * log. */
/* clang-format off */
#define DRAIN_SQL(where) \
	"WITH gone AS (DELETE FROM viewd.changes" where " RETURNING source)," \
	" named AS (SELECT source, pg_catalog.count(*) AS n FROM gone GROUP BY source)," \
	" marked AS (UPDATE viewd.captures c SET " PG_RAISE \
	" FROM named WHERE c.source = named.source)" \
	" SELECT source, n FROM named UNION ALL SELECT NULL, " BLOCKS_SQL
/* clang-format on */

/* The log has grown while nobody was there, or cannot be emptied: all of it would take longer than a statement may. */
static bool drain_portion(struct draining *d, struct viewd_err *err)
{
	struct viewd_watch *w = d->w;
	int64_t end = w->log.next_block + PORTION;
	bool last = end >= w->log.blocks;
	char from[32], to[32];
	const char *params[] = {from, to};
	snprintf(from, sizeof from, "(%" PRId64 ",0)", w->log.next_block);
	snprintf(to, sizeof to, "(%" PRId64 ",0)", last ? INT64_C(0xfffffffe) : end);
	if (!pg_op_query(&w->conn->db, DRAIN_SQL(" WHERE ctid >= $1::tid AND ctid < $2::tid"), params, 2, drained_row, d,
	                 err))
		return false;
	if (w->log.next_block == 0)
		w->log.unseen = false;
	w->log.next_block = last ? 0 : end;
	return true;
}

bool pg_drain(struct viewd_watch *w, struct pg_drained *out, struct viewd_err *err)
{
	struct draining d = {.w = w};
	struct viewd_err failed = {0};
	bool done = w->log.blocks > PORTION ? drain_portion(&d, &failed)
	                                    : pg_op_query(&w->conn->db, DRAIN_SQL(""), NULL, 0, drained_row, &d, &failed);
	if (done) {
		w->log.drained += d.got.rows;
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
	return w->log.next_block > 0 || w->log.unseen;
}

void pg_drain_anew(struct viewd_watch *w)
{
	w->log.unseen = w->log.next_block > 0;
}

static bool number_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], 0);
	return false;
}

static const struct db_reader number_row[] = {{number_row_fn, "n", "the log of changes"}};

/* Prepared transactions have survived, the log rows they left have not: they are waited for as the writers of a flood
 * are. */
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
	pg_log(w->conn, VIEWD_LOG_INFO,
	       "database '%s', the log of changes is new (a first start, a crash or a failover): every view is refreshed",
	       w->conn->db.database_name);
	return mark_all(w, err);
}

/* One statement: a process that is stopped here keeps nobody waiting. The lock is had at once or not at all, so that
 * nobody waits behind who waits for it. Who has it has none of the writers' tables, so nobody dies of it. */
/* clang-format off */
#define EMPTY_SQL(names) \
	"DO $$BEGIN LOCK TABLE viewd.changes IN ACCESS EXCLUSIVE MODE NOWAIT; SET LOCAL lock_timeout = '5ms';" \
	" UPDATE viewd.captures c SET " PG_RAISE " WHERE " names ";" \
	" TRUNCATE viewd.changes; END$$"
/* clang-format on */

/* An old snapshot keeps dead rows from being vacuumed, but not the table from being emptied. Its rows have been
 * committed, since who has written one holds a lock to the end; of a large log nobody reads which sources they name. */
static bool empty_log(struct viewd_watch *w, struct viewd_err *err)
{
	bool large = w->log.blocks > PORTION;
	if (!pg_exec(w->conn,
	             large ? EMPTY_SQL("c.mode = 'trigger'") : EMPTY_SQL("c.source IN (SELECT source FROM viewd.changes)"),
	             err))
		return false;
	w->log.blocks = w->log.next_block = 0;
	w->log.unseen = false;
	w->doubts_flags = true;
	pg_watch_wake(w); /* there may be marks and requests to tell of */
	return true;
}

bool pg_measure_log(struct viewd_watch *w, struct viewd_err *err)
{
	return pg_op_query(&w->conn->db, "SELECT " BLOCKS_SQL, NULL, 0, number_row, &w->log.blocks, err);
}

/* Not done now is done the next time; a lost connection is noticed by the next statement. */
static bool vacuum_log(struct viewd_watch *w, struct viewd_err *err)
{
	struct viewd_err ignored = {0};
	w->log.drained = 0;
	if (!pg_exec_outside(w->conn, "VACUUM (SKIP_LOCKED, TRUNCATE false) viewd.changes", &ignored))
		pg_log(w->conn, VIEWD_LOG_DEBUG, "database '%s', the log of changes is not vacuumed now (%s)",
		       w->conn->db.database_name, ignored.msg);
	return pg_measure_log(w, err);
}

static bool wants_vacuum(const struct viewd_watch *w)
{
	return w->log.next_block == 0 &&
	       (w->log.drained >= CLEAN_ROWS || (w->log.blocks >= CLEAN_BLOCKS && w->log.drained >= CLEAN_FEW_ROWS));
}

bool pg_clean_log(struct viewd_watch *w, struct viewd_err *err)
{
	int64_t now = clock_system()->mono(clock_system());
	struct viewd_err ignored = {0};
	if (wants_vacuum(w) && !vacuum_log(w, err))
		return false;
	if (w->log.blocks < EMPTY_BLOCKS || now < w->log.empty_us)
		return true;
	bool emptied = empty_log(w, &ignored);
	w->log.empty_us = now + (emptied ? EMPTY_AGAIN_US : EMPTY_US);
	if (!emptied)
		pg_log(w->conn, VIEWD_LOG_DEBUG, "database '%s', the log of changes is not emptied now (%s)",
		       w->conn->db.database_name, ignored.msg);
	return true;
}

/* A source is flagged by who has put a row behind the end of the log, and holds a lock on it until he has ended. So
 * whoever finds a flag up finds the log as long, or has been told that it was emptied after that. */
bool pg_review_full(struct viewd_watch *w, bool *due_r, struct viewd_err *err)
{
	int64_t now = clock_system()->mono(clock_system());
	*due_r = false;
	if (w->log.blocks < number_or(PG_LOG_BLOCKS, 0) && !w->doubts_flags)
		return true;
	if (now < w->review_us) {
		*due_r = true;
		return true;
	}
	w->review_us = now + REVIEW_US;
	w->doubts_flags = false;
	return pg_flood_review(w, err);
}
