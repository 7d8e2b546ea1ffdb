/* SPDX-License-Identifier: MIT
 *
 * group.h: views of one database that are refreshed as one (refresh_group). docs/adr/003-refresh-groups.md says why it
 * is as it is. [loop]
 */
#ifndef VIEWD_CORE_MODEL_GROUP_H
#define VIEWD_CORE_MODEL_GROUP_H

#include "core/model/model.h"
#include "sched/coalesce.h"

/* Two views or more. Belongs to its database; made anew with every configuration that comes into force. */
struct group {
	const char *name;
	struct view **views;
	size_t n;
	char *broken;        /* why its members cannot be put in order with all others; NULL: they can */
	struct member *head; /* scratch while a wave is built */
};

/* Forgets all groups: instances are about to go. */
void group_forget_all(struct engine *eng);

/* Makes the groups that the configuration wants. */
void group_make_all(struct engine *eng);

/* Looks whether each group fits into the graph; what does not is told once. Edges and ranks are up to date. */
void group_check_order(struct engine *eng);

/* Does the section want the view refreshed with others? Whether a group comes of it, group_of tells. */
bool group_is_wanted(const struct view *view);

/* The group it is refreshed with; NULL: none, or one that is broken. */
struct group *group_of(const struct view *view);

/* Another member that is paused or suspended: then nothing but a request by hand refreshes the group. NULL: none. */
const struct view *group_held_by(const struct view *view);

/* How changes are collected: the view's own settings, or those of the strictest member. */
struct coalesce group_pace(const struct view *view);

#endif
