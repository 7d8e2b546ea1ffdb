/* SPDX-License-Identifier: MIT */
#include "common/incremental/attempt.h"

#include "base/err.h"
#include "common/incremental/change_log.h"
#include "common/sqltext/sqltext.h"
#include "common/state/learnt.h"
#include "common/state/stmt.h"
#include "common/text/number.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define RUNS_MIN 3
#define ASK_AGAIN_US INT64_C(10000000)
#define REFUSED_US INT64_C(86400000000)    /* then it is tried again: rights and tables change */
#define REFUSED_HERE_US INT64_C(600000000) /* then others are asked whether it still is */

struct attempt {
	char *view;
	char definition_hash[65];
	unsigned slow_runs; /* in a row */
	int64_t slow_us;    /* the least that one of them has taken */
	bool kept, refused, captured;
	int64_t asked_us;
	char why[200];
};

struct attempts {
	struct attempt *items;
	size_t n;
	int64_t asked_us;
	bool any_reader; /* of a change log */
};

static struct attempts *attempts_of(struct db *db)
{
	if (db->attempts == NULL)
		db->attempts = talloc_zero(db, struct attempts);
	assert(db->attempts != NULL);
	return db->attempts;
}

static struct attempt *find(struct task *task)
{
	struct attempts *all = attempts_of(task->db);
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->items[i].view, task->view->name) == 0)
			return &all->items[i];
	all->items = talloc_realloc(all, all->items, struct attempt, (unsigned)all->n + 1);
	assert(all->items != NULL);
	all->items[all->n] = (struct attempt){.view = talloc_strdup(all, task->view->name)};
	return &all->items[all->n++];
}

static struct attempt *current(struct task *task)
{
	struct attempt *attempt = find(task);
	if (strcmp(attempt->definition_hash, task->resolved.hash) != 0) {
		char *view = attempt->view;
		*attempt = (struct attempt){.view = view};
		memcpy(attempt->definition_hash, task->resolved.hash, sizeof attempt->definition_hash);
	}
	return attempt;
}

static bool take_count_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	int64_t *counts = ctx;
	for (size_t i = 0; i < 3; i++)
		counts[i] = number_or(v[i], 0);
	return false;
}

static const struct db_reader take_count[] = {{take_count_fn, "NNN", "how a view's sources are followed"}};

static void add_of_view(struct stmt *st, const char *before, const char *table, const char *view)
{
	st->sql = sql_add(st->sql, "%s%s%s WHERE ", before, st->db->syntax->state.prefix, table);
	stmt_name(st, "view");
	stmt_text(st, " = ");
	stmt_param(st, view);
}

/* Findings of another connection, or of this one a while ago. */
static void recall_refusal(struct task *task, struct attempt *attempt)
{
	struct learnt no;
	learnt_find(task->db, attempt->view, LEARNT_REFUSED, attempt->definition_hash, &no);
	attempt->refused = no.known && db_now(task->db) - no.time_us < REFUSED_US;
	if (attempt->refused)
		snprintf(attempt->why, sizeof attempt->why, "%.199s", no.text);
}

/* Readers of change logs are kept so, by whatever connection. Who has chosen to follow a source without triggers gets
 * none. */
static void ask(struct task *task, struct attempt *attempt)
{
	struct stmt st = stmt_new(task->db);
	struct viewd_err failed;
	int64_t counts[3] = {0};
	add_of_view(&st, "SELECT (SELECT count(*) FROM ", "log_readers", task->view->name);
	add_of_view(&st, "), (SELECT count(*) FROM ", "captures", task->view->name);
	add_of_view(&st, "), (SELECT count(*) FROM ", "captures", task->view->name);
	stmt_text(&st, " AND mode NOT IN ('kept', 'trigger', 'look'))");
	attempt->asked_us = db_now(task->db);
	if (!stmt_query(&st, take_count, counts, &failed))
		return;
	attempt->kept = counts[0] > 0;
	attempt->captured = counts[1] > 0;
	if (!attempt->kept)
		recall_refusal(task, attempt);
	if (counts[2] > 0) {
		attempt->refused = !attempt->kept;
		snprintf(attempt->why, sizeof attempt->why, "its sources are not followed by triggers");
	}
}

static bool take_any_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = number_or(v[0], 0) > 0;
	return false;
}

static const struct db_reader take_any[] = {{take_any_fn, "N", "readers of change logs"}};

