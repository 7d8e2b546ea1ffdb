/* SPDX-License-Identifier: MIT
 *
 * poll.c: noticing changes by the server's counters, where triggers cannot be made or are disabled. A counter that
 * differs in any way, and a file that is another one (TRUNCATE counts nothing), is a change; so a reset of the
 * statistics is one too.
 *
 * A session may tell its counters long after its commit. So views that are polled are in doubt (marks.h) from the
 * moment when somebody has committed anything, on the whole server, until a refresh has begun after that.
 */
#include "common/state/marks.h"
#include "common/text/number.h"
#include "postgresql/watch/watch.h"

#include <string.h>
#include <talloc.h>

#define POLLED \
	"SELECT DISTINCT source FROM viewd.captures WHERE mode = 'poll' OR (mode = 'trigger' AND source = ANY " \
	"($1::text[]))"

static const char *blind_of(const struct viewd_watch *w)
{
	return w->blind != NULL ? w->blind : "{}";
}

static bool number_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], 0);
	return false;
}

static const struct db_reader number_row[] = {{number_row_fn, "n", "the counters of the sources"}};

/* A source whose counters have not moved is not so much as locked: that would be a transaction. */
static bool read_counters(struct viewd_watch *w, int64_t *n_r, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] = PG_TREE_SQL(POLLED) ","
		" read (source, reading) AS (SELECT w.source, "
		"pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(coalesce("
		"pg_catalog.string_agg(pg_catalog.concat_ws(':', c.oid, pg_catalog.pg_relation_filenode(c.oid),"
		" pg_catalog.pg_stat_get_tuples_inserted(c.oid), pg_catalog.pg_stat_get_tuples_updated(c.oid),"
		" pg_catalog.pg_stat_get_tuples_deleted(c.oid)), ' ' ORDER BY c.oid), ''), 'UTF8')), 'hex')"
		" FROM wanted w LEFT JOIN tree t ON t.source = w.source LEFT JOIN pg_catalog.pg_class c ON c.oid = t.oid GROUP "
		"BY w.source),"
		" moved AS (INSERT INTO viewd.counters AS k (source, reading) SELECT r.source, r.reading FROM read r LEFT JOIN"
		" viewd.counters b ON b.source = r.source WHERE b.reading IS DISTINCT FROM r.reading ON CONFLICT (source) DO"
		" UPDATE SET reading = excluded.reading RETURNING source),"
		" marked AS (UPDATE viewd.captures c SET " PG_RAISE
		" FROM moved WHERE c.source = moved.source) SELECT pg_catalog.count(*) FROM moved";
	/* clang-format on */
	const char *params[] = {blind_of(w)};
	return pg_op_query(&w->conn->db, sql, params, 1, number_row, n_r, err);
}

/* Raises doubts where others have committed since the snapshot that is stored, and stores the present one. It is stored
 * with all that this writes, which is how its transaction is known again. $1: for whoever asks, what is in doubt counts
 * as changed. */
static bool compare_commits(struct viewd_watch *w, bool asked, int64_t *n_r, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"WITH seen AS MATERIALIZED (SELECT pg_catalog.pg_current_snapshot()::text AS now, viewd.committed() AS n),"
		" doubted AS MATERIALIZED (SELECT d.view FROM viewd.captures d, seen WHERE d.mode = '" MARKS_DOUBT "'"
		" AND (d.dirty_seq > d.clean_seq OR seen.n > 1)),"
		" raised AS (UPDATE viewd.captures c SET " PG_RAISE " FROM doubted d, seen WHERE c.view = d.view AND"
		" CASE WHEN c.mode = '" MARKS_DOUBT "' THEN seen.n > 1 ELSE $1::boolean AND (c.mode = 'poll' OR (c.mode ="
		" 'trigger' AND c.source = ANY ($2::text[]))) END RETURNING c.mode),"
		" kept AS (INSERT INTO viewd.counters (source, reading) SELECT '', now FROM seen WHERE n > 0 OR EXISTS"
		" (SELECT 1 FROM raised) ON CONFLICT (source) DO UPDATE SET reading = excluded.reading)"
		" SELECT pg_catalog.count(*) FROM raised WHERE mode <> '" MARKS_DOUBT "'";
	/* clang-format on */
	const char *params[] = {asked ? "t" : "f", blind_of(w)};
	return pg_op_query(&w->conn->db, sql, params, 2, number_row, n_r, err);
}

/* ---- telling ---- */

struct pg_doubt {
	struct pg_doubt *next;
	bool told;
	char view[];
};

struct telling {
	struct viewd_watch *w;
	struct viewd_signal_sink sink;
	struct pg_doubt **at; /* the list is in the order of the answer */
};

static bool tell_doubt(const struct telling *t, const char *view, bool doubted)
{
	return t->sink.fn(t->sink.ctx, &(const struct viewd_signal){.struct_size = sizeof(struct viewd_signal),
	                                                            .kind = VIEWD_SIGNAL_DOUBT,
	                                                            .view = view,
	                                                            .seq = doubted});
}

