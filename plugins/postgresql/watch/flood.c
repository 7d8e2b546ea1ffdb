/* SPDX-License-Identifier: MIT
 *
 * flood.c: a source that is written without pause counts as changed, and its writers leave no log rows: they pay half
 * of what a log row costs, and nothing is to be drained (docs/adr/015-floods.md).
 *
 *   OPEN      the flag is up; marks are raised at a pace, until the server's counters say that it is over
 *   RELEASED  the flag is (or will be) down: new writers leave log rows; whoever has not may still be at work
 *   CLOSING   everybody who may have seen the flag has a transaction id below the barrier. Whenever one of them ends,
 *             marks are raised; for the last time when all have ended
 *
 * A row in viewd.sources says that there is a flood: it is committed before the flag goes up, and removed with the last
 * marks. A watcher that finds it (or a flag that is up without one) ends the flood from where it stands. A writer
 * writes before its trigger runs, so it has its transaction id before it reads the flag; the barrier is an id given
 * after the flag went down. The order of the write-ahead log keeps all this true after a crash or a failover, without
 * waiting for a disk.
 */
#include "postgresql/watch/watch.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/clock.h"
#include "base/err.h"
#include "common/text/number.h"

#define PACE_US INT64_C(500000)    /* how late a change may be noticed during a flood */
#define MOVING_US INT64_C(1000000) /* sessions report their counters once a second */
#define STILL_US INT64_C(1500000)
#define MEASURE_US INT64_C(2000000)
#define LEAVE_RATE 200 /* rows a second */
#define LOOK_MIN_US INT64_C(2000)
#define LOOK_MAX_US INT64_C(1000000)
#define FLAGGED_ROWS 200 /* what a flag that is up counts for */
#define BLOCKED_US INT64_C(50000)

struct pg_flood {
	struct pg_flood *next;
	int64_t id; /* 0: all sources */
	char *source;
	enum pg_flood_state state;
	int64_t due_us;
	bool asked;       /* somebody wants to know now whether there was a change */
	int64_t tuples;   /* OPEN: the counters when last read */
	int64_t moved_us; /* when they were other ones */
	int64_t measured; /* the counters at the beginning of the measurement */
	int64_t measured_us;
	char *barrier; /* CLOSING */
	char *pending; /* ids below the barrier that had not ended; NULL: not looked yet */
	bool mark_due; /* one has ended, and marks could not be raised since */
	int64_t pace_us;
};

static int64_t now_us(void)
{
	return clock_system()->mono(clock_system());
}

/* After a failure: a lock in the way is waited for by asking again. */
static bool or_later(struct pg_flood *f, const struct viewd_err *failed, struct viewd_err *err)
{
	f->due_us = now_us() + BLOCKED_US;
	if (failed->cls == VIEWD_ERR_CONFLICT)
		return true;
	if (err != NULL)
		*err = *failed;
	return false;
}

/* ---- the list ---- */

static struct pg_flood *find_flood(const struct viewd_watch *w, const char *source)
{
	struct pg_flood *f = w->floods;
	while (f != NULL && strcmp(f->source, source) != 0)
		f = f->next;
	return f;
}

static struct pg_flood *obtain(struct viewd_watch *w, int64_t id, const char *source)
{
	struct pg_flood *f = find_flood(w, source);
	if (f != NULL && f->id != id) { /* forgotten and registered anew: nothing is known of the new flag */
		f->id = id;
		f->state = PG_FLOOD_RELEASED;
	}
	if (f != NULL)
		return f;
	f = talloc_zero(w, struct pg_flood);
	assert(f != NULL);
	f->id = id;
	f->source = talloc_strdup(f, source);
	f->state = PG_FLOOD_RELEASED;
	f->next = w->floods;
	w->floods = f;
	return f;
}

static void discard(struct viewd_watch *w, struct pg_flood *f)
{
	struct pg_flood **at = &w->floods;
	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	talloc_free(f);
}

enum pg_flood_state pg_flood_state(const struct viewd_watch *w, const char *source)
{
	const struct pg_flood *f = find_flood(w, source);
	return f != NULL ? f->state : PG_FLOOD_NONE;
}

