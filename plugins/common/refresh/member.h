/* SPDX-License-Identifier: MIT
 *
 * member.h: the steps of a refresh, for one view or for each member of a group (refresh.c). [worker]
 */
#ifndef VIEWD_COMMON_REFRESH_MEMBER_H
#define VIEWD_COMMON_REFRESH_MEMBER_H

#include "common/objects/task.h"

/* The mode that the view is refreshed by now; reason: why. */
enum viewd_refresh_mode recipe_mode(struct task *task, const struct viewd_refresh_request *req,
                                    char reason[static 256]);
/* Fails unless the object is there and ours. After task_look. */
bool recipe_require_object(struct task *task, struct viewd_err *err) MUST_CHECK;
/* Everything between begin and commit. */
bool recipe_refresh_member(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                           struct viewd_err *err) MUST_CHECK;
/* State row and history. */
bool recipe_record(struct task *task, const struct viewd_refresh_request *req, const struct viewd_outcome *out,
                   const char *warning, struct viewd_err *err) MUST_CHECK;
/* The view's own SQL before and after, where it stays outside the transaction. */
bool recipe_before(struct task *task, struct viewd_err *err) MUST_CHECK;
void recipe_after(struct task *task);
/* Adds to what is told of a refresh why the view is not kept incrementally, where mode auto has tried to. */
void recipe_tell_refusal(struct task *task, struct viewd_outcome *out);
/* DELETE + INSERT, and the steps of a diff, inside the caller's transaction. */
bool recipe_refresh_full(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
bool recipe_refresh_diff(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

/* Before the transaction of a refresh by what has changed: the view's chain is found, or made, and is the task's. */
bool recipe_open_chain(struct task *task, struct viewd_err *err) MUST_CHECK;
/* After its commit. */
void recipe_close_chain(struct task *task, const struct viewd_refresh_request *req);

/* The refresh of a view that is kept incrementally (incremental.c). */
bool refresh_incrementally(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                           struct viewd_err *err) MUST_CHECK;

#endif
