/* SPDX-License-Identifier: MIT */
#include "common/state/state.h"
#include "base/words.h"

#include "common/sqltext/ident.h"
#include "common/sqltext/sqltext.h"
#include "common/state/returned.h"
#include "common/state/stmt.h"
#include "common/state/views.h"
#include "common/text/copy.h"
#include "common/text/number.h"
#include "common/text/timetext.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* ---- tables ---- */

enum column_type { TYPE_KEY, TYPE_TEXT, TYPE_BIGINT, TYPE_TIME, TYPE_SERIAL };
struct column_row {
	const char *name;
	enum column_type type;
	const char *constraint;
};

static const struct column_row views_columns[] = {
	{"name", TYPE_KEY, " NOT NULL PRIMARY KEY"},
	{"relation", TYPE_TEXT, " NOT NULL"},
	{"method", TYPE_TEXT, " NOT NULL"},
	{"definition", TYPE_TEXT, ""},
	{"definition_hash", TYPE_TEXT, " NOT NULL"},
	{"index_hash", TYPE_TEXT, " NOT NULL"},
	{"identity", TYPE_TEXT, " NOT NULL"},
	{"canonical", TYPE_TEXT, " NOT NULL"},
	{"on_remove", TYPE_TEXT, " NOT NULL"},
	{"indexes", TYPE_TEXT, " NOT NULL"},
	{"created_time", TYPE_TIME, ""},
	{"changed_time", TYPE_TIME, ""},
	{"last_refresh_time", TYPE_TIME, ""},
	{"last_success_time", TYPE_TIME, ""},
	{"data_timestamp", TYPE_TIME, ""},
	{"duration_ms", TYPE_BIGINT, ""},
	{"rows", TYPE_BIGINT, ""},
	{"rows_written", TYPE_BIGINT, ""},
	{"last_trigger", TYPE_TEXT, ""},
	{"last_action", TYPE_TEXT, ""},
	{"last_result", TYPE_TEXT, ""},
	{"last_error", TYPE_TEXT, ""},
	{"consecutive_errors", TYPE_BIGINT, " NOT NULL"},
	{"followed", TYPE_BIGINT, " NOT NULL DEFAULT 0"}, /* 1: with on_change, whatever it reads */
	{"place", TYPE_TEXT, ""},                         /* where the identity was written (returned.h) */
	/* 1: the object is kept as somebody else made it, whatever the file says */
	{"kept", TYPE_BIGINT, " NOT NULL DEFAULT 0"},
	{"all_rows_time", TYPE_TIME, ""}, /* the data_timestamp of the last run that computed all rows */
};

static const struct column_row history_columns[] = {
	{"id", TYPE_SERIAL, ""},          {"view", TYPE_KEY, " NOT NULL"},    {"trigger", TYPE_TEXT, ""},
	{"action", TYPE_TEXT, ""},        {"result", TYPE_TEXT, " NOT NULL"}, {"started", TYPE_TIME, " NOT NULL"},
	{"duration_ms", TYPE_BIGINT, ""}, {"rows", TYPE_BIGINT, ""},          {"rows_written", TYPE_BIGINT, ""},
	{"error", TYPE_TEXT, ""},
};

static const struct column_row captures_columns[] = {
	{"view", TYPE_KEY, " NOT NULL"},         {"source", TYPE_KEY, " NOT NULL"},       {"mode", TYPE_TEXT, " NOT NULL"},
	{"dirty_seq", TYPE_BIGINT, " NOT NULL"}, {"clean_seq", TYPE_BIGINT, " NOT NULL"}, {"changed_time", TYPE_TIME, ""},
};

static const struct column_row objects_columns[] = {
	{"source", TYPE_KEY, " NOT NULL PRIMARY KEY"},
	{"kind", TYPE_TEXT, " NOT NULL"},
	{"identity", TYPE_TEXT, " NOT NULL"},
	{"stamp", TYPE_TEXT, " NOT NULL"},
	{"digest", TYPE_TEXT, " NOT NULL"},
};

static const struct column_row change_logs_columns[] = {
	{"log", TYPE_SERIAL, ""},
	{"source", TYPE_KEY, " NOT NULL"},
	{"columns", TYPE_TEXT, " NOT NULL"},
};

