/* SPDX-License-Identifier: MIT
 *
 * group.c: refreshing several views in one transaction. What differs from a refresh of one is told in
 * docs/adr/003-refresh-groups.md.
 */
#include "common/refresh/group.h"

#include "base/err.h"
#include "common/objects/steps.h"
#include "common/refresh/group_chains.h"
#include "common/refresh/member.h"
#include "common/refresh/refresh.h"

#include <assert.h>
#include <talloc.h>

/* ---- steps ---- */

static int64_t longest(const struct refresh_group *group)
{
	int64_t longest = 0;
	for (size_t i = 0; i < group->n; i++) {
		int64_t limit = group->members[i].task->view->timeout_us;
		if (limit == 0)
			return 0;
		longest = limit > longest ? limit : longest;
	}
	return longest;
}

bool group_limits(const struct refresh_group *group, struct viewd_err *err)
{
	return group->db->ops->set_limits(group->db, group->timeout_us, group->lock_timeout_us, err);
}

bool group_look(struct refresh_group *group, bool lock, struct viewd_err *err)
{
	for (group->at = 0; group->at < group->n; group->at++) {
		struct task *task = group->members[group->at].task;
		if (!task_look_for_refresh(task, lock, err) || !member_require_object(task, err) ||
		    !task_recall_definition(task, err))
			return false;
	}
	return true;
}

struct search {
	const struct refresh_group *group;
	size_t self;
	bool found;
};

static bool is_member(void *ctx, const struct viewd_source *source)
{
	struct search *search = ctx;
	const struct syntax *syn = search->group->db->syntax;
	for (size_t i = 0; i < search->group->n && !search->found; i++) {
		const struct relation *rel = &search->group->members[i].task->rel;
		search->found = i != search->self && ident_same(syn, rel->name, source->name) &&
		                ident_same(syn, rel->schema, source->schema);
	}
	return !search->found;
}

bool group_reads_itself(struct refresh_group *group, bool *reads_r, struct viewd_err *err)
{
	struct search search = {.group = group};
	for (group->at = 0; group->at < group->n && !search.found; group->at++) {
		struct task *task = group->members[group->at].task;
		search.self = group->at;
		task_probe_as(task, true);
		bool listed = group->db->ops->list_sources(group->db, task->definition,
		                                           (struct viewd_source_sink){is_member, &search}, err);
		task_probe_as(task, false);
		if (!listed)
			return false;
	}
	*reads_r = search.found;
	return true;
}

/* ---- before the write transaction, for engines with one writer ---- */

static bool stage_rows(struct refresh_group *group, struct viewd_err *err)
{
	bool reads;
	if (!group_look(group, false, err) || !group_reads_itself(group, &reads, err))
		return false;
	for (group->at = 0; group->at < group->n && !reads; group->at++) {
		struct group_member *m = &group->members[group->at];
		char reason[256];
		if (!task_columns(m->task, err) ||
		    !staged_rows_fill(m->task, member_mode(m->task, m->req, reason) == VIEWD_MODE_DIFF, err))
			return false;
	}
	return true;
}

/* All definitions of one snapshot. What one member is to see of another, or of a pre_hook, is only there in the write
 * transaction, and only there logs are read. */
static bool stage(struct refresh_group *group, struct viewd_err *err)
{
	struct db *db = group->db;
	if (!db->syntax->diff.stage_first || group_chains_any(group))
		return true;
	for (size_t i = 0; i < group->n; i++)
		if (group->members[i].task->view->pre_hook != NULL)
			return true;
	if (!db->ops->begin(db, DB_BEGIN_SNAPSHOT, err))
		return false;
	if (!stage_rows(group, err) || !db->ops->commit(db, err)) {
		db->ops->rollback(db);
		return false;
	}
	db_failpoint(db, "group:staged");
	return true;
}

/* ---- the transaction ---- */

static bool locks_readers_out(struct group_member *m)
{
	char reason[256];
	return m->task->resolved.method == VIEWD_METHOD_MATERIALIZED &&
	       member_mode(m->task, m->req, reason) == VIEWD_MODE_FULL;
}

static bool keep_readers_out(struct refresh_group *group, struct viewd_err *err)
{
	struct db *db = group->db;
	int64_t budget, start = db_now(db);
	if (db->ops->group.keep_out == NULL)
		return true;
	if (!db->ops->group.keep_out_budget(db, &budget, err))
		return false;
	budget = budget < group->lock_timeout_us ? budget : group->lock_timeout_us;
	for (group->at = 0; group->at < group->n; group->at++) {
		struct group_member *m = &group->members[group->at];
		if (locks_readers_out(m) && !db->ops->group.keep_out(m->task, budget - (db_now(db) - start), err))
			return false;
	}
	return group_limits(group, err);
}

