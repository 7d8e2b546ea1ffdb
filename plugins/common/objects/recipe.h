/* SPDX-License-Identifier: MIT
 *
 * recipe.h: the recipes for objects: what the daemon asks of a dialect, done once for all engines against struct db.
 *
 * On engines with transactional DDL every recipe is one transaction: data, state row and history row commit together.
 * Each takes an open task; task_look and task_columns are called inside. The recipes for rows are in
 * common/refresh/refresh.h, the pieces that recipes are made of in steps.h. [worker]
 */
#ifndef VIEWD_COMMON_OBJECTS_RECIPE_H
#define VIEWD_COMMON_OBJECTS_RECIPE_H

#include "common/objects/task.h"

/* ---- inspect.c */

bool recipe_inspect(struct task *task, struct viewd_found *out, struct viewd_source_sink sources,
                    struct viewd_err *err) MUST_CHECK;
bool recipe_adopt(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
/* A refresh has failed: because the definition yields columns that the object lacks? Then the refresh works without
 * them. Keeps *failure. */
bool recipe_may_narrow(struct task *task, const struct viewd_err *failure) MUST_CHECK;

/* ---- create.c */

bool recipe_create(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
bool recipe_replace(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

/* ---- index.c */

bool recipe_reindex(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

/* ---- drop.c */

bool recipe_drop(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

/* ---- keep.c */

/* Records what is there as it is, with its own definition (VIEWD_CHANGE_KEEP). */
bool recipe_keep(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
/* Hands over the definition of the view that is there, as the server writes it. */
bool recipe_definition(struct task *task, struct viewd_text_sink sink, struct viewd_err *err) MUST_CHECK;
/* The spec for what is kept with this definition, talloc'ed. */
struct viewd_view_spec *keep_spec(void *mem, const struct viewd_view_spec *view, const char *text);

#endif
