/* SPDX-License-Identifier: MIT */
#include "common/incremental/change_log.h"

#include "base/err.h"
#include "common/conn/numbered.h"
#include "common/generate/columns.h"
#include "common/incremental/node_table.h"
#include "common/sqltext/sqltext.h"
#include "common/state/state.h"
#include "common/state/stmt.h"
#include "common/text/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

char *change_log_table(struct db *db, void *mem_ctx, int64_t number)
{
	char *table = talloc_asprintf(mem_ctx, "%schange_%" PRId64, db->syntax->state.prefix, number);
	assert(table != NULL);
	return table;
}

bool change_log_holds(const struct change_log *log, const struct log_sums *sums)
{
	return (log->sums == NULL && sums == NULL) ||
	       (log->sums != NULL && sums != NULL && strcmp(log->sums->digest, sums->digest) == 0);
}

/* ---- what is recorded of one log ---- */

#define SUMS_MARK "viewd_sums " /* and a digest: the first line of a log of sums; no column is called so */

struct recorded {
	void *mem;
	const struct log_sums *sums; /* what it is to hold */
	int64_t number;              /* 0: none */
	char *columns;               /* one a line */
	size_t n_sums;               /* logs of sums that the source has */
};

/* The columns that a recorded text names, when it is of a log that holds this; else NULL. */
static const char *unmarked(const char *text, const struct log_sums *sums)
{
	size_t mark = strlen(SUMS_MARK);
	if (strncmp(text, SUMS_MARK, mark) != 0)
		return sums == NULL ? text : NULL;
	if (sums == NULL || strncmp(text + mark, sums->digest, strlen(sums->digest)) != 0)
		return NULL;
	text += mark + strlen(sums->digest);
	return text + (*text == '\n');
}

static bool take_recorded_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct recorded *out = ctx;
	const char *columns = unmarked(v[1], out->sums);
	out->n_sums += strncmp(v[1], SUMS_MARK, strlen(SUMS_MARK)) == 0;
	if (columns == NULL)
		return true;
	out->number = number_or(v[0], 0);
	out->columns = talloc_strdup(out->mem, columns);
	return true;
}

static const struct db_reader take_recorded[] = {{take_recorded_fn, "nt", "a change log"}};

/* The newest row counts: the number of a log is never used again. */
static bool recall(struct db *db, const char *source, struct recorded *out, struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "SELECT log, columns FROM ", "change_logs", " WHERE source = ");
	stmt_param(&st, source);
	stmt_text(&st, " ORDER BY log");
	out->number = 0;
	out->n_sums = 0;
	return stmt_query(&st, take_recorded, out, err);
}

static bool has_column(const char *columns, const char *name)
{
	size_t len = strlen(name);
	for (const char *line = columns; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n')
		if (strcspn(line, "\n") == len && strncmp(line, name, len) == 0)
			return true;
	return false;
}

/* The recorded columns and those that are wanted, each once. */
static char *united(void *mem, const char *columns, const struct change_log *log)
{
	char *text = talloc_strdup(mem, columns);
	for (size_t i = 0; i < log->n_columns; i++)
		if (!has_column(text, log->columns[i]))
			text = talloc_asprintf_append(text, "%s%s", text[0] != '\0' ? "\n" : "", log->columns[i]);
	assert(text != NULL);
	return text;
}

static void take_columns(void *mem, const char *text, struct change_log *log)
{
	log->columns = NULL;
	log->n_columns = 0;
	for (const char *line = text; *line != '\0'; line += strcspn(line, "\n"), line += *line == '\n') {
		log->columns = talloc_realloc(mem, log->columns, const char *, (unsigned)log->n_columns + 1);
		assert(log->columns != NULL);
		log->columns[log->n_columns++] = talloc_strndup(mem, line, strcspn(line, "\n"));
	}
}

/* ---- making ---- */

static bool insert_log(struct db *db, void *mem, const char *source, const struct log_sums *sums, const char *columns,
                       struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "INSERT INTO ", "change_logs", " (source, columns) VALUES (");
	stmt_param(&st, source);
	stmt_text(&st, ", ");
	stmt_param(&st, sums != NULL ? talloc_asprintf(mem, SUMS_MARK "%s\n%s", sums->digest, columns) : columns);
	stmt_text(&st, ")");
	return stmt_run(&st, err);
}

/* Readers of the old log read the new one, from its beginning. */
static bool move_readers(struct db *db, int64_t from, int64_t to, struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "UPDATE ", "log_readers", " SET log = ");
	stmt_number(&st, to);
	stmt_text(&st, ", position = NULL, looked = NULL WHERE log = ");
	stmt_number(&st, from);
	return stmt_run(&st, err);
}

static bool delete_log(struct db *db, int64_t number, struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "DELETE FROM ", "change_logs", " WHERE log = ");
	stmt_number(&st, number);
	return stmt_run(&st, err);
}

