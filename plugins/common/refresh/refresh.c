/* SPDX-License-Identifier: MIT
 *
 * refresh.c: one refresh of one view: which mode, the rows, the state row, the history.
 */
#include "common/refresh/refresh.h"
#include "base/err.h"
#include "base/words.h"
#include "common/incremental/incremental.h"
#include "common/objects/hooks.h"
#include "common/objects/steps.h"
#include "common/refresh/member.h"
#include "common/text/number.h"

#include <stdio.h>
#include <string.h>

/* The look at the object comes after the first statement that writes to it: the lock which that took keeps the name's
 * meaning until the end. An object put in its place since the look-up gets its rows back with the transaction. */
bool recipe_refresh_full(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct db *db = task->db;
	if (!db_exec(db, gen_delete(&task->gen, &task->rel), err) || !task_recheck(task, err))
		return false;
	db_failpoint(db, "refresh:emptied");
	if (!db->ops->exec(db, gen_insert(&task->gen, &task->rel), NULL, 0, &out->rows, err))
		return false;
	out->rows_written = out->rows;
	out->did = VIEWD_DID_FULL;
	return true;
}

/* Two rows of the definition with one key would both be left out by the insert: the counts tell. */
static bool check_counts(int64_t staged, const struct viewd_outcome *out, struct viewd_err *err)
{
	if (out->rows == staged)
		return true;
	err_set(err, VIEWD_ERR_QUERY, "unique_key does not identify the rows of the definition (%lld rows, %lld distinct)",
	        (long long)staged, (long long)out->rows);
	return err_hint(err, "name all columns that together are unique");
}

static bool read_counts_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	int64_t *counts = ctx;
	for (size_t i = 0; i < 2; i++)
		counts[i] = number_or(values[i], 0);
	return false;
}

static const struct db_reader read_counts[] = {{read_counts_fn, "NN", "the rows of a view"}};

/* After rows with a key were compared. Where neither side has one without, as usual, the count of all rows says so. */
static bool refresh_keyless(struct task *task, const struct relation *stage, int64_t staged, struct viewd_outcome *out,
                            struct viewd_err *err)
{
	struct db *db = task->db;
	int64_t counts[2] = {0}, differ = 0, inserted = 0;
	if (!db->ops->query(db, gen_diff_count(&task->gen), NULL, 0, read_counts, counts, err))
		return false;
	out->rows = counts[0];
	if (counts[1] == 0 && counts[0] == staged)
		return true;
	if (!db_query_int(db, gen_keyless_differ(&task->gen, stage), &differ, err))
		return false;
	if (differ == 0)
		return true;
	if (!db_exec(db, gen_keyless_delete(&task->gen), err) ||
	    !db->ops->exec(db, gen_keyless_insert(&task->gen, stage), NULL, 0, &inserted, err))
		return false;
	out->rows += inserted - counts[1];
	out->rows_written += inserted + counts[1];
	return true;
}

/* The drop at the beginning is for engines whose temporary tables outlive a transaction that was rolled back. */
static bool fill_stage(struct task *task, const struct relation *stage, int64_t *staged_r, struct viewd_err *err)
{
	struct db *db = task->db;
	if (!db_exec(db, gen_diff_drop(&task->gen, stage), err) || !db_exec(db, gen_diff_stage(&task->gen, stage), err) ||
	    !db->ops->exec(db, gen_insert(&task->gen, stage), NULL, 0, staged_r, err))
		return false;
	char *index = gen_diff_index(&task->gen, stage);
	return index == NULL || db_exec(db, index, err);
}

