/* SPDX-License-Identifier: MIT */
#include "common/incremental/incremental.h"

#include "base/err.h"
#include "common/incremental/attempt.h"
#include "common/incremental/audit.h"
#include "common/incremental/demotion.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* More keys than this are not looked for. */
#define KEYS_MAX 50000

/* Images that were read are removed when there are so many, or after so many refreshes. */
#define PURGE_IMAGES 500
#define PURGE_EVERY 16

#define ENSURE_ATTEMPTS 3

bool incremental_possible(const struct task *task)
{
	enum viewd_refresh_mode mode = task->resolved.mode;
	return task->resolved.method == VIEWD_METHOD_TABLE && (mode == VIEWD_MODE_INCREMENTAL || mode == VIEWD_MODE_AUTO);
}

bool incremental_wanted(struct task *task)
{
	return incremental_possible(task) && (task->resolved.mode == VIEWD_MODE_INCREMENTAL || attempt_due(task));
}

/* Without it each refresh reads the whole relation. */
static bool index_key(struct task *task, struct viewd_err *err)
{
	struct db *db = task->db;
	struct chain *chain = task->chain;
	struct part *part = chain->roll != NULL ? &chain->roll->result : &chain->part;
	part->rel = task->rel;
	if (part->n_key > 0 && db->ops->incremental.index_part != NULL && !db->ops->incremental.index_part(db, part, err))
		return err_wrap(err, "index for the key of view '%s' cannot be made", chain->view);
	chain->indexed = true;
	return true;
}

/* Tables that are in use are waited for only briefly, since others wait behind who waits: several times, then, unless
 * there is another way to refresh. */
static bool ensure_logs(struct task *task, struct chain *chain, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	for (int i = 0; i < (task->resolved.mode == VIEWD_MODE_AUTO ? 1 : ENSURE_ATTEMPTS); i++) {
		if (change_logs_ensure(task->db, chain, chain->view, chain->logs, chain->n_logs, &failed))
			return true;
		if (failed.cls != VIEWD_ERR_CONFLICT)
			break;
	}
	if (err != NULL)
		*err = failed;
	return err_wrap(err, "change logs of view '%s' cannot be made", chain->view);
}

static bool ensure(struct task *task, struct chain *chain, struct viewd_err *err)
{
	return ensure_logs(task, chain, err) && (chain_make_nodes(task->db, chain, err) ||
	                                         err_wrap(err, "inner nodes of view '%s' cannot be made", chain->view));
}

/* ---- what its refreshes take ---- */

/* Times of one kind of chain say nothing of another. */
static const char *kind_of(const struct chain *chain)
{
	if (chain->roll == NULL)
		return "part ";
	return chain->roll->images ? "images " : "roll ";
}

static void recall_costs(struct db *db, struct chain *chain)
{
	struct learnt costs;
	const char *kind = kind_of(chain);
	if (chain->recalled)
		return;
	chain->recalled = true;
	learnt_find(db, chain->view, LEARNT_COSTS, chain->digest, &costs);
	if (costs.known && strncmp(costs.text, kind, strlen(kind)) == 0 &&
	    !cost_read(&chain->cost, costs.text + strlen(kind)))
		db_log(db, VIEWD_LOG_DEBUG, "view '%s', what its refreshes take is not readable", chain->view);
}

/* Best effort. */
static void remember_costs(struct db *db, const struct chain *chain)
{
	struct viewd_err failed;
	char numbers[COST_TEXT_SIZE], text[COST_TEXT_SIZE + 10];
	cost_write(&chain->cost, numbers);
	snprintf(text, sizeof text, "%s%s", kind_of(chain), numbers);
	if (!learnt_save(db, chain->view, LEARNT_COSTS, chain->digest, text, &failed))
		db_log(db, VIEWD_LOG_DEBUG, "view '%s', what its refreshes take is not remembered (%s)", chain->view,
		       failed.msg);
}

/* ---- opening ---- */

bool incremental_open(struct task *task, struct viewd_err *err)
{
	struct chain *chain = chain_open(task, err);
	if (chain == NULL)
		return false;
	if (!chain->ensured && !ensure(task, chain, err)) {
		if (chain->roll == NULL || err->cls != VIEWD_ERR_QUERY)
			return false;
		db_log(task->db, VIEWD_LOG_INFO, "view '%s' is refreshed incrementally without inner nodes (%s)", chain->view,
		       err->msg);
		chain = chain_without_roll(task, err);
		if (chain == NULL || !ensure(task, chain, err))
			return false;
	}
	task->chain = chain;
	chain->ensured = true;
	recall_costs(task->db, chain);
	if (chain->indexed || index_key(task, err))
		return true;
	task->chain = NULL;
	return false;
}

