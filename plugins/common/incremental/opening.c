/* SPDX-License-Identifier: MIT
 *
 * opening.c: the steps around an incremental refresh: the chain is found or made before it; after it, what it has
 * taken is remembered, and what it has read removed.
 */
#include "common/incremental/incremental.h"

#include "base/err.h"
#include "common/incremental/attempt.h"
#include "common/incremental/demotion.h"
#include "common/objects/refresh_group.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* Images that were read are removed when there are so many, or after so many refreshes. */
#define PURGE_IMAGES 500
#define PURGE_EVERY 16
#define PURGE_AT_ONCE 10000 /* images: the log may have come near to its cap */

#define ENSURE_ATTEMPTS 3

#define AUDIT_OF_SUMS 8 /* the refresh that is audited first */

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
	struct part *part = chain_writer(chain);
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
static const char *cost_prefix(const struct chain *chain)
{
	if (chain->top != NULL)
		return chain->sums.wanted ? "sums top " : "top ";
	if (chain->roll == NULL)
		return "part ";
	return !chain->roll->images ? "roll " : chain->sums.wanted ? "sums " : "images ";
}

/* An audit of sums computes all rows that they are of. A view gets them since its refreshes cost much, and images were
 * audited before. */
static bool adds_sums(const struct chain *chain)
{
	return chain->sums.wanted && chain->roll != NULL && chain->roll->images;
}

static void recall_costs(struct task *task, struct chain *chain)
{
	struct db *db = task->db;
	struct learnt costs;
	const char *kind = cost_prefix(chain);
	if (chain->cost.recalled)
		return;
	learnt_find(db, chain->view, LEARNT_COSTS, chain->digest, &costs);
	if (costs.known && strncmp(costs.text, kind, strlen(kind)) == 0 &&
	    !cost_read(&chain->cost, costs.text + strlen(kind)))
		db_log(db, VIEWD_LOG_DEBUG, "view '%s', what its refreshes take is not readable", chain->view);
	chain->cost.recalled = true;
	if (adds_sums(chain))
		cost_audit_after(&chain->cost, AUDIT_OF_SUMS);
	if (task->resolved.mode == VIEWD_MODE_AUTO)
		cost_learn_before(&chain->cost, attempt_was_us(task));
}

bool incremental_costs(struct task *task, struct cost *out)
{
	struct learnt costs;
	char digest[DIGEST_SIZE];
	if (chain_known(task)) {
		*out = task->chain->cost;
		return true;
	}
	digest_text(task->definition, digest);
	learnt_find(task->db, task->view->name, LEARNT_COSTS, digest, &costs);
	const char *numbers = costs.known ? strchr(costs.text, ' ') : NULL;
	return numbers != NULL && cost_read(out, numbers + 1);
}

/* Best effort. */
static void remember_costs(struct db *db, const struct chain *chain)
{
	struct viewd_err failed;
	char numbers[COST_TEXT_SIZE], text[COST_TEXT_SIZE + 12];
	cost_write(&chain->cost, numbers);
	snprintf(text, sizeof text, "%s%s", cost_prefix(chain), numbers);
	if (!learnt_save(db, chain->view, LEARNT_COSTS, chain->digest, text, &failed))
		db_log(db, VIEWD_LOG_DEBUG, "view '%s', what its refreshes take is not remembered (%s)", chain->view,
		       failed.msg);
}

/* ---- opening ---- */

/* The logs hold sums, and cannot be made so: images. The connection has failed in its own way. */
static struct chain *open_by_images(struct task *task, struct viewd_err *err)
{
	struct chain *chain = chain_open(task, err);
	if (chain == NULL || chain->ensured || !chain->sums.wanted || ensure(task, chain, err))
		return chain;
	if (err->cls == VIEWD_ERR_CONNECT || err->cls == VIEWD_ERR_LOST || err->cls == VIEWD_ERR_CANCELLED)
		return NULL;
	sums_refuse(task->db, chain, err->msg);
	chain_forget(task);
	return chain_open(task, err);
}

/* Writers do not go on to fill what this view has read before. */
static bool ensure_anew(struct task *task, struct chain *chain, struct viewd_err *err)
{
	if (!ensure(task, chain, err))
		return false;
	if (task->db->ops->incremental.roll.transaction != NULL)
		change_logs_sweep(task->db);
	return true;
}

