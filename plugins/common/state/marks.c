/* SPDX-License-Identifier: MIT */
#include "common/state/marks.h"

#include "common/sqltext/sqltext.h"
#include "common/state/state.h"
#include "common/state/stmt.h"
#include "common/text/number.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

char *marks_source(struct db *db, void *mem_ctx, const char *schema, const char *name)
{
	struct relation rel = {.schema = ""};
	snprintf(rel.schema, sizeof rel.schema, "%s", schema);
	snprintf(rel.name, sizeof rel.name, "%s", name);
	return relation_quoted(db->syntax, mem_ctx, &rel);
}

static int64_t number(const char *text)
{
	return number_or(text, 0);
}

static void add_table(struct stmt *st, const char *before, const char *table)
{
	stmt_text(st, before);
	stmt_text(st, state_table(st->db, st->sql, table));
}

static void add_equals(struct stmt *st, const char *before, const char *column, const char *value)
{
	stmt_text(st, before);
	stmt_name(st, column);
	stmt_text(st, " = ");
	stmt_param(st, value);
}

/* ---- reading ---- */

struct read_ctx {
	void *mem;
	struct marks *marks;
	bool counts_end;
};

static bool take_mark_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct read_ctx *rd = ctx;
	struct marks *m = rd->marks;
	int64_t dirty = number(v[1]), clean = number(v[2]);
	int64_t covers = rd->counts_end && number_difference(dirty, clean) >= MARKS_ENOUGH ? dirty - 1 : dirty;
	if (strcmp(v[3], MARKS_DOUBT) != 0)
		m->seq = number_sum(m->seq, covers);
	m->defined |= strcmp(v[3], "look") == 0;
	m->redefined |= strcmp(v[3], "look") == 0 && dirty > clean;
	if (dirty <= clean)
		return true;
	m->rows = talloc_realloc(rd->mem, m->rows, struct mark, (unsigned)m->n + 1);
	assert(m->rows != NULL);
	m->rows[m->n++] = (struct mark){.source = talloc_strdup(rd->mem, v[0]), .covers = covers};
	return true;
}

static const struct db_reader take_mark[] = {{take_mark_fn, "tTTt", "the marks of a view"}};

static struct stmt read_statement(struct db *db, const char *view)
{
	struct stmt st = stmt_new(db);
	stmt_text(&st, "SELECT source, dirty_seq, clean_seq, ");
	stmt_name(&st, "mode");
	add_table(&st, " FROM ", "captures");
	add_equals(&st, " WHERE ", "view", view);
	return st;
}

bool marks_read(struct db *db, void *mem_ctx, const char *view, struct marks *out, struct viewd_err *err)
{
	struct marks marks = {.rows = NULL};
	struct read_ctx ctx = {.mem = mem_ctx, .marks = &marks, .counts_end = db->syntax->state.counts_end};
	struct stmt st = read_statement(db, view);
	if (!stmt_query(&st, take_mark, &ctx, err))
		return false;
	*out = marks;
	return true;
}

bool marks_read_later(struct db *db, void *mem_ctx, const char *view, struct marks *out, struct viewd_err *err)
{
	struct read_ctx *ctx = talloc(mem_ctx, struct read_ctx);
	struct stmt st = read_statement(db, view);
	assert(ctx != NULL);
	*ctx = (struct read_ctx){.mem = mem_ctx, .marks = out, .counts_end = db->syntax->state.counts_end};
	*out = (struct marks){.rows = NULL};
	return stmt_query_later(&st, take_mark, ctx, err);
}

struct tell_ctx {
	struct viewd_signal_sink sink;
	enum viewd_signal_kind kind;
};

static bool tell_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct tell_ctx *t = ctx;
	const struct viewd_signal signal = {
		.struct_size = sizeof signal, .kind = t->kind, .view = v[0], .seq = number(v[1])};
	return t->sink.fn(t->sink.ctx, &signal);
}

