/* SPDX-License-Identifier: MIT
 *
 * standby.c: the session on the standby of read_url: opened when it is needed, kept, and asked how far the standby is.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/span.h"
#include "postgresql/conn/pooled.h"
#include "postgresql/refresh/elsewhere.h"

#define REPLAY_US (30 * SPAN_SECOND) /* less than idle_in_transaction_session_timeout (settings.c) */
#define ASK_US (10 * SPAN_SECOND)    /* for a question that takes no time */
#define NAP_MAX_MS 100

/* The standby must have all of it. */
struct mark {
	void *mem;
	char *place, *epoch, *holder;
};

static bool take_mark_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct mark *mark = ctx;
	mark->place = talloc_strdup(mark->mem, v[0]);
	mark->epoch = talloc_strdup(mark->mem, v[1]);
	mark->holder = talloc_strdup(mark->mem, v[2]);
	return false;
}

static const struct db_reader take_mark[] = {{take_mark_fn, "ttt", "the place in the write-ahead log"}};

static bool ask_mark(struct viewd_conn *conn, struct mark *mark, struct viewd_err *err)
{
	static const char sql[] = "SELECT pg_catalog.pg_current_wal_insert_lsn(), epoch, holder FROM viewd.daemon";
	return pg_op_query(&conn->db, sql, NULL, 0, take_mark, mark, err) &&
	       (mark->place != NULL || err_set(err, VIEWD_ERR_MISSING, "viewd.daemon has no row"));
}

/* How far a standby is. */
struct progress {
	bool told, standby, superuser, there, same;
	char behind[32];
};

static bool take_progress_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct progress *p = ctx;
	*p = (struct progress){true, v[0][0] == 't', v[1][0] == 't', v[2][0] == 't', v[3][0] == 't', ""};
	snprintf(p->behind, sizeof p->behind, "%s", v[4]);
	return false;
}

static const struct db_reader take_progress[] = {{take_progress_fn, "ttttt", "how far the standby is"}};

/* clang-format off */
static const char progress_sql[] =
	"SELECT pg_catalog.pg_is_in_recovery(),"
	" coalesce((SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), false),"
	" coalesce(w.at >= $1::pg_catalog.pg_lsn, false),"
	" EXISTS (SELECT 1 FROM viewd.daemon WHERE epoch = $2::bigint AND holder = $3),"
	" coalesce(pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff($1::pg_catalog.pg_lsn, w.at)), '')"
	" FROM (SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() END AS at) AS w";
/* clang-format on */

static bool judge(const struct viewd_conn *conn, const struct progress *p, struct viewd_err *err)
{
	const char *name = conn->db.database_name;
	if (!p->told)
		return err_set(err, VIEWD_ERR_RESOURCE, "standby of database '%s' tells nothing of itself", name);
	if (!p->standby) {
		err_set(err, VIEWD_ERR_RESOURCE, "read_url of database '%s' leads to a server that is no standby", name);
		return err_hint(err, "it may have been promoted; read_url names a standby of the server that url names");
	}
	if (p->superuser && !conn->reading.allow_superuser)
		return err_set(err, VIEWD_ERR_CONFIG, "the role of read_url of database '%s' is a superuser", name);
	if (p->there && !p->same) {
		err_set(err, VIEWD_ERR_RESOURCE, "standby of database '%s' follows another server than url names", name);
		return err_hint(err, "it has not replayed who leads the database (viewd.daemon), but a later place of the log");
	}
	return true;
}

static bool ask(struct viewd_conn *conn, const struct mark *mark, struct progress *p, struct viewd_err *err)
{
	const char *params[] = {mark->place, mark->epoch, mark->holder};
	*p = (struct progress){false};
	return pg_op_set_limits(&conn->reading.conn->db, ASK_US, ASK_US, err) &&
	       pg_op_query(&conn->reading.conn->db, progress_sql, params, ARRAY_LEN(params), take_progress, p, err) &&
	       judge(conn, p, err);
}

/* Until the standby has the mark. The primary's session notices a cancel in between. */
static bool wait_for(struct viewd_conn *conn, const struct mark *mark, struct viewd_err *err)
{
	const struct clock *clk = clock_system();
	const int64_t deadline = clk->mono(clk) + REPLAY_US;
	struct progress p;
	for (int nap_ms = 2;; nap_ms = nap_ms < NAP_MAX_MS / 2 ? nap_ms * 2 : NAP_MAX_MS) {
		if (!pg_may_ask(conn, err) || !ask(conn, mark, &p, err))
			return false;
		if (p.there)
			return true;
		if (clk->mono(clk) >= deadline)
			break;
		(void)poll(NULL, 0, nap_ms);
	}
	err_set(err, VIEWD_ERR_RESOURCE, "standby of database '%s' is behind (%s of write-ahead log after 30s)",
	        conn->db.database_name, p.behind);
	return err_hint(err, "SELECT * FROM pg_stat_replication on the primary tells how far its standbys are");
}

static bool open_reader(struct viewd_conn *conn, struct viewd_err *err)
{
	struct viewd_conn *reader = pg_conn_connect(conn->db.host, conn->reading.spec, err);
	if (reader == NULL)
		return false;
	reader->search_path = talloc_strdup(reader, conn->search_path);
	if (!pg_exec(reader, "SET statement_timeout = '60s'", err) || !pg_settings_apply(reader, err)) {
		pg_conn_close(&reader);
		return false;
	}
	reader->answer_us = 0;
	conn->reading.conn = talloc_steal(conn, reader);
	return true;
}

bool pg_standby_failed(struct viewd_conn *conn, const struct viewd_err *failure, struct viewd_err *err)
{
	bool broken =
		conn->reading.conn != NULL && (conn->reading.conn->silent || PQstatus(conn->reading.conn->pg) != CONNECTION_OK);
	if (broken)
		pg_conn_close(&conn->reading.conn);
	if (err == NULL)
		return false;
	*err = *failure;
	/* Objects that are missing there are here: the standby will have them. */
	if (err->cls == VIEWD_ERR_CONNECT || err->cls == VIEWD_ERR_LOST || err->cls == VIEWD_ERR_AUTH ||
	    err->cls == VIEWD_ERR_STANDBY || err->cls == VIEWD_ERR_MISSING)
		err->cls = VIEWD_ERR_RESOURCE;
	return strstr(err->msg, "standby") != NULL ? false : err_wrap(err, "on the standby of read_url");
}

struct viewd_conn *pg_standby_ready(struct viewd_conn *conn, struct viewd_err *err)
{
	struct mark mark = {.mem = talloc_new(NULL)};
	struct viewd_err failure = {0};
	bool ready = false;
	if (ask_mark(conn, &mark, err)) {
		ready = (conn->reading.conn != NULL || open_reader(conn, &failure)) && wait_for(conn, &mark, &failure);
		if (!ready)
			pg_standby_failed(conn, &failure, err);
	}
	talloc_free(mark.mem);
	return ready ? conn->reading.conn : NULL;
}
