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
#include "postgresql/conn/leader.h"
#include "postgresql/conn/pooled.h"
#include "postgresql/refresh/elsewhere.h"

#define REPLAY_US (30 * SPAN_SECOND)
#define ASK_US (10 * SPAN_SECOND) /* for a question that takes no time */
#define NAP_MAX_MS 100

/* The primary at one moment, as a standby of it must show it. */
enum { MARK_PLACE, MARK_TIMELINE, MARK_ROLE, MARK_EPOCH, MARK_HOLDER, MARK_SINCE, MARK_FIELDS };

struct mark {
	void *mem;
	const char *system; /* the cluster's identifier */
	const char *fields[MARK_FIELDS];
};

static bool take_mark_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct mark *mark = ctx;
	for (size_t i = 0; i < MARK_FIELDS; i++)
		mark->fields[i] = talloc_strdup(mark->mem, v[i]);
	return false;
}

static const struct db_reader take_mark[] = {{take_mark_fn, "tttttt", "the place in the write-ahead log"}};

/* The message is there for its commit: what was committed before goes to the disk and to the standbys at once. The
 * place of the log's end alone may lie behind records that nobody has committed, which nobody sends. */
static bool ask_mark(struct viewd_conn *conn, struct mark *mark, struct viewd_err *err)
{
	static const char sql[] =
		"SELECT pg_catalog.pg_logical_emit_message(true, 'viewd', ''),"
		" pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8), current_user,"
		" epoch, holder, since FROM viewd.daemon";
	if (!pg_system(conn, &mark->system, err) || !pg_op_query(&conn->db, sql, NULL, 0, take_mark, mark, err))
		return false;
	if (mark->system == NULL) {
		err_set(err, VIEWD_ERR_DENIED, "whether read_url of database '%s' is a standby cannot be known",
		        conn->db.database_name);
		return err_hint(err, "GRANT EXECUTE ON FUNCTION pg_control_system() TO the role");
	}
	return mark->fields[0] != NULL || err_set(err, VIEWD_ERR_MISSING, "viewd.daemon has no row");
}

/* How far a standby is. */
struct progress {
	bool told, standby, same_role, there, same;
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

/* A timeline is that of the last restart point, or the one that is streamed: right after a promotion only the latter is
 * the new one. An ordinary role may not see the latter. */
/* clang-format off */
static const char progress_sql[] =
	"SELECT pg_catalog.pg_is_in_recovery(), current_user = $3, coalesce(w.at >= $1::pg_catalog.pg_lsn, false),"
	" EXISTS (SELECT 1 FROM viewd.daemon WHERE epoch = $4::bigint AND holder = $5 AND since = $6::timestamptz) AND"
	" EXISTS (SELECT 1 FROM (SELECT timeline_id FROM pg_catalog.pg_control_checkpoint() UNION ALL"
	" SELECT received_tli FROM pg_catalog.pg_stat_get_wal_receiver()) AS t"
	" WHERE pg_catalog.upper(pg_catalog.lpad(pg_catalog.to_hex(timeline_id), 8, '0')) = $2),"
	" coalesce(pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff($1::pg_catalog.pg_lsn, w.at)), '')"
	" FROM (SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() END AS at) AS w";
/* clang-format on */

static bool refuse_other(const struct viewd_conn *conn, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_RESOURCE, "standby of database '%s' follows another server than url names",
	        conn->db.database_name);
	return err_hint(err, "right after a promotion a standby shows the new timeline at its next restart point");
}

static bool judge(struct viewd_conn *conn, const struct mark *mark, const struct progress *p, struct viewd_err *err)
{
	const char *name = conn->db.database_name, *system;
	if (!p->told)
		return err_set(err, VIEWD_ERR_RESOURCE, "standby of database '%s' tells nothing of itself", name);
	if (!p->standby) {
		err_set(err, VIEWD_ERR_RESOURCE, "read_url of database '%s' leads to a server that is no standby", name);
		return err_hint(err, "it may have been promoted; read_url names a standby of the server that url names");
	}
	if (!p->same_role) {
		err_set(err, VIEWD_ERR_CONFIG, "read_url of database '%s' names another role than url", name);
		return err_hint(err, "the rows would be those that the other role may see");
	}
	if (!pg_system(conn->reading.conn, &system, err))
		return false;
	return (system != NULL && strcmp(system, mark->system) == 0) || refuse_other(conn, err);
}