/* Where the engine has no way of its own: the definition's rows beside the relation's. */
static bool diff_by_stage(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct db *db = task->db;
	struct relation stage;
	int64_t staged = 0, deleted = 0, inserted = 0;
	gen_diff_name(&task->gen, &stage);
	if (!fill_stage(task, &stage, &staged, err))
		return false;
	db_failpoint(db, "refresh:staged");
	if (!task_recheck(task, err) || !db->ops->exec(db, gen_diff_delete(&task->gen, &stage), NULL, 0, &deleted, err) ||
	    !task_recheck(task, err) || !db->ops->exec(db, gen_diff_insert(&task->gen, &stage), NULL, 0, &inserted, err))
		return false;
	out->rows_written = deleted + inserted;
	if (!refresh_keyless(task, &stage, staged, out, err) || !check_counts(staged, out, err) ||
	    !db_exec(db, gen_diff_drop(&task->gen, &stage), err))
		return false;
	out->did = out->rows_written == 0 ? VIEWD_DID_NO_DATA : VIEWD_DID_DIFF;
	return true;
}

bool recipe_refresh_diff(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	bool done = false;
	if (task->stage.compared)
		return recipe_apply_delta(task, out, err);
	if (task->db->ops->refresh.diff != NULL && !task->db->ops->refresh.diff(task, &done, out, err))
		return false;
	return done || diff_by_stage(task, out, err);
}

static enum viewd_refresh_mode choose(struct task *task, char reason[static 256])
{
	if (task->db->ops->refresh.choose_mode != NULL)
		return task->db->ops->refresh.choose_mode(task, reason);
	if (task->resolved.method == VIEWD_METHOD_MATERIALIZED) {
		bool can = task->found.can_concurrently;
		snprintf(reason, 256,
		         can ? "auto: concurrently, because a unique index is usable"
		             : "auto: full, because no unique index is usable or there is no data yet");
		return can ? VIEWD_MODE_CONCURRENTLY : VIEWD_MODE_FULL;
	}
	bool keyed = task->columns != NULL && task->columns->n_key > 0;
	snprintf(reason, 256,
	         keyed ? "auto: diff, because unique_key identifies the rows"
	               : "auto: full, because there is no unique_key to find changed rows by");
	return keyed ? VIEWD_MODE_DIFF : VIEWD_MODE_FULL;
}

enum viewd_refresh_mode recipe_mode(struct task *task, const struct viewd_refresh_request *req, char reason[static 256])
{
	enum viewd_refresh_mode mode = task->resolved.mode;
	if (req->force_full) {
		snprintf(reason, 256, "full, because it was asked for");
		return VIEWD_MODE_FULL;
	}
	if (mode == VIEWD_MODE_AUTO)
		return choose(task, reason);
	if (mode == VIEWD_MODE_CONCURRENTLY && !task->found.populated) {
		snprintf(reason, 256, "full, because the first refresh cannot be concurrent");
		return VIEWD_MODE_FULL;
	}
	snprintf(reason, 256, "%s, as configured", word_mode(mode));
	return mode;
}

static bool refresh_concurrently(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	const struct db_ops *ops = task->db->ops;
	int64_t before = 0, after = 0;
	out->did = VIEWD_DID_CONCURRENT;
	if (ops->refresh.count_written != NULL && !ops->refresh.count_written(task, &before, err))
		return false;
	if (!db_exec(task->db, gen_refresh(&task->gen, true), err))
		return false;
	if (ops->refresh.count_written == NULL || before < 0)
		return true;
	if (!ops->refresh.count_written(task, &after, err))
		return false;
	out->rows_written = after - before;
	if (out->rows_written == 0)
		out->did = VIEWD_DID_NO_DATA;
	return true;
}

static bool refresh_materialized(struct task *task, enum viewd_refresh_mode mode, struct viewd_outcome *out,
                                 struct viewd_err *err)
{
	if (mode == VIEWD_MODE_CONCURRENTLY)
		return refresh_concurrently(task, out, err) && task_count_rows(task, &out->rows, err);
	out->did = VIEWD_DID_FULL;
	return db_exec(task->db, gen_refresh(&task->gen, false), err) && task_count_rows(task, &out->rows, err);
}

