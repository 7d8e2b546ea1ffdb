/* SPDX-License-Identifier: MIT
 *
 * member.h: the steps of a refresh, for one view or for each member of a group (refresh.c, group.c). [worker]
 */
#ifndef VIEWD_COMMON_REFRESH_MEMBER_H
#define VIEWD_COMMON_REFRESH_MEMBER_H

#include "common/objects/task.h"

/* ---- mode.c */

/* The mode that the view is refreshed by now; reason: why. */
enum viewd_refresh_mode member_mode(struct task *task, const struct viewd_refresh_request *req,
                                    char reason[static 256]);

/* ---- member.c */

/* Fails unless the object is there and ours. After task_look. */
bool member_require_object(struct task *task, struct viewd_err *err) MUST_CHECK;
/* Does everything between begin and commit. */
bool member_refresh(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                    struct viewd_err *err) MUST_CHECK;
/* Writes the state row and the history. */
bool member_record(struct task *task, const struct viewd_refresh_request *req, const struct viewd_outcome *out,
                   const char *warning, struct viewd_err *err) MUST_CHECK;
/* Run the view's own SQL before and after a refresh, where it stays outside the transaction. */
bool member_before(struct task *task, struct viewd_err *err) MUST_CHECK;
void member_after(struct task *task);
/* Adds to what is told of a refresh why the view is not kept incrementally, where mode auto has tried to. */
void member_tell_refusal(struct task *task, struct viewd_outcome *out);

/* ---- table_rows.c */

/* DELETE + INSERT, and the steps of a diff, inside the caller's transaction. */
bool refresh_full(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
bool refresh_diff(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

/* ---- incremental.c */

/* Before the transaction of a refresh by what has changed: the view's chain is found, or made, and is the task's. */
bool member_open_chain(struct task *task, struct viewd_err *err) MUST_CHECK;
/* After its commit. */
void member_close_chain(struct task *task, const struct viewd_refresh_request *req);
/* The refresh of a view that is kept incrementally. */
bool refresh_incrementally(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                           struct viewd_err *err) MUST_CHECK;

#endif
