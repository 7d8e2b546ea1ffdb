/* SPDX-License-Identifier: MIT
 *
 * group.h: views of one database that are refreshed as one (refresh_group). docs/adr/003-refresh-groups.md says why it is as it is.
 */
#ifndef VIEWD_CORE_GROUP_H
#define VIEWD_CORE_GROUP_H

#include "core/state.h"
#include "sched/coalesce.h"

/* Two views or more. Belongs to its database; made anew with every configuration that comes into force. */
struct group {
	const char *name;
	struct view **views;
	size_t n;
	char *broken;         /* why its members cannot be put in order with all others; NULL: they can */
	struct member *head;  /* scratch while a wave is built */
};

/* Can the section be in a group here? True when not: err says why. Needs no engine. [any] */
bool group_refused(const struct conf_view *conf, const struct viewd_dialect *dialect, const struct viewd_resolved *resolved,
                   struct viewd_err *err);

/* Forgets all groups: instances are about to go. */
void group_forget_all(struct engine *eng);

/* Makes the groups that the configuration wants. */
void group_make_all(struct engine *eng);

/* Looks whether each group fits into the graph; what does not is told once. Edges and ranks are up to date. */
void group_check_order(struct engine *eng);

/* The group it is refreshed with; NULL: none, or one that is broken. */
struct group *group_of(const struct view *view);

/* Another member that is paused or suspended: then nothing but a request by hand refreshes the group. NULL: none. */
const struct view *group_held_by(const struct view *view);

/* How changes are collected: the view's own settings, or those of the strictest member. */
struct coalesce group_pace(const struct view *view);

/* The scheduled time of one member that is served now counts for all. */
void group_served(struct view *view, bool periodic);

/* What may start by itself has changed for one member, so it has for the others. */
void group_replan(struct view *view);

/* Once all members are set up and hold data: refreshes them together unless they are of one snapshot. */
void group_align(struct view *view);
void group_align_all(struct engine *eng);

/* ---- group_job.c */

/* A member's refresh is ready: may the whole group start? Asked beside what holds for each member alone. */
bool group_is_free(const struct view *view);

/* Starts the group's job, or ends what waits for it when there is no hope. */
void group_serve(struct view *view);

/* The job has come back. */
void group_finish(struct job *lead);

/* The lead's failure becomes that of all parts. Touches only the jobs. [loop or worker] */
void group_share_error(struct job *lead);

#endif
