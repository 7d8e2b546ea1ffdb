/* SPDX-License-Identifier: MIT
 *
 * shadow_table.c: names, locks and the exchange.
 *
 * RENAME TABLE is one atomic statement for tables and views alike (both servers), and what reads the name follows the name.
 */
#include "mysql/refresh/shadow_table.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/span.h"
#include "common/sqltext/sqltext.h"

#define RENAME_ATTEMPTS 3
#define ER_ROW_IS_REFERENCED_2 1451

static void beside(const struct relation *rel, const char *prefix, struct relation *out)
{
	*out = *rel;
	ident_temporary(rel, prefix, out->name);
}

void aside_names(struct viewd_conn *conn, const struct relation *rel, struct aside *out)
{
	*out = (struct aside){.conn = conn, .live = *rel};
	beside(rel, "viewd_new_", &out->fresh);
	beside(rel, "viewd_old_", &out->old);
	ident_temporary(rel, "viewd_lock_", out->lock);
}

char *aside_quoted(void *mem, const struct relation *rel)
{
	return relation_quoted(&my_syntax, mem, rel);
}

bool aside_lock(struct aside *aside, int64_t wait_us, struct viewd_err *err)
{
	bool got = false;

	if (!my_lock_get(aside->conn, aside->lock, wait_us, &got, err))
		return false;
	if (got)
		return true;
	return err_set(err, VIEWD_ERR_CONFLICT, "another connection of viewd is still at work on '%s'", aside->live.name);
}

void aside_unlock(struct aside *aside)
{
	my_lock_release(aside->conn, aside->lock);
}

bool aside_hold(struct aside *aside, struct viewd_err *err)
{
	if (!aside_lock(aside, aside->conn->lock_timeout_us, err))
		return false;
	snprintf(aside->conn->held, sizeof aside->conn->held, "%s", aside->lock);
	return true;
}

static bool drop_object(struct aside *aside, const struct relation *rel, enum viewd_kind kind, struct viewd_err *err)
{
	char *name = aside_quoted(aside->conn, rel);
	char *sql = talloc_asprintf(name, "DROP %s IF EXISTS %s", kind == VIEWD_KIND_VIEW ? "VIEW" : "TABLE", name);
	bool done = db_exec(&aside->conn->db, sql, err);

	talloc_free(name);
	return done;
}

static bool clear_one(struct aside *aside, const struct relation *rel, bool views_too, struct viewd_err *err)
{
	struct db_object object;

	if (!my_find_object(&aside->conn->db, rel, &object, err))
		return false;
	bool ours = (object.kind == VIEWD_KIND_TABLE && object.identity[0] != '\0') || (object.kind == VIEWD_KIND_VIEW && views_too);
	if (object.kind == VIEWD_KIND_NONE)
		return true;
	if (ours)
		return drop_object(aside, rel, object.kind, err);
	return err_set(err, VIEWD_ERR_EXISTS, "'%s' is in the way and was not made by viewd", rel->name);
}

bool aside_clear(struct aside *aside, bool views_too, struct viewd_err *err)
{
	return clear_one(aside, &aside->fresh, views_too, err) && clear_one(aside, &aside->old, views_too, err);
}

void aside_discard(struct aside *aside, const struct relation *rel)
{
	struct viewd_err err;

	if (!clear_one(aside, rel, true, &err))
		db_log(&aside->conn->db, VIEWD_LOG_WARNING, "'%s' was left over (%s)", rel->name, err.msg);
}

static char *rename_text(struct aside *aside, bool live_first)
{
	char *live = aside_quoted(aside->conn, &aside->live);
	char *fresh = aside_quoted(live, &aside->fresh), *old = aside_quoted(live, &aside->old);
	char *sql = live_first ? talloc_asprintf(aside->conn, "RENAME TABLE %s TO %s, %s TO %s", live, old, fresh, live)
	                       : talloc_asprintf(aside->conn, "RENAME TABLE %s TO %s", fresh, live);

	talloc_free(live);
	return sql;
}

bool aside_run_rename(struct viewd_conn *conn, const char *sql, struct viewd_err *err)
{
	struct viewd_err failure = {0};

	for (int attempt = 1; attempt <= RENAME_ATTEMPTS; attempt++) {
		if (my_exec_within(conn, sql, conn->lock_timeout_us, &failure))
			return true;
		if (failure.cls != VIEWD_ERR_CONFLICT)
			break;
		/* While RENAME waits, new readers queue behind it: let them through before the next attempt. */
		if (attempt < RENAME_ATTEMPTS && !my_exec_within(conn, "DO SLEEP(0.1)", SPAN_SECOND, &failure))
			break;
	}
	if (err != NULL)
		*err = failure;
	return false;
}

bool aside_rename(struct aside *aside, bool live_first, struct viewd_err *err)
{
	if (!my_lease_check(aside->conn, false, err))
		return false;
	db_failpoint(&aside->conn->db, "mysql:checked");
	char *sql = rename_text(aside, live_first);
	bool done = aside_run_rename(aside->conn, sql, err);

	talloc_free(sql);
	if (done)
		return true;
	if (err != NULL && err->cls == VIEWD_ERR_CONFLICT)
		err_wrap(err, "names of '%s' were not exchanged, a transaction uses it", aside->live.name);
	return false;
}

bool aside_rename_back(struct aside *aside, struct viewd_err *err)
{
	char *live = aside_quoted(aside->conn, &aside->live);
	char *sql = talloc_asprintf(live, "RENAME TABLE %s TO %s, %s TO %s", live, aside_quoted(live, &aside->fresh),
	                            aside_quoted(live, &aside->old), live);
	bool done = aside_run_rename(aside->conn, sql, err);

	talloc_free(live);
	return done;
}

bool aside_drop_old(struct aside *aside, const char *identity, struct viewd_err *err)
{
	struct db_object object;
	struct viewd_err why = {0};

	if (!my_find_object(&aside->conn->db, &aside->old, &object, err))
		return false;
	if (strcmp(object.identity, identity) != 0)
		err_set(&why, VIEWD_ERR_EXISTS, "'%s' was replaced by somebody else's object", aside->live.name);
	else if (drop_object(aside, &aside->old, object.kind, &why))
		return true;
	else if (why.native == ER_ROW_IS_REFERENCED_2)
		err_set(&why, VIEWD_ERR_CONFIG, "table '%s' cannot be swapped (a foreign key of another database refers to it)", aside->live.name);
	struct viewd_err back;
	if (!aside_rename_back(aside, &back))
		db_log(&aside->conn->db, VIEWD_LOG_ERROR, "'%s' is still called '%s' (%s)", aside->live.name, aside->old.name, back.msg);
	if (err != NULL)
		*err = why;
	return false;
}