static const struct column_row log_readers_columns[] = {
	{"view", TYPE_KEY, " NOT NULL"},
	{"log", TYPE_BIGINT, " NOT NULL"},
	{"position", TYPE_TEXT, ""},
	{"looked", TYPE_TEXT, ""},
};

static const struct column_row nodes_columns[] = {
	{"node", TYPE_SERIAL, ""},
	{"view", TYPE_KEY, " NOT NULL"},
	{"digest", TYPE_TEXT, " NOT NULL"},
};

static const struct column_row learnt_columns[] = {
	{"view", TYPE_KEY, " NOT NULL"},    {"fact", TYPE_KEY, " NOT NULL"},
	{"digest", TYPE_TEXT, " NOT NULL"}, /* of the definition that it is true of */
	{"text", TYPE_TEXT, " NOT NULL"},   {"learnt_time", TYPE_TIME, ""},
};

static const struct column_row requests_columns[] = {
	{"id", TYPE_SERIAL, ""},
	{"view", TYPE_KEY, " NOT NULL"},
};

bool state_is_table(const char *name)
{
	char literal[IDENT_MAX + 2];
	int len = snprintf(literal, sizeof literal, "'%s'", name);
	return len < (int)sizeof literal && strcasestr(STATE_TABLES_SQL, literal) != NULL;
}

char *state_table(struct db *db, void *mem_ctx, const char *name)
{
	char *table = talloc_asprintf(mem_ctx, "%s%s", db->syntax->state.prefix, name);
	assert(table != NULL);
	return table;
}

static const char *type_name(const struct syntax *syn, enum column_type type)
{
	switch (type) {
	case TYPE_KEY:
		return syn->types.key;
	case TYPE_TEXT:
		return syn->types.text;
	case TYPE_BIGINT:
		return syn->types.bigint;
	case TYPE_TIME:
		return syn->types.time;
	case TYPE_SERIAL:
		break;
	}
	return syn->types.serial_key;
}

static bool create_table(struct db *db, const char *table, const char *note, const struct column_row *columns, size_t n,
                         const char *more, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "CREATE TABLE IF NOT EXISTS %s%s (", table, note != NULL ? note : "");
	for (size_t i = 0; i < n; i++) {
		stmt_text(&st, i > 0 ? ", " : "");
		stmt_name(&st, columns[i].name);
		st.sql = sql_add(st.sql, " %s%s", type_name(db->syntax, columns[i].type), columns[i].constraint);
	}
	st.sql = sql_add(st.sql, "%s)%s", more != NULL ? more : "",
	                 db->syntax->state.suffix != NULL ? db->syntax->state.suffix : "");
	return stmt_run(&st, err);
}

static bool pass_fn(void *ctx UNUSED, const char *const *v UNUSED, size_t n UNUSED)
{
	return true;
}

/* Qualified, since SQLite takes a lone name that it does not know for a text. */
static bool has_columns(struct db *db, const char *table, const struct column_row *columns, size_t n,
                        struct viewd_err *err)
{
	static const struct db_reader pass[] = {{pass_fn, "*", "the columns of a state table"}};
	struct stmt st = stmt_new(db);
	stmt_text(&st, "SELECT ");
	for (size_t i = 0; i < n; i++) {
		stmt_text(&st, i > 0 ? ", t." : "t.");
		stmt_name(&st, columns[i].name);
	}
	st.sql = sql_add(st.sql, " FROM %s t WHERE 1 = 0", table);
	return stmt_query(&st, pass, NULL, err);
}

static bool add_column(struct db *db, const char *table, const struct column_row *column, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "ALTER TABLE %s ADD COLUMN ", table);
	stmt_name(&st, column->name);
	st.sql = sql_add(st.sql, " %s%s", type_name(db->syntax, column->type), column->constraint);
	return stmt_run(&st, err);
}

/* To change the table may have changed the identity by which a copy of it is known (returned.h). */
static bool keep_place(struct db *db, void *mem, const char *before, struct viewd_err *err)
{
	char *now;
	if (before == NULL || !returned_place(db, mem, &now, err))
		return before == NULL;
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "UPDATE %s SET place = ", db->syntax->state.views);
	stmt_param(&st, now);
	stmt_text(&st, " WHERE place = ");
	stmt_param(&st, before);
	return stmt_run(&st, err);
}

