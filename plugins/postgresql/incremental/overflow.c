/* SPDX-License-Identifier: MIT
 *
 * overflow.c: keeping change logs short. Rows that every reader has read are removed now and then. Where a log has come
 * to its cap, writers have stopped: once all rows of a reader were computed, the log is emptied and writers are let on.
 *
 * Some of those that left nothing may not have committed by then. Their transactions have numbers below the next one at
 * that moment, which is written into the log's first row: positions whose xmin is lower are not believed. That number
 * is known only after writers were let on. Before, the row gets one that no transaction reaches, so that no position is
 * believed in between; whoever finds it there lets writers on again.
 *
 * A server that was killed has emptied the log, which is unlogged, and its first row is gone. The refresh that finds it
 * so computes all rows, and puts the row back with the number of the next transaction at its snapshot: later readings
 * of its own are believed at once, unless something was going on at that snapshot. What prepared transactions had left
 * in the log is gone too, so no position is believed that still waits for one of them.
 *
 * A sequence is no part of any snapshot. Readers whose snapshot is from before all this know by its value, which is
 * another one each time, that writers were let on meanwhile (look.c).
 */
#include "postgresql/incremental/log_objects.h"

#include <inttypes.h>
#include <stdio.h>
#include <talloc.h>

#include "common/incremental/change_log.h"

/* Where what the first row gets begins: half of all numbers, of which no server has used so many. */
#define NEVER "9223372036854775808"

/* The repairs that a log needs; as a rule none. */
struct untidy {
	bool full;     /* or writers were let on only halfway */
	bool headless; /* the first row is gone */
	bool read;     /* rows are there that no reader will ask for */
};

static bool is_true(const char *value)
{
	return value != NULL && value[0] == 't';
}

static bool take_untidy_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(struct untidy *)ctx = (struct untidy){is_true(v[0]), is_true(v[1]), is_true(v[2])};
	return false;
}

static const struct db_reader take_untidy[] = {{take_untidy_fn, "TTT", "what a change log holds"}};

/* SQL: rows that no reader will ask for. One without a position may be reading everything at this moment: what has
 * committed since its snapshot was taken it will ask for, and how old that is nobody knows. Slot: the log's number. */
#define READ_FORM \
	"viewd_sign <> 0 AND viewd_xid < (SELECT CASE WHEN pg_catalog.count(*) = pg_catalog.count(r.position) THEN " \
	"pg_catalog.min(pg_catalog.pg_snapshot_xmin(r.position::pg_catalog.pg_snapshot)::text::numeric) " \
	"END::text::pg_catalog.xid8 FROM viewd.log_readers r WHERE r.log = %1$" PRId64 ")"

/* Asked again and again, so the server keeps its plan. */
static bool look(struct viewd_conn *conn, int64_t number, struct untidy *out, struct viewd_err *err)
{
	char *sql = talloc_asprintf(
		NULL,
		"SELECT pg_catalog.pg_sequence_last_value('viewd.full_%1$" PRId64
		"') IS NOT NULL OR EXISTS (SELECT FROM viewd.change_%1$" PRId64 " WHERE viewd_sign = 0 AND viewd_xid >= '" NEVER
		"'), NOT EXISTS (SELECT FROM viewd.change_%1$" PRId64
		" WHERE viewd_sign = 0), EXISTS (SELECT FROM viewd.change_%1$" PRId64 " WHERE " READ_FORM ")",
		number);
	assert(sql != NULL);
	bool done = pg_query_with_queue(conn, sql, NULL, 0, take_untidy, out, err);
	talloc_free(sql);
	return done;
}

static bool remove_read(struct viewd_conn *conn, int64_t number, struct viewd_err *err)
{
	return pg_execf(conn, err, "DELETE FROM viewd.change_%1$" PRId64 " WHERE " READ_FORM, number);
}

static bool take_number_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	snprintf(ctx, 24, "%s", v[0]);
	return true;
}

static const struct db_reader take_number[] = {{take_number_fn, "t", "the first row of a change log"}};

