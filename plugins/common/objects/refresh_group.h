/* SPDX-License-Identifier: MIT
 *
 * refresh_group.h: several views refreshed as one call: all of them, or none.
 */
#ifndef VIEWD_COMMON_OBJECTS_REFRESH_GROUP_H
#define VIEWD_COMMON_OBJECTS_REFRESH_GROUP_H

#include "common/objects/task.h"

/* One member. */
struct group_member {
	struct task *task;
	const struct viewd_refresh_request *req;
	struct viewd_outcome done; /* handed out when all are committed */
	int64_t took_us;           /* its own part of the transaction */
	bool reopened;             /* its chain was made anew, which is done once */
	bool refused;              /* it is not kept by a chain any more, and why */
	struct viewd_err refusal;
};

struct refresh_group {
	struct db *db;
	struct group_member *members; /* in dependency order */
	const char **names;           /* of the views */
	size_t n;
	size_t at; /* the member at work, n: none in particular; tells who failed */
	int64_t timeout_us, lock_timeout_us;
};

#endif
