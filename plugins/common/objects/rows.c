/* SPDX-License-Identifier: MIT
 *
 * rows.c: rows of a table that are made apart before viewd writes them: with run_as by that role, else by another
 * server where there is one.
 */
#include "common/objects/steps.h"

static bool rows_apart(const struct task *task)
{
	return task->view->run_as != NULL && task->db->ops->rights.rows_apart != NULL &&
	       task->resolved.method == VIEWD_METHOD_TABLE;
}

bool rows_judge_table(struct task *task, struct viewd_err *err)
{
	return !rows_apart(task) || task->db->ops->rights.judge_table == NULL ||
	       task->db->ops->rights.judge_table(task, err);
}

/* The definition comes first: a function that it calls may put something on the table. */
bool rows_begin(struct task *task, struct viewd_err *err)
{
	if (!rows_apart(task))
		return true;
	if (!task->db->ops->rights.rows_apart(task, gen_query(&task->gen), "viewd_rows_", &task->rows, err) ||
	    !rows_judge_table(task, err))
		return false;
	task->gen.source = &task->rows;
	return true;
}

/* A pre_hook's effect is not committed yet; the others are read at one snapshot with what is here. */
static bool may_be_elsewhere(const struct task *task)
{
	return task->db->ops->refresh.find_elsewhere != NULL && task->resolved.method == VIEWD_METHOD_TABLE &&
	       task->view->run_as == NULL && task->view->pre_hook == NULL && task->chain == NULL && task->group == NULL;
}

bool rows_find_elsewhere(struct task *task, struct viewd_err *err)
{
	const struct db_ops *ops = task->db->ops;
	if (!may_be_elsewhere(task))
		return true;
	return ops->set_limits(task->db, task->view->timeout_us, task->view->lock_timeout_us, err) &&
	       task_read_marks(task, err) && ops->refresh.find_elsewhere(task, &task->elsewhere, err);
}

bool rows_begin_refresh(struct task *task, struct viewd_err *err)
{
	if (!task->elsewhere)
		return rows_begin(task, err);
	if (!task->db->ops->refresh.fetch_elsewhere(task, &task->rows, err))
		return false;
	task->gen.source = &task->rows;
	return true;
}

bool rows_end(struct task *task, struct viewd_err *err)
{
	if (!task->stage.filled)
		task->gen.source = NULL;
	if (!rows_apart(task))
		return true;
	return db_exec(task->db, gen_drop(&task->gen, &task->rows, VIEWD_KIND_MATVIEW, false, false), err);
}
