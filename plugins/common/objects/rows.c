/* SPDX-License-Identifier: MIT
 *
 * rows.c: with run_as, the rows of a table are made apart, by that role, before viewd writes them.
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

bool rows_end(struct task *task, struct viewd_err *err)
{
	if (!rows_apart(task))
		return true;
	task->gen.source = NULL;
	return db_exec(task->db, gen_drop(&task->gen, &task->rows, VIEWD_KIND_MATVIEW, false, false), err);
}
