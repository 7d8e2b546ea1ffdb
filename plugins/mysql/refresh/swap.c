/* SPDX-License-Identifier: MIT
 *
 * swap.c: refreshing a table by filling another one and exchanging the names.
 */
#include "mysql/refresh/shadow_table.h"

#include "common/refresh/member.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/span.h"
#include "base/words.h"

#define AUTO_ROWS "auto: full, all rows in one transaction, because the table is small"

#define ENDS_OTHERS "an exchange of names gets in the way of transactions that use the table, on every node"

/* All rows anew would be carried out by each node. What differs is written by blocks (BEGIN NOT ATOMIC), which MySQL
 * has not. */
static bool spares_nodes(const struct viewd_conn *conn)
{
	return conn->node.certifies && conn->mariadb;
}

enum way {
	WAY_ROWS,     /* the table is small and nothing refers to it: all rows in one transaction */
	WAY_NAMES,    /* filled aside, then the names are exchanged */
	WAY_HINDERED, /* names cannot be exchanged */
};

static bool judge_exchange(struct task *task, enum way *way_r, char why[static 256], struct viewd_err *err)
{
	bool ends = false;

	if (!exchange_ends_others(my_conn(task->db), &ends, err))
		return false;
	if (ends) {
		*way_r = WAY_HINDERED;
		snprintf(why, 256, "%s", ENDS_OTHERS);
	}
	return true;
}

/* A foreign key refers to columns of an index: what has none needs no search, which opens every table of the
 * database. */
static bool choose_way(struct task *task, enum way *way_r, char why[static 256], struct viewd_err *err)
{
	bool small = inplace_fits(task);
	struct swap_blocker found = {.blocked = false};

	why[0] = '\0';
	if ((!small || task->found.indexed) && !swap_blocked(my_conn(task->db), &task->rel, &found, err))
		return false;
	*way_r = found.blocked ? WAY_HINDERED : small ? WAY_ROWS : WAY_NAMES;
	memcpy(why, found.reason, sizeof found.reason);
	return *way_r != WAY_NAMES || judge_exchange(task, way_r, why, err);
}

enum viewd_refresh_mode my_choose_mode(struct task *task, char reason[static 256])
{
	enum viewd_refresh_mode instead =
		task->columns != NULL && task->columns->n_key > 0 ? VIEWD_MODE_DIFF : VIEWD_MODE_FULL;
	char why[256];
	struct viewd_err err;
	enum way way;

	if (!choose_way(task, &way, why, &err)) {
		way = WAY_HINDERED;
		snprintf(why, sizeof why, "looking for foreign keys failed: %.200s", err.msg);
	}
	switch (way) {
	case WAY_ROWS:
		snprintf(reason, 256, AUTO_ROWS);
		return VIEWD_MODE_FULL;
	case WAY_NAMES:
		snprintf(reason, 256, "auto: swap, filled aside and exchanged by name in one statement");
		return VIEWD_MODE_SWAP;
	case WAY_HINDERED:
		break;
	}
	bool differing = instead == VIEWD_MODE_FULL && spares_nodes(my_conn(task->db));
	snprintf(reason, 256, "auto: %s in one transaction, because names cannot be exchanged (%.170s)",
	         differing ? "whole rows that differ" : word_mode(instead), why);
	return instead;
}

static bool require_free(struct task *task, struct viewd_err *err)
{
	struct swap_blocker found;
	bool ends = false;

	if (!exchange_ends_others(my_conn(task->db), &ends, err))
		return false;
	if (ends)
		db_log(task->db, VIEWD_LOG_WARNING, "view '%s', refresh_mode = swap: %s", task->view->name, ENDS_OTHERS);

	if (!swap_blocked(my_conn(task->db), &task->rel, &found, err))
		return false;
	if (!found.blocked || found.log_only)
		return true;
	err_set(err, VIEWD_ERR_CONFIG, "table '%s' cannot be swapped (%s)", task->rel.name, found.reason);
	return err_hint(err, "refresh_mode = auto or full exchanges the rows in one transaction instead");
}

/* The filled table's rows replace the live one's in one transaction: needs no lock that readers could hold. */
static bool move_rows(struct task *task, struct shadow *shadow, struct viewd_err *err)
{
	char *live = shadow_quoted(task->mem, &shadow->live), *fresh = shadow_quoted(task->mem, &shadow->fresh);
	char *insert = talloc_asprintf(task->mem, "INSERT INTO %s SELECT * FROM %s", live, fresh);
	bool done = task->db->ops->begin(task->db, DB_BEGIN_WRITE, err) && task_recheck(task, err) &&
	            db_exec(task->db, gen_delete(&task->gen, &shadow->live), err) && db_exec(task->db, insert, err) &&
	            task->db->ops->commit(task->db, err);

	if (!done)
		task->db->ops->rollback(task->db);
	return done;
}

