/* SPDX-License-Identifier: MIT */
#include "common/incremental/incremental.h"

#include "base/err.h"
#include "common/incremental/audit.h"
#include "common/incremental/demotion.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* More keys than this are not looked for. */
#define KEYS_MAX 50000

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
	if (!change_logs_look(task->db, task->mem, chain->view, chain->logs, chain->n_logs, err))
		return false;
	for (size_t i = 0; i < chain->n_logs; i++)
		chain->logs[i].asked = chain->logs[i].careful = false;
	if (!chain_check_nodes(task, err))
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

/* The nodes are filled as well. Should one be wrong, the definition puts the relation's rows right. */
static bool nodes_all(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct db *db = task->db;
	struct chain *chain = task->chain;
	struct part_written written = {0};
	struct part result = chain->top != NULL ? chain->top->result : chain->roll->result;
	result.definition = chain->definition;
	if (!(chain->top != NULL ? top_fill(db, task->mem, chain->top, err) : roll_fill(db, task->mem, chain->roll, err)))
		return false;
	int64_t before = db_now(db);
	if (!db->ops->incremental.apply_part(db, &result, NULL, &written, err))
		return false;
	cost_learn_plain(&chain->cost, db_now(db) - before);
	out->rows_written = written.inserted + written.updated + written.deleted;
	out->did = out->rows_written > 0 ? VIEWD_DID_FULL : VIEWD_DID_NO_DATA;
	return task_count_rows(task, &out->rows, err);
}