/* All rows of a view that is kept incrementally, in the snapshot of what its logs have told. */
static bool all_rows(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	if (task->db->ops->incremental.whole != NULL)
		return task->db->ops->incremental.whole(task, out, err);
	return task->columns->n_key > 0 ? recipe_refresh_diff(task, out, err) : recipe_refresh_full(task, out, err);
}

static bool refresh_table(struct task *task, enum viewd_refresh_mode mode, struct viewd_outcome *out,
                          struct viewd_err *err)
{
	if (task->chain != NULL)
		return incremental_rows(task, mode == VIEWD_MODE_FULL, all_rows, out, err);
	switch (mode) {
	case VIEWD_MODE_DIFF:
		return recipe_refresh_diff(task, out, err);
	case VIEWD_MODE_SWAP:
		if (task->db->ops->refresh.swap != NULL)
			return task->db->ops->refresh.swap(task, out, err);
		break;
	case VIEWD_MODE_FULL:
		if (task->db->ops->refresh.full != NULL)
			return task->db->ops->refresh.full(task, out, err);
		break;
	case VIEWD_MODE_AUTO:
	case VIEWD_MODE_CONCURRENTLY:
	case VIEWD_MODE_INCREMENTAL:
	case VIEWD_MODE_COUNT:
		break;
	}
	return recipe_refresh_full(task, out, err);
}

bool recipe_record(struct task *task, const struct viewd_refresh_request *req, const struct viewd_outcome *out,
                   const char *warning, struct viewd_err *err)
{
	struct state_run run = {
		.trigger = req->trigger,
		.action = word_did(out->did),
		.succeeded = true,
		.run_id = req->run_id,
		.started_us = task->started_us,
		.duration_us = db_now(task->db) - task->started_us,
		.rows = out->rows,
		.rows_written = out->rows_written,
		.data_timestamp_us = out->data_timestamp_us,
		.error = warning[0] != '\0' ? warning : NULL,
	};
	return state_record_run(task->db, task->view->name, &run, err);
}

static bool do_refresh(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                       struct viewd_err *err)
{
	out->data_timestamp_us = task->started_us;
	if (task->resolved.method == VIEWD_METHOD_SIMPLE) {
		out->did = VIEWD_DID_NO_DATA;
		snprintf(out->reason, sizeof out->reason, "a simple view reads its sources itself");
		return true;
	}
	if (task->resolved.method == VIEWD_METHOD_TABLE && !task->stage.filled && task->chain == NULL &&
	    !task_columns(task, err))
		return false;
	enum viewd_refresh_mode mode = recipe_mode(task, req, out->reason);
	if (task->chain != NULL)
		mode = req->force_full ? VIEWD_MODE_FULL : VIEWD_MODE_INCREMENTAL;
	if (task->resolved.method == VIEWD_METHOD_MATERIALIZED)
		return refresh_materialized(task, mode, out, err);
	return recipe_rows_begin(task, err) && refresh_table(task, mode, out, err) && recipe_rows_end(task, err);
}

bool recipe_require_object(struct task *task, struct viewd_err *err)
{
	if (task->found.kind != VIEWD_KIND_NONE)
		return task_require_ours(task, err);
	err_set(err, VIEWD_ERR_MISSING, "object '%s' does not exist", task->rel.name);
	return err_hint(err, "viewctl create makes it again");
}

/* The data, with what is to go before and after it, as the role it is to be made by. */
static bool refresh_with_hooks(struct task *task, const struct viewd_refresh_request *req, char warning[static 512],
                               struct viewd_outcome *out, struct viewd_err *err)
{
	bool inside = hooks_inside(task);
	warning[0] = '\0';
	return hooks_role_begin(task, err) && (!inside || hooks_before(task, err)) && do_refresh(task, req, out, err) &&
	       (!inside || hooks_after(task, warning, err)) && hooks_role_end(task, err);
}