static const struct db_reader tell[] = {{tell_fn, "tT", "the views that are stale"}};

bool marks_stale(struct db *db, struct viewd_signal_sink sink, struct viewd_err *err)
{
	struct tell_ctx ctx = {.sink = sink, .kind = VIEWD_SIGNAL_STALE};
	struct stmt st = stmt_new(db);
	stmt_text(&st, "SELECT ");
	stmt_name(&st, "view");
	add_table(&st, ", SUM(dirty_seq) FROM ", "captures");
	stmt_text(&st, " WHERE ");
	stmt_name(&st, "mode");
	stmt_text(&st, " <> '" MARKS_DOUBT "' GROUP BY ");
	stmt_name(&st, "view");
	stmt_text(&st, " HAVING SUM(CASE WHEN dirty_seq > clean_seq THEN 1 ELSE 0 END) > 0");
	return stmt_query(&st, tell, &ctx, err);
}

bool marks_sources(struct db *db, const char *mode, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	add_table(&st, "SELECT DISTINCT source FROM ", "captures");
	add_equals(&st, " WHERE ", "mode", mode);
	return stmt_query(&st, row, ctx, err);
}

/* ---- writing ---- */

static void add_case(struct stmt *st, const char *when, int64_t limit, int64_t then, const char *otherwise)
{
	stmt_text(st, when);
	stmt_integer(st, limit);
	stmt_text(st, " THEN ");
	stmt_integer(st, then);
	stmt_text(st, " ELSE ");
	stmt_text(st, otherwise);
	stmt_text(st, " END");
}

/* A row below what was read has gone back meanwhile (an older copy was restored): the data is not of it, so the view
 * stays stale. */
bool marks_settle(struct db *db, const char *view, const struct marks *marks, struct viewd_err *err)
{
	for (size_t i = 0; i < marks->n; i++) {
		struct stmt st = stmt_new(db);
		int64_t covers = marks->rows[i].covers;
		add_table(&st, "UPDATE ", "captures");
		add_case(&st, " SET clean_seq = CASE WHEN dirty_seq >= ", covers, covers, "clean_seq");
		add_case(&st, ", dirty_seq = CASE WHEN dirty_seq < ", covers, number_sum(covers, 1), "dirty_seq");
		add_equals(&st, " WHERE ", "view", view);
		add_equals(&st, " AND ", "source", marks->rows[i].source);
		stmt_text(&st, " AND clean_seq < ");
		stmt_integer(&st, covers);
		if (!stmt_run_later(&st, err))
			return false;
	}
	return true;
}

static struct stmt touch_statement(struct db *db)
{
	struct stmt st = stmt_new(db);
	add_table(&st, "UPDATE ", "captures");
	/* in this order: MySQL sees what it has just set */
	stmt_text(&st, " SET changed_time = CASE WHEN dirty_seq > clean_seq THEN changed_time ELSE ");
	stmt_time(&st, db_now(db));
	stmt_text(&st, " END, dirty_seq = dirty_seq + 1");
	return st;
}

bool marks_touch(struct db *db, const char *source, int64_t *n_r, struct viewd_err *err)
{
	struct stmt st = touch_statement(db);
	add_equals(&st, " WHERE ", "source", source);
	if (n_r == NULL)
		return stmt_run_later(&st, err);
	bool done = db->ops->exec(db, st.sql, st.params, st.n, n_r, err);
	talloc_free(st.sql);
	return done;
}

bool marks_touch_others(struct db *db, const char *source, const char *const *but, size_t n, struct viewd_err *err)
{
	struct stmt st = touch_statement(db);
	add_equals(&st, " WHERE ", "source", source);
	stmt_text(&st, " AND ");
	stmt_name(&st, "view");
	stmt_text(&st, " NOT IN (");
	for (size_t i = 0; i < n; i++) {
		stmt_text(&st, i > 0 ? ", " : "");
		stmt_text(&st, literal_quoted(db->syntax, st.sql, but[i]));
	}
	stmt_text(&st, ")");
	return stmt_run_later(&st, err);
}