bool incremental_open(struct task *task, struct viewd_err *err)
{
	struct chain *chain = open_by_images(task, err);
	if (chain == NULL)
		return false;
	if (!chain->ensured && !ensure_anew(task, chain, err)) {
		if ((chain->roll == NULL && chain->top == NULL) || err->cls != VIEWD_ERR_QUERY)
			return false;
		db_log(task->db, VIEWD_LOG_INFO, "view '%s' is refreshed incrementally without sums that are moved (%s)",
		       chain->view, err->msg);
		chain = chain_without_roll(task, err);
		if (chain == NULL || !ensure(task, chain, err))
			return false;
	}
	task->chain = chain;
	chain->ensured = true;
	recall_costs(task, chain);
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
			    strcmp(from->logs[i].source.schema, to->logs[k].source.schema) == 0 &&
			    change_log_holds(&to->logs[k], from->logs[i].sums)) {
				to->logs[k].unsound = from->logs[i].unsound && !from->logs[i].replaced;
				to->logs[k].number = from->logs[i].number;
			}
}

bool incremental_ask_carefully(struct task *task, const struct viewd_err *err)
{
	struct chain *chain = task->chain;
	bool of_logs = err != NULL && (err->cls == VIEWD_ERR_MISSING || err->cls == VIEWD_ERR_QUERY), first = false;
	for (size_t i = 0; chain != NULL && of_logs && i < chain->n_logs; i++) {
		struct change_log *log = &chain->logs[i];
		first |= log->asked && !log->careful;
		log->careful |= log->asked;
		log->asked = false;
	}
	return first;
}

bool incremental_reopen(struct task *task, struct viewd_err *err)
{
	struct chain *old = task->chain;
	bool stuck = old != NULL && chain_is_stuck(old);
	if (old != NULL && old->again && old->ensured && !stuck) {
		old->again = false;
		return true;
	}
	if (old == NULL || (old->ensured && !stuck))
		return false;
	if (stuck)
		db_log(task->db, VIEWD_LOG_INFO, "view '%s' is refreshed incrementally without sums that are moved (%s)",
		       old->view, err->msg);
	chain_release(task->db, old);
	task->chain = NULL;
	task_use_columns(task, NULL);
	bool stands = task->resolved.mode != VIEWD_MODE_AUTO || attempt_stands(task, err);
	bool noted = stands && change_logs_distrust(task->db, old->logs, old->n_logs, err);
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
	bool changed = task->chain != NULL && task->chain->sums.made;
	for (size_t i = 0; task->chain != NULL && i < task->chain->n_logs; i++)
		changed |= task->chain->logs[i].changed;
	if (!changed)
		return;
	chain_release(task->db, task->chain);
	talloc_steal(task, task->chain);
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
		task->chain->ensured = task->chain->indexed = false;
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

/* Nodes and logs cost more than they save: mode auto does without, and tries again as after a refusal. */
static void give_up(struct task *task)
{
	struct viewd_err why = {0};
	const struct cost *cost = &task->chain->cost;
	task->chain->ensured = false;
	err_set(&why, VIEWD_ERR_CONFIG, "an incremental refresh has taken %.1f ms, all rows take %.1f ms",
	        cost->round_us / cost->rounds / 1000, cost->plain_us / 1000);
	db_log(task->db, VIEWD_LOG_INFO, "view '%s' is not refreshed incrementally any more (%s)", task->view->name,
	       why.msg);
	attempt_refused(task, &why);
}

/* Images that this refresh has read may still be unread by other views. Images from before were usually read by all. */
static bool is_long(const struct change_log *log)
{
	int64_t unwanted = log->read >= 0 && log->unread <= PURGE_AT_ONCE ? log->read : log->unread;
	return log->everything || unwanted > PURGE_IMAGES;
}

static void purge(struct task *task)
{
	struct db *db = task->db;
	struct chain *chain = task->chain;
	bool due = ++chain->refreshes % PURGE_EVERY == 0;
	if (due)
		remember_costs(db, chain);
	due |= sums_consider(db, chain);
	for (size_t i = 0; i < chain->n_logs && db->ops->incremental.purge_log != NULL; i++)
		if (due || is_long(&chain->logs[i]))
			db->ops->incremental.purge_log(db, &chain->logs[i]);
}

/* To tidy up is a part of it. */
static bool is_dear(struct task *task)
{
	struct chain *chain = task->chain;
	bool alone = task->group == NULL || task->group->n == 1;
	int64_t total_us = alone ? db_now(task->db) - task->started_us : 0;
	return chain->round_us > 0 && cost_learn_round(&chain->cost, chain->round_us, total_us);
}

void incremental_purge(struct task *task)
{
	demotion_committed(task->chain);
	purge(task);
	if (is_dear(task) && task->resolved.mode == VIEWD_MODE_AUTO)
		give_up(task);
}
