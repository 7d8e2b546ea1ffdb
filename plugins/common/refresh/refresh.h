/* SPDX-License-Identifier: MIT
 *
 * refresh.h: the recipes for rows: what the daemon asks of a dialect, done once for all engines against struct db.
 *
 * Each takes an open task and is one transaction (common/objects/recipe.h). [worker]
 */
#ifndef VIEWD_COMMON_REFRESH_REFRESH_H
#define VIEWD_COMMON_REFRESH_REFRESH_H

#include "common/objects/task.h"

/* ---- refresh.c */

/* Brings the rows up to date, by the view's mode or as req asks. *out is filled on success. */
bool recipe_refresh(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                    struct viewd_err *err) MUST_CHECK;

/* ---- group.c */

/* Refreshes all of them, or none; *failed_r: the member that failed, n when none in particular. */
bool recipe_refresh_group(struct db *db, const struct viewd_group_item *const *items, size_t n, size_t *failed_r,
                          struct viewd_err *err) MUST_CHECK;

/* ---- verify.c */

/* Compares the rows with what the definition yields, both ways, at one snapshot. */
bool recipe_verify(struct task *task, struct viewd_verdict *out, struct viewd_err *err) MUST_CHECK;

/* ---- explain.c */

struct analysis;

/* Kind, key, groups and sources of each node. */
void explain_outline(struct viewd_explained_sink sink, const struct analysis *analysis);

/* How the definition could be kept incrementally. */
bool recipe_explain(struct task *task, struct viewd_explained_sink facts, struct viewd_err *err) MUST_CHECK;

/* Before a materialized view is made a table, since refresh_mode = incremental needs one: fails where the definition
 * cannot be kept so, and true for all other views. Outside a transaction. */
bool explain_may_become_table(struct task *task, struct viewd_err *err) MUST_CHECK;

#endif