/* Takes over which logs are to be made anew. */
static void carry_unsound(const struct chain *from, struct chain *to)
{
	for (size_t i = 0; i < from->n_logs; i++)
		for (size_t k = 0; k < to->n_logs; k++)
			if (strcmp(from->logs[i].source.name, to->logs[k].source.name) == 0 &&
			    strcmp(from->logs[i].source.schema, to->logs[k].source.schema) == 0) {
				to->logs[k].unsound = from->logs[i].unsound && !from->logs[i].replaced;
				to->logs[k].number = from->logs[i].number;
			}
}

bool incremental_reopen(struct task *task, struct viewd_err *err)
{
	struct chain *old = task->chain;
	bool stuck = old != NULL && old->roll != NULL && old->roll->stuck;
	if (old != NULL && old->again && old->ensured && !stuck) {
		old->again = false;
		return true;
	}
	if (old == NULL || (old->ensured && !stuck))
		return false;
	if (stuck)
		db_log(task->db, VIEWD_LOG_INFO, "view '%s' is refreshed incrementally without inner nodes (%s)", old->view,
		       err->msg);
	chain_release(task->db, old);
	task->chain = NULL;
	task_use_columns(task, NULL);
	bool noted = change_logs_distrust(task->db, old->logs, old->n_logs, err);
	struct chain *chain = !noted ? NULL : stuck ? chain_without_roll(task, err) : chain_open(task, err);
	if (chain != NULL) {
		carry_unsound(old, chain);
		chain->found_wrong = old->found_wrong;
	}
	talloc_free(old);
	return chain != NULL && incremental_open(task, err);
}

void incremental_close(struct task *task)
{
	bool changed = false;
	for (size_t i = 0; task->chain != NULL && i < task->chain->n_logs; i++)
		changed |= task->chain->logs[i].changed;
	if (!changed)
		return;
	chain_release(task->db, task->chain);
	talloc_steal(task, task->chain);
}

/* Changes that the logs have for this view. */
struct news {
	int64_t images;
	const char *everything; /* why; NULL: the images tell it all */
};

static bool look(struct task *task, struct news *out, struct viewd_err *err)
{
	struct chain *chain = task->chain;
	*out = (struct news){0};
	if (task->marks.redefined)
		out->everything = "something that the definition uses was redefined";
	if (!demotion_look(task->db, chain, err) ||
	    !change_logs_look(task->db, task->mem, chain->view, chain->logs, chain->n_logs, err) ||
	    !chain_check_nodes(task, err))
		return false;
	for (size_t i = 0; i < chain->n_logs; i++) {
		struct change_log *log = &chain->logs[i];
		if (log->unsound) {
			chain->ensured = false;
			if (!log->replaced)
				db_log(task->db, VIEWD_LOG_WARNING, "view '%s', change log of '%s' is made again (%s)", chain->view,
				       log->source.name, log->why);
			return err_set(err, VIEWD_ERR_CONFLICT, "change log of '%s' is to be made again (%s)", log->source.name,
			               log->why);
		}
		out->images += log->unread;
		if (log->everything && out->everything == NULL)
			out->everything = log->why;
		if (log->unread > LOG_UNREAD_MAX && out->everything == NULL)
			out->everything = "too many rows were changed";
	}
	return true;
}

static bool read_logs(struct task *task, struct viewd_err *err)
{
	struct chain *chain = task->chain;
	for (size_t i = 0; i < chain->n_logs; i++)
		if ((chain->logs[i].unread > 0 || chain->logs[i].everything) &&
		    !change_log_read(task->db, chain->view, &chain->logs[i], err))
			return false;
	return true;
}

/* From the nodes, once they are filled. */
static bool roll_all(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct part_written written = {0};
	const struct chain *chain = task->chain;
	if (!roll_whole(task->db, task->mem, chain->roll, chain->definition, &written, err) ||
	    !task_count_rows(task, &out->rows, err))
		return false;
	out->rows_written = written.inserted + written.updated + written.deleted;
	out->did = out->rows_written > 0 ? VIEWD_DID_FULL : VIEWD_DID_NO_DATA;
	return true;
}

static bool refresh_whole(struct task *task, const char *why, all_rows_fn *all_rows, struct viewd_outcome *out,
                          struct viewd_err *err)
{
	int64_t before = db_now(task->db);
	if (!(task->chain->roll != NULL ? roll_all(task, out, err) : all_rows(task, out, err)))
		return false;
	cost_learn_whole(&task->chain->cost, db_now(task->db) - before);
	/* All rows cover every image, also of logs without news. */
	for (size_t i = 0; i < task->chain->n_logs; i++)
		task->chain->logs[i].everything = true;
	snprintf(out->reason, sizeof out->reason, "all rows: %s", why);
	return read_logs(task, err);
}

