/* SPDX-License-Identifier: MIT
 *
 * refresh.c: one refresh of one view, in one transaction: by its change logs, or of its table or materialized view as a
 * whole.
 */
#include "common/refresh/refresh.h"

#include "common/incremental/incremental.h"
#include "common/objects/steps.h"
#include "common/refresh/member.h"

static bool refresh_body(struct task *task, struct viewd_outcome *out, void *ctx, struct viewd_err *err)
{
	return member_refresh(task, ctx, out, err);
}

/* The expensive part, while nobody waits for us. What is found here is looked at again in the write transaction. */
static bool stage_rows(struct task *task, const struct viewd_refresh_request *req, struct viewd_err *err)
{
	char reason[256];
	/* The definition must see what a pre_hook does. */
	if (!task->db->syntax->diff.stage_first || task->resolved.method != VIEWD_METHOD_TABLE ||
	    task->view->pre_hook != NULL)
		return true;
	if (!task->db->ops->set_limits(task->db, task->view->timeout_us, task->view->lock_timeout_us, err) ||
	    !task_look(task, false, err) || !member_require_object(task, err) || !task_recall_definition(task, err) ||
	    !task_columns(task, err))
		return false;
	return staged_rows_make(task, member_mode(task, req, reason) == VIEWD_MODE_DIFF, err);
}

bool recipe_refresh(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                    struct viewd_err *err)
{
	struct viewd_err failure = {0};
	enum incremental_after after = INCREMENTAL_THIS_TIME;
	if (req->force_full)
		incremental_ask_again(task);
	if (incremental_wanted(task)) {
		if (refresh_incrementally(task, req, out, &failure))
			return true;
		after = incremental_failed(task, &failure);
	}
	if (after == INCREMENTAL_GIVE_UP) {
		if (err != NULL)
			*err = failure;
		return false;
	}
	struct viewd_refresh_request copy = *req;
	bool done = task_count_again(task, err) && member_before(task, err) && stage_rows(task, req, err) &&
	            rows_find_elsewhere(task, err) && transaction_run(task, false, refresh_body, out, &copy, err);
	staged_rows_drop(task);
	if (!done)
		return false;
	db_failpoint(task->db, "refresh:committed");
	if (after == INCREMENTAL_REFUSED)
		incremental_refuse(task, &failure);
	/* The time says nothing of this server, which is to be spared. */
	if (!task->elsewhere)
		incremental_measured(task, out->duration_us);
	member_tell_refusal(task, out);
	member_after(task);
	return true;
}
