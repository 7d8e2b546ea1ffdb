/* SPDX-License-Identifier: MIT
 *
 * heartbeat.c: asks every 15 seconds whether the session is still what it should be.
 */
#include "postgresql/conn/leader.h"
#include "postgresql/watch/watch.h"

#include <stdlib.h>

#include "base/err.h"

#define QUEUE_WARN 0.1
#define QUEUE_LEAVE 0.4

struct beat {
	bool leads, listens, read_only;
	double queue;
};

static bool take_facts_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct beat *facts = ctx;
	facts->leads = v[0][0] == 't';
	facts->listens = v[1][0] == 't';
	facts->read_only = v[2][0] == 't';
	facts->queue = strtod(v[3], NULL);
	return false;
}

static const struct db_reader take_facts[] = {{take_facts_fn, "tttt", "the state of the session"}};

/* A full queue makes the commits of everybody who notifies fail (async.c). What holds it up is a session that listens
 * and stays in a transaction, which this one never does; leaving still gives the others room. */
static bool judge_queue(struct viewd_watch *w, double usage, struct viewd_err *err)
{
	if (usage > QUEUE_LEAVE)
		return err_set(err, VIEWD_ERR_RESOURCE, "database '%s', the server's notification queue is %.0f%% full",
		               w->conn->db.database_name, usage * 100);
	if (usage > QUEUE_WARN && !w->queue_warned)
		pg_log(w->conn, VIEWD_LOG_WARNING,
		       "database '%s', the server's notification queue is %.0f%% full (a session "
		       "listens and stays in a transaction)",
		       w->conn->db.database_name, usage * 100);
	w->queue_warned = usage > QUEUE_WARN;
	return true;
}

bool pg_heartbeat(struct viewd_watch *w, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = "
		"pg_catalog.pg_backend_pid() AND granted"
		" AND objsubid = 1 AND ((classid::bigint << 32) | objid::bigint) = " PG_LOCK_LEADER "),"
		" EXISTS (SELECT 1 FROM pg_catalog.pg_listening_channels() AS c WHERE c = '" PG_CHANNEL "'),"
		" pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('transaction_read_only') = 'on',"
		" pg_catalog.pg_notification_queue_usage()";
	/* clang-format on */
	const char *name = w->conn->db.database_name;
	struct beat facts = {.leads = false};
	if (!pg_op_query(&w->conn->db, sql, NULL, 0, take_facts, &facts, err))
		return false;
	if (facts.read_only)
		return err_set(err, VIEWD_ERR_STANDBY, "database '%s' has become read-only", name);
	bool lost_lock = !facts.leads && !w->conn->pooled, deaf = !facts.listens && w->hears;
	if (lost_lock || deaf)
		return err_set(err, VIEWD_ERR_LOST, "database '%s', the watching session has lost its %s", name,
		               lost_lock ? "lock" : "channel");
	return judge_queue(w, facts.queue, err) && pg_leader_keep(w->conn, err);
}