static int form_of(struct chain *chain)
{
	const struct part *keyed = chain_keyed(chain);
	return keyed != NULL ? keyed->form : 0;
}

static void choose_form(struct chain *chain, int64_t keys)
{
	struct part *keyed = chain_keyed(chain);
	if (keyed != NULL && keys > 0)
		keyed->form = cost_choose_form(&chain->cost, keys);
}

static bool apply_news(struct task *task, const struct key_set *keys, struct part_written *out, struct viewd_err *err)
{
	struct db *db = task->db;
	const struct chain *chain = task->chain;
	if (chain->roll != NULL && chain->roll->images)
		return roll_images_apply(db, task->mem, chain->view, chain->roll, &chain->part.sources[0], out, err);
	if (keys->n == 0)
		return true;
	return chain->roll != NULL ? roll_keys_apply(db, task->mem, chain->roll, keys, out, err)
	                           : db->ops->incremental.apply_part(db, &chain->part, keys, out, err);
}

/* Failures that may have to do with the form: how much it computes, and of which rows. */
static bool note_failure(struct chain *chain, const struct viewd_err *err)
{
	bool of_form =
		err != NULL && (err->cls == VIEWD_ERR_TIMEOUT || err->cls == VIEWD_ERR_QUERY || err->cls == VIEWD_ERR_RESOURCE);
	chain->again = of_form && chain_keyed(chain) != NULL && cost_learn_failure(&chain->cost, form_of(chain));
	return false;
}

static bool refresh_keys(struct task *task, const struct key_set *keys, const struct news *news,
                         struct viewd_outcome *out, struct viewd_err *err)
{
	struct part_written written = {0};
	int64_t before = db_now(task->db);
	if (!apply_news(task, keys, &written, err))
		return note_failure(task->chain, err);
	int form = form_of(task->chain);
	if (keys->n > 0)
		cost_learn_keys(&task->chain->cost, form, keys->n, db_now(task->db) - before);
	db_failpoint(task->db, "refresh:applied");
	/* The locks of what was written keep the name's meaning to the end. An object put in its place since the look-up
	 * gets its rows back with the transaction. */
	if (written.inserted + written.updated + written.deleted > 0 && !task_recheck(task, err))
		return false;
	out->rows_written = written.inserted + written.updated + written.deleted;
	out->rows = task->state.rows >= 0 ? task->state.rows + written.inserted - written.deleted : -1;
	out->did = out->rows_written > 0 ? VIEWD_DID_INCREMENTAL : VIEWD_DID_NO_DATA;
	snprintf(out->reason, sizeof out->reason,
	         "incremental: %" PRId64 " keys of %" PRId64 " images%s, %.1f ms expected, all rows %.1f ms", keys->n,
	         news->images, form != 0 ? ", in the second form" : "",
	         cost_of_form(&task->chain->cost, form, keys->n) / 1000, task->chain->cost.whole_us / 1000);
	return read_logs(task, err) && (out->rows >= 0 || task_count_rows(task, &out->rows, err));
}

/* An audit puts right a few keys only, so all rows follow. */
static bool audit(struct task *task, all_rows_fn *all_rows, struct viewd_outcome *out, struct viewd_err *err)
{
	int64_t wrong = 0;
	if (!audit_due(task->chain))
		return true;
	if (!audit_run(task, &wrong, err))
		return false;
	if (wrong == 0)
		return true;
	return demotion_begin(task->db, task->chain, wrong, err) &&
	       refresh_whole(task, DEMOTION_REASON, all_rows, out, err);
}

static bool refresh_changed(struct task *task, const struct news *news, all_rows_fn *all_rows,
                            struct viewd_outcome *out, struct viewd_err *err)
{
	struct db *db = task->db;
	struct key_set keys = {.mem = task->mem, .width = task->chain->part.n_key, .name = "viewd_keys"};
	bool all = false;
	char why[160];
	bool images = task->chain->roll != NULL && task->chain->roll->images;
	bool done = images || part_affected(db, task->chain->view, &task->chain->part, KEYS_MAX, &keys, &all, err);
	if (images)
		keys.n = news->images;
	if (!all)
		choose_form(task->chain, keys.n);
	/* Cost chooses between keys and all rows only for mode auto, and no keys cost nothing. */
	bool dear = keys.n > 0 && task->resolved.mode == VIEWD_MODE_AUTO && cost_choose_whole(&task->chain->cost, keys.n);
	if (done && (all || dear)) {
		snprintf(why, sizeof why, "%s%" PRId64 " keys, %.1f ms expected, all rows %.1f ms", all ? "at least " : "",
		         keys.n, cost_of_keys(&task->chain->cost, keys.n) / 1000, task->chain->cost.whole_us / 1000);
		done = refresh_whole(task, why, all_rows, out, err);
	} else if (done) {
		done = refresh_keys(task, &keys, news, out, err) && audit(task, all_rows, out, err);
	}
	if (!images && db->ops->incremental.drop_keys != NULL)
		db->ops->incremental.drop_keys(db, &keys);
	return done;
}

