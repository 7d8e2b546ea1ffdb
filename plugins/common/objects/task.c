/* SPDX-License-Identifier: MIT */
#include "common/objects/task.h"

#include "base/err.h"
#include "common/depends/objects.h"
#include "common/objects/hooks.h"
#include "common/objects/recipe.h"
#include "common/objects/refresh_group.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <talloc.h>

static void make_tag(char out[static 33])
{
	unsigned char bytes[16];
	ssize_t got = getrandom(bytes, sizeof bytes, 0);
	assert(got == (ssize_t)sizeof bytes);
	for (size_t i = 0; i < sizeof bytes; i++)
		snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

struct task *task_open_name(struct db *db, const struct viewd_view_spec *view, struct viewd_err *err)
{
	struct task *task = talloc_zero(NULL, struct task);
	assert(task != NULL);
	task->db = db;
	task->mem = task;
	task->view = view;
	task->started_us = db_now(db);
	if (!relation_parse(db->syntax, view->relation != NULL ? view->relation : view->name, &task->rel, err)) {
		task_close(&task);
		return NULL;
	}
	task->gen = (struct gen){.syn = db->syntax, .mem = task, .rel = task->rel, .view = view, .row_key = &db->row_key};
	return task;
}

struct task *task_open(struct db *db, const struct viewd_view_spec *view, struct viewd_err *err)
{
	struct task *task = task_open_name(db, view, err);
	struct checked checked;
	if (task == NULL)
		return NULL;
	if (!check_view(db->syntax, task, view, &checked, err) || !db_use_settings(db, view, err)) {
		task_close(&task);
		return NULL;
	}
	make_tag(task->tag);
	task->resolved = checked.resolved;
	task->definition = checked.definition;
	task->gen.method = checked.resolved.method;
	task->gen.definition = checked.definition;
	task->gen.tag = task->tag;
	return task;
}

void task_close(struct task **task)
{
	TALLOC_FREE(*task);
}

static bool take_object(struct task *task, const struct db_object *found)
{
	task->found = *found;
	memcpy(task->rel.schema, found->schema, sizeof task->rel.schema);
	task->gen.rel = task->rel;
	return true;
}

static bool look_object(struct task *task, struct viewd_err *err)
{
	struct db_object found = {0};
	return task->db->ops->find_object(task->db, &task->rel, &found, err) && take_object(task, &found);
}

static bool look_identity(struct task *task, struct viewd_err *err)
{
	struct db_object found = {0};
	if (task->db->ops->catalogue.find_identity == NULL)
		return look_object(task, err);
	return task->db->ops->catalogue.find_identity(task, &found, err) && take_object(task, &found);
}

bool task_look_for_refresh(struct task *task, bool lock, struct viewd_err *err)
{
	bool marks = task->view->captured && !task->marks_known;
	if (!state_load_later(task->db, task->view->name, lock, &task->state, err) ||
	    (marks && !marks_read_later(task->db, task->mem, task->view->name, &task->marks, err)) ||
	    !look_identity(task, err))
		return false;
	task->marks_known |= marks;
	return true;
}

/* Before viewd has been here there is no state. */
static bool load_state(struct task *task, bool lock, struct viewd_err *err)
{
	bool there = true;
	if (task->view->only_look && !state_exists(task->db, &there, err))
		return false;
	task->stateless = !there;
	if (there)
		return state_load(task->db, task->view->name, lock, &task->state, err);
	task->state = (struct state_row){.rows = -1};
	return true;
}

bool task_look(struct task *task, bool lock, struct viewd_err *err)
{
	return load_state(task, lock, err) && look_object(task, err);
}

void task_probe_as(struct task *task, bool on)
{
	if (task->db->ops->rights.probe_as != NULL)
		task->db->ops->rights.probe_as(task->db, on ? task->view->run_as : NULL);
}

void task_use_columns(struct task *task, struct columns *columns)
{
	task->columns = columns;
	task->gen.columns = columns;
}

bool task_columns(struct task *task, struct viewd_err *err)
{
	task_probe_as(task, true);
	task_use_columns(task, columns_resolve(task->db, task, task->view, task->definition, err));
	task_probe_as(task, false);
	if (task->columns == NULL || !task->narrow || task->found.kind == VIEWD_KIND_NONE)
		return task->columns != NULL;
	struct columns *has = columns_of(task->db, task, &task->rel, err);
	return has != NULL && columns_narrow(task->db->syntax, task->columns, has, err);
}

bool task_is_ours(const struct task *task)
{
	return task->state.present && task->found.kind != VIEWD_KIND_NONE && task->found.identity[0] != '\0' &&
	       strcmp(task->found.identity, task->state.identity) == 0;
}

bool task_require_ours(const struct task *task, struct viewd_err *err)
{
	if (task->found.kind == VIEWD_KIND_NONE || task_is_ours(task))
		return true;
	char *name = relation_quoted(task->db->syntax, NULL, &task->rel);
	const char *kind = task->found.kind == VIEWD_KIND_TABLE ? "table" : "relation";
	bool replaced = task->state.present && task->found.kind != VIEWD_KIND_TABLE;
	err_set(err, VIEWD_ERR_EXISTS,
	        replaced ? "%s %s was replaced by somebody else" : "%s %s is not an object that viewd made", kind, name);
	err_object(err, "%s", name);
	talloc_free(name);
	if (replaced)
		return err_hint(
			err, "viewctl create VIEW --replace puts back what the files say; viewctl adopt VIEW keeps what is there");
	return err_hint(err, task->found.kind == VIEWD_KIND_TABLE
	                         ? "rename it, or set relation to another name; a table is never adopted"
	                         : "rename it, or set adopt = yes");
}

/* The snapshot of a group may be an old one, so its catalogue may be out of date. */
static bool still_means_it(const struct task *task, struct viewd_err *err)
{
	return task->group == NULL || !task->found.outdated ||
	       err_set(err, VIEWD_ERR_EXISTS, "'%s' was replaced by somebody else's object", task->rel.name);
}

bool task_recheck(struct task *task, struct viewd_err *err)
{
	return look_identity(task, err) && task_require_ours(task, err) && still_means_it(task, err);
}

void task_recheck_along(struct task *task, bool on)
{
	if (task->db->ops->catalogue.identity_along != NULL)
		task->db->ops->catalogue.identity_along(task->db, on ? task : NULL);
}

bool task_record_object(struct task *task, struct viewd_err *err)
{
	struct state_row *row = &task->state;
	if (!look_object(task, err))
		return false;
	if (task->found.kind == VIEWD_KIND_NONE)
		return err_set(err, VIEWD_ERR_BUG, "object '%s' is missing right after it was made", task->rel.name);
	const char *identity = task->record_identity[0] != '\0' ? task->record_identity : task->found.identity;
	snprintf(row->relation, sizeof row->relation, "%s", relation_quoted(task->db->syntax, task, &task->rel));
	snprintf(row->identity, sizeof row->identity, "%s", identity);
	snprintf(row->canonical, sizeof row->canonical, "%s", task->found.canonical);
	snprintf(row->on_remove, sizeof row->on_remove, "%s", task->view->on_remove == VIEWD_REMOVE_DROP ? "drop" : "keep");
	memcpy(row->definition_hash, task->resolved.hash, sizeof row->definition_hash);
	memcpy(row->index_hash, task->resolved.index_hash, sizeof row->index_hash);
	row->method = task->resolved.method;
	row->present = true;
	row->kept = task->kept_text != NULL;
	return state_save(task->db, task->view->name, row, err) &&
	       state_save_definition(task->db, task->view->name, row->kept ? task->kept_text : task->definition, err);
}

bool task_count_rows(struct task *task, int64_t *rows_r, struct viewd_err *err)
{
	char *sql = sql_add(sql_new(task), "SELECT count(*) FROM %s", relation_quoted(task->db->syntax, task, &task->rel));
	return db_query_int(task->db, sql, rows_r, err);
}

bool task_count_again(struct task *task, struct viewd_err *err)
{
	struct db *db = task->db;
	if (!db->syntax->state.counts_end || !task->view->captured)
		return true;
	if (!db->ops->set_limits(db, task->view->timeout_us, task->view->lock_timeout_us, err) ||
	    !marks_count_again(db, task->view->name, err))
		return false;
	db_failpoint(db, "refresh:counting");
	return true;
}

bool task_read_marks(struct task *task, struct viewd_err *err)
{
	if (!task->view->captured || task->marks_known)
		return true;
	task->marks_known = marks_read(task->db, task->mem, task->view->name, &task->marks, err);
	return task->marks_known;
}

static bool write_marks(struct task *task, const char *touched, struct viewd_err *err)
{
	struct db *db = task->db;
	if (task->group != NULL && db->ops->group.carry != NULL)
		return db->ops->group.carry(task, touched, err);
	if (task->view->captured && !marks_settle(db, task->view->name, &task->marks, err))
		return false;
	if (task->marks.defined && db->ops->depends.digest_of != NULL && !objects_check(db, task->view->name, err))
		return false;
	if (touched == NULL)
		return true;
	/* The others of a group have read what is new. */
	return task->group == NULL ? marks_touch(db, touched, NULL, err)
	                           : marks_touch_others(db, touched, task->group->names, task->group->n, err);
}

/* A with_data = no object covers nothing: data_timestamp tells. */
bool task_settle_marks(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	if (out->data_timestamp_us == 0)
		return true;
	out->settled_seq = task->marks.seq;
	/* a full refresh that left no row may have removed some */
	bool wrote = out->rows_written != 0 || out->did != VIEWD_DID_NO_DATA;
	char *source = wrote ? relation_quoted(task->db->syntax, task->mem, &task->rel) : NULL;
	return write_marks(task, source, err) && hooks_notify(task, out, err);
}

/* Views that are not kept need no recorded definition: the server itself keeps the query. */
bool task_recall_definition(struct task *task, struct viewd_err *err)
{
	char *text = NULL;
	bool same = strcmp(task->state.definition_hash, task->resolved.hash) == 0;
	if (!task->state.present || same || task->definition_recalled)
		return true;
	task->resolved.method = task->gen.method = task->state.method;
	if (task->state.method != VIEWD_METHOD_TABLE && !task->state.kept)
		return true;
	if (!state_definition(task->db, task->mem, task->view->name, &text, err))
		return false;
	task->definition_recalled = true;
	if (text != NULL)
		task->definition = task->gen.definition = text;
	if (text != NULL && task->state.kept)
		task->view = task->gen.view = keep_spec(task->mem, task->view, text);
	return true;
}
