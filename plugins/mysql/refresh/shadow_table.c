/* SPDX-License-Identifier: MIT
 *
 * shadow_table.c: names, locks and the exchange.
 *
 * RENAME TABLE is one atomic statement for tables and views alike (both servers), and what reads the name follows the
 * name.
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

void shadow_names(struct viewd_conn *conn, const struct relation *rel, struct shadow *out)
{
	*out = (struct shadow){.conn = conn, .live = *rel};
	beside(rel, "viewd_new_", &out->fresh);
	beside(rel, "viewd_old_", &out->old);
	ident_temporary(rel, "viewd_lock_", out->lock);
}

char *shadow_quoted(void *mem, const struct relation *rel)
{
	return relation_quoted(&my_syntax, mem, rel);
}

bool shadow_lock(struct shadow *shadow, int64_t wait_us, struct viewd_err *err)
{
	bool got = false;

	if (!my_lock_get(shadow->conn, shadow->lock, wait_us, &got, err))
		return false;
	if (got)
		return true;
	return err_set(err, VIEWD_ERR_CONFLICT, "another connection of viewd is still at work on '%s'", shadow->live.name);
}

void shadow_unlock(struct shadow *shadow)
{
	my_lock_release(shadow->conn, shadow->lock);
}

bool shadow_hold(struct shadow *shadow, struct viewd_err *err)
{
	if (!shadow_lock(shadow, shadow->conn->lock_timeout_us, err))
		return false;
	snprintf(shadow->conn->held, sizeof shadow->conn->held, "%s", shadow->lock);
	return true;
}

static bool drop_object(struct shadow *shadow, const struct relation *rel, enum viewd_kind kind, struct viewd_err *err)
{
	char *name = shadow_quoted(shadow->conn, rel);
	char *sql = talloc_asprintf(name, "DROP %s IF EXISTS %s", kind == VIEWD_KIND_VIEW ? "VIEW" : "TABLE", name);
	bool done = db_exec(&shadow->conn->db, sql, err);

	talloc_free(name);
	return done;
}

static bool clear_one(struct shadow *shadow, const struct relation *rel, bool views_too, struct viewd_err *err)
{
	struct db_object object;

	if (!my_find_object(&shadow->conn->db, rel, &object, err))
		return false;
	bool ours = (object.kind == VIEWD_KIND_TABLE && object.identity[0] != '\0') ||
	            (object.kind == VIEWD_KIND_VIEW && views_too);
	if (object.kind == VIEWD_KIND_NONE)
		return true;
	if (ours)
		return drop_object(shadow, rel, object.kind, err);
	return err_set(err, VIEWD_ERR_EXISTS, "'%s' is in the way and was not made by viewd", rel->name);
}

bool shadow_clear(struct shadow *shadow, bool views_too, struct viewd_err *err)
{
	return clear_one(shadow, &shadow->fresh, views_too, err) && clear_one(shadow, &shadow->old, views_too, err);
}

void shadow_discard(struct shadow *shadow, const struct relation *rel)
{
	struct viewd_err err;

	if (!clear_one(shadow, rel, true, &err))
		db_log(&shadow->conn->db, VIEWD_LOG_WARNING, "'%s' was left over (%s)", rel->name, err.msg);
}

static char *rename_text(struct shadow *shadow, bool live_first)
{
	char *live = shadow_quoted(shadow->conn, &shadow->live);
	char *fresh = shadow_quoted(live, &shadow->fresh), *old = shadow_quoted(live, &shadow->old);
	char *sql = live_first ? talloc_asprintf(shadow->conn, "RENAME TABLE %s TO %s, %s TO %s", live, old, fresh, live)
	                       : talloc_asprintf(shadow->conn, "RENAME TABLE %s TO %s", fresh, live);

	talloc_free(live);
	return sql;
}

bool shadow_run_rename(struct viewd_conn *conn, const char *sql, struct viewd_err *err)
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

bool shadow_rename(struct shadow *shadow, bool live_first, struct viewd_err *err)
{
	if (!my_leader_check(shadow->conn, false, err))
		return false;
	db_failpoint(&shadow->conn->db, "mysql:checked");
	char *sql = rename_text(shadow, live_first);
	bool done = shadow_run_rename(shadow->conn, sql, err);

	talloc_free(sql);
	if (done)
		return true;
	if (err != NULL && err->cls == VIEWD_ERR_CONFLICT)
		err_wrap(err, "names of '%s' were not exchanged, a transaction uses it", shadow->live.name);
	return false;
}

bool shadow_rename_back(struct shadow *shadow, struct viewd_err *err)
{
	char *live = shadow_quoted(shadow->conn, &shadow->live);
	char *sql = talloc_asprintf(live, "RENAME TABLE %s TO %s, %s TO %s", live, shadow_quoted(live, &shadow->fresh),
	                            shadow_quoted(live, &shadow->old), live);
	bool done = shadow_run_rename(shadow->conn, sql, err);

	talloc_free(live);
	return done;
}

bool shadow_drop_old(struct shadow *shadow, const char *identity, struct viewd_err *err)
{
	struct db_object object;
	struct viewd_err why = {0};

	if (!my_find_object(&shadow->conn->db, &shadow->old, &object, err))
		return false;
	if (strcmp(object.identity, identity) != 0)
		err_set(&why, VIEWD_ERR_EXISTS, "'%s' was replaced by somebody else's object", shadow->live.name);
	else if (drop_object(shadow, &shadow->old, object.kind, &why))
		return true;
	else if (why.native == ER_ROW_IS_REFERENCED_2)
		err_set(&why, VIEWD_ERR_CONFIG, "table '%s' cannot be swapped (a foreign key of another database refers to it)",
		        shadow->live.name);
	struct viewd_err back;
	if (!shadow_rename_back(shadow, &back))
		db_log(&shadow->conn->db, VIEWD_LOG_ERROR, "'%s' is still called '%s' (%s)", shadow->live.name,
		       shadow->old.name, back.msg);
	if (err != NULL)
		*err = why;
	return false;
}