static bool any_reader(struct db *db)
{
	struct attempts *all = attempts_of(db);
	struct viewd_err failed;
	if (all->asked_us != 0 && db_now(db) - all->asked_us < ASK_AGAIN_US)
		return all->any_reader;
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "SELECT count(*) FROM %slog_readers", db->syntax->state.prefix);
	all->asked_us = db_now(db);
	all->any_reader = false;
	return stmt_query(&st, take_any, &all->any_reader, &failed) && all->any_reader;
}

bool attempt_due(struct task *task)
{
	struct attempt *attempt = current(task);
	attempt->refused = attempt->refused && db_now(task->db) - attempt->asked_us < REFUSED_HERE_US;
	if (task->db->ops->incremental.apply_part == NULL || !task->view->captured || attempt->refused)
		return false;
	bool may_begin = task->db->ops->incremental.begins_after_us > 0 && !task->db->definitions_end;
	bool slow = attempt->slow_runs >= RUNS_MIN && may_begin;
	bool old = attempt->asked_us == 0 || db_now(task->db) - attempt->asked_us > ASK_AGAIN_US;
	/* Another connection may have given it up. */
	if (attempt->kept ? old : slow || (old && any_reader(task->db)))
		ask(task, attempt);
	return attempt->kept || (slow && attempt->captured && !attempt->refused);
}

bool attempt_stands(struct task *task, struct viewd_err *err)
{
	struct attempt *attempt = current(task);
	if (attempt->kept)
		ask(task, attempt);
	return !attempt->refused || err_set(err, VIEWD_ERR_CONFIG, "%s", attempt->why);
}

void attempt_measured(struct task *task, int64_t us)
{
	struct attempt *attempt = current(task);
	attempt->slow_us = attempt->slow_runs == 0 || us < attempt->slow_us ? us : attempt->slow_us;
	attempt->slow_runs = us > task->db->ops->incremental.begins_after_us ? attempt->slow_runs + 1 : 0;
	(void)any_reader(task->db); /* now, when nobody waits, rather than before the next one */
}

int64_t attempt_was_us(struct task *task)
{
	struct attempt *attempt = current(task);
	return attempt->slow_runs > 0 ? attempt->slow_us : 0;
}

void attempt_refused(struct task *task, const struct viewd_err *why)
{
	struct attempt *attempt = current(task);
	struct viewd_err failed;
	attempt->refused = true;
	attempt->kept = false;
	attempt->asked_us = db_now(task->db);
	snprintf(attempt->why, sizeof attempt->why, "%.199s", why->msg);
	if (!learnt_save(task->db, attempt->view, LEARNT_REFUSED, attempt->definition_hash, attempt->why, &failed))
		db_log(task->db, VIEWD_LOG_DEBUG, "view '%s', other connections will try it too (%s)", attempt->view,
		       failed.msg);
	/* The reason may have come after its logs were made. */
	change_logs_leave(task->db, task->view->name);
}

void attempt_forget_refusal(struct task *task)
{
	struct attempt *attempt = current(task);
	struct viewd_err failed;
	if (attempt->refused)
		attempt->slow_runs = 0;
	attempt->refused = false;
	attempt->why[0] = '\0';
	if (!learnt_forget(task->db, attempt->view, LEARNT_REFUSED, NULL, &failed))
		db_log(task->db, VIEWD_LOG_DEBUG, "view '%s', is not tried again (%s)", attempt->view, failed.msg);
}

void attempt_postponed(struct task *task, const struct viewd_err *why)
{
	struct attempt *attempt = current(task);
	attempt->slow_runs = 0;
	snprintf(attempt->why, sizeof attempt->why, "%.199s", why->msg);
}

void attempt_plain(struct task *task)
{
	struct viewd_err failed;
	if (!learnt_save(task->db, task->view->name, LEARNT_PLAIN, task->resolved.hash, "", &failed))
		db_log(task->db, VIEWD_LOG_WARNING, "view '%s', inner nodes will be tried again (%s)", task->view->name,
		       failed.msg);
}

bool attempt_is_plain(struct task *task)
{
	struct learnt plain;
	learnt_find(task->db, task->view->name, LEARNT_PLAIN, task->resolved.hash, &plain);
	return plain.known && db_now(task->db) - plain.time_us < REFUSED_US;
}

void attempt_over(struct task *task)
{
	if (task->db->ops->incremental.drop_log != NULL && any_reader(task->db))
		change_logs_leave(task->db, task->view->name);
}

const char *attempt_reason(struct task *task)
{
	return current(task)->why;
}
