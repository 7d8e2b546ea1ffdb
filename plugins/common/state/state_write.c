/* SPDX-License-Identifier: MIT
 *
 * state_write.c: writes the row of a view and its history.
 */
#include "base/words.h"
#include "common/sqltext/sqltext.h"
#include "common/state/learnt.h"
#include "common/state/returned.h"
#include "common/state/state.h"
#include "common/state/stmt.h"
#include "common/text/number.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define TRIM_EVERY 16 /* the history is trimmed in one write of so many, on an average */

bool state_save(struct db *db, const char *view, const struct state_row *row, struct viewd_err *err)
{
	static const char *const names[] = {"name",
	                                    "relation",
	                                    "method",
	                                    "definition_hash",
	                                    "index_hash",
	                                    "identity",
	                                    "canonical",
	                                    "on_remove",
	                                    "indexes",
	                                    "place",
	                                    "kept",
	                                    "changed_time",
	                                    "consecutive_errors",
	                                    "created_time"};
	char *place;
	if (!returned_place(db, NULL, &place, err))
		return false;
	const char *texts[] = {
		view,          row->relation,  word_method(row->method), row->definition_hash, row->index_hash,
		row->identity, row->canonical, row->on_remove,           row->indexes,         place};
	int64_t now = db_now(db);
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "INSERT INTO %s (", db->syntax->state.views);
	stmt_names(&st, names, ARRAY_LEN(names));
	stmt_text(&st, ") VALUES (");
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		stmt_param(&st, texts[i]);
		stmt_text(&st, ", ");
	}
	stmt_text(&st, row->kept ? "1, " : "0, ");
	stmt_time(&st, now);
	stmt_text(&st, ", 0, ");
	stmt_time(&st, now);
	st.sql = sql_add(st.sql, ")%s", db->syntax->state.upsert_clause);
	for (size_t i = 1; i < ARRAY_LEN(names) - 1; i++) {
		char *quoted = ident_append(db->syntax, sql_new(st.sql), names[i]);
		st.sql = sql_add(st.sql, "%s%s = ", i > 1 ? ", " : "", quoted);
		st.sql = sql_template(st.sql, db->syntax->state.upsert_value, quoted);
	}
	bool done = stmt_run(&st, err);
	talloc_free(place);
	return done;
}

bool state_save_definition(struct db *db, const char *view, const char *text, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "UPDATE %s SET definition = ", db->syntax->state.views);
	stmt_param(&st, text);
	stmt_text(&st, " WHERE ");
	stmt_name(&st, "name");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	return stmt_run(&st, err);
}

bool state_set_followed(struct db *db, const char *view, bool followed, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "UPDATE %s SET followed = %d WHERE followed <> %d AND ", db->syntax->state.views, followed,
	                 followed);
	stmt_name(&st, "name");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	return stmt_run(&st, err);
}

bool state_set_indexed(struct db *db, const char *view, const char *index_hash, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "UPDATE %s SET ", db->syntax->state.views);
	stmt_name(&st, "index_hash");
	stmt_text(&st, " = ");
	stmt_param(&st, index_hash);
	stmt_text(&st, " WHERE ");
	stmt_name(&st, "name");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	return stmt_run(&st, err);
}

bool state_forget(struct db *db, const char *view, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "DELETE FROM %s WHERE ", db->syntax->state.views);
	stmt_name(&st, "name");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	return stmt_run(&st, err) && learnt_forget_all(db, view, err);
}

static bool move_rows(struct db *db, const char *table, const char *column, const char *from, const char *to,
                      struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "UPDATE %s SET ", table);
	stmt_name(&st, column);
	stmt_text(&st, " = ");
	stmt_param(&st, to);
	stmt_text(&st, " WHERE ");
	stmt_name(&st, column);
	stmt_text(&st, " = ");
	stmt_param(&st, from);
	return stmt_run(&st, err);
}

static bool forget_rows(struct db *db, const char *table, const char *view, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "DELETE FROM %s WHERE ", table);
	stmt_name(&st, "view");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	return stmt_run(&st, err);
}

bool state_move(struct db *db, const char *from, const char *to, struct viewd_err *err)
{
	static const char *const names[] = {"captures", "requests", "log_readers", "nodes", "learnt"};
	bool done = true;
	for (size_t i = 0; i < ARRAY_LEN(names) && done; i++) {
		char *table = state_table(db, NULL, names[i]);
		done = forget_rows(db, table, to, err) && move_rows(db, table, "view", from, to, err);
		talloc_free(table);
	}
	return done && move_rows(db, db->syntax->state.history, "view", from, to, err) &&
	       move_rows(db, db->syntax->state.views, "name", from, to, err);
}

bool state_clear_data(struct db *db, const char *view, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "UPDATE %s SET last_success_time = NULL, data_timestamp = NULL, all_rows_time = NULL, ",
	                 db->syntax->state.views);
	stmt_name(&st, "rows");
	stmt_text(&st, " = NULL, rows_written = NULL WHERE ");
	stmt_name(&st, "name");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	return stmt_run(&st, err);
}

static void set_text(struct stmt *st, const char *column, const char *value)
{
	stmt_text(st, ", ");
	stmt_name(st, column);
	stmt_text(st, " = ");
	stmt_param(st, value);
}

static void set_number(struct stmt *st, const char *column, int64_t value)
{
	stmt_text(st, ", ");
	stmt_name(st, column);
	stmt_text(st, " = ");
	stmt_number(st, value);
}

