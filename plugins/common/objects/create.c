/* SPDX-License-Identifier: MIT
 *
 * create.c: makes a view's object, fills it, adopts one that is there.
 */
#include "base/err.h"
#include "base/words.h"
#include "common/objects/hooks.h"
#include "common/objects/recipe.h"
#include "common/objects/steps.h"
#include "common/sqltext/sqltext.h"

#include <stdio.h>
#include <string.h>

#define STAGE_TRIES 3

bool create_object(struct task *task, struct viewd_err *err)
{
	char *sql = gen_create(&task->gen, &(struct viewd_render_flags){0}, err);
	if (sql == NULL || !db_exec(task->db, sql, err))
		return false;
	return task->db->ops->change.made == NULL || task->db->ops->change.made(task, err);
}

bool create_fill(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	enum viewd_method method = task->resolved.method;
	out->did = VIEWD_DID_NO_DATA;
	if (method != VIEWD_METHOD_SIMPLE && !task->view->with_data)
		return true;
	out->data_timestamp_us = task->started_us;
	if (method == VIEWD_METHOD_SIMPLE)
		return true;
	if (method == VIEWD_METHOD_MATERIALIZED) {
		if (!db_exec(task->db, gen_refresh(&task->gen, false), err) || !task_count_rows(task, &out->rows, err))
			return false;
	} else if (!rows_begin(task, err) ||
	           !task->db->ops->exec(task->db, gen_insert(&task->gen, &task->rel), NULL, 0, &out->rows, err) ||
	           !rows_end(task, err)) {
		return false;
	}
	out->rows_written = out->rows;
	out->did = VIEWD_DID_REINITIALIZE;
	return true;
}

/* A view whose `relation` was changed leaves its former object behind: dropped here, if it is still the recorded
 * one. */
static bool drop_former(struct task *task, const struct state_row *former, struct viewd_err *err)
{
	struct relation rel;
	struct db_object found = {0};
	if (!former->present || strcmp(former->relation, task->state.relation) == 0)
		return true;
	if (!relation_parse(task->db->syntax, former->relation, &rel, err) ||
	    !task->db->ops->find_object(task->db, &rel, &found, err))
		return false;
	/* No identity: a user's table. */
	if (found.kind == VIEWD_KIND_NONE || found.identity[0] == '\0' || strcmp(found.identity, former->identity) != 0)
		return true;
	return drop_relation(task, &rel, found.kind, err);
}

static bool record(struct task *task, const struct viewd_outcome *out, struct viewd_err *err)
{
	struct state_row former = task->state;
	if (!task_record_object(task, err) || !drop_former(task, &former, err))
		return false;
	if (out->data_timestamp_us == 0)
		return state_clear_data(task->db, task->view->name, err);
	struct state_run run = {
		.trigger = "INITIAL",
		.action = word_did(out->did),
		.succeeded = true,
		.started_us = task->started_us,
		.duration_us = db_now(task->db) - task->started_us,
		.rows = out->rows,
		.rows_written = out->rows_written,
		.data_timestamp_us = out->data_timestamp_us,
	};
	return state_record_run(task->db, task->view->name, &run, err);
}

static bool make_all(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	if (task->db->ops->change.create != NULL)
		return task->db->ops->change.create(task, out, err);
	if (!create_object(task, err))
		return false;
	db_failpoint(task->db, "create:made");
	if (!create_fill(task, out, err))
		return false;
	db_failpoint(task->db, "create:filled");
	return index_make_all(task, &task->rel, err);
}

/* Where a write transaction keeps other writers out, the rows are fetched before it. */
static bool stage(struct task *task, struct viewd_err *err)
{
	if (!task->db->syntax->diff.stage_first || task->resolved.method != VIEWD_METHOD_TABLE || !task->view->with_data)
		return true;
	return task->db->ops->set_limits(task->db, task->view->timeout_us, task->view->lock_timeout_us, err) &&
	       task_look(task, false, err) && task_require_ours(task, err) && task_columns(task, err) &&
	       staged_rows_make(task, false, err);
}