static bool exchange(struct task *task, struct shadow *shadow, struct viewd_outcome *out, struct viewd_err *err)
{
	struct viewd_err failure = {0};

	if (!task_recheck(task, err))
		return false;
	if (shadow_rename(shadow, true, &failure)) {
		db_failpoint(task->db, "mysql:renamed");
		out->did = VIEWD_DID_SWAP;
		return shadow_drop_old(shadow, task->state.identity, err);
	}
	if (failure.cls != VIEWD_ERR_CONFLICT || task->resolved.mode == VIEWD_MODE_SWAP) {
		if (err != NULL)
			*err = failure;
		return false;
	}
	if (!move_rows(task, shadow, err))
		return false;
	out->did = VIEWD_DID_FULL;
	snprintf(out->reason, sizeof out->reason,
	         "rows were exchanged in one transaction (a transaction held the table, so its name"
	         " could not be exchanged in time)");
	return true;
}

static bool swap_locked(struct task *task, struct shadow *shadow, struct viewd_outcome *out, struct viewd_err *err)
{
	if (!shadow_clear(shadow, false, err))
		return false;
	const char *uid = strchr(task->state.identity, ':');
	bool done = stage_copy(shadow, err) && stage_fill(task, shadow, uid != NULL ? uid + 1 : "", out, err) &&
	            exchange(task, shadow, out, err);
	if (!shadow->conn->lost && (!done || out->did != VIEWD_DID_SWAP))
		shadow_discard(shadow, &shadow->fresh);
	return done;
}

/* Without the privilege to make tables, or with foreign keys that only DROP finds, `auto` still refreshes. */
static bool refresh_in_place(struct task *task, const struct viewd_err *why, struct viewd_outcome *out,
                             struct viewd_err *err)
{
	snprintf(out->reason, sizeof out->reason, "rows are exchanged in one transaction (%.180s)", why->msg);
	return task->db->ops->begin(task->db, DB_BEGIN_WRITE, err) && task_recheck(task, err) &&
	       refresh_full(task, out, err);
}

/* Called inside the recipe's transaction. DDL would end it silently, so it is ended here, and another one is left open
 * in which the recipe records the run. */
static bool swap(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(task->db);
	struct viewd_err failure = {0};
	struct shadow shadow;

	if (!my_commit(task->db, err))
		return false;
	shadow_names(conn, &task->rel, &shadow);
	if (!shadow_lock(&shadow, conn->lock_timeout_us, err))
		return false;
	bool done = swap_locked(task, &shadow, out, &failure);
	if (!conn->lost)
		shadow_unlock(&shadow);
	if (done)
		return my_begin(task->db, DB_BEGIN_WRITE, err);
	bool blocked = failure.cls == VIEWD_ERR_DENIED || failure.cls == VIEWD_ERR_CONFIG;
	if (blocked && task->resolved.mode != VIEWD_MODE_SWAP)
		return refresh_in_place(task, &failure, out, err);
	if (err != NULL)
		*err = failure;
	return false;
}

/* `auto` has looked for what is in the way before. */
bool my_swap(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	return (task->resolved.mode != VIEWD_MODE_SWAP || require_free(task, err)) && swap(task, out, err);
}

/* All rows anew, as configured or asked for. */
static bool full(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	char why[256], asked[256];
	enum way way;

	memcpy(asked, out->reason, sizeof asked);
	if (!choose_way(task, &way, why, err))
		return false;
	switch (way) {
	case WAY_ROWS:
		snprintf(out->reason, sizeof out->reason, "%.60s: all rows in one transaction, because the table is small",
		         asked);
		return inplace_refresh(task, out, err);
	case WAY_HINDERED:
		snprintf(out->reason, sizeof out->reason, "%.60s: rows are exchanged in one transaction (%.150s)", asked, why);
		return refresh_full(task, out, err);
	case WAY_NAMES:
		break;
	}
	snprintf(out->reason, sizeof out->reason, "%.60s: filled aside and exchanged by name in one statement", asked);
	if (!swap(task, out, err))
		return false;
	out->did = VIEWD_DID_FULL;
	return true;
}

/* The mode that `auto` has chosen is not looked for again. */
bool my_full(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	if (strcmp(out->reason, AUTO_ROWS) == 0)
		return inplace_refresh(task, out, err);
	if (strncmp(out->reason, "auto:", strlen("auto:")) != 0)
		return full(task, out, err);
	if (spares_nodes(my_conn(task->db)) && task->columns != NULL)
		return my_write_differing(task, out, err);
	return refresh_full(task, out, err);
}
