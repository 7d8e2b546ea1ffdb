/* SPDX-License-Identifier: MIT
 *
 * leader_lock.c: the lock of the leader of a database. The watching session holds an advisory lock, which ends with
 * it, where it is one session. The row in viewd.daemon says who leads, and by what; behind a pooler that keeps no
 * session it is all there is (common/state/lease.h). Every transaction that writes reads that row, locked, right before
 * its commit. So a process that was stopped for a while and does not know that another one has taken over cannot
 * commit.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/conn/process.h"
#include "common/state/lease.h"
#include "postgresql/conn/leader.h"
#include "postgresql/conn/pooled.h"

struct holder {
	void *mem;
	char *name, *pid;
};

static bool take_holder_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct holder *holder = ctx;
	holder->name = talloc_strdup(holder->mem, v[0]);
	holder->pid = talloc_strdup(holder->mem, v[1]);
	return false;
}

static const struct db_reader take_holder[] = {{take_holder_fn, "tt", "who leads the database"}};

static bool bool_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0] != NULL && v[0][0] == 't';
	return false;
}

static const struct db_reader bool_row[] = {{bool_row_fn, "T", "the lock of who leads"}};

/* The table is absent when no viewd has ever led here. */
static bool refuse_to_lead(struct viewd_conn *conn, struct viewd_err *err)
{
	struct holder holder = {.mem = talloc_new(NULL)};
	struct viewd_err unknown;
	if (!pg_op_query(&conn->db, "SELECT holder, '' FROM viewd.daemon", NULL, 0, take_holder, &holder, &unknown))
		holder.name = NULL;
	process_refuse(holder.name, "an advisory lock of the server", err);
	talloc_free(holder.mem);
	return false;
}

/* The session that holds the lock, as far as this role may see. An address is shown of sessions of roles that the role
 * is a member of. */
struct lock_session {
	bool found, ours;
	char pid[24], role[IDENT_MAX], who[300];
};

static bool take_session_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct lock_session *s = ctx;
	s->found = true;
	snprintf(s->pid, sizeof s->pid, "%s", v[0]);
	snprintf(s->role, sizeof s->role, "%s", v[1]);
	s->ours = v[4][0] == 't';
	snprintf(s->who, sizeof s->who, "session %s of role '%s', application '%.100s'%s%.60s", v[0], v[1], v[2],
	         v[3][0] != '\0' ? ", from " : "", v[3]);
	return false;
}

static const struct db_reader take_session[] = {{take_session_fn, "ttttt", "who holds the lock of who leads"}};

/* Any role can take an advisory lock. */
static bool tell_holder(struct viewd_conn *conn, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"SELECT l.pid, coalesce(a.usename, ''), coalesce(a.application_name, ''), "
		"coalesce(pg_catalog.host(a.client_addr), ''),"
		" coalesce(a.usename = current_user, false) AND a.application_name LIKE 'viewd%' FROM pg_catalog.pg_locks l"
		" LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted AND "
		"l.objsubid = 1"
		" AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())"
		" AND ((l.classid::bigint << 32) | l.objid::bigint) = " PG_LOCK_LEADER " AND l.pid <> "
		"pg_catalog.pg_backend_pid() ORDER BY 5 DESC LIMIT 1";
	/* clang-format on */
	struct lock_session s = {.found = false};
	if (!pg_op_query(&conn->db, sql, NULL, 0, take_session, &s, err))
		return false;
	if (!s.found || s.ours)
		return refuse_to_lead(conn, err) || (s.found && err_wrap(err, "%s", s.who));
	err_set(err, VIEWD_ERR_STANDBY,
	        "advisory lock " PG_LOCK_LEADER " of database '%s', by which one viewd knows of "
	        "another, is held by %s, which is no viewd",
	        conn->db.database_name, s.who);
	return err_hint(err, "have it end, as an administrator: SELECT pg_terminate_backend(%s)", s.pid);
}

/* A lock of the transaction is asked for where none of the session holds: it is to be had when nobody leads by the
 * other one here. */
static bool try_lock(struct viewd_conn *conn, struct viewd_err *err)
{
	bool got = false;
	const char *sql = conn->pooled ? "SELECT pg_catalog.pg_try_advisory_xact_lock(" PG_LOCK_LEADER ")"
	                               : "SELECT pg_catalog.pg_try_advisory_lock(" PG_LOCK_LEADER ")";
	return pg_op_query(&conn->db, sql, NULL, 0, bool_row, &got, err) && (got || tell_holder(conn, err));
}

/* ---- the lease ---- */