bool marks_touch_mode(struct db *db, const char *mode, struct viewd_err *err)
{
	struct stmt st = touch_statement(db);
	add_equals(&st, " WHERE ", "mode", mode);
	return stmt_run(&st, err);
}

bool marks_touch_all(struct db *db, struct viewd_err *err)
{
	struct stmt st = touch_statement(db);
	return stmt_run(&st, err);
}

/* ---- counts that have ended ---- */

static void add_ended(struct stmt *st, const char *before)
{
	st->sql = sql_add(st->sql, "%s dirty_seq - clean_seq >= %d", before, MARKS_ENOUGH);
}

static bool note_row_fn(void *ctx, const char *const *v UNUSED, size_t n UNUSED)
{
	*(bool *)ctx = true;
	return false;
}

static const struct db_reader note_row[] = {{note_row_fn, "T", "counts that have ended"}};

/* The write lock is not taken without need. view NULL: any. */
static bool has_ended(struct db *db, const char *view, bool *ended_r, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	*ended_r = false;
	add_table(&st, "SELECT source FROM ", "captures");
	add_ended(&st, " WHERE");
	if (view != NULL)
		add_equals(&st, " AND ", "view", view);
	return stmt_query(&st, note_row, ended_r, err);
}

bool marks_count_again(struct db *db, const char *view, struct viewd_err *err)
{
	bool ended;
	if (!has_ended(db, view, &ended, err))
		return false;
	if (!ended)
		return true;
	struct stmt st = stmt_new(db);
	add_table(&st, "UPDATE ", "captures");
	stmt_text(&st, " SET clean_seq = dirty_seq - 1");
	add_ended(&st, " WHERE");
	add_equals(&st, " AND ", "view", view);
	return stmt_run(&st, err);
}

bool marks_touch_ended(struct db *db, struct viewd_err *err)
{
	bool ended;
	if (!has_ended(db, NULL, &ended, err))
		return false;
	if (!ended)
		return true;
	struct stmt st = touch_statement(db);
	add_ended(&st, " WHERE");
	return stmt_run(&st, err);
}

/* ---- registering ---- */

struct names {
	void *mem;
	char **items, **modes;
	size_t n;
};

static bool take_name_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct names *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, char *, (unsigned)list->n + 1);
	list->modes = talloc_realloc(list->mem, list->modes, char *, (unsigned)list->n + 1);
	assert(list->items != NULL && list->modes != NULL);
	list->modes[list->n] = talloc_strdup(list->mem, v[1]);
	list->items[list->n++] = talloc_strdup(list->mem, v[0]);
	return true;
}

static const struct db_reader take_name[] = {{take_name_fn, "tt", "names that are registered"}};

static bool registered(const struct names *list, const struct mark_wanted *w)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], w->source) == 0 && strcmp(list->modes[i], w->mode) == 0)
			return true;
	return false;
}

static bool is_wanted(const struct mark_wanted *wanted, size_t n, const struct names *list, size_t i)
{
	if (n > 0 && strcmp(list->modes[i], MARKS_DOUBT) == 0)
		return true;
	for (size_t k = 0; k < n; k++)
		if (strcmp(wanted[k].source, list->items[i]) == 0 && strcmp(wanted[k].mode, list->modes[i]) == 0)
			return true;
	return false;
}

static bool remove_row(struct db *db, const char *view, const char *source, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	add_table(&st, "DELETE FROM ", "captures");
	add_equals(&st, " WHERE ", "view", view);
	add_equals(&st, " AND ", "source", source);
	return stmt_run(&st, err);
}

