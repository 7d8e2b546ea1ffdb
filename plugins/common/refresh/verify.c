/* SPDX-License-Identifier: MIT
 *
 * verify.c: compares stored rows and definition, both ways, at one snapshot.
 */
#include "base/err.h"
#include "common/objects/hooks.h"
#include "common/objects/steps.h"
#include "common/refresh/refresh.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

static bool read_verdict_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct viewd_verdict *out = ctx;
	out->rows = number_or(values[0], 0);
	out->missing = number_or(values[1], 0);
	out->unexpected = number_or(values[2], 0);
	return false;
}

static const struct db_reader read_verdict[] = {
	{read_verdict_fn, "NNN", "the comparison of a view with its definition"}};

/* One statement, so one snapshot on every engine. */
static bool compare_relation(struct task *task, struct viewd_verdict *out, struct viewd_err *err)
{
	return task->db->ops->query(task->db, gen_verify(&task->gen), NULL, 0, read_verdict, out, err);
}

/* A simple view runs its definition whenever it is read. */
static bool compare_rows(struct task *task, struct viewd_verdict *out, struct viewd_err *err)
{
	const struct db_ops *ops = task->db->ops;
	struct relation wanted, have;
	if (!ops->rights.rows_apart(task, task->definition, "viewd_rows_", &wanted, err))
		return false;
	if (task->resolved.method == VIEWD_METHOD_SIMPLE) {
		char *all =
			sql_add(sql_new(task->mem), "SELECT * FROM %s", relation_quoted(task->db->syntax, task->mem, &task->rel));
		if (!ops->rights.rows_apart(task, all, "viewd_have_", &have, err))
			return false;
		task->gen.rel = have;
	}
	task->gen.definition =
		sql_add(sql_new(task->mem), "SELECT * FROM %s", relation_quoted(task->db->syntax, task->mem, &wanted));
	return rows_judge_table(task, err) && compare_relation(task, out, err);
}

/* Nothing that the role does here is kept. */
static bool compare_as_role(struct task *task, struct viewd_verdict *out, struct viewd_err *err)
{
	const struct db_ops *ops = task->db->ops;
	bool done =
		ops->begin(task->db, DB_BEGIN_SNAPSHOT, err) && hooks_role_begin(task, err) && compare_rows(task, out, err);
	ops->rollback(task->db);
	return done;
}

bool recipe_verify(struct task *task, struct viewd_verdict *out, struct viewd_err *err)
{
	struct db *db = task->db;
	struct viewd_verdict verdict = {0};
	bool as_role = task->view->run_as != NULL && db->ops->rights.rows_apart != NULL;
	if (!db->ops->set_limits(db, task->view->timeout_us, task->view->lock_timeout_us, err) ||
	    !task_look(task, false, err))
		return false;
	if (task->found.kind == VIEWD_KIND_NONE)
		return err_set(err, VIEWD_ERR_MISSING, "object '%s' does not exist", task->rel.name);
	task->narrow = true; /* a column that came later is no row that differs */
	if (!task_recall_definition(task, err) || !task_columns(task, err) ||
	    !(as_role ? compare_as_role(task, &verdict, err) : compare_relation(task, &verdict, err)))
		return false;
	*out = verdict;
	return true;
}
