/* SPDX-License-Identifier: MIT
 *
 * group_chains.h: members of a group that are refreshed by what has changed (group_chains.c). [worker]
 */
#ifndef VIEWD_COMMON_REFRESH_GROUP_CHAINS_H
#define VIEWD_COMMON_REFRESH_GROUP_CHAINS_H

#include "common/objects/refresh_group.h"

/* Are all members to be refreshed so, as far as their settings tell? */
bool group_chains_wanted(const struct refresh_group *group);

/* Outside a transaction, first of all: finds or makes the chains of the members that are to be refreshed so. On failure
 * group->at is the member. */
bool group_chains_open(struct refresh_group *group, struct viewd_err *err) MUST_CHECK;

/* Has a member a chain? */
bool group_chains_any(const struct refresh_group *group);

/* The transaction was rolled back, because group->at has failed: may it be tried again, since what that member needs
 * was made anew, or since it is refreshed as a whole this time? Each is done once for each member. Sets the session's
 * limits as the member has them. False: err is what counts, and is left as it was where nothing else came up. */
bool group_chains_again(struct refresh_group *group, struct viewd_err *err) MUST_CHECK;

/* After the commit: what was read is removed, and what was found out remembered. */
void group_chains_close(struct refresh_group *group);

#endif
