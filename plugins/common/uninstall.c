/* SPDX-License-Identifier: MIT
 *
 * uninstall.c: leaving a database. The dialect lists what is there, as the statements that take it out; here they are
 * carried out.
 */
#include "base/err.h"
#include "common/dialect.h"

#include <assert.h>
#include <poll.h>
#include <talloc.h>

#define LEAVE_TIMEOUT_US INT64_C(60000000)
/* Writers of a table wait behind whoever waits to drop a trigger from it, so each attempt is short, and there are
 * many. */
#define LEAVE_LOCK_US INT64_C(200000)
#define LEAVE_PAUSE_MS 100
#define LEAVE_ATTEMPTS 60
/* Objects that a round leaves were made while it went on. */
#define LEAVE_ROUNDS 3

struct leave {
	struct db *db;
	void *mem;
	struct viewd_text_sink told;
	char **items;
	size_t n;
};

static bool take_leaving_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct leave *leave = ctx;
	leave->items = talloc_realloc(leave->mem, leave->items, char *, (unsigned)leave->n + 1);
	assert(leave->items != NULL);
	leave->items[leave->n++] = talloc_strdup(leave->mem, v[0]);
	return true;
}

static const struct db_reader take_leaving[] = {{take_leaving_fn, "t", "what is left of viewd"}};

static bool tell_statement(const struct leave *leave, const char *sql, struct viewd_err *err)
{
	return leave->told.fn(leave->told.ctx, sql) || err_set(err, VIEWD_ERR_CANCELLED, "stopped on request");
}

typedef bool step_fn(const struct leave *leave, const char *sql, struct viewd_err *err);

static bool one(const struct leave *leave, const char *sql, struct viewd_err *err)
{
	return db_exec(leave->db, sql, err);
}

static bool all_at_once(const struct leave *leave, const char *sql UNUSED, struct viewd_err *err)
{
	struct db *db = leave->db;
	bool good = db->ops->begin(db, DB_BEGIN_WRITE, err);
	for (size_t i = 0; i < leave->n && good; i++)
		good = db_exec(db, leave->items[i], err);
	db_failpoint(db, "uninstall:commit");
	good = good && db->ops->commit(db, err);
	if (!good)
		db->ops->rollback(db);
	return good;
}

static bool explain_failure(const char *sql, const struct viewd_err *failure, struct viewd_err *err)
{
	*err = *failure;
	if (sql != NULL)
		err_wrap(err, "%.200s", sql);
	if (failure->cls == VIEWD_ERR_DENIED)
		return err_hint(err, "an administrator can run what viewctl uninstall --print prints");
	return failure->hint[0] == '\0' &&
	       err_hint(err, "what is out stays out; the same command goes on when the cause is gone");
}

static bool patiently(const struct leave *leave, step_fn *step, const char *sql, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	for (int i = 0; i < LEAVE_ATTEMPTS; i++) {
		if (i > 0)
			poll(NULL, 0, LEAVE_PAUSE_MS);
		if (step(leave, sql, &failure))
			return true;
		if (failure.cls != VIEWD_ERR_CONFLICT)
			break;
	}
	(void)explain_failure(sql, &failure, err);
	return false;
}

static bool carry_out(const struct leave *leave, struct viewd_err *err)
{
	bool at_once = leave->db->syntax->state.leave_at_once,
		 good = leave->n == 0 || !at_once || patiently(leave, all_at_once, NULL, err);
	for (size_t i = 0; i < leave->n && good; i++) {
		if (!at_once)
			db_failpoint(leave->db, "uninstall:statement");
		good = (at_once || patiently(leave, one, leave->items[i], err)) && tell_statement(leave, leave->items[i], err);
	}
	return good;
}

static bool print(const struct leave *leave, struct viewd_err *err)
{
	bool good = true;
	for (size_t i = 0; i < leave->n && good; i++)
		good = tell_statement(leave, leave->items[i], err);
	return good;
}

static bool take_out(struct leave *leave, struct viewd_err *err)
{
	struct db *db = leave->db;
	for (int round = 0; round < LEAVE_ROUNDS; round++) {
		leave->n = 0;
		if (!db->ops->leaving.list(db, take_leaving, leave, err))
			return false;
		if (leave->n == 0)
			return true;
		if (!carry_out(leave, err))
			return false;
	}
	err_set(err, VIEWD_ERR_CONFLICT, "database '%s' still holds objects of viewd: somebody makes them again",
	        db->database_name);
	return err_hint(err, "stop every other viewd that is configured for it");
}

static bool may_leave(struct db *db, struct viewd_err *err)
{
	return db->ops->leaving.list != NULL ||
	       err_set(err, VIEWD_ERR_CONFIG, "%s cannot be left by itself", db->syntax->dialect);
}

bool dialect_uninstall(struct viewd_conn *conn, const struct viewd_uninstall_request *req,
                       struct viewd_text_sink statements, struct viewd_err *err)
{
	struct db *db = (struct db *)(void *)conn; /* its first member, see dialect.h */
	struct leave leave = {.db = db, .mem = talloc_new(NULL), .told = statements};
	struct viewd_err failure = {0};
	db_enter(db);
	bool good = may_leave(db, &failure) && db->ops->set_limits(db, LEAVE_TIMEOUT_US, LEAVE_LOCK_US, &failure);
	if (req->print)
		good = good && db->ops->leaving.list(db, take_leaving, &leave, &failure) && print(&leave, &failure);
	else
		good = good && take_out(&leave, &failure);
	talloc_free(leave.mem);
	db_leave(db);
	if (!good && err != NULL)
		*err = failure;
	return good;
}
