/* SPDX-License-Identifier: MIT
 *
 * hooks.h: the wishes of a view beside its data: SQL before and after it, a role to work as, a channel to tell.
 */
#ifndef VIEWD_COMMON_OBJECTS_HOOKS_H
#define VIEWD_COMMON_OBJECTS_HOOKS_H

#include "common/objects/task.h"

/* Judges the four settings offline: hooks are one statement each that does not end or begin a transaction; a role or a
 * channel needs an engine that has such things. [any] */
bool hooks_check(const struct syntax *syn, const struct viewd_view_spec *view, struct viewd_err *err) MUST_CHECK;

/* Takes the role of run_as on until hooks_role_end, inside the transaction; without run_as nothing. */
bool hooks_role_begin(struct task *task, struct viewd_err *err) MUST_CHECK;
bool hooks_role_end(struct task *task, struct viewd_err *err) MUST_CHECK;

/* Do the hooks run inside the refresh's transaction? Where statements may commit by themselves they run right before
 * and after it. */
bool hooks_inside(const struct task *task);

/* A failure is one of the refresh. */
bool hooks_before(struct task *task, struct viewd_err *err) MUST_CHECK;

/* An error of the statement itself is logged and put into warning ("" none), and undone. False when the refresh cannot
 * go on: it was cancelled, or its time is over, or the connection is. */
bool hooks_after(struct task *task, char warning[static 512], struct viewd_err *err) MUST_CHECK;

/* NOTIFY with a short JSON object, heard by listeners when the transaction commits. */
bool hooks_notify(struct task *task, const struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

#endif
