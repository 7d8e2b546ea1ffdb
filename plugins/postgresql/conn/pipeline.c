/* SPDX-License-Identifier: MIT
 *
 * pipeline.c: several statements in one turn.
 *
 * A refresh is a dozen short statements around a long one, and most of its time would be spent waiting for answers that
 * nobody reads. So what opens a transaction, and what is only written, waits in a queue for the next statement whose
 * answer matters, and they travel together (https://www.postgresql.org/docs/15/libpq-pipeline-mode.html). Each is still
 * one statement of the extended protocol; when one fails, the server skips the rest. What may take long, and what users
 * wrote, is never among them: it keeps its own time limit and its own error.
 */
#include <talloc.h>

#include "base/clock.h"
#include "base/err.h"
#include "postgresql/conn/pooled.h"
#include "postgresql/pg.h"

struct pg_statement {
	char *sql;
	const char **params;
	size_t n_params;
	const struct db_reader *row;
	void *ctx;
	int place;     /* among the prepared; -1: it is not */
	bool prepares; /* an answer to that comes before its own */
	bool ends;     /* the first part; what fails behind it has not kept it from being done */
};

/* ---- the queue ---- */

static const char **copy_params(void *mem_ctx, const char *const *params, size_t n)
{
	const char **copy = talloc_zero_array(mem_ctx, const char *, n + 1);
	assert(copy != NULL);
	for (size_t i = 0; i < n; i++)
		copy[i] = params[i] != NULL ? talloc_strdup(copy, params[i]) : NULL;
	return copy;
}

static void push(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params,
                 const struct db_reader *row, void *ctx)
{
	conn->queue.list = talloc_realloc(conn, conn->queue.list, struct pg_statement, conn->queue.n + 1);
	assert(conn->queue.list != NULL);
	conn->queue.list[conn->queue.n++] = (struct pg_statement){.sql = talloc_strdup(conn->queue.list, sql),
	                                                          .params = copy_params(conn->queue.list, params, n_params),
	                                                          .n_params = n_params,
	                                                          .row = row,
	                                                          .ctx = ctx,
	                                                          .place = -1};
}

static void push_limit(struct viewd_conn *conn, const char *setting, int64_t us)
{
	char *sql = talloc_asprintf(conn, "SET %s%s = %lld", conn->pooled ? "LOCAL " : "", setting,
	                            us > 0 ? (long long)(us + 999) / 1000 : 0);
	push(conn, sql, NULL, 0, NULL, NULL);
	talloc_free(sql);
}

/* Sent each time, whatever was sent before: a hook or a function that a definition calls may have set something
 * else. */
static void push_limits(struct viewd_conn *conn)
{
	if (!conn->limits_due)
		return;
	conn->limits_due = false;
	push_limit(conn, "statement_timeout", conn->timeout_us);
	push_limit(conn, "lock_timeout", conn->lock_us);
}

/* Where the session is not kept, what it runs under is told behind each BEGIN. */
static void push_begin(struct viewd_conn *conn, const char *sql)
{
	const char *params[PG_SETTINGS_PARAMS];
	push(conn, sql, NULL, 0, NULL, NULL);
	if (!conn->pooled)
		return;
	const char *settings = pg_settings_of_transaction(conn, params);
	push(conn, settings, params, ARRAY_LEN(params), NULL, NULL);
	conn->limits_due = true;
	push_limits(conn);
}

/* Such a session is nobody's between two transactions. */
static bool is_nobodys(const struct viewd_conn *conn)
{
	return conn->pooled && !conn->queue.alone && !pg_in_transaction(conn);
}

static void end_alone(struct viewd_conn *conn)
{
	if (conn->queue.alone)
		push(conn, "COMMIT", NULL, 0, NULL, NULL);
	conn->queue.alone = false;
}

void pg_queue(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params,
              const struct db_reader *row, void *ctx)
{
	if (is_nobodys(conn)) {
		push_begin(conn, PG_BEGIN_ANY);
		conn->queue.alone = true;
	}
	push_limits(conn);
	push(conn, sql, params, n_params, row, ctx);
}