/* Another session may add them at the same time. */
static bool add_missing(struct db *db, struct viewd_err *err)
{
	const char *table = db->syntax->state.views;
	const struct column_row *column = views_columns;
	struct viewd_err lacks = {0};
	for (; column < views_columns + ARRAY_LEN(views_columns); column++)
		if (!has_columns(db, table, column, 1, &lacks) && !add_column(db, table, column, err) &&
		    !has_columns(db, table, column, 1, &lacks))
			return false;
	return true;
}

/* An older viewd may have made view_state without some of its columns. */
static bool complete_views(struct db *db, struct viewd_err *err)
{
	struct viewd_err lacks = {0};
	if (has_columns(db, db->syntax->state.views, views_columns, ARRAY_LEN(views_columns), &lacks))
		return true;
	void *mem = talloc_new(NULL);
	char *place;
	bool done = returned_place(db, mem, &place, err) && add_missing(db, err) && keep_place(db, mem, place, err);
	talloc_free(mem);
	return done;
}

static bool create_capture_tables(struct db *db, struct viewd_err *err)
{
	char *captures = state_table(db, NULL, "captures"), *requests = state_table(db, NULL, "requests"),
		 *objects = state_table(db, NULL, "objects");
	struct stmt key = stmt_new(db);
	stmt_text(&key, ", PRIMARY KEY (");
	stmt_name(&key, "view");
	stmt_text(&key, ", source)");
	bool done = create_table(db, captures, db->syntax->state.captures_note, captures_columns,
	                         ARRAY_LEN(captures_columns), key.sql, err) &&
	            create_table(db, objects, NULL, objects_columns, ARRAY_LEN(objects_columns), NULL, err) &&
	            create_table(db, requests, NULL, requests_columns, ARRAY_LEN(requests_columns), NULL, err);
	talloc_free(key.sql);
	talloc_free(captures);
	talloc_free(objects);
	talloc_free(requests);
	return done;
}

static bool create_learnt(struct db *db, struct viewd_err *err)
{
	char *learnt = state_table(db, NULL, "learnt");
	struct stmt key = stmt_new(db);
	stmt_text(&key, ", PRIMARY KEY (");
	stmt_name(&key, "view");
	stmt_text(&key, ", fact)");
	bool done = create_table(db, learnt, NULL, learnt_columns, ARRAY_LEN(learnt_columns), key.sql, err);
	talloc_free(key.sql);
	talloc_free(learnt);
	return done;
}

static bool create_log_tables(struct db *db, struct viewd_err *err)
{
	char *logs = state_table(db, NULL, "change_logs"), *readers = state_table(db, NULL, "log_readers"),
		 *nodes = state_table(db, NULL, "nodes");
	struct stmt key = stmt_new(db);
	stmt_text(&key, ", PRIMARY KEY (");
	stmt_name(&key, "view");
	stmt_text(&key, ", log)");
	bool done = create_table(db, logs, NULL, change_logs_columns, ARRAY_LEN(change_logs_columns), NULL, err) &&
	            create_table(db, readers, NULL, log_readers_columns, ARRAY_LEN(log_readers_columns), key.sql, err) &&
	            create_table(db, nodes, NULL, nodes_columns, ARRAY_LEN(nodes_columns), NULL, err) &&
	            create_learnt(db, err);
	talloc_free(key.sql);
	talloc_free(nodes);
	talloc_free(logs);
	talloc_free(readers);
	return done;
}

bool state_setup(struct db *db, struct viewd_err *err)
{
	const struct syntax *syn = db->syntax;
	for (size_t i = 0; i < ARRAY_LEN(syn->state.setup) && syn->state.setup[i] != NULL; i++)
		if (!db_exec(db, syn->state.setup[i], err))
			return false;
	if (db->ops->rights.judge_place != NULL && !db->ops->rights.judge_place(db, err))
		return false;
	return (syn->views.copied || views_move(db, err)) && create_capture_tables(db, err) && create_log_tables(db, err) &&
	       create_table(db, syn->state.views, NULL, views_columns, ARRAY_LEN(views_columns), NULL, err) &&
	       (!syn->views.copied || views_move(db, err)) && complete_views(db, err) &&
	       create_table(db, syn->state.history, NULL, history_columns, ARRAY_LEN(history_columns),
	                    syn->state.history_inline, err) &&
	       (syn->state.history_index == NULL || db_exec(db, syn->state.history_index, err)) &&
	       (syn->state.captures_index == NULL || db_exec(db, syn->state.captures_index, err));
}