/* Up to this view (NULL: the end) nobody doubts any more. */
static bool tell_gone(struct telling *t, const char *view)
{
	bool on = true;
	while (*t->at != NULL && (view == NULL || strcmp((*t->at)->view, view) < 0)) {
		struct pg_doubt *gone = *t->at;
		*t->at = gone->next;
		on &= tell_doubt(t, gone->view, false);
		talloc_free(gone);
	}
	return on;
}

static bool doubt_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct telling *t = ctx;
	bool doubted = v[1][0] == 't', on = tell_gone(t, v[0]);
	struct pg_doubt *known = *t->at;
	bool is_new = known == NULL || strcmp(known->view, v[0]) != 0;
	if (is_new) {
		known = talloc_zero_size(t->w, sizeof *known + strlen(v[0]) + 1);
		assert(known != NULL);
		memcpy(known->view, v[0], strlen(v[0]) + 1);
		known->next = *t->at;
		*t->at = known;
	}
	if (is_new || known->told != doubted)
		on &= tell_doubt(t, v[0], doubted);
	known->told = doubted;
	t->at = &known->next;
	return on;
}

static const struct db_reader doubt_row[] = {{doubt_row_fn, "tt", "views whose freshness is in doubt"}};

static bool tell_doubts(struct viewd_watch *w, struct viewd_signal_sink signals, struct viewd_err *err)
{
	static const char sql[] = "SELECT view, dirty_seq > clean_seq FROM viewd.captures WHERE mode = '" MARKS_DOUBT
							  "' ORDER BY view COLLATE \"C\"";
	struct telling t = {.w = w, .sink = signals, .at = &w->doubts};
	if (!pg_op_query(&w->conn->db, sql, NULL, 0, doubt_row, &t, err))
		return false;
	tell_gone(&t, NULL);
	return true;
}

void pg_poll_forget(struct viewd_watch *w)
{
	for (struct pg_doubt *d = w->doubts, *next; d != NULL; d = next) {
		next = d->next;
		talloc_free(d);
	}
	w->doubts = NULL;
}

/* ---- what the watch does ---- */

/* Somebody's lock in the way: it is done the next time. */
static bool or_later(const struct viewd_err *failed, struct viewd_err *err)
{
	if (failed->cls == VIEWD_ERR_CONFLICT)
		return true;
	if (err != NULL)
		*err = *failed;
	return false;
}

bool pg_poll(struct viewd_watch *w, struct viewd_signal_sink signals, int64_t *n_r, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	int64_t n = 0, raised = 0;
	bool done = read_counters(w, &n, &failed) && compare_commits(w, false, &raised, &failed);
	*n_r = n;
	return (done || or_later(&failed, err)) && tell_doubts(w, signals, err);
}

bool pg_poll_doubted(struct viewd_watch *w, bool *done_r, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	int64_t n = 0;
	*done_r = !w->polls || compare_commits(w, true, &n, &failed);
	return *done_r || or_later(&failed, err);
}

/* A source that is heard by triggers, and is not, puts the views that read it in doubt as well. */
static bool review_doubts(struct viewd_watch *w, struct viewd_err *err)
{
	/* clang-format off */
	static const char add_sql[] =
		"INSERT INTO viewd.captures (view, source, mode, dirty_seq, clean_seq, changed_time) SELECT DISTINCT c.view, '"
		MARKS_DOUBT_SOURCE "', '" MARKS_DOUBT "', 1, 0, pg_catalog.now() FROM viewd.captures c WHERE c.mode = 'trigger'"
		" AND c.source = ANY ($1::text[]) AND NOT EXISTS (SELECT 1 FROM viewd.captures d WHERE d.view = c.view AND"
		" d.mode = '" MARKS_DOUBT "') ON CONFLICT DO NOTHING";
	/* clang-format on */
	static const char remove_sql[] =
		"DELETE FROM viewd.captures d WHERE d.mode = '" MARKS_DOUBT "' AND NOT EXISTS (SELECT 1 FROM viewd.captures c"
		" WHERE c.view = d.view AND (c.mode = 'poll' OR (c.mode = 'trigger' AND c.source = ANY ($1::text[]))))";
	const char *params[] = {blind_of(w)};
	struct viewd_err failed = {0};
	return (pg_op_exec(&w->conn->db, add_sql, params, 1, NULL, &failed) &&
	        pg_op_exec(&w->conn->db, remove_sql, params, 1, NULL, &failed)) ||
	       or_later(&failed, err);
}

bool pg_poll_review(struct viewd_watch *w, struct viewd_err *err)
{
	int64_t n = 0;
	const char *params[] = {blind_of(w)};
	if (!review_doubts(w, err) ||
	    !pg_op_query(&w->conn->db, "SELECT pg_catalog.count(*) FROM (" POLLED ") AS p", params, 1, number_row, &n, err))
		return false;
	w->polls = n > 0;
	return true;
}