bool recipe_refresh_member(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                           struct viewd_err *err)
{
	char warning[512];
	db_failpoint(task->db, "refresh:begin");
	if ((task->chain != NULL && !incremental_ask(task, true, err)) || !task_look_for_refresh(task, true, err) ||
	    !recipe_require_object(task, err) || !task_recall_definition(task, err) ||
	    !refresh_with_hooks(task, req, warning, out, err))
		return false;
	db_failpoint(task->db, "refresh:filled");
	if (warning[0] == '\0')
		snprintf(warning, sizeof warning, "%s", incremental_warning(task));
	if (!recipe_record(task, req, out, warning, err) || !task_settle_marks(task, out, err))
		return false;
	db_failpoint(task->db, "refresh:recorded");
	return true;
}

static bool refresh_body(struct task *task, struct viewd_outcome *out, void *ctx, struct viewd_err *err)
{
	return recipe_refresh_member(task, ctx, out, err);
}

/* The expensive part, while nobody waits for us. What is found here is looked at again in the write transaction. */
static bool stage(struct task *task, const struct viewd_refresh_request *req, struct viewd_err *err)
{
	char reason[256];
	/* The definition must see what a pre_hook does. */
	if (!task->db->syntax->diff.stage_first || task->resolved.method != VIEWD_METHOD_TABLE ||
	    task->view->pre_hook != NULL)
		return true;
	if (!task->db->ops->set_limits(task->db, task->view->timeout_us, task->view->lock_timeout_us, err) ||
	    !task_look(task, false, err) || !recipe_require_object(task, err) || !task_recall_definition(task, err) ||
	    !task_columns(task, err))
		return false;
	return recipe_stage(task, recipe_mode(task, req, reason) == VIEWD_MODE_DIFF, err);
}

bool recipe_before(struct task *task, struct viewd_err *err)
{
	if (hooks_inside(task) || task->view->pre_hook == NULL || task->hook_run)
		return true;
	task->hook_run = true;
	return task->db->ops->set_limits(task->db, task->view->timeout_us, task->view->lock_timeout_us, err) &&
	       hooks_before(task, err);
}

void recipe_after(struct task *task)
{
	struct viewd_err err;
	char warning[512];
	if (hooks_inside(task))
		return;
	if (!hooks_after(task, warning, &err))
		db_log(task->db, VIEWD_LOG_WARNING, "view '%s', post_hook failed (%s)", task->view->name, err.msg);
	else if (warning[0] != '\0' && !state_annotate(task->db, task->view->name, warning, &err))
		db_log(task->db, VIEWD_LOG_WARNING, "view '%s', history does not tell of its post_hook (%s)", task->view->name,
		       err.msg);
}

void recipe_tell_refusal(struct task *task, struct viewd_outcome *out)
{
	const char *why = incremental_refusal(task);
	size_t len = strlen(out->reason);
	if (why[0] != '\0')
		snprintf(out->reason + len, sizeof out->reason - len, "; %s", why);
}

bool recipe_refresh(struct task *task, const struct viewd_refresh_request *req, struct viewd_outcome *out,
                    struct viewd_err *err)
{
	struct viewd_err failure = {0};
	enum incremental_after after = INCREMENTAL_THIS_TIME;
	if (req->force_full)
		incremental_ask_again(task);
	if (incremental_wanted(task)) {
		if (refresh_incrementally(task, req, out, &failure))
			return true;
		after = incremental_failed(task, &failure);
	}
	if (after == INCREMENTAL_GIVE_UP) {
		if (err != NULL)
			*err = failure;
		return false;
	}
	struct viewd_refresh_request copy = *req;
	bool done = task_count_again(task, err) && recipe_before(task, err) && stage(task, req, err) &&
	            recipe_transaction(task, false, refresh_body, out, &copy, err);
	recipe_unstage(task);
	if (!done)
		return false;
	db_failpoint(task->db, "refresh:committed");
	if (after == INCREMENTAL_REFUSED)
		incremental_refuse(task, &failure);
	incremental_measured(task, out->duration_us);
	recipe_tell_refusal(task, out);
	recipe_after(task);
	return true;
}
