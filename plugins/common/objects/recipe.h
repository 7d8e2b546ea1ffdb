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

/* Tells what exists under the view's name, whose it is, and to sources (fn may be NULL) what the definition reads.
 * Changes nothing. */
bool recipe_inspect(struct task *task, struct viewd_found *out, struct viewd_source_sink sources,
                    struct viewd_err *err) MUST_CHECK;
/* Records the view or materialized view that is there as viewd's own. Keeps its rows. */
bool recipe_adopt(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
/* A refresh has failed: because the definition yields columns that the object lacks? Then the refresh works without
 * them. Keeps *failure. */
bool inspect_may_narrow(struct task *task, const struct viewd_err *failure) MUST_CHECK;

/* ---- create.c */

/* Makes the object, where nothing is, and fills it when with_data is set. */
bool recipe_create(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
/* Replaces our object by one of the wanted definition, without a gap for readers. */
bool recipe_replace(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

/* ---- index.c */

/* Makes declared indexes that are absent, and drops recorded ones that are not declared any more. */
bool recipe_reindex(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

/* ---- drop.c */

/* Drops our object, and with view->cascade what depends on it, and forgets the view. */
bool recipe_drop(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

/* ---- rename.c */

/* The view's section was called `from` before: all that is recorded of that view follows, and its object gets the name
 * that the files want. Nothing recorded of `from`: nothing happens. Both are recorded: an error. look: only tells. what
 * is a sentence about what has happened, or would, "" nothing. */
bool recipe_rename(struct task *task, const char *from, bool look, char what[static 256],
                   struct viewd_err *err) MUST_CHECK;

/* ---- keep.c */

/* Records what is there as it is, with its own definition (VIEWD_CHANGE_KEEP). */
bool recipe_keep(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
/* Hands over the definition of the view that is there, as the server writes it. */
bool recipe_definition(struct task *task, struct viewd_text_sink sink, struct viewd_err *err) MUST_CHECK;
/* The spec for what is kept with this definition, talloc'ed. */
struct viewd_view_spec *keep_spec(void *mem, const struct viewd_view_spec *view, const char *text);

#endif
