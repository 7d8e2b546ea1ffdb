/* SPDX-License-Identifier: MIT
 *
 * copy.c: rows of one server for another, from one COPY to the other. What one message holds is in memory, and what
 * libpq has buffered.
 */
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/span.h"
#include "postgresql/refresh/elsewhere.h"

#define LOOK_MS 100 /* how soon a cancel is noticed while no data comes */

struct copy {
	struct viewd_conn *from, *to;
	int64_t started, deadline; /* of from; deadline 0: none */
	bool of_from;              /* whose the failure is */
};

static int64_t now_us(void)
{
	const struct clock *clk = clock_system();
	return clk->mono(clk);
}

static bool failed(struct viewd_conn *conn, const PGresult *res, int64_t started, struct viewd_err *err)
{
	return pg_error_result(conn, res, now_us() - started, err);
}

/* Until there is something to read from the standby, or somebody cancels. */
static bool wait_for_data(struct copy *c, struct viewd_err *err)
{
	struct pollfd fd = {.fd = PQsocket(c->from->pg), .events = POLLIN};
	char why[256];
	c->of_from = pg_may_ask(c->to, err);
	if (!c->of_from) {
		(void)PQcancel(c->from->canceller, why, sizeof why);
		return false;
	}
	if (c->deadline > 0 && now_us() > c->deadline) {
		c->from->silent = true;
		return failed(c->from, NULL, c->started, err);
	}
	(void)poll(&fd, 1, LOOK_MS);
	return PQconsumeInput(c->from->pg) == 1 || failed(c->from, NULL, c->started, err);
}

/* The answer may come with the first rows only: servers send what fills a buffer. */
static bool answers(struct copy *c, struct viewd_conn *conn, struct viewd_err *err)
{
	int64_t limit_us = pg_answer_limit(conn);
	if (conn == c->to) {
		conn->silent = !pg_answered_by(conn, limit_us > 0 ? c->started + limit_us : INT64_MAX);
		return !conn->silent || failed(conn, NULL, c->started, err);
	}
	while (PQisBusy(conn->pg) != 0)
		if (!wait_for_data(c, err))
			return false;
	return true;
}

/* The answer to a COPY that begins. */
static bool begin_copy(struct copy *c, struct viewd_conn *conn, const char *sql, ExecStatusType wanted,
                       struct viewd_err *err)
{
	if (!pg_flush(conn, err) || !pg_may_ask(conn, err))
		return false;
	if (PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 0) == 0)
		return failed(conn, NULL, c->started, err);
	if (!answers(c, conn, err))
		return false;
	PGresult *res = PQgetResult(conn->pg);
	bool good = PQresultStatus(res) == wanted || failed(conn, res, c->started, err);
	PQclear(res);
	while (!good && PQstatus(conn->pg) == CONNECTION_OK && (res = PQgetResult(conn->pg)) != NULL)
		PQclear(res); /* else the session takes no other statement */
	return good;
}

/* The last answers of a COPY; *good_r: it has ended well. */
static bool end_copy(struct viewd_conn *conn, int64_t started, struct viewd_err *err)
{
	bool good = true;
	PGresult *res;
	while ((res = PQgetResult(conn->pg)) != NULL) {
		if (good && PQresultStatus(res) != PGRES_COMMAND_OK)
			good = failed(conn, res, started, err);
		bool endless = PQresultStatus(res) == PGRES_COPY_IN || PQresultStatus(res) == PGRES_COPY_OUT;
		PQclear(res);
		if (endless)
			break;
	}
	return good;
}

enum step { STEP_MORE, STEP_END, STEP_FAILED };

static enum step end_of_data(struct copy *c, int n, struct viewd_err *err)
{
	if (n == -1 && end_copy(c->from, c->started, err))
		return STEP_END;
	if (n != -1)
		failed(c->from, NULL, c->started, err);
	return STEP_FAILED;
}

static enum step hand_on(struct copy *c, struct viewd_err *err)
{
	char *data = NULL;
	int n = PQgetCopyData(c->from->pg, &data, 1);
	c->of_from = true;
	if (n == 0)
		return wait_for_data(c, err) ? STEP_MORE : STEP_FAILED;
	if (n < 0)
		return end_of_data(c, n, err);
	c->of_from = PQputCopyData(c->to->pg, data, n) == 1;
	PQfreemem(data);
	if (c->of_from)
		return STEP_MORE;
	failed(c->to, NULL, c->started, err);
	return STEP_FAILED;
}

static bool pump(struct copy *c, struct viewd_err *err)
{
	enum step step = STEP_MORE;
	while (step == STEP_MORE)
		step = hand_on(c, err);
	return step == STEP_END;
}

/* A standby that is still at work is left: its session is closed, and nobody waits for what it has to say. */
static void leave(struct copy *c)
{
	if (PQtransactionStatus(c->from->pg) != PQTRANS_IDLE)
		c->from->silent = true;
}

/* Ends the COPY of the primary; it waits for nothing but its own answer. */
static bool end_primary(struct copy *c, bool good, struct viewd_err *err)
{
	int64_t limit_us = pg_answer_limit(c->to);
	if (PQputCopyEnd(c->to->pg, good ? NULL : "the rows did not come") != 1 ||
	    !pg_answered_by(c->to, limit_us > 0 ? now_us() + limit_us : INT64_MAX)) {
		c->to->silent = PQstatus(c->to->pg) == CONNECTION_OK;
		return failed(c->to, NULL, c->started, err);
	}
	return end_copy(c->to, c->started, err);
}

bool pg_copy_between(struct viewd_conn *from, const char *out_sql, struct viewd_conn *to, const char *in_sql,
                     bool *of_from, struct viewd_err *err)
{
	struct copy c = {.from = from, .to = to, .started = now_us(), .of_from = true};
	int64_t limit_us = pg_answer_limit(from);
	struct viewd_err ignored;
	c.deadline = limit_us > 0 ? c.started + limit_us : 0;
	*of_from = false;
	if (!begin_copy(&c, to, in_sql, PGRES_COPY_IN, err))
		return false;
	if (!begin_copy(&c, from, out_sql, PGRES_COPY_OUT, err) || !pump(&c, err)) {
		*of_from = c.of_from;
		leave(&c);
		(void)end_primary(&c, false, &ignored);
		return false;
	}
	return end_primary(&c, true, err);
}
