/* SPDX-License-Identifier: MIT */
#include "common/dialect.h"

#include "base/err.h"
#include "common/incremental/incremental.h"
#include "common/objects/grants.h"
#include "common/objects/recipe.h"
#include "common/refresh/refresh.h"
#include "common/state/state.h"
#include "common/state/views.h"

#include <assert.h>
#include <stdio.h>
#include <talloc.h>

#define STATE_LOCK_TIMEOUT_US INT64_C(5000000) /* for the state tables, before any view's own limits are known */
#define STATE_TIMEOUT_US INT64_C(30000000)

/* struct db is the first member of every struct viewd_conn. */
static struct db *enter(struct viewd_conn *conn)
{
	struct db *db = (struct db *)(void *)conn;
	db_enter(db);
	return db;
}

/* Ends what enter() began. done: the call's own answer. */
static bool leave(struct viewd_conn *conn, bool done)
{
	db_leave((struct db *)(void *)conn);
	return done;
}

bool dialect_check_view(const struct syntax *syn, const struct viewd_view_spec *view, struct viewd_resolved *out,
                        struct viewd_text_sink mentions, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	struct checked checked;
	bool good = check_view(syn, mem, view, &checked, err);
	if (good) {
		*out = checked.resolved;
		if (mentions.fn != NULL)
			lex_mentions(syn, checked.definition, mentions);
	}
	talloc_free(mem);
	return good;
}

bool dialect_render(const struct syntax *syn, const struct viewd_view_spec *view, enum viewd_render_kind kind,
                    const struct viewd_render_flags *flags, struct viewd_text_sink statements, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	struct checked checked;
	bool good = check_view(syn, mem, view, &checked, err);
	struct columns *columns = good ? columns_declared(syn, mem, view, err) : NULL;
	if (columns != NULL) {
		struct gen gen = {.syn = syn,
		                  .mem = mem,
		                  .rel = checked.rel,
		                  .method = checked.resolved.method,
		                  .definition = checked.definition,
		                  .columns = columns,
		                  .view = view};
		good = gen_render(&gen, kind, flags, statements, err);
	}
	talloc_free(mem);
	return good && columns != NULL;
}

bool dialect_prepare(struct viewd_conn *conn, struct viewd_recorded_sink rows, struct viewd_err *err)
{
	struct db *db = enter(conn);
	bool done = db->ops->set_limits(db, STATE_TIMEOUT_US, STATE_LOCK_TIMEOUT_US, err) && state_setup(db, err) &&
	            (db->ops->leaving.clean_leftovers == NULL || db->ops->leaving.clean_leftovers(db, err)) &&
	            views_make(db, err) && (rows.fn == NULL || state_list(db, rows, err));
	if (done)
		change_logs_sweep(db);
	return leave(conn, done);
}

bool dialect_inspect(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_found *out,
                     struct viewd_source_sink sources, struct viewd_err *err)
{
	struct task *task = task_open(enter(conn), view, err);
	bool done = task != NULL && recipe_inspect(task, out, sources, err);
	if (done && !view->only_look && !incremental_possible(task))
		change_logs_leave(task->db, view->name);
	task_close(&task);
	return leave(conn, done);
}

static bool apply(struct task *task, enum viewd_change change, struct viewd_outcome *out, struct viewd_err *err)
{
	switch (change) {
	case VIEWD_CHANGE_CREATE:
		return recipe_create(task, out, err);
	case VIEWD_CHANGE_ADOPT:
		return recipe_adopt(task, out, err);
	case VIEWD_CHANGE_KEEP:
		return recipe_keep(task, out, err);
	case VIEWD_CHANGE_REPLACE:
		return explain_may_become_table(task, err) && recipe_replace(task, out, err);
	case VIEWD_CHANGE_REINDEX:
		return recipe_reindex(task, out, err);
	case VIEWD_CHANGE_DROP:
		return recipe_drop(task, out, err);
	case VIEWD_CHANGE_NOTHING:
		*out = (struct viewd_outcome){.rows = -1, .rows_written = -1};
		return true;
	case VIEWD_CHANGE_REFUSE:
	case VIEWD_CHANGE_RENAME:
	case VIEWD_CHANGE_COUNT:
		break;
	}
	return err_set(err, VIEWD_ERR_BUG, "change %d cannot be carried out", (int)change);
}

static bool applies_indexes(enum viewd_change change)
{
	return change == VIEWD_CHANGE_CREATE || change == VIEWD_CHANGE_REPLACE || change == VIEWD_CHANGE_REINDEX;
}

/* Grants come after the change has been committed, and an engine may not tell later whether they are there. The digest
 * that stands for them is recorded when they have been given, so that what is cut short between is done again. */
static bool apply_and_grant(struct task *task, enum viewd_change change, struct viewd_outcome *out,
                            struct viewd_err *err)
{
	struct viewd_resolved wanted = task->resolved;
	if (task->view->grants == NULL || change == VIEWD_CHANGE_DROP)
		return apply(task, change, out, err);
	task->resolved.index_hash[0] = '\0';
	bool done = apply(task, change, out, err);
	task->resolved = wanted;
	if (done)
		db_failpoint(task->db, "apply:ungranted");
	return done && grants_give(task, err) &&
	       (!applies_indexes(change) || state_set_indexed(task->db, task->view->name, wanted.index_hash, err));
}

