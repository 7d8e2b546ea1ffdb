/* SPDX-License-Identifier: MIT
 *
 * incremental.c: the refresh of one view that is kept incrementally: a transaction of one snapshot, as a group has it,
 * whose only member the view is.
 */
#include "common/incremental/incremental.h"

#include "base/err.h"
#include "common/refresh/group.h"
#include "common/refresh/member.h"
#include "common/refresh/refresh.h"

#include <talloc.h>

/* Everything that a chain is made from is asked for while nobody waits. */
bool member_open_chain(struct task *task, struct viewd_err *err)
{
	if (chain_known(task))
		return task->db->ops->set_limits(task->db, task->view->timeout_us, task->view->lock_timeout_us, err);
	return task->db->ops->set_limits(task->db, task->view->timeout_us, task->view->lock_timeout_us, err) &&
	       task_look_for_refresh(task, false, err) && db_flush(task->db, err) && member_require_object(task, err) &&
	       task_recall_definition(task, err) && incremental_open(task, err);
}

/* A lazy commit may be undone by a crash. The marks go back with it, and ask for the refresh again. */
static bool commit(struct task *task, struct viewd_err *err)
{
	struct db *db = task->db;
	bool lazily = task->marks.n > 0 && db->ops->session.commit_lazily != NULL;
	return (!lazily || db->ops->session.commit_lazily(db, err)) && group_commit(db, err);
}

static bool write_rows(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                       struct viewd_err *err)
{
	struct db *db = task->db;
	struct viewd_outcome result = {.rows = -1, .rows_written = -1};
	/* Marks count as the snapshot has them. */
	task->marks = (struct marks){0};
	task->marks_known = false;
	if (!db->ops->begin(db, DB_BEGIN_GROUP, err))
		return false;
	if (!member_refresh(task, req, &result, err) || !commit(task, err)) {
		db->ops->rollback(db);
		return false;
	}
	result.duration_us = db_now(db) - task->started_us;
	*out = result;
	return true;
}

/* A log that is found broken is made again, once, and a roll that is stuck given up. */
static bool refresh(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                    struct viewd_err *err)
{
	if (!member_before(task, err))
		return false;
	if (write_rows(task, req, out, err) || (incremental_ask_carefully(task, err) && write_rows(task, req, out, err)))
		return true;
	return incremental_reopen(task, err) && write_rows(task, req, out, err);
}

void member_close_chain(struct task *task, const struct viewd_refresh_request *req)
{
	incremental_purge(task);
	if (req->nodes.fn != NULL)
		explain_outline(req->nodes, task->chain->analysis);
	incremental_close(task);
}

bool refresh_incrementally(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                           struct viewd_err *err)
{
	struct db *db = task->db;
	const char *names[] = {task->view->name};
	struct group_member member = {.task = task, .req = req};
	const struct refresh_group alone = {.db = db,
	                                    .members = &member,
	                                    .names = names,
	                                    .n = 1,
	                                    .timeout_us = task->view->timeout_us,
	                                    .lock_timeout_us = task->view->lock_timeout_us};
	task->group = &alone;
	bool done = member_open_chain(task, err) && task_count_again(task, err) && refresh(task, req, out, err);
	task->group = NULL;
	if (!done)
		return false;
	db_failpoint(db, "refresh:committed");
	member_after(task);
	member_close_chain(task, req);
	return true;
}