static bool nothing_new(struct task *task, struct viewd_outcome *out)
{
	out->rows = task->state.rows;
	out->rows_written = 0;
	out->did = VIEWD_DID_NO_DATA;
	snprintf(out->reason, sizeof out->reason, "incremental: no row that counts has changed%s",
	         task->chain->demoted ? "; else all rows: " DEMOTION_REASON : "");
	return true;
}

bool incremental_rows(struct task *task, bool whole, all_rows_fn *all_rows, struct viewd_outcome *out,
                      struct viewd_err *err)
{
	struct news news;
	task->chain->again = false;
	if (!chain_aim(task, err) || !look(task, &news, err))
		return false;
	db_failpoint(task->db, "refresh:looked");
	if (!demotion_settle(task->db, task->chain, whole, err))
		return false;
	if (news.images == 0 && news.everything == NULL && !whole && task->state.data_timestamp_us != 0)
		return nothing_new(task, out);
	if (whole || task->state.data_timestamp_us == 0)
		return refresh_whole(task, whole ? "it was asked for" : "there are none yet", all_rows, out, err);
	if (task->chain->demoted)
		return refresh_whole(task, DEMOTION_REASON, all_rows, out, err);
	return news.everything != NULL ? refresh_whole(task, news.everything, all_rows, out, err)
	                               : refresh_changed(task, &news, all_rows, out, err);
}

/* Would it fail again? */
static bool is_lasting(enum viewd_err_class cls)
{
	return cls == VIEWD_ERR_CONFIG || cls == VIEWD_ERR_EXISTS || cls == VIEWD_ERR_TIMEOUT || cls == VIEWD_ERR_QUERY ||
	       cls == VIEWD_ERR_DENIED || cls == VIEWD_ERR_PLUGIN || cls == VIEWD_ERR_BUG;
}

enum incremental_after incremental_failed(struct task *task, const struct viewd_err *failure)
{
	bool opened = task->chain != NULL, lasting = is_lasting(failure->cls);
	if (opened)
		task->chain->ensured = false;
	if (task->resolved.mode != VIEWD_MODE_AUTO || (!lasting && (opened || failure->cls != VIEWD_ERR_CONFLICT)))
		return INCREMENTAL_GIVE_UP;
	task->chain = NULL;
	task_use_columns(task, NULL);
	task->marks = (struct marks){0};
	task->marks_known = false;
	if (!lasting)
		attempt_postponed(task, failure);
	return lasting ? INCREMENTAL_REFUSED : INCREMENTAL_THIS_TIME;
}

void incremental_refuse(struct task *task, const struct viewd_err *failure)
{
	/* A view that the configuration rules out is no trouble. */
	if (failure->cls != VIEWD_ERR_CONFIG)
		db_log(task->db, VIEWD_LOG_WARNING, "view '%s' is not refreshed incrementally any more (%s)", task->view->name,
		       failure->msg);
	attempt_refused(task, failure);
}

void incremental_ask_again(struct task *task)
{
	if (task->resolved.mode == VIEWD_MODE_AUTO && incremental_possible(task))
		attempt_forget_refusal(task);
}

const char *incremental_refusal(struct task *task)
{
	return task->resolved.mode == VIEWD_MODE_AUTO && incremental_possible(task) ? attempt_reason(task) : "";
}

const char *incremental_warning(const struct task *task)
{
	return task->chain != NULL && task->chain->demoted ? DEMOTION_REASON
	           ": all rows are computed until they are asked for (viewctl refresh --full)"
	                                                   : "";
}

void incremental_measured(struct task *task, int64_t us)
{
	if (incremental_possible(task))
		attempt_measured(task, us);
	else if (task->resolved.method == VIEWD_METHOD_TABLE)
		attempt_over(task);
}

void incremental_purge(struct task *task)
{
	struct db *db = task->db;
	struct chain *chain = task->chain;
	demotion_committed(chain);
	bool due = ++chain->refreshes % PURGE_EVERY == 0;
	if (due)
		remember_costs(db, chain);
	for (size_t i = 0; i < chain->n_logs && db->ops->incremental.purge_log != NULL; i++)
		if (due || chain->logs[i].unread > PURGE_IMAGES || chain->logs[i].everything)
			db->ops->incremental.purge_log(db, &chain->logs[i]);
}
