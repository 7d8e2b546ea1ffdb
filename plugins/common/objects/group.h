/* SPDX-License-Identifier: MIT
 *
 * group.h: several views refreshed as one call: all of them, or none.
 */
#ifndef VIEWD_COMMON_OBJECTS_GROUP_H
#define VIEWD_COMMON_OBJECTS_GROUP_H

#include "common/objects/task.h"

/* One member. */
struct group_member {
	struct task *task;
	const struct viewd_refresh_request *req;
	struct viewd_outcome done; /* handed out when all are committed */
	enum viewd_refresh_mode mode;
	char warning[512]; /* of a post_hook outside the transaction */
};

struct group {
	struct db *db;
	struct group_member *members; /* in dependency order */
	const char **names;           /* of the views */
	size_t n;
	size_t at; /* the member at work, n: none in particular; tells who failed */
	int64_t timeout_us, lock_timeout_us;
};

/* The longest time limit, the shortest wait for locks. */
bool group_limits(const struct group *group, struct viewd_err *err) MUST_CHECK;

/* Does a member read another one, directly or through plain views? Locks nothing; after task_look of all. */
bool group_reads_itself(struct group *group, bool *reads_r, struct viewd_err *err) MUST_CHECK;

/* Looks at all members and what is recorded of them: each must be there and ours. Reads the marks. */
bool group_look(struct group *group, bool lock, struct viewd_err *err) MUST_CHECK;

/* Refreshes all of them, or none; *failed_r: the member that failed, n when none in particular. [worker] */
bool recipe_refresh_group(struct db *db, const struct viewd_group_item *const *items, size_t n, size_t *failed_r,
                          struct viewd_err *err) MUST_CHECK;

#endif
