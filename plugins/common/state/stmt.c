/* SPDX-License-Identifier: MIT */
#include "common/state/stmt.h"

#include "common/sqltext/sqltext.h"
#include "common/text/timetext.h"

#include <assert.h>
#include <talloc.h>

struct stmt stmt_new(struct db *db)
{
	return (struct stmt){.db = db, .sql = sql_new(NULL)};
}

struct stmt stmt_of(struct db *db, const char *before, const char *table, const char *after)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "%s%s%s%s", before, db->syntax->state.prefix, table, after);
	return st;
}

void stmt_text(struct stmt *st, const char *text)
{
	st->sql = sql_add(st->sql, "%s", text);
}

void stmt_name(struct stmt *st, const char *column)
{
	st->sql = ident_append(st->db->syntax, st->sql, column);
}

void stmt_names(struct stmt *st, const char *const *names, size_t n)
{
	st->sql = sql_names(st->db->syntax, st->sql, NULL, names, n);
}

static int push(struct stmt *st, const char *text)
{
	assert(st->n < STMT_MAX_PARAMS);
	st->params[st->n++] = text;
	return (int)st->n;
}

void stmt_param(struct stmt *st, const char *text)
{
	st->sql = sql_param(st->db->syntax, st->sql, push(st, text));
}

void stmt_number(struct stmt *st, int64_t n)
{
	stmt_param(st, n < 0 ? NULL : talloc_asprintf(st->sql, "%lld", (long long)n));
}

void stmt_integer(struct stmt *st, int64_t n)
{
	stmt_param(st, talloc_asprintf(st->sql, "%lld", (long long)n));
}

void stmt_time(struct stmt *st, int64_t us)
{
	char buf[TIMETEXT_SIZE];
	const char *text =
		us == 0 ? NULL : talloc_strdup(st->sql, timetext_format(us, !st->db->syntax->time.without_zone, buf));
	char *slot = sql_param(st->db->syntax, sql_new(st->sql), push(st, text));
	st->sql = sql_template(st->sql, st->db->syntax->time.in, slot);
}

void stmt_time_out(struct stmt *st, const char *column)
{
	char *name = ident_append(st->db->syntax, sql_new(st->sql), column);
	st->sql = sql_template(sql_add(st->sql, ", "), st->db->syntax->time.out, name);
}

bool stmt_run(struct stmt *st, struct viewd_err *err)
{
	bool done = st->db->ops->exec(st->db, st->sql, st->params, st->n, NULL, err);
	TALLOC_FREE(st->sql);
	return done;
}

bool stmt_query(struct stmt *st, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	bool done = st->db->ops->query(st->db, st->sql, st->params, st->n, row, ctx, err);
	TALLOC_FREE(st->sql);
	return done;
}

bool stmt_run_later(struct stmt *st, struct viewd_err *err)
{
	if (st->db->ops->session.exec_later == NULL)
		return stmt_run(st, err);
	bool done = st->db->ops->session.exec_later(st->db, st->sql, st->params, st->n, err);
	TALLOC_FREE(st->sql);
	return done;
}

bool stmt_query_later(struct stmt *st, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	if (st->db->ops->session.query_later == NULL)
		return stmt_query(st, row, ctx, err);
	bool done = st->db->ops->session.query_later(st->db, st->sql, st->params, st->n, row, ctx, err);
	TALLOC_FREE(st->sql);
	return done;
}