void pg_queue_again(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params,
                    const struct db_reader *row, void *ctx)
{
	pg_queue(conn, sql, params, n_params, row, ctx);
	conn->queue.list[conn->queue.n - 1].place = pg_prepared_place(conn, sql);
}

void pg_queue_part(struct viewd_conn *conn)
{
	conn->queue.list[conn->queue.n - 1].ends = true;
}

/* Limits follow: what is set in a transaction never stands in the way of its isolation level. */
void pg_queue_begin(struct viewd_conn *conn, const char *sql)
{
	end_alone(conn);
	push_begin(conn, sql);
	conn->queue.begun = true;
}

void pg_queue_forget(struct viewd_conn *conn)
{
	conn->limits_due |= conn->queue.n > 0;
	conn->queue.begun = conn->queue.alone = false;
	conn->queue.n = 0;
	TALLOC_FREE(conn->queue.list);
}

/* ---- the turn ---- */

/* One statement may take all of its time, each of the others wait for a lock. */
static int64_t turn_limit(const struct viewd_conn *conn)
{
	int64_t limit = pg_answer_limit(conn),
			wait = conn->lock_us > 0 && conn->lock_us < conn->timeout_us ? conn->lock_us : conn->timeout_us;
	return limit == 0 || conn->answer_us > 0 ? limit : limit + (int64_t)(conn->queue.n - 1) * wait;
}

static bool send_statement(struct viewd_conn *conn, struct pg_statement *st)
{
	if (st->place >= 0)
		return pg_prepared_send(conn, st->place, st->params, st->n_params, &st->prepares);
	return PQsendQueryParams(conn->pg, st->sql, (int)st->n_params, NULL, st->params, NULL, NULL, 0) == 1;
}

static bool send_queue(struct viewd_conn *conn)
{
	if (PQenterPipelineMode(conn->pg) != 1)
		return false;
	for (size_t i = 0; i < conn->queue.n; i++)
		if (!send_statement(conn, &conn->queue.list[i]))
			return false;
	return PQpipelineSync(conn->pg) == 1;
}

/* The next result, or NULL: none follows for this statement, or none at all. */
static PGresult *next_result(struct viewd_conn *conn, int64_t deadline)
{
	if (conn->silent)
		return NULL;
	if (pg_answered_by(conn, deadline))
		return PQgetResult(conn->pg);
	conn->silent = true;
	return NULL;
}

/* Everything the server answers to one message; the first result counts. */
static PGresult *answer(struct viewd_conn *conn, int64_t deadline)
{
	PGresult *first = next_result(conn, deadline), *res;
	if (first == NULL)
		return NULL;
	while (PQstatus(conn->pg) == CONNECTION_OK && (res = next_result(conn, deadline)) != NULL)
		PQclear(res);
	return first;
}

