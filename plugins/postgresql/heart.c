/* SPDX-License-Identifier: MIT
 *
 * heart.c: is everything still as it should be? Asked every 15 seconds.
 */
#include "postgresql/watch.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/marks.h"

#define QUEUE_WARN 0.1
#define QUEUE_LEAVE 0.4

/* ---- the session ---- */

struct facts {
	bool leads, listens, read_only;
	double queue;
};

static bool keep_facts(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct facts *facts = ctx;
	facts->leads = v[0][0] == 't';
	facts->listens = v[1][0] == 't';
	facts->read_only = v[2][0] == 't';
	facts->queue = strtod(v[3], NULL);
	return false;
}

/* A full queue makes the commits of everybody who notifies fail (async.c). What holds it up is a session that listens and stays in a
 * transaction, which this one never does; leaving still gives the others room. */
static bool judge_queue(struct viewd_watch *w, double usage, struct viewd_err *err)
{
	if (usage > QUEUE_LEAVE)
		return err_set(err, VIEWD_ERR_RESOURCE, "database '%s', the server's notification queue is %.0f%% full", w->conn->db.database_name,
		               usage * 100);
	if (usage > QUEUE_WARN && !w->queue_warned)
		pg_log(w->conn, VIEWD_LOG_WARNING, "database '%s', the server's notification queue is %.0f%% full (a session listens and stays in a transaction)",
		       w->conn->db.database_name, usage * 100);
	w->queue_warned = usage > QUEUE_WARN;
	return true;
}

bool pg_heartbeat(struct viewd_watch *w, struct viewd_err *err)
{
	static const char sql[] =
		"SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_catalog.pg_backend_pid() AND granted"
		" AND objsubid = 1 AND ((classid::bigint << 32) | objid::bigint) = " PG_LOCK_LEADER "),"
		" EXISTS (SELECT 1 FROM pg_catalog.pg_listening_channels() AS c WHERE c = '" PG_CHANNEL "'),"
		" pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('transaction_read_only') = 'on',"
		" pg_catalog.pg_notification_queue_usage()";
	const char *name = w->conn->db.database_name;
	struct facts facts = {.leads = false};
	if (!pg_op_query(&w->conn->db, sql, NULL, 0, keep_facts, &facts, err))
		return false;
	if (facts.read_only)
		return err_set(err, VIEWD_ERR_STANDBY, "database '%s' has become read-only", name);
	if (!facts.leads || !facts.listens)
		return err_set(err, VIEWD_ERR_LOST, "database '%s', the watching session has lost its %s", name, facts.leads ? "channel" : "lock");
	return judge_queue(w, facts.queue, err);
}

/* ---- the triggers ---- */

struct gap {
	char *source, *relation;
	bool missing;
};
struct gaps {
	void *mem;
	struct gap *items;
	size_t n;
	char *text;
};

static bool keep_gap(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct gaps *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, struct gap, list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = (struct gap){talloc_strdup(list->mem, v[0]), talloc_strdup(list->mem, v[1]), v[2][0] == 't'};
	list->text = talloc_asprintf_append_buffer(list->text, "%s %s %s\n", v[0], v[1], v[2]);
	return true;
}

static bool find_gaps(struct viewd_watch *w, struct gaps *list, struct viewd_err *err)
{
	static const char sql[] = PG_TREE_SQL("SELECT DISTINCT source FROM viewd.captures WHERE mode = 'trigger'")
		" SELECT t.source, pg_catalog.format('%I.%I', n.nspname, c.relname), g.oid IS NULL" PG_TRIGGERS_SQL
		" WHERE (g.oid IS NULL OR g.tgenabled = 'D') AND c.relpersistence <> 't' ORDER BY 1, 2";
	return pg_op_query(&w->conn->db, sql, NULL, 0, keep_gap, list, err);
}

static void tell_gap(struct viewd_watch *w, const struct gap *gap)
{
	if (gap->missing)
		pg_log(w->conn, VIEWD_LOG_WARNING, "database '%s', table %s had no trigger of viewd (a new table or partition): it is made, views of %s are refreshed",
		       w->conn->db.database_name, gap->relation, gap->source);
	else
		pg_log(w->conn, VIEWD_LOG_WARNING, "database '%s', viewd's trigger on table %s is disabled: its changes are not noticed",
		       w->conn->db.database_name, gap->relation);
}

static bool mend(struct viewd_watch *w, const struct gap *gap, struct viewd_err *err)
{
	struct db *db = &w->conn->db;
	struct relation rel;
	if (relation_parse(db->syntax, gap->source, &rel, err) && pg_op_begin(db, DB_BEGIN_WRITE, err) &&
	    (!gap->missing || (pg_op_captures_lock(db, err) && pg_op_make_trigger(db, &rel, err))) && marks_touch(db, gap->source, NULL, err) && pg_op_commit(db, err))
		return true;
	pg_op_rollback(db);
	return false;
}

/* A table that cannot be mended now is tried again at the next heartbeat; only a lost connection ends the watch. */
static bool mend_all(struct viewd_watch *w, const struct gaps *list, bool news, struct viewd_err *err)
{
	struct viewd_err failed;
	for (size_t i = 0; i < list->n; i++) {
		const struct gap *gap = &list->items[i];
		if (news)
			tell_gap(w, gap);
		if ((!news && !gap->missing) || mend(w, gap, &failed))
			continue;
		if (failed.cls == VIEWD_ERR_LOST || failed.cls == VIEWD_ERR_CONNECT || failed.cls == VIEWD_ERR_STANDBY) {
			*err = failed;
			return false;
		}
		if (news)
			pg_log(w->conn, VIEWD_LOG_WARNING, "database '%s', table %s has no trigger of viewd (%s)", w->conn->db.database_name,
			       gap->relation, failed.msg);
	}
	return true;
}

/* What could not be mended is remembered. */
static bool find_again(struct viewd_watch *w, struct gaps *list, struct viewd_err *err)
{
	list->n = 0;
	list->text = talloc_strdup(list->mem, "");
	return find_gaps(w, list, err);
}

bool pg_mend_triggers(struct viewd_watch *w, struct viewd_err *err)
{
	struct gaps list = {.mem = talloc_new(NULL)};
	list.text = talloc_strdup(list.mem, "");
	bool good = find_gaps(w, &list, err);
	bool had = w->gaps != NULL && w->gaps[0] != '\0', news = w->gaps == NULL || strcmp(w->gaps, list.text) != 0;
	if (good && news && had)
		good = marks_touch_all(&w->conn->db, err); /* a trigger is back: nobody knows what it has missed */
	bool found = list.n > 0;
	good = good && mend_all(w, &list, news, err) && (!found || find_again(w, &list, err));
	if (good) {
		talloc_free(w->gaps);
		w->gaps = talloc_strdup(w, list.text);
	}
	talloc_free(list.mem);
	return good;
}