static bool ask(struct viewd_conn *conn, const struct mark *mark, struct progress *p, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	*p = (struct progress){.told = false};
	if (!pg_op_set_limits(&conn->reading.conn->db, ASK_US, ASK_US, &failure) ||
	    !pg_op_query(&conn->reading.conn->db, progress_sql, mark->fields, MARK_FIELDS, take_progress, p, &failure))
		return pg_standby_failed(conn, &failure, err);
	return judge(conn, mark, p, err);
}

/* Until the standby has the mark. The statement that finds its place may have begun before it had it all, so what is
 * strange is looked at twice. */
static bool wait_for(struct viewd_conn *conn, const struct mark *mark, struct viewd_err *err)
{
	const struct clock *clk = clock_system();
	const int64_t deadline = clk->mono(clk) + REPLAY_US;
	struct progress p;
	bool strange = false;
	for (int nap_ms = 2;; nap_ms = nap_ms < NAP_MAX_MS / 2 ? nap_ms * 2 : NAP_MAX_MS) {
		if (!pg_may_ask(conn, err) || !ask(conn, mark, &p, err))
			return false;
		if (p.there && p.same)
			return true;
		if (p.there && strange)
			return refuse_other(conn, err);
		strange = p.there;
		if (clk->mono(clk) >= deadline)
			break;
		(void)poll(NULL, 0, nap_ms);
	}
	err_set(err, VIEWD_ERR_RESOURCE, "standby of database '%s' is behind (%s of write-ahead log after 30s)",
	        conn->db.database_name, p.behind);
	return err_hint(err, "SELECT * FROM pg_stat_replication on the primary tells how far its standbys are");
}

static bool prepare_reader(const struct viewd_conn *conn, struct viewd_conn *reader, struct viewd_err *err)
{
	reader->search_path = talloc_strdup(reader, conn->search_path);
	if (!pg_pooler_judge(reader, conn->reading.spec, err))
		return false;
	if (reader->pooled)
		return err_set(err, VIEWD_ERR_CONFIG, "a pooler in transaction mode keeps no session");
	return pg_exec(reader, "SET statement_timeout = '60s'", err) && pg_settings_apply(reader, err);
}

static bool open_reader(struct viewd_conn *conn, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	struct viewd_conn *reader = pg_conn_connect(conn->db.host, conn->reading.spec, &failure);
	if (reader == NULL || !prepare_reader(conn, reader, &failure)) {
		pg_conn_close(&reader);
		return pg_standby_failed(conn, &failure, err);
	}
	reader->answer_us = 0;
	conn->reading.conn = talloc_steal(conn, reader);
	return true;
}

bool pg_standby_failed(struct viewd_conn *conn, const struct viewd_err *failure, struct viewd_err *err)
{
	const struct viewd_conn *reader = conn->reading.conn;
	if (reader != NULL && (reader->silent || PQstatus(reader->pg) != CONNECTION_OK))
		pg_conn_close(&conn->reading.conn);
	if (err == NULL)
		return false;
	*err = *failure;
	/* Objects that are missing there are here: the standby will have them. */
	if (err->cls == VIEWD_ERR_CONNECT || err->cls == VIEWD_ERR_LOST || err->cls == VIEWD_ERR_AUTH ||
	    err->cls == VIEWD_ERR_STANDBY || err->cls == VIEWD_ERR_MISSING)
		err->cls = VIEWD_ERR_RESOURCE;
	return err_wrap(err, "on the standby of read_url");
}

/* A session that was kept may have ended meanwhile. */
static bool try_twice(struct viewd_conn *conn, const struct mark *mark, struct viewd_err *err)
{
	bool kept = conn->reading.conn != NULL;
	if ((kept || open_reader(conn, err)) && wait_for(conn, mark, err))
		return true;
	return kept && conn->reading.conn == NULL && open_reader(conn, err) && wait_for(conn, mark, err);
}

bool pg_standby_ready(struct viewd_conn *conn, struct viewd_err *err)
{
	struct mark mark = {.mem = talloc_new(NULL)};
	bool ready = ask_mark(conn, &mark, err) && try_twice(conn, &mark, err);
	talloc_free(mark.mem);
	return ready;
}