static void set_time(struct stmt *st, const char *column, int64_t us)
{
	stmt_text(st, ", ");
	stmt_name(st, column);
	stmt_text(st, " = ");
	stmt_time(st, us);
}

/* A row that an older viewd wrote does not tell it: it counts from the first run that does. */
static void set_all_rows(struct stmt *st, const struct state_run *run)
{
	stmt_text(st, ", all_rows_time = ");
	if (run->from_logs)
		stmt_text(st, "COALESCE(all_rows_time, ");
	stmt_time(st, run->data_timestamp_us);
	if (run->from_logs)
		stmt_text(st, ")");
}

static void set_success(struct stmt *st, const struct state_run *run)
{
	set_time(st, "last_success_time", run->started_us + run->duration_us);
	set_time(st, "data_timestamp", run->data_timestamp_us);
	set_all_rows(st, run);
	set_number(st, "duration_ms", (run->duration_us + 500) / 1000);
	set_number(st, "rows", run->rows);
	set_number(st, "rows_written", run->rows_written);
	set_text(st, "last_action", run->action);
	stmt_text(st, ", last_error = NULL, consecutive_errors = 0");
}

static const char *result_word(const struct state_run *run)
{
	static const char *const words[VIEWD_FAILURE_COUNT] = {
#define FAILURE_WORD(sym, word) [VIEWD_FAILURE_##sym] = (word),
		VIEWD_FAILURES(FAILURE_WORD)
#undef FAILURE_WORD
	};
	return run->succeeded ? "SUCCEEDED" : words[run->failure];
}

static bool update_view(struct db *db, const char *view, const struct state_run *run, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "UPDATE %s SET last_result = ", db->syntax->state.views);
	stmt_param(&st, result_word(run));
	set_text(&st, "last_trigger", run->trigger);
	set_time(&st, "last_refresh_time", run->started_us + run->duration_us);
	if (run->succeeded)
		set_success(&st, run);
	else
		set_text(&st, "last_error", run->error);
	if (!run->succeeded && run->failure != VIEWD_FAILURE_CANCELLED)
		stmt_text(&st, ", consecutive_errors = consecutive_errors + 1");
	stmt_text(&st, " WHERE ");
	stmt_name(&st, "name");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	return stmt_run_later(&st, err);
}

static bool insert_history(struct db *db, const char *view, const struct state_run *run, struct viewd_err *err)
{
	static const char *const names[] = {"view",        "trigger", "action",       "result", "error",
	                                    "duration_ms", "rows",    "rows_written", "started"};
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "INSERT INTO %s (", db->syntax->state.history);
	stmt_names(&st, names, ARRAY_LEN(names));
	stmt_text(&st, ") VALUES (");
	const char *texts[] = {view, run->trigger, run->action, result_word(run), run->error};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		stmt_param(&st, texts[i]);
		stmt_text(&st, ", ");
	}
	int64_t numbers[] = {(run->duration_us + 500) / 1000, run->rows, run->rows_written};
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		stmt_number(&st, numbers[i]);
		stmt_text(&st, ", ");
	}
	stmt_time(&st, run->started_us);
	stmt_text(&st, ")");
	return stmt_run_later(&st, err);
}

static bool read_id_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	snprintf(ctx, 32, "%s", values[0] != NULL ? values[0] : "");
	return false;
}

static const struct db_reader read_id[] = {{read_id_fn, "T", "the number of a run"}};

static bool trim(struct db *db, const char *view, struct viewd_err *err)
{
	char oldest[32] = "";
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "SELECT id FROM %s WHERE ", db->syntax->state.history);
	stmt_name(&st, "view");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	st.sql = sql_add(st.sql, " ORDER BY id DESC LIMIT 1 OFFSET %d", STATE_HISTORY_KEEP);
	if (!stmt_query(&st, read_id, oldest, err))
		return false;
	if (oldest[0] == '\0')
		return true;
	st = stmt_new(db);
	st.sql = sql_add(st.sql, "DELETE FROM %s WHERE ", db->syntax->state.history);
	stmt_name(&st, "view");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	stmt_text(&st, " AND id <= ");
	stmt_number(&st, number_or(oldest, 0));
	return stmt_run_later(&st, err);
}

bool state_annotate(struct db *db, const char *view, const char *error, struct viewd_err *err)
{
	char newest[32] = "";
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "SELECT max(id) FROM %s WHERE ", db->syntax->state.history);
	stmt_name(&st, "view");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	if (!stmt_query(&st, read_id, newest, err))
		return false;
	st = stmt_new(db);
	st.sql = sql_add(st.sql, "UPDATE %s SET error = ", db->syntax->state.history);
	stmt_param(&st, error);
	st.sql = sql_add(st.sql, " WHERE id = %lld", (long long)number_or(newest, 0));
	return stmt_run(&st, err);
}

/* Runs are numbered over all views, so one that always runs beside others has numbers with a step of its own. Mixed as
 * MurmurHash3 ends (https://github.com/aappleby/smhasher), no step is unlucky. */
static bool is_trim_due(int64_t run_id)
{
	uint32_t n = (uint32_t)run_id;
	n = (n ^ (n >> 16)) * 0x85ebca6bu;
	n = (n ^ (n >> 13)) * 0xc2b2ae35u;
	return (n ^ (n >> 16)) < UINT32_MAX / TRIM_EVERY;
}

bool state_record_run(struct db *db, const char *view, const struct state_run *run, struct viewd_err *err)
{
	if (!update_view(db, view, run, err) || !insert_history(db, view, run, err))
		return false;
	return !is_trim_due(run->run_id) || trim(db, view, err);
}
