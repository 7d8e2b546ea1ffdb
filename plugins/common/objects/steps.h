/* SPDX-License-Identifier: MIT
 *
 * steps.h: the pieces that recipes are made of, for recipes and for the hooks of struct db_ops. [worker]
 */
#ifndef VIEWD_COMMON_OBJECTS_STEPS_H
#define VIEWD_COMMON_OBJECTS_STEPS_H

#include "common/objects/task.h"

/* ---- transaction.c */

/* Runs body between begin and commit; rolls back when it fails. Limits are the view's. With `ddl`, engines whose DDL
 * commits by itself get no transaction. */
typedef bool transaction_body_fn(struct task *task, struct viewd_outcome *out, void *ctx, struct viewd_err *err);
bool transaction_run(struct task *task, bool ddl, transaction_body_fn *body, struct viewd_outcome *out, void *ctx,
                     struct viewd_err *err) MUST_CHECK;

/* ---- create.c */

/* Creates the object of the task (no data, no indexes). */
bool create_object(struct task *task, struct viewd_err *err) MUST_CHECK;
/* Fills the new object with data when with_data is set; sets did, rows, rows_written, data_timestamp. */
bool create_fill(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
/* The shared replacement: drop what is found (ours), make, fill, index; inside the caller's transaction. */
bool create_replacement(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

/* ---- inspect.c */

/* Fails unless what was found is a view or materialized view. */
bool inspect_may_adopt(const struct task *task, struct viewd_err *err) MUST_CHECK;

/* ---- index.c */

/* Creates declared indexes that are absent on `on` (usually &task->rel) and drops recorded ones that are no longer
 * declared; fills task->state.indexes. */
bool index_make_all(struct task *task, const struct relation *on, struct viewd_err *err) MUST_CHECK;
/* Are all declared indexes there? Needs task->gen.columns (declared or resolved). */
bool index_all_present(struct task *task, bool *present_r, struct viewd_err *err) MUST_CHECK;

/* ---- drop.c */

/* Drops rel, its dependants first where the engine does not do it (only with view->cascade). */
bool drop_relation(struct task *task, const struct relation *rel, enum viewd_kind kind,
                   struct viewd_err *err) MUST_CHECK;

/* ---- rows.c */

/* With run_as, right before the rows of a table are written: has the definition's rows made apart (task->gen.source),
 * and makes sure that writing them runs nothing. rows_end drops what was made. Without run_as nothing. */
bool rows_begin(struct task *task, struct viewd_err *err) MUST_CHECK;
bool rows_end(struct task *task, struct viewd_err *err) MUST_CHECK;
/* Outside a transaction, before a refresh: reads the marks, and fills task->elsewhere; where it is true another server
 * has all that they tell of. */
bool rows_find_elsewhere(struct task *task, struct viewd_err *err) MUST_CHECK;
/* rows_begin, or the rows of that server. */
bool rows_begin_refresh(struct task *task, struct viewd_err *err) MUST_CHECK;
/* With run_as: may the table's rows be removed without running anything? */
bool rows_judge_table(struct task *task, struct viewd_err *err) MUST_CHECK;

/* ---- staged_rows.c */

/* With syntax->diff.stage_first: runs the definition into a temporary table in a transaction that only reads, and with
 * `compare` finds out how the relation differs. Else nothing. staged_rows_drop drops what was made; it never fails. */
bool staged_rows_make(struct task *task, bool compare, struct viewd_err *err) MUST_CHECK;
void staged_rows_drop(struct task *task);
/* In the write transaction that makes an object of what was staged: every definition is as it was then, else class
 * CONFLICT and task->stage.outdated. */
bool staged_rows_check(struct task *task, struct viewd_err *err) MUST_CHECK;
/* staged_rows_make inside the caller's transaction. */
bool staged_rows_fill(struct task *task, bool compare, struct viewd_err *err) MUST_CHECK;
/* A diff from what staged_rows_make compared, inside the caller's transaction. */
bool staged_rows_apply(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

#endif
