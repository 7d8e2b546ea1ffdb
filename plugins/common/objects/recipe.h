/* SPDX-License-Identifier: MIT
 *
 * recipe.h: what the daemon asks of a dialect, done once for all engines against struct db.
 *
 * On engines with transactional DDL every recipe is one transaction: data, state row and history row commit together.
 * Each takes an open task; task_look and task_columns are called inside. [worker]
 */
#ifndef VIEWD_COMMON_OBJECTS_RECIPE_H
#define VIEWD_COMMON_OBJECTS_RECIPE_H

#include "common/objects/task.h"

bool recipe_inspect(struct task *task, struct viewd_found *out, struct viewd_source_sink sources,
                    struct viewd_err *err) MUST_CHECK;
bool recipe_create(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
bool recipe_adopt(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
/* Records what is there as it is, with its own definition (keep.c). */
bool recipe_keep(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
/* Hands over the definition of the view that is there, as the server writes it. */
bool recipe_definition(struct task *task, struct viewd_text_sink sink, struct viewd_err *err) MUST_CHECK;
/* Fails unless what was found is a view or materialized view. */
bool recipe_may_adopt(const struct task *task, struct viewd_err *err) MUST_CHECK;
/* The spec for what is kept with this definition, talloc'ed. */
struct viewd_view_spec *keep_spec(void *mem, const struct viewd_view_spec *view, const char *text);
bool recipe_replace(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
bool recipe_reindex(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
bool recipe_drop(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
bool recipe_refresh(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                    struct viewd_err *err) MUST_CHECK;
/* A refresh has failed: because the definition yields columns that the object lacks? Then the refresh works without
 * them. Keeps *failure. */
bool recipe_may_narrow(struct task *task, const struct viewd_err *failure) MUST_CHECK;
bool recipe_verify(struct task *task, struct viewd_verdict *out, struct viewd_err *err) MUST_CHECK;

/* Pieces for hooks. */

/* Creates the object of the task (no data, no indexes). */
bool recipe_make_object(struct task *task, struct viewd_err *err) MUST_CHECK;
/* Fills the new object with data when with_data is set; sets did, rows, rows_written, data_timestamp. */
bool recipe_fill(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
/* With run_as, right before the rows of a table are written: has the definition's rows made apart (task->gen.source),
 * and makes sure that writing them runs nothing. recipe_rows_end drops what was made. Without run_as nothing. */
bool recipe_rows_begin(struct task *task, struct viewd_err *err) MUST_CHECK;
bool recipe_rows_end(struct task *task, struct viewd_err *err) MUST_CHECK;
/* With run_as: may the table's rows be removed without running anything? */
bool recipe_judge_table(struct task *task, struct viewd_err *err) MUST_CHECK;
/* Creates declared indexes that are absent on `on` (usually &task->rel) and drops recorded ones that are no longer
 * declared; fills task->state.indexes. */
bool recipe_make_indexes(struct task *task, const struct relation *on, struct viewd_err *err) MUST_CHECK;
/* Are all declared indexes there? Needs task->gen.columns (declared or resolved). */
bool recipe_indexes_present(struct task *task, bool *present_r, struct viewd_err *err) MUST_CHECK;
/* The shared replacement: drop what is found (ours), make, fill, index; inside the caller's transaction. */
bool recipe_replace_object(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
/* Steps of a refresh, for one view or for each member of a group. recipe_mode: what the view's mode means now; reason:
 * why. recipe_require_object: fails unless the object is there and ours (after task_look). recipe_refresh_member:
 * everything between begin and commit. recipe_record: state row and history. recipe_before and recipe_after: the hooks
 * of engines where they stay outside. */
enum viewd_refresh_mode recipe_mode(struct task *task, const struct viewd_refresh_request *req,
                                    char reason[static 256]);
bool recipe_require_object(struct task *task, struct viewd_err *err) MUST_CHECK;
bool recipe_refresh_member(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                           struct viewd_err *err) MUST_CHECK;
bool recipe_record(struct task *task, const struct viewd_refresh_request *req, const struct viewd_outcome *out,
                   const char *warning, struct viewd_err *err) MUST_CHECK;
bool recipe_before(struct task *task, struct viewd_err *err) MUST_CHECK;
void recipe_after(struct task *task);
/* DELETE + INSERT, and the steps of a diff, inside the caller's transaction. */
bool recipe_refresh_full(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
bool recipe_refresh_diff(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
/* With syntax->diff.stage_first: runs the definition into a temporary table in a transaction that only reads, and with
 * `compare` finds out how the relation differs. Else nothing. recipe_unstage drops what was made; it never fails. */
bool recipe_stage(struct task *task, bool compare, struct viewd_err *err) MUST_CHECK;
void recipe_unstage(struct task *task);
/* recipe_stage inside the caller's transaction. */
bool recipe_stage_rows(struct task *task, bool compare, struct viewd_err *err) MUST_CHECK;
/* A diff from what recipe_stage compared, inside the caller's transaction. */
bool recipe_apply_delta(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
/* Drops rel, its dependants first where the engine does not do it (only with view->cascade). */
bool recipe_drop_object(struct task *task, const struct relation *rel, enum viewd_kind kind,
                        struct viewd_err *err) MUST_CHECK;

/* How the definition could be kept incrementally (refresh/explain.c). */
bool recipe_explain(struct task *task, struct viewd_explained_sink facts, struct viewd_err *err) MUST_CHECK;

/* Runs body between begin and commit; rolls back when it fails. Limits are the view's. With `ddl`, engines whose DDL
 * commits by itself get no transaction. */
typedef bool recipe_body_fn(struct task *task, struct viewd_outcome *out, void *ctx, struct viewd_err *err);
bool recipe_transaction(struct task *task, bool ddl, recipe_body_fn *body, struct viewd_outcome *out, void *ctx,
                        struct viewd_err *err) MUST_CHECK;

#endif