/* A transaction of its own makes the number another one than that of a session that does the same. */
static bool disbelieve(struct viewd_conn *conn, int64_t number, char never[static 24], struct viewd_err *err)
{
	char sql[250];
	snprintf(sql, sizeof sql,
	         "INSERT INTO viewd.change_%" PRId64 " (viewd_xid, viewd_sign) VALUES "
	         "((pg_catalog.pg_current_xact_id()::text::numeric + " NEVER
	         ")::text::pg_catalog.xid8, 0) RETURNING viewd_xid::text",
	         number);
	return pg_op_query(&conn->db, sql, NULL, 0, take_number, never, err);
}

static bool vacuum(struct viewd_conn *conn, int64_t number, struct viewd_err *err)
{
	char sql[60];
	snprintf(sql, sizeof sql, "VACUUM viewd.change_%" PRId64, number);
	return pg_exec_outside(conn, sql, err);
}

/* The table is emptied first: what it holds then belongs to readers that compute everything. Its first row comes back
 * at its beginning: anywhere else it would keep the table as long as it is. While that is gone nobody believes the log.
 * Where another session has begun the same meanwhile, that one's row stays too. */
static bool let_on(struct viewd_conn *conn, int64_t number, struct viewd_err *err)
{
	char never[24] = "0";
	return pg_op_begin(&conn->db, DB_BEGIN_WRITE, err) &&
	       pg_execf(conn, err, "DELETE FROM viewd.change_%" PRId64, number) &&
	       pg_execf(conn, err, "UPDATE viewd.log_readers SET position = NULL WHERE log = %" PRId64, number) &&
	       pg_op_commit(&conn->db, err) && vacuum(conn, number, err) && disbelieve(conn, number, never, err) &&
	       pg_execf(conn, err,
	                "SELECT pg_catalog.setval('viewd.full_%" PRId64
	                "', pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::text::pg_catalog.int8, false)",
	                number) &&
	       pg_execf(conn, err,
	                "UPDATE viewd.change_%" PRId64
	                " SET viewd_xid = pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()) WHERE viewd_sign = "
	                "0 AND viewd_xid = '%s'",
	                number, never);
}

/* Other sessions may do the same at once: the highest number counts. */
#define FIRST_FORM \
	"INSERT INTO viewd.change_%1$" PRId64 " (viewd_xid, viewd_sign) SELECT " \
	"pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot()), 0 WHERE NOT EXISTS (SELECT FROM " \
	"viewd.change_%1$" PRId64 " WHERE viewd_sign = 0)"

static bool put_back_first(struct viewd_conn *conn, int64_t number, struct viewd_err *err)
{
	return pg_execf(conn, err, FIRST_FORM, number);
}

/* The lock of the look keeps the log from being emptied once more before the commit. */
bool pg_op_mend_log(struct db *db, const struct change_log *log, struct viewd_err *err UNUSED)
{
	char *sql = talloc_asprintf(NULL, FIRST_FORM, log->number);
	assert(sql != NULL);
	pg_queue(pg_of(db), sql, NULL, 0, NULL, NULL);
	talloc_free(sql);
	return true;
}

static bool tidy(struct viewd_conn *conn, int64_t number, struct viewd_err *err)
{
	struct untidy untidy = {0};
	if (!look(conn, number, &untidy, err) || (untidy.headless && !put_back_first(conn, number, err)))
		return false;
	if (untidy.full)
		return let_on(conn, number, err);
	return !untidy.read || remove_read(conn, number, err);
}

void pg_op_purge_log(struct db *db, const struct change_log *log)
{
	struct viewd_conn *conn = pg_of(db);
	struct viewd_err failed = {0};
	if (tidy(conn, log->number, &failed))
		return;
	pg_op_rollback(db);
	pg_log(conn, VIEWD_LOG_WARNING, "database '%s', change log %" PRId64 " keeps rows that were read (%s)",
	       db->database_name, log->number, failed.msg);
}