static bool add_row(struct db *db, const char *view, const struct mark_wanted *w, struct viewd_err *err)
{
	static const char *const names[] = {"view", "source", "mode", "dirty_seq", "clean_seq", "changed_time"};
	struct stmt st = stmt_new(db);
	add_table(&st, "INSERT INTO ", "captures");
	stmt_text(&st, " (");
	stmt_names(&st, names, ARRAY_LEN(names));
	stmt_text(&st, ") VALUES (");
	stmt_param(&st, view);
	stmt_text(&st, ", ");
	stmt_param(&st, w->source);
	stmt_text(&st, ", ");
	stmt_param(&st, w->mode);
	stmt_text(&st, ", 1, 0, ");
	stmt_time(&st, db_now(db));
	stmt_text(&st, ")");
	return stmt_run(&st, err);
}

bool marks_register(struct db *db, const char *view, const struct mark_wanted *wanted, size_t n, struct viewd_err *err)
{
	struct names have = {.mem = talloc_new(NULL)};
	struct stmt st = stmt_new(db);
	stmt_text(&st, "SELECT source, ");
	stmt_name(&st, "mode");
	add_table(&st, " FROM ", "captures");
	add_equals(&st, " WHERE ", "view", view);
	bool good = stmt_query(&st, take_name, &have, err);
	for (size_t i = 0; i < have.n && good; i++)
		good = is_wanted(wanted, n, &have, i) || remove_row(db, view, have.items[i], err);
	for (size_t i = 0; i < n && good; i++)
		good = registered(&have, &wanted[i]) || add_row(db, view, &wanted[i], err);
	talloc_free(have.mem);
	return good;
}

/* ---- requests ---- */

#define REQUESTS_ROUND 1000
#define REQUESTS_ROUNDS_MAX 100

/* No view has a longer name than is read of one: what is asked for is anybody's text, of any length. */
static bool read_requests(struct db *db, struct names *list, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	stmt_text(&st, "SELECT id, substr(");
	stmt_name(&st, "view");
	add_table(&st, ", 1, 300) FROM ", "requests");
	st.sql = sql_add(st.sql, " ORDER BY id LIMIT %d", REQUESTS_ROUND);
	return stmt_query(&st, take_name, list, err);
}

/* Just those that were read: a lower id may be committed later. */
static bool remove_requests(struct db *db, const struct names *list, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	add_table(&st, "DELETE FROM ", "requests");
	stmt_text(&st, " WHERE id IN (");
	for (size_t i = 0; i < list->n; i++)
		st.sql = sql_add(st.sql, "%s%lld", i > 0 ? ", " : "", (long long)number(list->items[i]));
	stmt_text(&st, ")");
	return stmt_run(&st, err);
}

static bool was_told(const struct names *list, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(list->modes[k], list->modes[i]) == 0)
			return true;
	return false;
}

/* Takes the requests of a round, or all at once but for those that somebody keeps locked. */
static bool take_requests(struct db *db, struct names *list, struct viewd_err *err)
{
	const char *take = db->syntax->state.take_requests;
	if (take != NULL)
		return db->ops->query(db, take, NULL, 0, take_name, list, err);
	return read_requests(db, list, err) && (list->n == 0 || remove_requests(db, list, err));
}

static bool requests_round(struct db *db, struct viewd_signal_sink sink, size_t *n_r, struct viewd_err *err)
{
	struct names list = {.mem = talloc_new(NULL)};
	bool good = take_requests(db, &list, err);
	for (size_t i = 0; i < list.n && good; i++) {
		const struct viewd_signal signal = {
			.struct_size = sizeof signal, .kind = VIEWD_SIGNAL_REQUEST, .view = list.modes[i]};
		good = was_told(&list, i) || sink.fn(sink.ctx, &signal);
	}
	*n_r = list.n;
	talloc_free(list.mem);
	return good;
}

bool marks_requests(struct db *db, struct viewd_signal_sink sink, struct viewd_err *err)
{
	size_t n = REQUESTS_ROUND;
	bool good = true;
	for (int i = 0; good && n >= REQUESTS_ROUND && i < REQUESTS_ROUNDS_MAX; i++)
		good = requests_round(db, sink, &n, err);
	return good;
}
