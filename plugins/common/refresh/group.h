/* SPDX-License-Identifier: MIT
 *
 * group.h: the steps of a group's refresh, for the shared recipe and for an engine's own (group.c). [worker]
 */
#ifndef VIEWD_COMMON_REFRESH_GROUP_H
#define VIEWD_COMMON_REFRESH_GROUP_H

#include "common/objects/refresh_group.h"

/* The longest time limit, the shortest wait for locks. */
bool group_limits(const struct refresh_group *group, struct viewd_err *err) MUST_CHECK;

/* Ends the transaction of a group, with what waits for its commit. */
bool group_commit(struct db *db, struct viewd_err *err) MUST_CHECK;

/* Does a member read another one, directly or through plain views? Locks nothing; after task_look of all. */
bool group_reads_itself(struct refresh_group *group, bool *reads_r, struct viewd_err *err) MUST_CHECK;

/* Looks at all members and what is recorded of them: each must be there and ours. Reads the marks. */
bool group_look(struct refresh_group *group, bool lock, struct viewd_err *err) MUST_CHECK;

#endif
