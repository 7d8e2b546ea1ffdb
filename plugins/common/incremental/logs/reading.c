/* SPDX-License-Identifier: MIT
 *
 * reading.c: reads change logs: how far a view has come, and the rows that it has not read (change_log.h).
 */
#include "base/err.h"
#include "common/incremental/change_log.h"
#include "common/sqltext/sqltext.h"
#include "common/state/state.h"
#include "common/state/stmt.h"
#include "common/text/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

static void of_reader(struct stmt *st, const char *view, const struct change_log *log)
{
	stmt_text(st, " WHERE ");
	stmt_name(st, "view");
	stmt_text(st, " = ");
	stmt_param(st, view);
	stmt_text(st, " AND log = ");
	stmt_number(st, log->number);
}

struct positions {
	void *mem;
	struct change_log *logs;
	size_t n;
};

static char *kept_text(void *mem, const char *text)
{
	return text != NULL ? talloc_strdup(mem, text) : NULL;
}

static bool take_position_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct positions *all = ctx;
	int64_t number = number_or(v[0], 0);
	for (size_t i = 0; i < all->n; i++) {
		struct change_log *log = &all->logs[i];
		if (log->number != number)
			continue;
		log->replaced = false;
		log->position = kept_text(all->mem, v[1]);
		log->last_looked = kept_text(all->mem, v[2]);
	}
	return true;
}

static const struct db_reader take_position[] = {{take_position_fn, "nTT", "what a view has read of change logs"}};

static bool look_each(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                      struct viewd_err *err)
{
	for (size_t i = 0; i < n; i++)
		if (!logs[i].replaced &&
		    !db->ops->incremental.look_log(db, mem_ctx, view, &logs[i], logs[i].position, logs[i].last_looked, err))
			return false;
	return true;
}

/* The positions may come with the next answers, so what is looked at has the numbers that the chain knows. */
static bool ask_positions(struct db *db, void *mem, const char *view, struct change_log *logs, size_t n,
                          struct viewd_err *err)
{
	struct positions *all = talloc(mem, struct positions);
	struct stmt st = stmt_of(db, "SELECT log, position, looked FROM ", "log_readers", " WHERE ");
	assert(all != NULL);
	*all = (struct positions){mem, logs, n};
	stmt_name(&st, "view");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	return stmt_query_later(&st, take_position, all, err);
}

bool change_logs_ask(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                     struct viewd_err *err)
{
	for (size_t i = 0; i < n; i++) {
		struct change_log *log = &logs[i];
		log->position = log->last_looked = log->unread_ids = log->next_position = log->looked = NULL;
		log->unread = 0;
		log->read = -1;
		log->everything = log->changed = log->unsound = false;
		log->replaced = true;
		log->why[0] = '\0';
	}
	const struct db_incremental_ops *ops = &db->ops->incremental;
	if (ops->turns.ask == NULL && ops->look_logs == NULL)
		return true;
	return ask_positions(db, mem_ctx, view, logs, n, err) &&
	       (ops->turns.ask == NULL || ops->turns.ask(db, mem_ctx, view, logs, n, err));
}

static bool look_at(struct db *db, void *mem, const char *view, struct change_log *logs, size_t n,
                    struct viewd_err *err)
{
	const struct db_incremental_ops *ops = &db->ops->incremental;
	if (ops->turns.ask == NULL && ops->look_logs != NULL)
		return ops->look_logs(db, mem, view, logs, n, err);
	if (ops->turns.ask == NULL)
		return ask_positions(db, mem, view, logs, n, err) && db_flush(db, err) &&
		       look_each(db, mem, view, logs, n, err);
	return db_flush(db, err) && ops->turns.judge(db, mem, view, logs, n, err);
}

bool change_logs_look(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                      struct viewd_err *err)
{
	if (!look_at(db, mem_ctx, view, logs, n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct change_log *log = &logs[i];
		log->unsound |= log->replaced;
		if (log->replaced)
			snprintf(log->why, sizeof log->why, "another one serves the table");
		log->changed = log->last_looked != NULL && log->looked != NULL && strcmp(log->last_looked, log->looked) != 0;
	}
	return true;
}

bool change_logs_distrust(struct db *db, const struct change_log *logs, size_t n, struct viewd_err *err)
{
	for (size_t i = 0; i < n; i++) {
		if (!logs[i].unsound || logs[i].replaced)
			continue;
		struct stmt st = stmt_of(db, "UPDATE ", "log_readers", " SET position = NULL, looked = NULL WHERE log = ");
		stmt_number(&st, logs[i].number);
		if (!stmt_run(&st, err))
			return false;
	}
	return true;
}

/* The position is a value that was asked for, or SQL. */
static bool find_position(struct db *db, struct stmt *st, const char *view, const struct change_log *log,
                          struct viewd_err *err)
{
	char *position = NULL;
	if (db->ops->incremental.turns.position != NULL) {
		stmt_text(st, db->ops->incremental.turns.position(st->sql, log));
		return true;
	}
	if (!db->ops->incremental.read_log(db, st->sql, view, log, &position, err))
		return false;
	stmt_param(st, position);
	return true;
}

bool change_log_read(struct db *db, const char *view, const struct change_log *log, struct viewd_err *err)
{
	const struct db_turn_ops *turns = &db->ops->incremental.turns;
	if (log->everything && !log->unsound && turns->mend != NULL && !turns->mend(db, log, err))
		return false;
	struct stmt st = stmt_of(db, "UPDATE ", "log_readers", " SET position = ");
	if (!find_position(db, &st, view, log, err)) {
		talloc_free(st.sql);
		return false;
	}
	stmt_text(&st, ", looked = ");
	stmt_param(&st, log->looked);
	of_reader(&st, view, log);
	return stmt_run_later(&st, err);
}
