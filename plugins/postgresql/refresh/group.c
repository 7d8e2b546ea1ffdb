/* SPDX-License-Identifier: MIT
 *
 * group.c: what a transaction of one snapshot asks for: locks that keep readers out are taken together, names are
 * looked up in the present, and what the watcher updates all the time is written in a transaction of its own.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/objects/hooks.h"
#include "common/refresh/group.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"
#include "postgresql/conn/leader.h"
#include "postgresql/pg.h"

static const struct db_reader take_text[] = {{db_take_text, "T", "a setting, a lock or an object"}};

/* ---- locks ---- */

static int64_t timeout_ms(const char *setting)
{
	int64_t ms = number_or(setting, 1000);
	return ms > 0 && ms <= INT32_MAX ? ms : 1000;
}

/* The session that began to wait first looks for a deadlock first. When that is a reader it must find none: viewd has
 * given up by then. */
bool pg_op_keep_out_budget(struct db *db, int64_t *budget_us_r, struct viewd_err *err)
{
	struct db_text ms = {.mem = talloc_new(NULL)};
	bool done = pg_op_query(db, "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'", NULL, 0,
	                        take_text, &ms, err);
	if (done)
		*budget_us_r = timeout_ms(ms.value) * 1000 / 2;
	talloc_free(ms.mem);
	return done;
}

/* LOCK TABLE refuses materialized views. Giving one to the owner it has changes nothing, with the lock that we need. */
bool pg_op_keep_out(struct task *task, int64_t budget_us, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] = "SELECT pg_catalog.format('ALTER MATERIALIZED VIEW %I.%I OWNER TO %I', n.nspname, "
	                          "c.relname,"
	                          " pg_catalog.pg_get_userbyid(c.relowner)) FROM pg_catalog.pg_class c"
	                          " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::oid AND "
	                          "c.relkind = 'm'";
	/* clang-format on */
	struct viewd_conn *conn = pg_of(task->db);
	struct db_text lock = {.mem = task->mem};
	char oid[sizeof task->found.identity];
	snprintf(oid, sizeof oid, "%.*s", (int)strcspn(task->found.identity, ":"), task->found.identity);
	const char *params[] = {oid};
	if (!pg_op_query(task->db, sql, params, 1, take_text, &lock, err))
		return false;
	if (lock.value == NULL)
		return err_set(err, VIEWD_ERR_EXISTS, "'%s' is not the materialized view that viewd made", task->rel.name);
	return hooks_role_begin(task, err) &&
	       pg_execf(conn, err, "SET LOCAL lock_timeout = %" PRId64, budget_us > 1000 ? budget_us / 1000 : 1) &&
	       pg_exec(conn, lock.value, err) && hooks_role_end(task, err) && task_recheck(task, err);
}

/* ---- marks ---- */

static bool carry_settled(struct task *task, struct viewd_err *err)
{
	for (size_t i = 0; i < task->marks.n; i++) {
		char seq[32];
		snprintf(seq, sizeof seq, "%" PRId64, task->marks.rows[i].covers);
		const char *params[] = {task->view->name, task->marks.rows[i].source, seq};
		if (!pg_op_exec_later(task->db, "INSERT INTO viewd.carried (view, source, seq) VALUES ($1, $2, $3::bigint)",
		                      params, 3, err))
			return false;
	}
	return true;
}

/* Names of views hold nothing that an array's text would have to escape. */
static char *array_of(void *mem, const struct refresh_group *group)
{
	char *text = sql_new(mem);
	for (size_t i = 0; i < group->n; i++)
		text = sql_add(text, "%s\"%s\"", i > 0 ? "," : "{", group->names[i]);
	return sql_add(text, "}");
}

bool pg_op_carry(struct task *task, const char *touched, struct viewd_err *err)
{
	if (task->view->captured && !carry_settled(task, err))
		return false;
	if (touched == NULL)
		return true;
	const char *params[] = {touched, array_of(task->mem, task->group)};
	return pg_op_exec_later(task->db, "INSERT INTO viewd.carried (source, members) VALUES ($1, $2::text[])", params, 2,
	                        err);
}

/* Both transactions travel in one turn, where both get the same session. */
bool pg_op_commit_group(struct db *db, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	struct viewd_err failed = {0}, behind = {0};
	if (!conn->fenced || conn->pooled) {
		bool done = pg_op_commit(db, err);
		if (done)
			pg_op_carry_over(db);
		return done;
	}
	pg_leader_queue_commit(conn);
	pg_queue_part(conn);
	pg_queue_begin(conn, PG_BEGIN_WRITE);
	pg_carried_queue(conn);
	pg_leader_queue_commit(conn);
	if (!pg_flush_parts(conn, &behind, &failed))
		return pg_leader_judge(conn, &failed, err);
	if (behind.msg[0] != '\0')
		pg_carried_put_off(db, &behind);
	return true;
}