int64_t pg_flood_due(const struct viewd_watch *w)
{
	int64_t due = INT64_MAX;
	for (const struct pg_flood *f = w->floods; f != NULL; f = f->next)
		due = f->due_us < due ? f->due_us : due;
	return due;
}

/* ---- the flag and the marks ---- */

/* A source that has been forgotten meanwhile has no flag: NULL in, NULL out. */
static bool set_flag(struct viewd_watch *w, int64_t id, bool up, struct viewd_err *err)
{
	char name[48];
	const char *params[] = {name, up ? "true" : "false"};
	snprintf(name, sizeof name, "viewd.flood_%lld", (long long)id);
	return id == 0 || pg_op_exec(&w->conn->db, "SELECT pg_catalog.setval(pg_catalog.to_regclass($1), 1, $2::boolean)",
	                             params, 2, NULL, err);
}

#define MARK_SQL "UPDATE viewd.captures c SET " PG_RAISE " WHERE $1 = '' OR source = $1"

static bool mark(struct viewd_watch *w, const struct pg_flood *f, struct viewd_err *err)
{
	const char *params[] = {f->source};
	return pg_op_exec(&w->conn->db, MARK_SQL, params, 1, NULL, err);
}

/* ---- beginning ---- */

static bool number_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], 0);
	return false;
}

static const struct db_reader number_row[] = {{number_row_fn, "n", "a flood"}};

/* Committed before the flag goes up. A foreign table is written without a transaction id of this server. */
static bool record(struct viewd_watch *w, const char *source, int64_t *id_r, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] = PG_TREE_SQL("SELECT $1::text") " UPDATE viewd.sources s SET flood = pg_catalog.now() "
	                                                         "WHERE s.source = $1"
		" AND s.id > 0 AND NOT EXISTS (SELECT 1 FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid WHERE "
		"c.relkind = 'f')"
		" RETURNING s.id";
	/* clang-format on */
	const char *params[] = {source};
	struct viewd_err failed = {0};
	if (pg_op_query(&w->conn->db, sql, params, 1, number_row, id_r, &failed) || failed.cls == VIEWD_ERR_CONFLICT)
		return true;
	if (err != NULL)
		*err = failed;
	return false;
}

static bool read_counters(struct viewd_watch *w, const struct pg_flood *f, int64_t *tuples_r, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] = PG_TREE_SQL("SELECT $1::text")
		" SELECT coalesce(pg_catalog.sum(pg_catalog.pg_stat_get_tuples_inserted(t.oid) + "
		"pg_catalog.pg_stat_get_tuples_updated(t.oid)"
		" + pg_catalog.pg_stat_get_tuples_deleted(t.oid)), 0)::bigint FROM tree t";
	/* clang-format on */
	const char *params[] = {f->source};
	return pg_op_query(&w->conn->db, sql, params, 1, number_row, tuples_r, err);
}

bool pg_flood_begin(struct viewd_watch *w, const char *source, struct viewd_err *err)
{
	int64_t id = 0;
	if (pg_flood_state(w, source) == PG_FLOOD_OPEN)
		return true;
	if (!record(w, source, &id, err))
		return false;
	if (id == 0)
		return true;
	db_failpoint(&w->conn->db, "flood:recorded");
	struct pg_flood *f = obtain(w, id, source);
	f->due_us = now_us();
	if (!set_flag(w, id, true, err))
		return false;
	db_failpoint(&w->conn->db, "flood:begun");
	pg_log(w->conn, VIEWD_LOG_DEBUG, "database '%s', table %s is written without pause: it counts as changed",
	       w->conn->db.database_name, source);
	f->state = PG_FLOOD_OPEN;
	f->measured_us = f->moved_us = now_us();
	if (!read_counters(w, f, &f->tuples, err))
		return false;
	f->measured = f->tuples;
	return true;
}

struct review {
	struct viewd_watch *w;
	int64_t last_id;
	int n;
};