static bool try_staged(struct task *task, transaction_body_fn *body, struct viewd_outcome *out, struct viewd_err *err)
{
	task->stage.outdated = false;
	bool done = stage(task, err) && transaction_run(task, true, body, out, NULL, err);
	staged_rows_drop(task);
	return done;
}

/* One transaction, with the rows fetched before it where that is better. While definitions change all the time, they
 * are computed inside it in the end. */
static bool with_staged_rows(struct task *task, transaction_body_fn *body, struct viewd_outcome *out,
                             struct viewd_err *err)
{
	struct viewd_err failure = {0};
	bool done = task_count_again(task, &failure);
	for (int i = 0; done && i < STAGE_TRIES; i++) {
		if (try_staged(task, body, out, &failure))
			return true;
		done = task->stage.outdated;
	}
	if (done && transaction_run(task, true, body, out, NULL, &failure))
		return true;
	if (err != NULL)
		*err = failure;
	return false;
}

static bool create_body(struct task *task, struct viewd_outcome *out, void *ctx UNUSED, struct viewd_err *err)
{
	db_failpoint(task->db, "create:begin");
	if (!staged_rows_check(task, err) || !task_look(task, true, err) || !task_require_ours(task, err))
		return false;
	if (task->found.kind != VIEWD_KIND_NONE)
		return err_set(err, VIEWD_ERR_CONFLICT, "object '%s' has come into being meanwhile", task->rel.name);
	task->state.indexes[0] = '\0';
	if ((!task->stage.filled && !task_columns(task, err)) || !task_read_marks(task, err) ||
	    !hooks_role_begin(task, err) || !make_all(task, out, err) || !hooks_role_end(task, err) ||
	    !record(task, out, err) || !task_settle_marks(task, out, err))
		return false;
	db_failpoint(task->db, "create:recorded");
	return true;
}

bool recipe_create(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	if (!with_staged_rows(task, create_body, out, err))
		return false;
	db_failpoint(task->db, "create:committed");
	snprintf(out->reason, sizeof out->reason, "created");
	return true;
}

/* ---- replace ---- */

bool create_replacement(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	if (!task_recheck(task, err))
		return false;
	if (task->found.kind != VIEWD_KIND_NONE &&
	    !db_exec(task->db, gen_drop(&task->gen, &task->rel, task->found.kind, false, task->view->cascade), err))
		return false;
	db_failpoint(task->db, "replace:dropped");
	if (!create_object(task, err))
		return false;
	db_failpoint(task->db, "replace:made");
	if (!create_fill(task, out, err))
		return false;
	db_failpoint(task->db, "replace:filled");
	return index_make_all(task, &task->rel, err);
}

static bool replace_body(struct task *task, struct viewd_outcome *out, void *ctx UNUSED, struct viewd_err *err)
{
	db_failpoint(task->db, "replace:begin");
	if (!staged_rows_check(task, err) || !task_look(task, true, err) || !task_require_ours(task, err) ||
	    (!task->stage.filled && !task_columns(task, err)) || !task_read_marks(task, err) ||
	    !hooks_role_begin(task, err))
		return false;
	bool done = task->db->ops->change.replace != NULL ? task->db->ops->change.replace(task, out, err)
	                                                  : create_replacement(task, out, err);
	if (!done || !hooks_role_end(task, err) || !record(task, out, err) || !task_settle_marks(task, out, err))
		return false;
	db_failpoint(task->db, "replace:recorded");
	return true;
}

bool recipe_replace(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	if (!with_staged_rows(task, replace_body, out, err))
		return false;
	db_failpoint(task->db, "replace:committed");
	if (out->reason[0] == '\0')
		snprintf(out->reason, sizeof out->reason, "replaced");
	return true;
}