bool dialect_apply(struct viewd_conn *conn, const struct viewd_view_spec *view, enum viewd_change change,
                   struct viewd_outcome *out, struct viewd_err *err)
{
	struct db *db = enter(conn);
	/* A dropped view may no longer have a definition that could be judged. */
	struct task *task = change == VIEWD_CHANGE_DROP ? task_open_name(db, view, err) : task_open(db, view, err);
	bool done = task != NULL && apply_and_grant(task, change, out, err);
	if (done && change == VIEWD_CHANGE_CREATE)
		done = grants_owner_only(task, &out->owner_only, err);
	if (done && change == VIEWD_CHANGE_DROP)
		change_logs_sweep(db);
	task_close(&task);
	return leave(conn, done);
}

/* A column that came to a source since the view was made is left out until the view is made anew. */
static bool refresh_narrow(struct db *db, const struct viewd_view_spec *view, const struct viewd_refresh_request *req,
                           struct viewd_outcome *out, struct viewd_err *err)
{
	struct task *task = task_open(db, view, err);
	if (task != NULL)
		task->narrow = true;
	bool done = task != NULL && recipe_refresh(task, req, out, err);
	task_close(&task);
	return done;
}

bool dialect_refresh(struct viewd_conn *conn, const struct viewd_view_spec *view,
                     const struct viewd_refresh_request *req, struct viewd_outcome *out, struct viewd_err *err)
{
	struct db *db = enter(conn);
	struct task *task = task_open(db, view, err);
	bool done = task != NULL && recipe_refresh(task, req, out, err);
	bool again = task != NULL && !done && inspect_may_narrow(task, err);
	task_close(&task);
	return leave(conn, again ? refresh_narrow(db, view, req, out, err) : done);
}

bool dialect_refresh_group(struct viewd_conn *conn, const struct viewd_group_item *const *items, size_t n,
                           size_t *failed_r, struct viewd_err *err)
{
	return leave(conn, recipe_refresh_group(enter(conn), items, n, failed_r, err));
}

bool dialect_record_failure(struct viewd_conn *conn, const struct viewd_view_spec *view,
                            const struct viewd_refresh_request *req, enum viewd_failure how,
                            const struct viewd_err *failure, struct viewd_err *err)
{
	struct db *db = enter(conn);
	char text[sizeof failure->msg + 32];
	int64_t now = db_now(db);
	int64_t started = req->started_us != 0 && req->started_us <= now ? req->started_us : now;
	snprintf(text, sizeof text, "%s: %s", err_class_word(failure->cls), failure->msg);
	struct state_run run = {.trigger = req->trigger,
	                        .failure = how,
	                        .error = text,
	                        .run_id = req->run_id,
	                        .started_us = started,
	                        .duration_us = now - started,
	                        .rows = -1,
	                        .rows_written = -1};
	bool begun = db->ops->set_limits(db, STATE_TIMEOUT_US, view->lock_timeout_us, err) &&
	             db->ops->begin(db, DB_BEGIN_WRITE, err);
	bool done = begun && state_record_run(db, view->name, &run, err) && db->ops->commit(db, err);
	if (begun && !done)
		db->ops->rollback(db);
	return leave(conn, done);
}

bool dialect_verify(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_verdict *out,
                    struct viewd_err *err)
{
	struct task *task = task_open(enter(conn), view, err);
	bool done = task != NULL && recipe_verify(task, out, err);
	task_close(&task);
	return leave(conn, done);
}

bool dialect_definition(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_text_sink text,
                        struct viewd_err *err)
{
	struct task *task = task_open_name(enter(conn), view, err);
	bool done = task != NULL && recipe_definition(task, text, err);
	task_close(&task);
	return leave(conn, done);
}

bool dialect_rename(struct viewd_conn *conn, const struct viewd_view_spec *view, const char *from, bool look,
                    char what[256], struct viewd_err *err)
{
	struct task *task = task_open(enter(conn), view, err);
	bool done = task != NULL && recipe_rename(task, from, look, what, err);
	task_close(&task);
	return leave(conn, done);
}

bool dialect_explain(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_explained_sink facts,
                     struct viewd_err *err)
{
	struct db *db = enter(conn);
	struct task *task = task_open(db, view, err);
	bool done = task != NULL && db->ops->set_limits(db, STATE_TIMEOUT_US, STATE_LOCK_TIMEOUT_US, err) &&
	            recipe_explain(task, facts, err);
	task_close(&task);
	return leave(conn, done);
}

bool dialect_history(struct viewd_conn *conn, const struct viewd_view_spec *view, int limit,
                     struct viewd_history_sink rows, struct viewd_err *err)
{
	struct db *db = enter(conn);
	return leave(conn, db->ops->set_limits(db, STATE_TIMEOUT_US, STATE_LOCK_TIMEOUT_US, err) &&
	                       state_history(db, view->name, limit, rows, err));
}

bool dialect_recorded(struct viewd_conn *conn, struct viewd_recorded_sink rows, struct viewd_err *err)
{
	struct db *db = enter(conn);
	bool there = false;
	return leave(conn, state_exists(db, &there, err) && (!there || state_list(db, rows, err)));
}
