/* SPDX-License-Identifier: MIT
 *
 * member.c: the steps of one view's refresh: the rows, the state row, the history, the hooks.
 */
#include "common/refresh/member.h"

#include "base/err.h"
#include "base/words.h"
#include "common/incremental/incremental.h"
#include "common/objects/hooks.h"
#include "common/objects/steps.h"

#include <stdio.h>
#include <string.h>

static bool refresh_concurrently(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	const struct db_ops *ops = task->db->ops;
	int64_t before = 0, after = 0;
	out->did = VIEWD_DID_CONCURRENT;
	if (ops->refresh.count_written != NULL && !ops->refresh.count_written(task, &before, err))
		return false;
	if (!db_exec(task->db, gen_refresh(&task->gen, true), err))
		return false;
	if (ops->refresh.count_written == NULL || before < 0)
		return true;
	if (!ops->refresh.count_written(task, &after, err))
		return false;
	out->rows_written = after - before;
	if (out->rows_written == 0)
		out->did = VIEWD_DID_NO_DATA;
	return true;
}

static bool refresh_materialized(struct task *task, enum viewd_refresh_mode mode, struct viewd_outcome *out,
                                 struct viewd_err *err)
{
	if (mode == VIEWD_MODE_CONCURRENTLY)
		return refresh_concurrently(task, out, err) && task_count_rows(task, &out->rows, err);
	out->did = VIEWD_DID_FULL;
	return db_exec(task->db, gen_refresh(&task->gen, false), err) && task_count_rows(task, &out->rows, err);
}

/* All rows of a view that is kept incrementally, in the snapshot of what its logs have told. */
static bool all_rows(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	if (task->db->ops->incremental.whole != NULL)
		return task->db->ops->incremental.whole(task, out, err);
	return task->columns->n_key > 0 ? refresh_diff(task, out, err) : refresh_full(task, out, err);
}

static bool refresh_table(struct task *task, enum viewd_refresh_mode mode, struct viewd_outcome *out,
                          struct viewd_err *err)
{
	switch (mode) {
	case VIEWD_MODE_DIFF:
		return refresh_diff(task, out, err);
	case VIEWD_MODE_SWAP:
		if (task->db->ops->refresh.swap != NULL)
			return task->db->ops->refresh.swap(task, out, err);
		break;
	case VIEWD_MODE_FULL:
		if (task->db->ops->refresh.full != NULL)
			return task->db->ops->refresh.full(task, out, err);
		break;
	case VIEWD_MODE_AUTO:
	case VIEWD_MODE_CONCURRENTLY:
	case VIEWD_MODE_INCREMENTAL:
	case VIEWD_MODE_COUNT:
		break;
	}
	return refresh_full(task, out, err);
}

bool member_record(struct task *task, const struct viewd_refresh_request *req, const struct viewd_outcome *out,
                   const char *warning, struct viewd_err *err)
{
	struct state_run run = {
		.trigger = req->trigger,
		.action = word_did(out->did),
		.succeeded = true,
		.run_id = req->run_id,
		.started_us = task->started_us,
		.duration_us = db_now(task->db) - task->started_us,
		.rows = out->rows,
		.rows_written = out->rows_written,
		.data_timestamp_us = out->data_timestamp_us,
		.from_logs = out->from_logs,
		.error = warning[0] != '\0' ? warning : NULL,
	};
	return state_record_run(task->db, task->view->name, &run, err);
}

static void add_reason(struct viewd_outcome *out, const char *more)
{
	size_t len = strlen(out->reason);
	snprintf(out->reason + len, sizeof out->reason - len, "; %s", more);
}

static bool do_refresh(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                       struct viewd_err *err)
{
	out->data_timestamp_us = task->started_us;
	if (task->resolved.method == VIEWD_METHOD_SIMPLE) {
		out->did = VIEWD_DID_NO_DATA;
		snprintf(out->reason, sizeof out->reason, "a simple view reads its sources itself");
		return true;
	}
	if (task->resolved.method == VIEWD_METHOD_TABLE && !task->stage.filled && task->chain == NULL &&
	    !task_columns(task, err))
		return false;
	/* The logs decide for a chain, and auto may ask the server much before it chooses. */
	enum viewd_refresh_mode mode = task->chain != NULL ? VIEWD_MODE_INCREMENTAL : member_mode(task, req, out->reason);
	if (task->resolved.method == VIEWD_METHOD_MATERIALIZED)
		return refresh_materialized(task, mode, out, err);
	if (!rows_begin_refresh(task, err))
		return false;
	bool done =
		(task->chain != NULL ? incremental_rows(task, req, all_rows, out, err) : refresh_table(task, mode, out, err));
	if (task->elsewhere)
		add_reason(out, "computed on another server");
	return done && rows_end(task, err);
}

bool member_require_object(struct task *task, struct viewd_err *err)
{
	if (task->found.kind != VIEWD_KIND_NONE)
		return task_require_ours(task, err);
	err_set(err, VIEWD_ERR_MISSING, "object '%s' does not exist", task->rel.name);
	return err_hint(err, "viewctl create makes it again");
}

/* The data, with what is to go before and after it, as the role it is to be made by. */
static bool refresh_with_hooks(struct task *task, const struct viewd_refresh_request *req, char warning[static 512],
                               struct viewd_outcome *out, struct viewd_err *err)
{
	bool inside = hooks_inside(task);
	warning[0] = '\0';
	return hooks_role_begin(task, err) && (!inside || hooks_before(task, err)) && do_refresh(task, req, out, err) &&
	       (!inside || hooks_after(task, warning, err)) && hooks_role_end(task, err);
}

bool member_refresh(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                    struct viewd_err *err)
{
	char warning[512];
	db_failpoint(task->db, "refresh:begin");
	if ((task->chain != NULL && !incremental_ask(task, true, err)) || !task_look_for_refresh(task, true, err) ||
	    !member_require_object(task, err) || !task_recall_definition(task, err) ||
	    !refresh_with_hooks(task, req, warning, out, err))
		return false;
	db_failpoint(task->db, "refresh:filled");
	if (warning[0] == '\0')
		snprintf(warning, sizeof warning, "%s", incremental_warning(task));
	if (!member_record(task, req, out, warning, err) || !task_settle_marks(task, out, err))
		return false;
	db_failpoint(task->db, "refresh:recorded");
	return true;
}

bool member_before(struct task *task, struct viewd_err *err)
{
	if (hooks_inside(task) || task->view->pre_hook == NULL || task->hook_run)
		return true;
	task->hook_run = true;
	return task->db->ops->set_limits(task->db, task->view->timeout_us, task->view->lock_timeout_us, err) &&
	       hooks_before(task, err);
}

void member_after(struct task *task)
{
	struct viewd_err err;
	char warning[512];
	if (hooks_inside(task))
		return;
	if (!hooks_after(task, warning, &err))
		db_log(task->db, VIEWD_LOG_WARNING, "view '%s', post_hook failed (%s)", task->view->name, err.msg);
	else if (warning[0] != '\0' && !state_annotate(task->db, task->view->name, warning, &err))
		db_log(task->db, VIEWD_LOG_WARNING, "view '%s', history does not tell of its post_hook (%s)", task->view->name,
		       err.msg);
}

void member_tell_refusal(struct task *task, struct viewd_outcome *out)
{
	const char *why = incremental_refusal(task);
	if (why[0] != '\0')
		add_reason(out, why);
}