/* In this order a server whose DDL commits by itself may be killed anywhere: what is recorded and not there is found
 * out by the look at it, and made by the next call. */
static bool make_anew(struct db *db, const char *source, const struct recorded *old, struct change_log *log,
                      struct viewd_err *err)
{
	struct recorded made = {.mem = old->mem, .sums = log->sums};
	char *columns = united(old->mem, old->number != 0 ? old->columns : "", log);
	if (!insert_log(db, old->mem, source, log->sums, columns, err) || !recall(db, source, &made, err))
		return false;
	log->number = made.number;
	take_columns(old->mem, made.columns, log);
	return (old->number == 0 || move_readers(db, old->number, made.number, err)) &&
	       db->ops->incremental.make_log(db, log, err) &&
	       (old->number == 0 ||
	        (db->ops->incremental.drop_log(db, old->number, &log->source, err) && delete_log(db, old->number, err)));
}

static bool ensure_reader(struct db *db, const char *view, int64_t number, struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "INSERT INTO ", "log_readers", " (");
	stmt_name(&st, "view");
	stmt_text(&st, ", log) SELECT ");
	stmt_param(&st, view);
	stmt_text(&st, ", ");
	stmt_number(&st, number);
	st.sql = sql_add(st.sql, " WHERE NOT EXISTS (SELECT 1 FROM %slog_readers WHERE ", db->syntax->state.prefix);
	stmt_name(&st, "view");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	stmt_text(&st, " AND log = ");
	stmt_number(&st, number);
	stmt_text(&st, ")");
	return stmt_run(&st, err);
}

static bool leave_existing(struct db *db, void *mem, const struct change_log *log, char **columns,
                           struct viewd_err *err)
{
	struct columns *has = columns_of(db, mem, &log->source, err);
	char *text = talloc_strdup(mem, "");
	for (size_t i = 0; has != NULL && i < has->n; i++)
		if (has_column(*columns, has->names[i]))
			text = talloc_asprintf_append(text, "%s%s", text[0] != '\0' ? "\n" : "", has->names[i]);
	*columns = text;
	return has != NULL;
}

/* An unsound log is made anew, with those of its columns that the source still has. */
static bool ensure_one(struct db *db, void *mem, const char *view, struct change_log *log, struct viewd_err *err)
{
	struct recorded old = {.mem = mem, .sums = log->sums};
	char *source = relation_quoted(db->syntax, mem, &log->source);
	if (!recall(db, source, &old, err))
		return false;
	if (log->sums != NULL && old.number == 0 && old.n_sums >= LOG_SUMS_MAX)
		return err_set(err, VIEWD_ERR_CONFIG, "writers of '%s' make the sums of %zu queries", log->source.name,
		               old.n_sums);
	bool unsound = log->unsound && old.number != 0 && old.number == log->number;
	if (unsound && !leave_existing(db, mem, log, &old.columns, err))
		return false;
	bool enough = old.number != 0 && !unsound && strcmp(united(mem, old.columns, log), old.columns) == 0;
	if (enough) {
		log->number = old.number;
		take_columns(mem, old.columns, log);
	}
	return (enough ? db->ops->incremental.make_log(db, log, err) : make_anew(db, source, &old, log, err)) &&
	       ensure_reader(db, view, log->number, err);
}

/* Logs of other tables that the view has read. */
static bool give_up(struct db *db, const char *view, const struct change_log *logs, size_t n, struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "DELETE FROM ", "log_readers", " WHERE ");
	stmt_name(&st, "view");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	stmt_text(&st, " AND log NOT IN (0");
	for (size_t i = 0; i < n; i++)
		st.sql = sql_add(st.sql, ", %" PRId64, logs[i].number);
	stmt_text(&st, ")");
	return stmt_run(&st, err);
}

static bool ensure_all(struct db *db, void *mem, const char *view, struct change_log *logs, size_t n,
                       struct viewd_err *err)
{
	for (size_t i = 0; i < n; i++)
		if (!ensure_one(db, mem, view, &logs[i], err))
			return false;
	return give_up(db, view, logs, n, err);
}

static bool locked(struct db *db, void *mem, const char *view, struct change_log *logs, size_t n, struct viewd_err *err)
{
	const struct db_capture_ops *capture = &db->ops->capture;
	bool locked = capture->lock == NULL || capture->lock(db, err);
	bool done = locked && ensure_all(db, mem, view, logs, n, err) &&
	            (!db->syntax->has.transactional_ddl || db->ops->commit(db, err));
	if (!done)
		db->ops->rollback(db);
	if (locked && capture->unlock != NULL)
		capture->unlock(db);
	return done;
}

bool change_logs_ensure(struct db *db, void *mem_ctx, const char *view, struct change_log *logs, size_t n,
                        struct viewd_err *err)
{
	if (db->syntax->has.transactional_ddl && !db->ops->begin(db, DB_BEGIN_WRITE, err))
		return false;
	return locked(db, mem_ctx, view, logs, n, err);
}

