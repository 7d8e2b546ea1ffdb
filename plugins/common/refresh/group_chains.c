/* SPDX-License-Identifier: MIT
 *
 * group_chains.c: members of a group that are refreshed by what has changed. Each has its chain, logs and costs, as if
 * it were refreshed alone; the transaction is the group's.
 */
#include "common/refresh/group_chains.h"

#include "common/incremental/incremental.h"
#include "common/refresh/group.h"
#include "common/refresh/member.h"

bool group_chains_wanted(const struct refresh_group *group)
{
	bool all = true;
	for (size_t i = 0; i < group->n && all; i++)
		all = incremental_wanted(group->members[i].task);
	return all;
}

/* Either the member goes on as a whole, or its failure is the group's. */
static bool goes_on(struct group_member *m, const struct viewd_err *failure, struct viewd_err *err)
{
	enum incremental_after after = incremental_failed(m->task, failure);
	if (after == INCREMENTAL_GIVE_UP) {
		if (err != NULL)
			*err = *failure;
		return false;
	}
	m->refused = after == INCREMENTAL_REFUSED;
	m->refusal = *failure;
	return true;
}

static bool open_one(struct group_member *m, struct viewd_err *err)
{
	struct task *task = m->task;
	struct viewd_err failure = {0};
	if (m->req->force_full)
		incremental_ask_again(task);
	if (!incremental_wanted(task) ||
	    (db_use_settings(task->db, task->view, &failure) && member_open_chain(task, &failure)))
		return true;
	return goes_on(m, &failure, err);
}

/* The hooks and relations of the group are known before a member's chain is made: they may write sources of the
 * member. */
bool group_chains_open(struct refresh_group *group, struct viewd_err *err)
{
	bool any = false;
	for (group->at = 0; group->at < group->n && !any; group->at++)
		any = incremental_wanted(group->members[group->at].task);
	if (!any)
		return true;
	if (!group_limits(group, err) || !group_look(group, false, err))
		return false;
	for (group->at = 0; group->at < group->n; group->at++)
		if (!open_one(&group->members[group->at], err))
			return false;
	return true;
}

bool group_chains_any(const struct refresh_group *group)
{
	bool any = false;
	for (size_t i = 0; i < group->n; i++)
		any |= group->members[i].task->chain != NULL;
	return any;
}

bool group_chains_again(struct refresh_group *group, struct viewd_err *err)
{
	struct group_member *m = group->at < group->n ? &group->members[group->at] : NULL;
	if (m == NULL || m->task->chain == NULL)
		return false;
	if (incremental_ask_carefully(m->task, err))
		return true;
	bool first = !m->reopened;
	m->reopened = true;
	if (first && db_use_settings(m->task->db, m->task->view, err) && incremental_reopen(m->task, err))
		return true;
	struct viewd_err failure = *err;
	return goes_on(m, &failure, err);
}

void group_chains_close(struct refresh_group *group)
{
	for (size_t i = 0; i < group->n; i++) {
		struct group_member *m = &group->members[i];
		if (m->task->chain != NULL) {
			member_close_chain(m->task, m->req);
			continue;
		}
		if (m->refused)
			incremental_refuse(m->task, &m->refusal);
		incremental_measured(m->task, m->took_us);
		member_tell_refusal(m->task, &m->done);
	}
}
