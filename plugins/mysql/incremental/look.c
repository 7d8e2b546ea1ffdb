/* SPDX-License-Identifier: MIT
 *
 * look.c: what readers have of a change log. All rows are taken by the numbers that the snapshot shows: one that was
 * given out before may be committed later.
 *
 * In a transaction of REPEATABLE READ what a writing statement reads it reads as it is now, with locks. A cursor reads
 * the snapshot. A row that is deleted by its number locks nothing else (proved: a list of numbers locks the end of the
 * log, and writers wait).
 */
#include "mysql/incremental/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

static char *table_of(struct viewd_conn *conn, void *mem, const struct change_log *log)
{
	struct relation rel;
	log_relation(conn, change_log_table(&conn->db, mem, log->number), &rel);
	return relation_quoted(&my_syntax, mem, &rel);
}

/* SQL: over l, this reader has not read the row. */
static char *unseen(void *mem, const char *view, int64_t number)
{
	return talloc_asprintf(mem,
	                       "NOT EXISTS (SELECT 1 FROM " LOG_SEEN " viewd_s WHERE viewd_s.log = %" PRId64
	                       " AND viewd_s.`view` = %s AND viewd_s.viewd_id = viewd_l.viewd_id)",
	                       number, literal_quoted(&my_syntax, mem, view));
}

char *my_unread(struct db *db, void *mem_ctx, const char *view, const struct change_log *log)
{
	return talloc_asprintf(mem_ctx, "(SELECT * FROM %s viewd_l WHERE viewd_l.viewd_sign IN (-1, 1) AND %s)",
	                       table_of(my_conn(db), mem_ctx, log), unseen(mem_ctx, view, log->number));
}

/* ---- looking ---- */

/* Whoever has read since the snapshot was taken has taken rows that it shows: what came in between would be lost. */
static bool check_position(struct viewd_conn *conn, void *mem, const char *view, const struct change_log *log,
                           const char *position, struct viewd_err *err)
{
	char number[32], *now = NULL;
	const char *params[] = {view, number};
	snprintf(number, sizeof number, "%" PRId64, log->number);
	if (!my_query_text(conn, mem, "SELECT position FROM viewd_log_readers WHERE `view` = ? AND log = ? FOR UPDATE",
	                   params, ARRAY_LEN(params), &now, err))
		return false;
	return (now == NULL && position == NULL) || (now != NULL && position != NULL && strcmp(now, position) == 0) ||
	       err_set(err, VIEWD_ERR_CONFLICT, "view '%s' was refreshed by somebody else since", view);
}

static bool say(struct change_log *log, bool unsound, const char *why)
{
	log->everything = true;
	log->unsound |= unsound;
	snprintf(log->why, sizeof log->why, "%.191s", why);
	return true;
}

struct counts {
	int64_t slots, unread, everything;
};

static bool take_counts_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct counts *out = ctx;
	*out = (struct counts){number_or(v[0], 0), number_or(v[1], 0), number_or(v[2], 0)};
	return false;
}

static const struct db_reader take_counts[] = {{take_counts_fn, "NNN", "the rows of a change log"}};

static bool count(struct viewd_conn *conn, void *mem, const char *view, struct change_log *log, struct viewd_err *err)
{
	struct counts counts = {0};
	char *sql = talloc_asprintf(mem,
	                            "SELECT SUM(viewd_l.viewd_sign = 0 AND viewd_l.viewd_id <= " LOG_SLOTS
	                            "), SUM(viewd_l.viewd_id > " LOG_SLOTS "), SUM(viewd_l.viewd_sign = " LOG_EVERYTHING
	                            ") FROM %s viewd_l WHERE %s",
	                            table_of(conn, mem, log), unseen(mem, view, log->number));
	if (!my_query(&conn->db, sql, NULL, 0, take_counts, &counts, err))
		return false;
	log->unread = counts.unread > LOG_UNREAD_MAX ? LOG_UNREAD_MAX + 1 : counts.unread;
	if (counts.slots != LOG_N_SLOTS)
		return say(log, true, "the log was emptied");
	return counts.everything == 0 || log->everything || say(log, false, "more rows were changed than the log holds");
}

/* Rights that were taken away since have writers go on in silence. */
static bool try_out(const struct log_plan *plan, struct change_log *log, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	struct db *db = &plan->conn->db;
	bool works = false;
	if (!db_exec(db, "SAVEPOINT viewd_try", err))
		return false;
	bool done = log_try(plan, &works, &failure);
	if (!done && !note_is_verdict(&failure)) {
		if (err != NULL)
			*err = failure;
		return false;
	}
	if (!works)
		say(log, true, "its triggers would leave nothing in it");
	return db_exec(db, "ROLLBACK TO SAVEPOINT viewd_try", err);
}

