/* SPDX-License-Identifier: MIT
 *
 * grants.h: gives others rights on a view's object: the key `grants`.
 */
#ifndef VIEWD_COMMON_OBJECTS_GRANTS_H
#define VIEWD_COMMON_OBJECTS_GRANTS_H

#include "common/objects/task.h"

/* Can these grants be understood, and has the engine accounts? [any] */
bool grants_check(const struct syntax *syn, const struct viewd_view_spec *view, struct viewd_err *err) MUST_CHECK;

/* Are all of them there, as far as the account may look? Without the key: yes. [worker] */
bool grants_present(struct task *task, bool *present_r, struct viewd_err *err) MUST_CHECK;

/* Grants what is not there. A right that the key does not name stays. Commits by itself. [worker] */
bool grants_give(struct task *task, struct viewd_err *err) MUST_CHECK;

/* Without the key: can nobody but its owner read the object? False where the engine does not tell. [worker] */
bool grants_owner_only(struct task *task, bool *yes_r, struct viewd_err *err) MUST_CHECK;

#endif