static bool review_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct review *r = ctx;
	r->last_id = number_or(v[0], 0);
	r->n++;
	bool recorded = v[2][0] == 't', up = v[3][0] == 't';
	if (!recorded && !up)
		return true;
	struct pg_flood *f = obtain(r->w, r->last_id, v[1]);
	if (up && f->state != PG_FLOOD_OPEN) { /* perhaps anew, while the last one closes; again and again is a flood */
		pg_write_rate_add(r->w, v[1], FLAGGED_ROWS);
		f->state = PG_FLOOD_RELEASED;
		f->due_us = now_us();
	}
	f->asked |= f->state == PG_FLOOD_RELEASED;
	return true;
}

static const struct db_reader review_row[] = {{review_row_fn, "nttt", "the floods"}};

/* A flag without a row is up because the log was too long, somebody has put it up, or a backup has. */
static bool record_found(struct viewd_watch *w, struct viewd_err *err)
{
	bool good = true;
	for (const struct pg_flood *f = w->floods; good && f != NULL; f = f->next) {
		const char *params[] = {f->source};
		good = f->state != PG_FLOOD_RELEASED ||
		       pg_op_exec(&w->conn->db,
		                  "UPDATE viewd.sources SET flood = pg_catalog.now() WHERE source = $1 AND flood IS NULL",
		                  params, 1, NULL, err);
	}
	return good;
}

/* In parts: a session that reads a sequence keeps a lock on it to the end of its statement, and the server has room for
 * some thousands. */
bool pg_flood_review(struct viewd_watch *w, struct viewd_err *err)
{
	static const char sql[] =
		"SELECT s.id, s.source, s.flood IS NOT NULL,"
		" pg_catalog.pg_sequence_last_value(pg_catalog.to_regclass('viewd.flood_' || s.id)) IS NOT NULL"
		" FROM (SELECT * FROM viewd.sources WHERE id > $1::bigint ORDER BY id LIMIT 500) AS s ORDER BY s.id";
	struct review r = {.w = w, .last_id = -1};
	do {
		char after[24];
		const char *params[] = {after};
		snprintf(after, sizeof after, "%lld", (long long)r.last_id);
		r.n = 0;
		if (!pg_op_query(&w->conn->db, sql, params, 1, review_row, &r, err))
			return false;
	} while (r.n >= 500);
	return record_found(w, err);
}

/* ---- while it lasts ---- */

/* The counters stand still, or have grown slowly for a while. Below zero: they were reset. */
static bool is_over(struct pg_flood *f, int64_t tuples)
{
	int64_t now = now_us(), span = now - f->measured_us, grown = tuples - f->measured;
	if (tuples != f->tuples)
		f->moved_us = now;
	f->tuples = tuples;
	if (now - f->moved_us >= STILL_US)
		return true;
	if (span < MEASURE_US)
		return false;
	f->measured = tuples;
	f->measured_us = now;
	return grown >= 0 && grown * 1000000 / span < LEAVE_RATE;
}

static bool mark_or_later(struct viewd_watch *w, struct pg_flood *f, bool *news_r, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	if (!mark(w, f, &failed))
		return or_later(f, &failed, err);
	f->asked = f->mark_due = false;
	*news_r = true;
	return true;
}

/* Rows that were written and not yet counted when the counters stop are marked by the end. */
static bool tend_open(struct viewd_watch *w, struct pg_flood *f, bool *news_r, struct viewd_err *err)
{
	int64_t tuples = 0;
	if (!read_counters(w, f, &tuples, err))
		return false;
	f->due_us = now_us() + PACE_US;
	if (is_over(f, tuples)) {
		f->state = PG_FLOOD_RELEASED;
		f->due_us = now_us();
	}
	return (!f->asked && now_us() - f->moved_us >= MOVING_US) || mark_or_later(w, f, news_r, err);
}

/* ---- ending ---- */

static bool text_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct pg_flood *f = ctx;
	talloc_free(f->barrier);
	f->barrier = talloc_strdup(f, v[0]);
	return false;
}

static const struct db_reader text_row[] = {{text_row_fn, "t", "the number of a transaction"}};

/* The statement's own transaction id is over when it returns, so a snapshot taken later lists all lower ones that are
 * not. */