#define BY_LOCK "lock "
#define BY_LEASE "lease "

/* Three of the holder's heartbeats (watch.c). */
static int patience(const char *leads_by)
{
	return strncmp(leads_by, BY_LOCK, sizeof BY_LOCK - 1) == 0 ? 45 : 15;
}

/* A process that could take the lock of a server knows that nobody else leads by it. A server that cannot be told from
 * others stands for none. */
static bool find_side(struct viewd_conn *conn, void *mem, struct lease_side *out, struct viewd_err *err)
{
	const char *system;
	if (!pg_system(conn, &system, err))
		return false;
	const char *lock = talloc_asprintf(mem, BY_LOCK "%s", system != NULL ? system : "");
	*out = (struct lease_side){
		.db = &conn->db,
		.name = conn->who.holder,
		.free = system != NULL ? lock : NULL,
		.leads_by = conn->pooled ? BY_LEASE : lock,
		.patience = patience,
		.refusal = "it has led through a pooler or by way of another server, and is asked whether it still "
				   "does",
	};
	return true;
}

bool pg_leader_take(struct viewd_conn *conn, int64_t *epoch_r, struct viewd_err *err)
{
	struct lease_side side;
	void *mem = talloc_new(conn);
	bool done = try_lock(conn, err) && find_side(conn, mem, &side, err) && lease_claim(&side, epoch_r, err);
	talloc_free(mem);
	return done;
}

bool pg_leader_record(struct viewd_conn *conn, int64_t claimed, struct viewd_err *err)
{
	struct lease_side side;
	void *mem = talloc_new(conn);
	bool done = find_side(conn, mem, &side, err) && lease_record(&side, claimed, err);
	talloc_free(mem);
	return done;
}

bool pg_leader_keep(struct viewd_conn *conn, struct viewd_err *err)
{
	struct lease_side side;
	void *mem = talloc_new(conn);
	bool done = find_side(conn, mem, &side, err) && lease_keep(&side, err);
	talloc_free(mem);
	return done;
}

void pg_leader_give_back(struct viewd_conn *conn)
{
	struct lease_side side;
	void *mem = talloc_new(conn);
	if (find_side(conn, mem, &side, NULL))
		lease_give_back(&side);
	talloc_free(mem);
}

/* ---- whose transactions count ---- */

static bool check(struct viewd_conn *conn, struct viewd_err *err)
{
	struct holder holder = {.mem = talloc_new(NULL)};
	bool good = pg_op_query(&conn->db, "SELECT holder, pg_catalog.pg_backend_pid() FROM viewd.daemon", NULL, 0,
	                        take_holder, &holder, err);
	if (good && holder.name != NULL && holder.name[0] != '\0' && strcmp(holder.name, conn->who.holder) != 0)
		good = err_set(err, VIEWD_ERR_STANDBY, "another viewd has taken over database '%s'", conn->db.database_name);
	good = good && (conn->pooled || holder.pid == NULL || pg_pooler_same(conn, holder.pid, err));
	talloc_free(holder.mem);
	return good;
}

/* The statement fails when another one leads, in a session that is not this one, and in a failed transaction: then the
 * server skips the COMMIT that comes in the same turn. Nobody else can become the leader before that. */
/* clang-format off */
static const char fence_sql[] =
	"SELECT 1 / (CASE WHEN holder IN ('', $1) AND $2::pg_catalog.int4 IN (0, pg_catalog.pg_backend_pid()) THEN 1 ELSE 0"
	" END) FROM viewd.daemon FOR SHARE";
/* clang-format on */
#define FENCE_STATE "22012" /* division_by_zero */

void pg_leader_queue_commit(struct viewd_conn *conn)
{
	char pid[24];
	snprintf(pid, sizeof pid, "%d", conn->pooled ? 0 : conn->pid);
	const char *params[] = {conn->who.holder, pid};
	pg_queue_again(conn, fence_sql, params, ARRAY_LEN(params), NULL, NULL);
	pg_queue(conn, "COMMIT", NULL, 0, NULL, NULL);
}

bool pg_leader_judge(struct viewd_conn *conn, const struct viewd_err *failed, struct viewd_err *err)
{
	if (strcmp(failed->sqlstate, FENCE_STATE) == 0) {
		pg_op_rollback(&conn->db);
		if (!check(conn, err))
			return false;
	}
	if (err != NULL)
		*err = *failed;
	return false;
}

bool pg_leader_commit(struct viewd_conn *conn, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	pg_leader_queue_commit(conn);
	return pg_flush(conn, &failed) || pg_leader_judge(conn, &failed, err);
}