/* ---- reading ---- */

bool state_exists(struct db *db, bool *yes_r, struct viewd_err *err)
{
	struct relation rel;
	struct db_object object = {0};
	if (!relation_parse(db->syntax, db->syntax->state.views, &rel, err) ||
	    !db->ops->find_object(db, &rel, &object, err))
		return false;
	*yes_r = object.kind != VIEWD_KIND_NONE;
	return true;
}

#define DURATION_MAX_MS (INT64_C(366) * 24 * 3600 * 1000) /* nothing that has run for longer has been timed by viewd */

/* Anybody who may write there may have written anything: what cannot be is unknown. */
static int64_t count_of(const char *text)
{
	int64_t n = number_or(text, -1);
	return n < 0 ? -1 : n;
}

static int64_t duration_of(const char *ms)
{
	int64_t n = number_or(ms, 0);
	return n < 0 || n > DURATION_MAX_MS ? 0 : n * 1000;
}

static bool read_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct state_row *row = ctx;
	row->present = true;
	copy_text(row->relation, sizeof row->relation, v[0]);
	if (v[1] == NULL || !method_of_word(v[1], &row->method))
		row->method = VIEWD_METHOD_TABLE;
	copy_text(row->definition_hash, sizeof row->definition_hash, v[2]);
	copy_text(row->index_hash, sizeof row->index_hash, v[3]);
	copy_text(row->identity, sizeof row->identity, v[4]);
	copy_text(row->canonical, sizeof row->canonical, v[5]);
	copy_text(row->on_remove, sizeof row->on_remove, v[6]);
	copy_text(row->indexes, sizeof row->indexes, v[7]);
	row->last_success_us = timetext_parse(v[8]);
	row->data_timestamp_us = timetext_parse(v[9]);
	row->duration_us = duration_of(v[10]);
	row->rows = count_of(v[11]);
	row->kept = number_or(v[12], 0) > 0;
	row->all_rows_us = timetext_parse(v[13]);
	return true;
}

static const struct db_reader read_row[] = {{read_row_fn, "TTTTTTTTTTTTTT", "the state of a view"}};

/* older: from a table that complete_views() has not seen. */
static struct stmt load_statement(struct db *db, const char *view, bool lock, bool older)
{
	static const char *const first[] = {"relation", "method",    "definition_hash", "index_hash",
	                                    "identity", "canonical", "on_remove",       "indexes"};
	static const char *const last[] = {"duration_ms", "rows", "kept"};
	size_t n_last = older ? ARRAY_LEN(last) - 1 : ARRAY_LEN(last);
	struct stmt st = stmt_new(db);
	stmt_text(&st, "SELECT ");
	stmt_names(&st, first, ARRAY_LEN(first));
	stmt_time_out(&st, "last_success_time");
	stmt_time_out(&st, "data_timestamp");
	stmt_text(&st, ", ");
	stmt_names(&st, last, n_last);
	if (older)
		stmt_text(&st, ", NULL, NULL");
	else
		stmt_time_out(&st, "all_rows_time");
	st.sql = sql_add(st.sql, " FROM %s WHERE ", db->syntax->state.views);
	stmt_name(&st, "name");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	if (lock && db->syntax->state.for_update != NULL)
		stmt_text(&st, db->syntax->state.for_update);
	return st;
}

/* A session that only looks (plan, before the new viewd has been started) does not change the table of an older one. */
bool state_load(struct db *db, const char *view, bool lock, struct state_row *out, struct viewd_err *err)
{
	struct state_row row = {.rows = -1};
	struct viewd_err failure = {0}, lacks = {0};
	struct stmt st = load_statement(db, view, lock, false);
	bool done = stmt_query(&st, read_row, &row, &failure);
	if (!done && !lock && !has_columns(db, db->syntax->state.views, views_columns, ARRAY_LEN(views_columns), &lacks)) {
		st = load_statement(db, view, lock, true);
		done = stmt_query(&st, read_row, &row, &failure);
	}
	if (done)
		*out = row;
	else if (err != NULL)
		*err = failure;
	return done;
}