static bool succeeded(const PGresult *res)
{
	ExecStatusType status = PQresultStatus(res);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* A statement that could not be prepared has no answer of its own that would tell more. */
static PGresult *statement_answer(struct viewd_conn *conn, const struct pg_statement *st, int64_t deadline)
{
	if (!st->prepares)
		return answer(conn, deadline);
	PGresult *prepared = answer(conn, deadline);
	bool done = succeeded(prepared);
	pg_prepared_answered(conn, st->place, done);
	PGresult *own = PQstatus(conn->pg) == CONNECTION_OK ? answer(conn, deadline) : NULL;
	PQclear(done ? prepared : own);
	return done ? own : prepared;
}

/* Reads all answers. Returns how many statements succeeded before the first that did not; that one's result is in
 * results too. */
static size_t read_answers(struct viewd_conn *conn, PGresult **results, int64_t deadline)
{
	size_t good = 0;
	for (size_t i = 0; i < conn->queue.n && PQstatus(conn->pg) == CONNECTION_OK && !conn->silent; i++) {
		results[i] = statement_answer(conn, &conn->queue.list[i], deadline);
		if (good == i && succeeded(results[i]))
			good++;
	}
	if (PQstatus(conn->pg) == CONNECTION_OK)
		PQclear(next_result(conn, deadline)); /* the end of the turn */
	return good;
}

/* How many statements the first part has. */
static size_t first_part(const struct viewd_conn *conn)
{
	for (size_t i = 0; i < conn->queue.n; i++)
		if (conn->queue.list[i].ends)
			return i + 1;
	return conn->queue.n;
}

static bool take_turn(struct viewd_conn *conn, PGresult **results, struct viewd_err *behind, struct viewd_err *err)
{
	const struct clock *clk = clock_system();
	int64_t start = clk->mono(clk), limit = turn_limit(conn);
	size_t good = send_queue(conn) ? read_answers(conn, results, limit > 0 ? start + limit : INT64_MAX) : 0;
	if (good < conn->queue.n) {
		const struct pg_statement *failed = &conn->queue.list[good];
		bool first = good < first_part(conn);
		struct viewd_err *told = first ? err : behind;
		pg_error_result(conn, results[good], clk->mono(clk) - start, told);
		pg_error_name_refused(failed->sql, told);
		bool stale = pg_prepared_judge(conn, results[good], failed->place >= 0 && !failed->prepares);
		if (stale && told != NULL && told->cls == VIEWD_ERR_QUERY)
			told->cls = VIEWD_ERR_CONFLICT; /* the next attempt does without */
		return !first;
	}
	return PQexitPipelineMode(conn->pg) == 1 ||
	       err_set(err, VIEWD_ERR_BUG, "answers are left over (%s)", PQerrorMessage(conn->pg));
}

/* After a failure too the connection serves single statements again, unless it is broken. */
static void end_turn(struct viewd_conn *conn)
{
	if (PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF && PQexitPipelineMode(conn->pg) != 1)
		conn->silent = true;
}

bool pg_flush(struct viewd_conn *conn, struct viewd_err *err)
{
	return pg_flush_parts(conn, NULL, err);
}

bool pg_flush_parts(struct viewd_conn *conn, struct viewd_err *behind, struct viewd_err *err)
{
	bool alone = conn->queue.alone;
	if (!is_nobodys(conn))
		push_limits(conn);
	if (conn->queue.n == 0)
		return true;
	end_alone(conn);
	PGresult **results = talloc_zero_array(conn, PGresult *, conn->queue.n);
	bool done = pg_may_ask(conn, err) && take_turn(conn, results, behind, err);
	end_turn(conn);
	struct pg_statement *queue = conn->queue.list;
	size_t n = conn->queue.n;
	conn->queue.list = NULL;
	conn->queue.n = 0;
	conn->queue.begun = false;
	conn->limits_due = !done;
	if (alone && !done)
		pg_op_rollback(&conn->db);
	for (size_t i = 0; i < n; i++) {
		if (done && queue[i].row != NULL)
			done = pg_hand_rows(results[i], queue[i].row, queue[i].ctx, err);
		PQclear(results[i]);
	}
	talloc_free(queue);
	talloc_free(results);
	return done;
}

bool pg_query_with_queue(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n_params,
                         const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	pg_queue_again(conn, sql, params, n_params, row, ctx);
	return pg_flush(conn, err);
}

/* ---- for recipes ---- */

bool pg_op_flush(struct db *db, struct viewd_err *err)
{
	return pg_flush(pg_of(db), err);
}

/* Outside a transaction nothing promises that something will follow. */
bool pg_op_query_later(struct db *db, const char *sql, const char *const *params, size_t n_params,
                       const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	pg_queue_again(pg_of(db), sql, params, n_params, row, ctx);
	return pg_in_transaction(pg_of(db)) || pg_flush(pg_of(db), err);
}

bool pg_op_exec_later(struct db *db, const char *sql, const char *const *params, size_t n_params, struct viewd_err *err)
{
	return pg_op_query_later(db, sql, params, n_params, NULL, NULL, err);
}
