/* SPDX-License-Identifier: MIT */
#include "base/err.h"
#include "common/number.h"
#include "common/recipe.h"


static bool read_verdict_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct viewd_verdict *out = ctx;
	out->rows = number_or(values[0], 0);
	out->missing = number_or(values[1], 0);
	out->unexpected = number_or(values[2], 0);
	return false;
}

static const struct db_reader read_verdict[] = {{read_verdict_fn, "NNN", "the comparison of a view with its definition"}};

/* One statement, so one snapshot on every engine. */
bool recipe_verify(struct task *task, struct viewd_verdict *out, struct viewd_err *err)
{
	struct db *db = task->db;
	struct viewd_verdict verdict = {0};
	if (!db->ops->set_limits(db, task->view->timeout_us, task->view->lock_timeout_us, err) || !task_look(task, false, err))
		return false;
	if (task->found.kind == VIEWD_KIND_NONE)
		return err_set(err, VIEWD_ERR_MISSING, "object '%s' does not exist", task->rel.name);
	if (!task_recall_definition(task, err) || !task_columns(task, err) || !db->ops->query(db, gen_verify(&task->gen), NULL, 0, read_verdict, &verdict, err))
		return false;
	*out = verdict;
	return true;
}