static bool tend_released(struct viewd_watch *w, struct pg_flood *f, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	if (!set_flag(w, f->id, false, &failed))
		return or_later(f, &failed, err);
	db_failpoint(&w->conn->db, "flood:released");
	if (!pg_op_query(&w->conn->db, "SELECT pg_catalog.txid_current()", NULL, 0, text_row, f, &failed))
		return or_later(f, &failed, err);
	f->state = PG_FLOOD_CLOSING;
	TALLOC_FREE(f->pending);
	f->pace_us = LOOK_MIN_US;
	f->due_us = f->asked ? now_us() : now_us() + f->pace_us;
	return true;
}

struct look {
	struct pg_flood *f;
	bool ended;   /* all of them */
	bool changed; /* some, or this is the first look */
};

static bool look_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct look *look = ctx;
	struct pg_flood *f = look->f;
	look->ended = v[0][0] == 't';
	look->changed = f->pending == NULL || strcmp(f->pending, v[1]) != 0 || f->mark_due;
	talloc_free(f->pending);
	f->pending = talloc_strdup(f, v[1]);
	return false;
}

static const struct db_reader look_row[] = {{look_row_fn, "tt", "transactions that run"}};

static bool finish(struct viewd_watch *w, struct pg_flood *f, bool *news_r, struct viewd_err *err)
{
	static const char sql[] = "WITH done AS (UPDATE viewd.sources SET flood = NULL WHERE source = $1) " MARK_SQL;
	const char *params[] = {f->source};
	struct viewd_err failed = {0};
	db_failpoint(&w->conn->db, "flood:ended");
	if (!pg_op_exec(&w->conn->db, sql, params, 1, NULL, &failed))
		return or_later(f, &failed, err);
	*news_r = true;
	discard(w, f);
	return true;
}

static bool tend_closing(struct viewd_watch *w, struct pg_flood *f, bool *news_r, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"SELECT pg_catalog.txid_snapshot_xmin(s.s) >= $1::bigint, coalesce((SELECT pg_catalog.string_agg(x::text, ' ' "
		"ORDER BY x)"
		" FROM pg_catalog.txid_snapshot_xip(s.s) AS x WHERE x < $1::bigint), '') FROM "
		"pg_catalog.txid_current_snapshot() AS s (s)";
	/* clang-format on */
	const char *params[] = {f->barrier};
	struct look look = {.f = f};
	if (!pg_op_query(&w->conn->db, sql, params, 1, look_row, &look, err))
		return false;
	if (look.ended)
		return finish(w, f, news_r, err);
	f->pace_us = look.changed ? LOOK_MIN_US : f->pace_us * 2 < LOOK_MAX_US ? f->pace_us * 2 : LOOK_MAX_US;
	f->due_us = now_us() + f->pace_us;
	f->mark_due = look.changed;
	if (look.changed)
		return mark_or_later(w, f, news_r, err);
	f->asked = false;
	return true;
}

static bool tend_flood(struct viewd_watch *w, struct pg_flood *f, bool *news_r, struct viewd_err *err)
{
	if (f->state == PG_FLOOD_OPEN)
		return tend_open(w, f, news_r, err);
	if (f->state == PG_FLOOD_RELEASED && !tend_released(w, f, err))
		return false;
	return f->state != PG_FLOOD_CLOSING || f->due_us > now_us() || tend_closing(w, f, news_r, err);
}

bool pg_flood_tend(struct viewd_watch *w, bool *news_r, struct viewd_err *err)
{
	bool good = true;
	for (struct pg_flood *f = w->floods, *next; good && f != NULL; f = next) {
		next = f->next;
		if (f->due_us <= now_us())
			good = tend_flood(w, f, news_r, err);
	}
	return good;
}

void pg_flood_ask(struct viewd_watch *w)
{
	for (struct pg_flood *f = w->floods; f != NULL; f = f->next) {
		f->asked = true;
		f->due_us = now_us();
	}
}

bool pg_flood_asked(const struct viewd_watch *w)
{
	const struct pg_flood *f = w->floods;
	while (f != NULL && !f->asked)
		f = f->next;
	return f != NULL;
}