static bool is_right_now(const struct log_plan *plan, bool *right_r, char why[static 192], struct viewd_err *err)
{
	struct definer definer;
	if (!definer_enter_reading(plan->conn, plan->source, &definer, err))
		return false;
	definer_leave(plan->conn, &definer);
	return log_is_right(plan, &definer, right_r, why, err);
}

/* The full comparison is for what is not as it was. */
static bool judge(struct viewd_conn *conn, void *mem, struct change_log *log, const char *looked, struct viewd_err *err)
{
	struct log_plan plan;
	char why[192] = "", *digest = NULL;
	bool right = false;
	log_names(conn, mem, log->number, &log->source, &plan);
	plan.n = log->n_columns;
	if (!log_facts(&plan, &digest, why, err))
		return false;
	log->looked = digest;
	if (why[0] != '\0')
		return say(log, true, why);
	if (looked != NULL && strcmp(looked, digest) == 0)
		return try_out(&plan, log, err);
	/* A session goes by the rights it had when it began, writers by those of now. */
	conn->denied = conn->denied || looked != NULL;
	if (!log_plan(conn, mem, log, &plan, err) || !is_right_now(&plan, &right, why, err))
		return false;
	if (!right || !log_may(&plan, why))
		return say(log, true, why);
	return say(log, false,
	           looked == NULL ? "its log was not read before" : "table, triggers or log are not as they were");
}

bool my_look_log(struct db *db, void *mem_ctx, const char *view, struct change_log *log, const char *position,
                 const char *looked, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	if (!check_position(conn, mem_ctx, view, log, position, err) ||
	    !judge(conn, mem_ctx, log, position != NULL ? looked : NULL, err))
		return false;
	return log->unsound || count(conn, mem_ctx, view, log, err);
}

/* ---- reading ---- */

static bool count_readers(struct viewd_conn *conn, void *mem, int64_t number, int64_t *n_r, struct viewd_err *err)
{
	char *sql = talloc_asprintf(mem, "SELECT COUNT(*) FROM viewd_log_readers WHERE log = %" PRId64, number);
	return my_query_int(conn, sql, NULL, 0, n_r, err);
}

bool my_read_log(struct db *db, void *mem_ctx, const char *view, const struct change_log *log, char **position_r,
                 struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	char *table = table_of(conn, mem_ctx, log), *what;
	char *newest = talloc_asprintf(mem_ctx, "SELECT MAX(viewd_id) FROM %s", table);
	int64_t readers = 0, last = 0;
	if (!count_readers(conn, mem_ctx, log->number, &readers, err) || !my_query_int(conn, newest, NULL, 0, &last, err))
		return false;
	*position_r = talloc_asprintf(mem_ctx, "%" PRId64 "-%lu-%" PRId64, db_now(db), conn->thread_id, last);
	if (readers <= 1)
		what = talloc_asprintf(mem_ctx,
		                       "SELECT viewd_l.viewd_id FROM %s viewd_l WHERE viewd_l.viewd_id > " LOG_SLOTS
		                       ") DO DELETE FROM %s WHERE viewd_id = viewd_row.viewd_id",
		                       table, table);
	else
		what = talloc_asprintf(mem_ctx,
		                       "SELECT viewd_l.viewd_id FROM %s viewd_l WHERE viewd_l.viewd_id > " LOG_SLOTS
		                       " AND %s) DO INSERT INTO " LOG_SEEN " VALUES (%" PRId64 ", %s, viewd_row.viewd_id)",
		                       table, unseen(mem_ctx, view, log->number), log->number,
		                       literal_quoted(&my_syntax, mem_ctx, view));
	return db_exec(db, talloc_asprintf(mem_ctx, "BEGIN NOT ATOMIC FOR viewd_row IN (%s; END FOR; END", what), err);
}

/* ---- purging ---- */

/* SQL: over viewd_l, no reader needs the row any more: he has read it, or there is a row that tells him "everything"
 * and that he has not read. That one stays. */
