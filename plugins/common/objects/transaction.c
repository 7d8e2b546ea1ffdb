/* SPDX-License-Identifier: MIT
 *
 * transaction.c: the one transaction in which a recipe changes objects or rows, their state row and their marks.
 */
#include "common/objects/steps.h"

bool transaction_run(struct task *task, bool ddl, transaction_body_fn *body, struct viewd_outcome *out, void *ctx,
                     struct viewd_err *err)
{
	struct db *db = task->db;
	bool transaction = !ddl || db->syntax->has.transactional_ddl;
	struct viewd_outcome result = {.rows = -1, .rows_written = -1};
	if (!db->ops->set_limits(db, task->view->timeout_us, task->view->lock_timeout_us, err))
		return false;
	if (transaction && !db->ops->begin(db, DB_BEGIN_WRITE, err))
		return false;
	if (!body(task, &result, ctx, err) || (transaction && !db->ops->commit(db, err))) {
		db->ops->rollback(db);
		return false;
	}
	result.duration_us = db_now(db) - task->started_us;
	*out = result;
	return true;
}
