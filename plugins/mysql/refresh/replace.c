/* SPDX-License-Identifier: MIT
 *
 * replace.c: creating and replacing: built aside under an intent, then the name is given (or exchanged) in one
 * statement.
 */
#include "mysql/refresh/shadow_table.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* The state row as it will be once the object has its name. */
static void wanted_row(const struct task *task, const struct db_object *made, struct state_row *row)
{
	*row = task->state;
	row->present = true;
	row->kept = false;
	row->method = task->resolved.method;
	snprintf(row->relation, sizeof row->relation, "%s", relation_quoted(&my_syntax, task->mem, &task->rel));
	snprintf(row->identity, sizeof row->identity, "%s", made->identity);
	snprintf(row->canonical, sizeof row->canonical, "%s", made->canonical);
	snprintf(row->on_remove, sizeof row->on_remove, "%s", task->view->on_remove == VIEWD_REMOVE_DROP ? "drop" : "keep");
	memcpy(row->definition_hash, task->resolved.hash, sizeof row->definition_hash);
	memcpy(row->index_hash, task->resolved.index_hash, sizeof row->index_hash);
}

static bool build_view(struct task *task, const struct shadow *shadow, struct viewd_err *err)
{
	struct gen gen = task->gen;

	gen.rel = shadow->fresh;
	char *sql = gen_create(&gen, &(struct viewd_render_flags){0}, err);
	if (sql == NULL || !db_exec(task->db, sql, err))
		return false;
	db_failpoint(task->db, "mysql:staged");
	return true;
}

static bool build(struct task *task, struct shadow *shadow, struct viewd_outcome *out, struct viewd_err *err)
{
	out->did = VIEWD_DID_NO_DATA;
	if (task->resolved.method == VIEWD_METHOD_SIMPLE) {
		out->data_timestamp_us = task->started_us;
		return build_view(task, shadow, err);
	}
	if (!stage_create(task, shadow, task->tag, err))
		return false;
	if (!task->view->with_data)
		return true;
	out->did = VIEWD_DID_REINITIALIZE;
	return stage_fill(task, shadow, task->tag, out, err);
}

/* Gives the built object its name; live_first: the recorded object has it now. */
static bool publish(struct task *task, struct shadow *shadow, bool live_first, struct viewd_err *err)
{
	struct db_object made;
	struct state_row row;

	if (!my_find_object(task->db, &shadow->fresh, &made, err))
		return false;
	wanted_row(task, &made, &row);
	if (!intent_write(task, &row, err))
		return false;
	db_failpoint(task->db, "mysql:intended");
	if (!task_recheck(task, err) || !shadow_rename(shadow, live_first, err))
		return false;
	db_failpoint(task->db, "mysql:renamed");
	if (live_first && !shadow_drop_old(shadow, task->state.identity, err))
		return false;
	db_failpoint(task->db, "mysql:dropped");
	return intent_fulfil(task, &row, err);
}

static bool make_locked(struct task *task, struct shadow *shadow, struct viewd_outcome *out, struct viewd_err *err)
{
	struct state_row row;
	struct db_object nothing = {.kind = VIEWD_KIND_NONE};
	bool live_first = task->found.kind != VIEWD_KIND_NONE;

	if (!shadow_clear(shadow, false, err))
		return false;
	task->state.indexes[0] = '\0';
	wanted_row(task, &nothing, &row);
	if (!intent_write(task, &row, err))
		return false;
	bool done = build(task, shadow, out, err) && (!live_first || my_check_dependants(task, shadow, err)) &&
	            publish(task, shadow, live_first, err);
	if (done || shadow->conn->lost)
		return done;
	shadow_discard(shadow, &shadow->fresh);
	intent_forget(shadow->conn, task->view->name);
	return false;
}

static bool make_table(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(task->db);
	struct shadow shadow;

	if (!my_require_writable(conn, err))
		return false;
	shadow_names(conn, &task->rel, &shadow);
	if (!shadow_lock(&shadow, conn->lock_timeout_us, err))
		return false;
	bool done = make_locked(task, &shadow, out, err);
	if (!conn->lost)
		shadow_unlock(&shadow);
	return done;
}

bool my_create(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	return make_table(task, out, err);
}

bool my_replace(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	return make_table(task, out, err);
}