static char *unneeded(void *mem, const char *table, int64_t number)
{
	return talloc_asprintf(
		mem,
		"NOT EXISTS (SELECT 1 FROM viewd_log_readers r WHERE r.log = %" PRId64
		" AND NOT EXISTS (SELECT 1 FROM " LOG_SEEN
		" s WHERE s.log = r.log AND s.`view` = r.`view` AND s.viewd_id = viewd_l.viewd_id) AND (viewd_l.viewd_sign NOT "
		"IN (-1, 1) OR NOT EXISTS (SELECT 1 FROM %s m WHERE m.viewd_sign = " LOG_EVERYTHING
		" AND NOT EXISTS (SELECT 1 FROM " LOG_SEEN
		" t WHERE t.log = r.log AND t.`view` = r.`view` AND t.viewd_id = m.viewd_id))))",
		number, table);
}

static bool each(struct viewd_conn *conn, void *mem, const char *query, const char *what, struct viewd_err *err)
{
	return db_exec(&conn->db,
	               talloc_asprintf(mem, "BEGIN NOT ATOMIC FOR viewd_row IN (%s) DO %s; END FOR; END", query, what),
	               err);
}

static bool remove_unneeded(struct viewd_conn *conn, void *mem, const char *table, int64_t number,
                            struct viewd_err *err)
{
	char *rows =
		talloc_asprintf(mem, "SELECT viewd_l.viewd_id FROM %s viewd_l WHERE viewd_l.viewd_id > " LOG_SLOTS " AND %s",
	                    table, unneeded(mem, table, number));
	char *left = talloc_asprintf(mem,
	                             "SELECT s.`view` AS viewd_v, s.viewd_id FROM " LOG_SEEN " s WHERE s.log = %" PRId64
	                             " AND NOT EXISTS (SELECT 1 FROM %s viewd_l WHERE viewd_l.viewd_id = s.viewd_id)",
	                             number, table);
	return each(conn, mem, rows, talloc_asprintf(mem, "DELETE FROM %s WHERE viewd_id = viewd_row.viewd_id", table),
	            err) &&
	       each(conn, mem, left,
	            talloc_asprintf(mem,
	                            "DELETE FROM " LOG_SEEN " WHERE log = %" PRId64
	                            " AND `view` = viewd_row.viewd_v AND viewd_id = viewd_row.viewd_id",
	                            number),
	            err);
}

/* Writers count from the number that the last row would have if the log had always been as short. That of a row which
 * is gone stands in the position. One who holds a slot goes on counting from the old one, at worst to "everything". */
static bool move_slots(struct viewd_conn *conn, void *mem, const char *table, int64_t number, struct viewd_err *err)
{
	int64_t base = 0;
	char *sql = talloc_asprintf(mem,
	                            "SELECT GREATEST(MAX(viewd_id), COALESCE((SELECT MAX(CAST(SUBSTRING_INDEX(position, "
	                            "'-', -1) AS SIGNED)) FROM viewd_log_readers WHERE log = %" PRId64
	                            "), 0)) - COUNT(*) + " LOG_SLOTS " FROM %s",
	                            number, table);
	if (!my_query_int(conn, sql, NULL, 0, &base, err))
		return false;
	char *slots = talloc_asprintf(mem,
	                              "SELECT viewd_id FROM %s WHERE viewd_id <= " LOG_SLOTS " AND viewd_base < %" PRId64
	                              " - 1000 FOR UPDATE SKIP LOCKED",
	                              table, base);
	return each(
		conn, mem, slots,
		talloc_asprintf(mem, "UPDATE %s SET viewd_base = %" PRId64 " WHERE viewd_id = viewd_row.viewd_id", table, base),
		err);
}

static bool purge(struct viewd_conn *conn, void *mem, const struct change_log *log, struct viewd_err *err)
{
	char *table = table_of(conn, mem, log);
	int64_t readers = 0, seen = 0;
	char *any = talloc_asprintf(mem, "SELECT EXISTS (SELECT 1 FROM " LOG_SEEN " WHERE log = %" PRId64 ")", log->number);
	return count_readers(conn, mem, log->number, &readers, err) && my_query_int(conn, any, NULL, 0, &seen, err) &&
	       ((readers <= 1 && seen == 0) || remove_unneeded(conn, mem, table, log->number, err)) &&
	       move_slots(conn, mem, table, log->number, err);
}

void my_purge_log(struct db *db, const struct change_log *log)
{
	struct viewd_conn *conn = my_conn(db);
	struct viewd_err failure = {0};
	void *mem = talloc_new(NULL);
	if (!my_begin(db, DB_BEGIN_WRITE, &failure) || !purge(conn, mem, log, &failure) || !my_commit(db, &failure)) {
		my_rollback(db);
		db_log(db, VIEWD_LOG_DEBUG, "change log of '%s' was not tidied (%s)", log->source.name, failure.msg);
	}
	talloc_free(mem);
}
