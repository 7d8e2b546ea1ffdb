/* SPDX-License-Identifier: MIT
 *
 * rename.c: a section has another name: the rows about its view and its object follow.
 */
#include "base/err.h"
#include "common/objects/recipe.h"
#include "common/objects/steps.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* The view under its former name. */
struct former {
	const char *name;
	struct state_row row;
	struct relation rel; /* the object as recorded */
	struct db_object object;
	bool ours;   /* the object is the recorded one */
	bool moved;  /* it has its new name already: the last attempt came no further */
	bool rename; /* it has to get another name */
};

static bool is_recorded_one(const struct former *f, const struct db_object *object)
{
	return object->kind != VIEWD_KIND_NONE && object->identity[0] != '\0' &&
	       strcmp(object->identity, f->row.identity) == 0;
}

static bool refuse_both(const struct task *task, const struct former *f, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_EXISTS, "view '%s' cannot follow '%s' (both are recorded in this database)",
	        task->view->name, f->name);
	return err_hint(err, "remove renamed_from, or drop one of the two first");
}

static bool judge_objects(struct task *task, struct former *f, struct viewd_err *err)
{
	const struct syntax *syn = task->db->syntax;
	const char *from = relation_quoted(syn, task, &f->rel), *to = relation_quoted(syn, task, &task->rel);
	f->ours = is_recorded_one(f, &f->object);
	f->rename = strcmp(from, to) != 0;
	f->moved = f->rename && !f->ours && is_recorded_one(f, &task->found);
	if (!f->ours && !f->moved && f->object.kind != VIEWD_KIND_NONE) {
		err_set(err, VIEWD_ERR_EXISTS, "view '%s' cannot follow '%s' (%s was replaced by somebody else)",
		        task->view->name, f->name, from);
		return err_hint(err, "remove renamed_from; adopt = yes takes over a view that is there");
	}
	if (f->rename && f->ours && task->found.kind != VIEWD_KIND_NONE) {
		err_set(err, VIEWD_ERR_EXISTS, "%s cannot get the name %s (there is one)", from, to);
		return err_hint(err, "rename what is there, or write relation = %s", from);
	}
	if (f->rename && f->ours && task->db->ops->change.rename == NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "%s cannot get the name %s (%s does not rename)", from, to, syn->dialect);
		return err_hint(err, "write relation = %s", from);
	}
	return true;
}

/* present: something is recorded under the former name. */
static bool look(struct task *task, struct former *f, bool *present_r, struct viewd_err *err)
{
	struct db *db = task->db;
	*present_r = false;
	if (!task_look(task, !task->view->only_look, err))
		return false;
	if (task->stateless)
		return true;
	if (!state_load(db, f->name, !task->view->only_look, &f->row, err))
		return false;
	if (!f->row.present)
		return true;
	if (task->state.present)
		return refuse_both(task, f, err);
	*present_r = true;
	return relation_parse(db->syntax, f->row.relation, &f->rel, err) &&
	       db->ops->find_object(db, &f->rel, &f->object, err) && judge_objects(task, f, err);
}

/* The digest of a definition holds the name of its object, as the file writes it. */
static bool is_same_definition(struct task *task, const struct former *f)
{
	struct viewd_view_spec spec = *task->view;
	struct relation bare = f->rel;
	struct checked checked;
	bare.schema[0] = '\0';
	const char *names[] = {relation_quoted(task->db->syntax, task, &f->rel),
	                       relation_quoted(task->db->syntax, task, &bare)};
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		spec.relation = names[i];
		if (check_view(task->db->syntax, task, &spec, &checked, NULL) &&
		    strcmp(checked.resolved.hash, f->row.definition_hash) == 0)
			return true;
	}
	return false;
}

static bool move_rows(struct task *task, struct former *f, struct viewd_err *err)
{
	struct db *db = task->db;
	struct state_row row = f->row;
	bool untouched = f->moved || strcmp(f->object.canonical, row.canonical) == 0;
	struct db_object now = {0};
	if (!state_move(db, f->name, task->view->name, err) || !db->ops->find_object(db, &task->rel, &now, err))
		return false;
	if (is_same_definition(task, f))
		memcpy(row.definition_hash, task->resolved.hash, sizeof row.definition_hash);
	if (now.kind != VIEWD_KIND_NONE && untouched)
		memcpy(row.canonical, now.canonical, sizeof row.canonical);
	if (task->view->grants != NULL) /* they may have stayed with the old name */
		row.index_hash[0] = '\0';
	snprintf(row.relation, sizeof row.relation, "%s", relation_quoted(db->syntax, task, &task->rel));
	snprintf(row.on_remove, sizeof row.on_remove, "%s", task->view->on_remove == VIEWD_REMOVE_DROP ? "drop" : "keep");
	return state_save(db, task->view->name, &row, err);
}

static bool follow(struct task *task, struct former *f, struct viewd_err *err)
{
	struct db *db = task->db;
	bool apart = !db->syntax->has.transactional_ddl;
	if (f->rename && f->ours && !db->ops->change.rename(db, f->object.kind, &f->rel, &task->rel, err))
		return false;
	db_failpoint(db, "rename:renamed");
	if (apart && !db->ops->begin(db, DB_BEGIN_WRITE, err))
		return false;
	return move_rows(task, f, err) && (!apart || db->ops->commit(db, err));
}

static void tell(struct task *task, const struct former *f, char what[static 256])
{
	const struct syntax *syn = task->db->syntax;
	if (f->rename && f->ours)
		snprintf(what, 256, "it was view '%s' before; %.90s gets the name %.90s", f->name,
		         relation_quoted(syn, task, &f->rel), relation_quoted(syn, task, &task->rel));
	else
		snprintf(what, 256, "it was view '%s' before", f->name);
}

struct request {
	const char *from;
	bool look;
	char *what;
};

static bool rename_body(struct task *task, struct viewd_outcome *out UNUSED, void *ctx, struct viewd_err *err)
{
	struct request *req = ctx;
	struct former former = {.name = req->from};
	bool present;
	if (!look(task, &former, &present, err))
		return false;
	if (!present)
		return true;
	tell(task, &former, req->what);
	return req->look || follow(task, &former, err);
}

bool recipe_rename(struct task *task, const char *from, bool look_only, char what[static 256], struct viewd_err *err)
{
	char text[256] = "";
	struct request req = {from, look_only, text};
	struct viewd_outcome ignored;
	bool done = look_only
	                ? task->db->ops->set_limits(task->db, task->view->timeout_us, task->view->lock_timeout_us, err) &&
	                      rename_body(task, &ignored, &req, err)
	                : transaction_run(task, true, rename_body, &ignored, &req, err);
	if (done)
		memcpy(what, text, sizeof text);
	return done;
}