/* ---- giving up ---- */

static const struct db_reader take_dropped[] = {{numbered_take, "nt", "change logs that nobody reads"}};

static bool forget_readers(struct db *db, struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "DELETE FROM ", "log_readers", " WHERE ");
	stmt_name(&st, "view");
	st.sql = sql_add(st.sql, " NOT IN (SELECT name FROM %s)", db->syntax->state.views);
	return stmt_run(&st, err);
}

static bool find_dropped(struct db *db, struct numbered_list *list, struct viewd_err *err)
{
	struct stmt st = stmt_of(db, "SELECT log, source FROM ", "change_logs", "");
	st.sql = sql_add(st.sql, " WHERE log NOT IN (SELECT log FROM %slog_readers)", db->syntax->state.prefix);
	return stmt_query(&st, take_dropped, list, err);
}

static bool drop_all(struct db *db, const struct numbered_list *list, struct viewd_err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		struct relation source;
		if (!relation_parse(db->syntax, list->items[i].text, &source, err) ||
		    !db->ops->incremental.drop_log(db, list->items[i].number, &source, err) ||
		    !delete_log(db, list->items[i].number, err))
			return false;
	}
	return true;
}

static bool sweep(struct db *db, struct numbered_list *list, struct viewd_err *err)
{
	return forget_readers(db, err) && find_dropped(db, list, err) && drop_all(db, list, err) &&
	       node_tables_sweep(db, err);
}

static bool take_number_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], 0);
	return false;
}

static const struct db_reader take_number[] = {{take_number_fn, "N", "how many change logs a view reads"}};

static bool leave_logs(struct db *db, const char *view, int64_t *left_r, struct viewd_err *err)
{
	struct stmt count = stmt_of(db, "SELECT count(*) FROM ", "log_readers", " WHERE ");
	stmt_name(&count, "view");
	stmt_text(&count, " = ");
	stmt_param(&count, view);
	return stmt_query(&count, take_number, left_r, err) && (*left_r == 0 || give_up(db, view, NULL, 0, err));
}

void change_logs_leave(struct db *db, const char *view)
{
	struct viewd_err failed = {0};
	int64_t left = 0;
	if (!leave_logs(db, view, &left, &failed))
		db_log(db, VIEWD_LOG_DEBUG, "view '%s', its change logs stay for now (%s)", view, failed.msg);
	else if (left > 0)
		change_logs_sweep(db);
}

/* Readers that are no views, logs without readers, nodes of no reader. Usually there are none, and nobody need wait. */
static bool count_left(struct db *db, int64_t *left_r, struct viewd_err *err)
{
	const char *prefix = db->syntax->state.prefix;
	struct stmt st = stmt_of(db, "SELECT (SELECT count(*) FROM ", "log_readers", " WHERE ");
	stmt_name(&st, "view");
	st.sql = sql_add(st.sql,
	                 " NOT IN (SELECT name FROM %s)) + (SELECT count(*) FROM %schange_logs WHERE log NOT IN "
	                 "(SELECT log FROM %slog_readers)) + (SELECT count(*) FROM %snodes WHERE ",
	                 db->syntax->state.views, prefix, prefix, prefix);
	stmt_name(&st, "view");
	stmt_text(&st, " NOT IN (SELECT ");
	stmt_name(&st, "view");
	st.sql = sql_add(st.sql, " FROM %slog_readers))", prefix);
	return stmt_query(&st, take_number, left_r, err);
}

/* One session at a time: another one may be about to drop the same, or to make what is to be read. */
static bool sweep_locked(struct db *db, struct numbered_list *list, struct viewd_err *err)
{
	const struct db_capture_ops *capture = &db->ops->capture;
	bool transaction = db->syntax->has.transactional_ddl;
	if (transaction && !db->ops->begin(db, DB_BEGIN_WRITE, err))
		return false;
	bool locked = capture->lock == NULL || capture->lock(db, err);
	bool done = locked && sweep(db, list, err) && (!transaction || db->ops->commit(db, err));
	if (locked && capture->unlock != NULL)
		capture->unlock(db);
	return done;
}

void change_logs_sweep(struct db *db)
{
	struct numbered_list list = {.mem = talloc_new(NULL)};
	struct viewd_err failed = {0};
	int64_t left = 0;
	bool done = db->ops->incremental.drop_log == NULL || (count_left(db, &left, &failed) && left == 0) ||
	            (left > 0 && sweep_locked(db, &list, &failed));
	if (!done) {
		db->ops->rollback(db);
		db_log(db, VIEWD_LOG_WARNING, "database '%s', change logs that nobody reads stay for now (%s)",
		       db->database_name, failed.msg);
	}
	talloc_free(list.mem);
}