static bool refresh_whole(struct task *task, const char *why, all_rows_fn *all_rows, struct viewd_outcome *out,
                          struct viewd_err *err)
{
	int64_t before = db_now(task->db);
	bool nodes = task->chain->roll != NULL || task->chain->top != NULL;
	if (!(nodes ? nodes_all(task, out, err) : all_rows(task, out, err)))
		return false;
	int64_t took = db_now(task->db) - before;
	cost_learn_whole(&task->chain->cost, took);
	if (!nodes)
		cost_learn_plain(&task->chain->cost, took);
	/* All rows cover every image, also of logs without news. */
	for (size_t i = 0; i < task->chain->n_logs; i++)
		task->chain->logs[i].everything = true;
	snprintf(out->reason, sizeof out->reason, "all rows: %s", why);
	out->from_logs = false;
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

/* The work of one incremental refresh. */
struct work {
	struct key_set keys; /* of a chain without a top */
	int64_t n;           /* keys, and images that are added up */
	bool all;            /* these are too many */
};

static struct key_set keys_of(const struct task *task)
{
	return (struct key_set){.mem = task->mem, .width = task->chain->part.n_key, .name = "viewd_keys"};
}

static bool find_work(struct task *task, const struct news *news, struct work *out, struct viewd_err *err)
{
	struct chain *chain = task->chain;
	*out = (struct work){.keys = keys_of(task)};
	if (chain->top != NULL)
		return top_affected(task->db, task->mem, chain->view, chain->top, KEYS_MAX, &out->n, &out->all, err);
	if (chain->roll != NULL && chain->roll->images) {
		out->n = out->keys.n = news->images;
		return true;
	}
	bool done = part_affected(task->db, chain->view, &chain->part, KEYS_MAX, &out->keys, &out->all, err);
	out->n = out->keys.n;
	if (done && !out->all)
		cost_learn_images(&chain->cost, news->images, out->n);
	return done;
}

/* Are there so many images that their keys need not be looked for? The images of a roll are no keys. */
static bool skips_keys(struct task *task, const struct news *news, int64_t *keys_r)
{
	struct chain *chain = task->chain;
	bool keyed = chain->top == NULL && (chain->roll == NULL || !chain->roll->images);
	return keyed && task->resolved.mode == VIEWD_MODE_AUTO && cost_skips_keys(&chain->cost, news->images, keys_r);
}

static void drop_work(struct task *task, struct work *work)
{
	const struct chain *chain = task->chain;
	if (chain->top != NULL)
		top_drop_keys(task->db, chain->top);
	else if ((chain->roll == NULL || !chain->roll->images) && task->db->ops->incremental.drop_keys != NULL)
		task->db->ops->incremental.drop_keys(task->db, &work->keys);
}

static void count_rows(const struct task *task)
{
	struct chain *chain = task->chain;
	int64_t few = task->db->ops->incremental.roll.few;
	bool are_few = few > 0 && task->state.rows >= 0 && task->state.rows <= few;
	chain_writer(chain)->few = are_few;
	/* HAVING may show few of many groups. */
	if (chain->roll != NULL)
		chain->roll->few = are_few && chain->roll->texts->having == NULL;
}

static bool apply_work(struct task *task, const struct work *work, struct part_written *out, struct viewd_err *err)
{
	struct db *db = task->db;
	const struct chain *chain = task->chain;
	count_rows(task);
	if (chain->top != NULL)
		return top_apply(db, task->mem, chain->view, chain->top, out, err);
	if (chain->roll != NULL && chain->roll->images)
		return roll_images_apply(db, task->mem, chain->view, chain->roll, &chain->part.sources[0], out, err);
	if (work->n == 0)
		return true;
	return chain->roll != NULL ? roll_keys_apply(db, task->mem, chain->roll, &work->keys, out, err)
	                           : db->ops->incremental.apply_part(db, &chain->part, &work->keys, out, err);
}

/* Failures that may have to do with the form: how much it computes, and of which rows. */
static bool note_failure(struct chain *chain, const struct viewd_err *err)
{
	bool of_form =
		err != NULL && (err->cls == VIEWD_ERR_TIMEOUT || err->cls == VIEWD_ERR_QUERY || err->cls == VIEWD_ERR_RESOURCE);
	chain->again = of_form && chain_keyed(chain) != NULL && cost_learn_failure(&chain->cost, form_of(chain));
	return false;
}

static bool refresh_keys(struct task *task, const struct work *work, const struct news *news, struct viewd_outcome *out,
                         struct viewd_err *err)
{
	struct part_written written = {0};
	int64_t before = db_now(task->db);
	task_recheck_along(task, true);
	if (!apply_work(task, work, &written, err))
		return note_failure(task->chain, err);
	int form = form_of(task->chain);
	if (work->n > 0)
		cost_learn_keys(&task->chain->cost, form, work->n, db_now(task->db) - before);
	db_failpoint(task->db, "refresh:applied");
	/* The locks of what was written keep the name's meaning to the end. An object put in its place since the look-up
	 * gets its rows back with the transaction. */
	if (!read_logs(task, err) || (written.inserted + written.updated + written.deleted > 0 && !task_recheck(task, err)))
		return false;
	task_recheck_along(task, false);
	out->rows_written = written.inserted + written.updated + written.deleted;
	out->rows = task->state.rows >= 0 ? task->state.rows + written.inserted - written.deleted : -1;
	out->did = out->rows_written > 0 ? VIEWD_DID_INCREMENTAL : VIEWD_DID_NO_DATA;
	out->from_logs = true;
	snprintf(out->reason, sizeof out->reason, "incremental: %" PRId64 " keys of %" PRId64 " images%s, %.1f ms expected",
	         work->n, news->images, form != 0 ? ", in the second form" : "",
	         cost_of_form(&task->chain->cost, form, work->n) / 1000);
	size_t len = strlen(out->reason);
	if (task->chain->cost.whole_us > 0) /* known */
		snprintf(out->reason + len, sizeof out->reason - len, ", all rows %.1f ms", task->chain->cost.whole_us / 1000);
	return out->rows >= 0 || task_count_rows(task, &out->rows, err);
}

/* An audit puts right a few keys only, so all rows follow. */
static bool audit(struct task *task, int64_t took_us, all_rows_fn *all_rows, struct viewd_outcome *out,
                  struct viewd_err *err)
{
	int64_t wrong = 0;
	if (!audit_due(task->chain, took_us))
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
	struct work work;
	const struct cost *cost = &task->chain->cost;
	int64_t guess = 0, begin = db_now(task->db);
	char why[160];
	if (skips_keys(task, news, &guess)) {
		snprintf(why, sizeof why, "about %" PRId64 " keys, not counted, all rows %.1f ms", guess,
		         cost->whole_us / 1000);
		return refresh_whole(task, why, all_rows, out, err);
	}
	bool done = find_work(task, news, &work, err);
	if (!work.all)
		choose_form(task->chain, work.n);
	/* Cost chooses between keys and all rows only for mode auto, and no keys cost nothing. */
	bool dear = work.n > 0 && task->resolved.mode == VIEWD_MODE_AUTO && cost_choose_whole(&task->chain->cost, work.n);
	if (done && (work.all || dear)) {
		snprintf(why, sizeof why, "%s%" PRId64 " keys, %.1f ms expected, all rows %.1f ms", work.all ? "at least " : "",
		         work.n, cost_of_keys(cost, work.n) / 1000, cost->whole_us / 1000);
		done = refresh_whole(task, why, all_rows, out, err);
	} else if (done) {
		done = refresh_keys(task, &work, news, out, err) && audit(task, db_now(task->db) - begin, all_rows, out, err);
	}
	drop_work(task, &work);
	return done;
}

static bool nothing_new(struct task *task, struct viewd_outcome *out)
{
	out->rows = task->state.rows;
	out->rows_written = 0;
	out->did = VIEWD_DID_NO_DATA;
	out->from_logs = true;
	snprintf(out->reason, sizeof out->reason, "incremental: no row that counts has changed%s",
	         task->chain->demoted ? "; else all rows: " DEMOTION_REASON : "");
	return true;
}

/* The keys, before it is known whether they will be looked for. */
static bool ask_keys(struct task *task, struct viewd_err *err)
{
	struct chain *chain = task->chain;
	const struct key_set keys = keys_of(task);
	if (chain->top != NULL)
		return top_ask(task->db, task->mem, chain->view, chain->top, KEYS_MAX, err);
	return (chain->roll != NULL && chain->roll->images) ||
	       part_ask(task->db, task->mem, chain->view, &chain->part, KEYS_MAX, &keys, err);
}

/* A pre_hook may write to the sources, so nothing is asked before it has run. */
bool incremental_ask(struct task *task, bool early, struct viewd_err *err)
{
	struct chain *chain = task->chain;
	if (early != (task->view->pre_hook == NULL))
		return true;
	for (size_t i = 0; i < chain->n_logs; i++)
		chain->logs[i].asked = true;
	return node_tables_ask(task->db, chain->view, &chain->recorded, err) && demotion_look(task->db, chain, err) &&
	       change_logs_ask(task->db, task->mem, chain->view, chain->logs, chain->n_logs, err) && ask_keys(task, err);
}

/* Why all rows are computed whatever the logs tell; NULL: they need not be. */
static const char *whole_reason(const struct task *task, const struct viewd_refresh_request *req)
{
	if (req->force_full)
		return "it was asked for";
	if (task->state.data_timestamp_us == 0)
		return "there are none yet";
	return req->all_rows ? "max_staleness has passed since they were last computed" : NULL;
}

bool incremental_rows(struct task *task, const struct viewd_refresh_request *req, all_rows_fn *all_rows,
                      struct viewd_outcome *out, struct viewd_err *err)
{
	struct news news;
	const char *why = whole_reason(task, req);
	task->chain->again = false;
	task->chain->round_us = 0;
	if (!chain_aim(task, err) || !incremental_ask(task, false, err) || !look(task, &news, err))
		return false;
	db_failpoint(task->db, "refresh:looked");
	if (!demotion_settle(task->db, task->chain, req->force_full, err))
		return false;
	if (news.images == 0 && news.everything == NULL && why == NULL)
		return nothing_new(task, out);
	if (why == NULL && task->resolved.mode == VIEWD_MODE_AUTO && cost_doubts(&task->chain->cost))
		why = "they are measured, since incremental refreshes have lately taken longer";
	if (why != NULL)
		return refresh_whole(task, why, all_rows, out, err);
	if (task->chain->demoted)
		return refresh_whole(task, DEMOTION_REASON, all_rows, out, err);
	int64_t before = db_now(task->db);
	bool done = news.everything != NULL ? refresh_whole(task, news.everything, all_rows, out, err)
	                                    : refresh_changed(task, &news, all_rows, out, err);
	task->chain->round_us = done ? db_now(task->db) - before : 0;
	return done;
}