bool state_load_later(struct db *db, const char *view, bool lock, struct state_row *out, struct viewd_err *err)
{
	struct stmt st = load_statement(db, view, lock, false);
	*out = (struct state_row){.rows = -1};
	return stmt_query_later(&st, read_row, out, err);
}

struct recorded_ctx {
	struct viewd_recorded_sink sink;
};

static bool read_recorded_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct recorded_ctx *list = ctx;
	bool drop = v[3] != NULL && strcmp(v[3], "drop") == 0;
	struct viewd_recorded row = {.struct_size = sizeof row,
	                             .name = v[0],
	                             .relation = v[1],
	                             .on_remove = drop ? VIEWD_REMOVE_DROP : VIEWD_REMOVE_KEEP,
	                             .captured = number_or(v[4], 0) > 0,
	                             .created_us = timetext_parse(v[5]),
	                             .last_success_us = timetext_parse(v[6])};
	if (v[2] == NULL || !method_of_word(v[2], &row.method))
		row.method = VIEWD_METHOD_TABLE;
	return list->sink.fn(list->sink.ctx, &row);
}

static const struct db_reader read_recorded[] = {{read_recorded_fn, "ttTTTTT", "the recorded views"}};

bool state_list(struct db *db, struct viewd_recorded_sink rows, struct viewd_err *err)
{
	static const char *const names[] = {"name", "relation", "method", "on_remove"};
	struct recorded_ctx ctx = {rows};
	struct stmt st = stmt_new(db);
	stmt_text(&st, "SELECT ");
	stmt_names(&st, names, ARRAY_LEN(names));
	st.sql = sql_add(st.sql, ", (SELECT COUNT(*) FROM %s c WHERE c.", state_table(db, st.sql, "captures"));
	stmt_name(&st, "view");
	stmt_text(&st, " = v.");
	stmt_name(&st, "name");
	stmt_text(&st, ") + v.followed");
	stmt_time_out(&st, "created_time");
	stmt_time_out(&st, "last_success_time");
	st.sql = sql_add(st.sql, " FROM %s v ORDER BY ", db->syntax->state.views);
	stmt_name(&st, "name");
	return stmt_query(&st, read_recorded, &ctx, err);
}

struct history_ctx {
	struct viewd_history_sink sink;
};

static bool read_history_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct history_ctx *list = ctx;
	struct viewd_history_row row = {
		.struct_size = sizeof row,
		.trigger = v[0],
		.action = v[1],
		.result = v[2],
		.error = v[3],
		.duration_us = duration_of(v[4]),
		.rows = count_of(v[5]),
		.rows_written = count_of(v[6]),
		.started_us = timetext_parse(v[7]),
	};
	return list->sink.fn(list->sink.ctx, &row);
}

static const struct db_reader read_history[] = {{read_history_fn, "TTTTTTTT", "the history of a view"}};

bool state_history(struct db *db, const char *view, int limit, struct viewd_history_sink rows, struct viewd_err *err)
{
	static const char *const names[] = {"trigger", "action", "result", "error", "duration_ms", "rows", "rows_written"};
	struct history_ctx ctx = {rows};
	struct stmt st = stmt_new(db);
	stmt_text(&st, "SELECT ");
	stmt_names(&st, names, ARRAY_LEN(names));
	stmt_time_out(&st, "started");
	st.sql = sql_add(st.sql, " FROM %s WHERE ", db->syntax->state.history);
	stmt_name(&st, "view");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	stmt_text(&st, " ORDER BY ");
	stmt_name(&st, "id");
	st.sql = sql_add(st.sql, " DESC LIMIT %d", limit);
	return stmt_query(&st, read_history, &ctx, err);
}

static const struct db_reader take_text[] = {{db_take_text, "T", "the definition of a view"}};

bool state_definition(struct db *db, void *mem_ctx, const char *view, char **text_r, struct viewd_err *err)
{
	struct db_text ctx = {.mem = mem_ctx};
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "SELECT definition FROM %s WHERE ", db->syntax->state.views);
	stmt_name(&st, "name");
	stmt_text(&st, " = ");
	stmt_param(&st, view);
	if (!stmt_query(&st, take_text, &ctx, err))
		return false;
	*text_r = ctx.value;
	return true;
}
