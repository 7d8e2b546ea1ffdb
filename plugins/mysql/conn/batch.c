/* SPDX-License-Identifier: MIT
 *
 * batch.c: several statements that go to the server as one block (BEGIN NOT ATOMIC .. END), of which MariaDB sends all
 * answers: each one that would go alone costs a way to the server and back. In a transaction statements that need not
 * be answered at once wait for the next one that has to.
 */
#include "mysql/my.h"

#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"

void my_ask_later(struct my_questions *list, char *sql, const struct db_reader *row, void *ctx)
{
	list->items = talloc_realloc(list->mem, list->items, struct my_question, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = (struct my_question){.sql = sql, .row = row, .ctx = ctx};
}

static bool run_list(struct viewd_conn *conn, const struct my_questions *list, struct viewd_err *err)
{
	bool one = list->n == 1;
	char *sql = sql_add(sql_new(conn), "%s", one ? "" : "BEGIN NOT ATOMIC ");
	for (size_t i = 0; i < list->n; i++)
		sql = sql_add(sql, one ? "%s" : "%s; ", list->items[i].sql);
	sql = sql_add(sql, "%s", one ? "" : "END");
	bool done = my_run_block(conn, sql, list, err);
	talloc_free(sql);
	return done;
}

bool my_ask_now(struct viewd_conn *conn, const struct my_questions *list, struct viewd_err *err)
{
	return my_flush(&conn->db, err) && run_list(conn, list, err);
}

/* ---- waiting ---- */

static bool may_wait(const struct viewd_conn *conn)
{
	return conn->mariadb && !conn->lost &&
	       (conn->later.list.n > 0 || (conn->my->server_status & SERVER_STATUS_IN_TRANS) != 0);
}

static bool wait_with(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n,
                      const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	if (conn->later.list.mem == NULL)
		conn->later.list.mem = talloc_new(conn);
	char *bound = n > 0 ? my_bind(conn, sql, params, n) : talloc_strdup(conn, sql);
	if (bound == NULL)
		return err_set(err, VIEWD_ERR_BUG, "statement has another number of parameters than %zu", n);
	my_ask_later(&conn->later.list, talloc_steal(conn->later.list.mem, bound), row, ctx);
	return true;
}

bool my_begin_later(struct viewd_conn *conn, const char *sql)
{
	return wait_with(conn, sql, NULL, 0, NULL, NULL, NULL);
}

bool my_exec_later(struct db *db, const char *sql, const char *const *params, size_t n_params, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	return may_wait(conn) ? wait_with(conn, sql, params, n_params, NULL, NULL, err)
	                      : my_exec(db, sql, params, n_params, NULL, err);
}

bool my_query_later(struct db *db, const char *sql, const char *const *params, size_t n_params,
                    const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	return may_wait(conn) ? wait_with(conn, sql, params, n_params, row, ctx, err)
	                      : my_query(db, sql, params, n_params, row, ctx, err);
}

void my_forget_later(struct viewd_conn *conn)
{
	talloc_free(conn->later.list.mem);
	conn->later.list = (struct my_questions){0};
	conn->later.failure = (struct viewd_err){0};
}

/* The caller who has met a failure may go on in another way. The server may have rolled the transaction back by then (a
 * deadlock), so that each statement would count by itself: none is sent before the end of the transaction. */
static bool has_not_failed(const struct viewd_conn *conn, struct viewd_err *err)
{
	if (conn->later.failure.cls == VIEWD_ERR_OK)
		return true;
	if (err != NULL)
		*err = conn->later.failure;
	return false;
}

static bool run_waiting(struct viewd_conn *conn, const struct my_questions *list, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	if (run_list(conn, list, &failure))
		return true;
	conn->later.failure = failure;
	return has_not_failed(conn, err);
}

bool my_flush(struct db *db, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	const struct my_questions list = conn->later.list;
	if (list.n == 0 || conn->later.failure.cls != VIEWD_ERR_OK)
		return has_not_failed(conn, err);
	conn->later.list = (struct my_questions){0};
	bool done = run_waiting(conn, &list, err);
	talloc_free(list.mem);
	return done;
}

bool my_ask_along(struct viewd_conn *conn, const struct my_questions *list, struct viewd_err *err)
{
	struct my_questions all = conn->later.list;
	if (all.n == 0 || conn->later.failure.cls != VIEWD_ERR_OK)
		return my_ask_now(conn, list, err);
	conn->later.list = (struct my_questions){0};
	all.items = talloc_realloc(all.mem, all.items, struct my_question, (unsigned)(all.n + list->n));
	assert(all.items != NULL);
	memcpy(all.items + all.n, list->items, list->n * sizeof *list->items);
	all.n += list->n;
	bool done = run_waiting(conn, &all, err);
	talloc_free(all.mem);
	return done;
}