static bool refresh_members(struct refresh_group *group, struct viewd_err *err)
{
	for (group->at = 0; group->at < group->n; group->at++) {
		struct group_member *m = &group->members[group->at];
		int64_t before = db_now(group->db);
		m->done = (struct viewd_outcome){.rows = -1, .rows_written = -1};
		if (!db_use_settings(group->db, m->task->view, err) || !member_refresh(m->task, m->req, &m->done, err) ||
		    !task_recheck(m->task, err))
			return false;
		m->took_us = db_now(group->db) - before;
		db_failpoint(group->db, "group:member");
	}
	return true;
}

/* Marks count as the snapshot has them; those of rows that were staged as that one had them. */
static void forget_marks(struct refresh_group *group)
{
	for (size_t i = 0; i < group->n; i++) {
		struct task *task = group->members[i].task;
		if (task->stage.filled)
			continue;
		task->marks = (struct marks){0};
		task->marks_known = false;
	}
}

bool group_commit(struct db *db, struct viewd_err *err)
{
	return db->ops->group.commit != NULL ? db->ops->group.commit(db, err) : db->ops->commit(db, err);
}

static bool write_all(struct refresh_group *group, struct viewd_err *err)
{
	struct db *db = group->db;
	forget_marks(group);
	group->at = group->n;
	if (!db->ops->begin(db, DB_BEGIN_GROUP, err))
		return false;
	if (!group_look(group, true, err) || !keep_readers_out(group, err) || !refresh_members(group, err) ||
	    !group_commit(db, err)) {
		db->ops->rollback(db);
		return false;
	}
	db_failpoint(db, "group:committed");
	return true;
}

static bool count_again(struct refresh_group *group, struct viewd_err *err)
{
	for (group->at = 0; group->at < group->n; group->at++)
		if (!task_count_again(group->members[group->at].task, err))
			return false;
	return true;
}

/* The view's own SQL, where it stays outside the transaction. */
static bool hooks_before_all(struct refresh_group *group, struct viewd_err *err)
{
	for (group->at = 0; group->at < group->n; group->at++)
		if (!member_before(group->members[group->at].task, err))
			return false;
	return true;
}

static bool write_rows(struct refresh_group *group, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	while (!group_limits(group, &failure) || !write_all(group, &failure)) {
		if (group_chains_again(group, &failure))
			continue;
		if (err != NULL)
			*err = failure;
		return false;
	}
	return true;
}

static bool refresh_group(struct refresh_group *group, struct viewd_err *err)
{
	bool done = count_again(group, err) && group_chains_open(group, err) && hooks_before_all(group, err) &&
	            group_limits(group, err) && stage(group, err) && write_rows(group, err);
	for (size_t i = 0; i < group->n; i++)
		staged_rows_drop(group->members[i].task);
	for (size_t i = 0; i < group->n && done; i++)
		member_after(group->members[i].task);
	if (done)
		group_chains_close(group);
	return done;
}

/* An engine's own way exchanges tables, which is no way to write single rows. */
static bool goes_own_way(const struct refresh_group *group)
{
	return group->db->ops->group.refresh != NULL && !group_chains_wanted(group);
}

/* ---- the call ---- */

static void close_tasks(struct refresh_group *group)
{
	for (size_t i = 0; i < group->n; i++)
		task_close(&group->members[i].task);
}

static bool open_tasks(struct refresh_group *group, const struct viewd_group_item *const *items, struct viewd_err *err)
{
	for (group->at = 0; group->at < group->n; group->at++) {
		struct group_member *m = &group->members[group->at];
		m->req = items[group->at]->request;
		m->task = task_open(group->db, items[group->at]->view, err);
		if (m->task == NULL)
			return false;
		m->task->group = group;
		m->task->started_us = group->members[0].task->started_us; /* of one moment, and said so */
		group->names[group->at] = m->task->view->name;
		if (group->at == 0 || m->task->view->lock_timeout_us < group->lock_timeout_us)
			group->lock_timeout_us = m->task->view->lock_timeout_us;
	}
	group->timeout_us = longest(group);
	return true;
}

static void hand_out(const struct refresh_group *group, const struct viewd_group_item *const *items)
{
	for (size_t i = 0; i < group->n; i++) {
		group->members[i].done.duration_us = db_now(group->db) - group->members[i].task->started_us;
		*items[i]->outcome = group->members[i].done;
	}
}

bool recipe_refresh_group(struct db *db, const struct viewd_group_item *const *items, size_t n, size_t *failed_r,
                          struct viewd_err *err)
{
	struct refresh_group group = {.db = db, .n = n};
	group.members = talloc_zero_array(NULL, struct group_member, (unsigned)n);
	assert(group.members != NULL);
	group.names = talloc_zero_array(group.members, const char *, (unsigned)n);
	bool done = open_tasks(&group, items, err) &&
	            (goes_own_way(&group) ? db->ops->group.refresh(&group, err) : refresh_group(&group, err));
	if (done)
		hand_out(&group, items);
	else
		*failed_r = group.at;
	close_tasks(&group);
	talloc_free(group.members);
	return done;
}
