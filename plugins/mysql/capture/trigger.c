/* SPDX-License-Identifier: MIT
 *
 * trigger.c: row triggers that leave a word in viewd_changes: one row a changed row, so that no two writers wait for
 * each other. They run with viewd's privileges; a writer needs none. What they look like and why is said in
 * trigger_procedure.h. viewd_triggers is written before a trigger is made, so none is forgotten.
 *
 * One row a statement would do, but nothing that a trigger can see tells one statement or transaction from the next for
 * certain: user variables outlive ROLLBACK and ROLLBACK TO SAVEPOINT, which take the row of the log with them; now(6)
 * stands still after SET TIMESTAMP; looking whether a row of this transaction is there costs as much as writing one
 * (and locks a gap at REPEATABLE READ when it is not).
 */
#include "mysql/capture/trigger_plan.h"

#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/state/marks.h"

#define ER_BINLOG_CREATE_ROUTINE_NEED_SUPER 1419

/* ---- dropping */

/* Drops it when it is viewd's. *taken_r: it is somebody else's. */
static bool drop_ours(struct viewd_conn *conn, void *mem, const char *schema, const char *name, bool *taken_r,
                      struct viewd_err *err)
{
	struct viewd_err failure = {0};
	struct trigger_seen seen;

	if (!trigger_see(conn, mem, schema, NULL, name, &seen, err))
		return false;
	*taken_r = seen.there && !body_is_ours(conn, schema, seen.body);
	if (!seen.there)
		return trigger_absent(conn, schema, name, err);
	if (*taken_r)
		return true;
	if (db_exec(&conn->db, talloc_asprintf(mem, "DROP TRIGGER IF EXISTS %s", trigger_quoted(mem, schema, name)),
	            &failure) ||
	    failure.cls == VIEWD_ERR_MISSING) /* the database went with it */
		return true;
	if (err != NULL)
		*err = failure;
	return false;
}

static bool forget_trigger(struct viewd_conn *conn, const char *source, const char *schema, const char *name,
                           struct viewd_err *err)
{
	const char *params[] = {source, schema, name};

	return my_exec(&conn->db, "DELETE FROM viewd_triggers WHERE source = ? AND trigger_schema = ? AND trigger_name = ?",
	               params, ARRAY_LEN(params), NULL, err);
}

static bool take_three_fn(void *ctx, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!texts_keep(ctx, v + i, 1))
			return false;
	return true;
}

static const struct db_reader take_three[] = {{take_three_fn, "ttt", "the triggers of a source"}};

static bool is_planned(const struct viewd_conn *conn, const struct trigger_plans *keep, const char *schema,
                       const char *name)
{
	for (size_t i = 0; keep != NULL && i < keep->n; i++)
		if (strcmp(keep->items[i].name, name) == 0 &&
		    (schema[0] == '\0' ? note_is_home(conn, keep->items[i].table->schema)
		                       : strcmp(keep->items[i].table->schema, schema) == 0))
			return true;
	return false;
}

/* Drops what viewd_triggers names for the source; keep (NULL: nothing) stays. */
static bool drop_recorded(struct viewd_conn *conn, const struct relation *source, const struct trigger_plans *keep,
                          struct viewd_err *err)
{
	struct texts rows = {.mem = talloc_new(NULL)};
	const char *params[] = {relation_quoted(&my_syntax, rows.mem, source), body_relation(conn, rows.mem, source)};
	bool good =
		my_query(&conn->db, "SELECT source, trigger_schema, trigger_name FROM viewd_triggers WHERE source IN (?, ?)",
	             params, ARRAY_LEN(params), take_three, &rows, err);

	for (size_t i = 0; i + 2 < rows.n && good; i += 3) {
		const char *schema = rows.items[i + 1], *name = rows.items[i + 2];
		bool taken = false;
		if (is_planned(conn, keep, schema, name))
			continue;
		good = drop_ours(conn, rows.mem, schema[0] != '\0' ? schema : conn->url->database, name, &taken, err) &&
		       forget_trigger(conn, rows.items[i], schema, name, err);
		if (taken)
			db_log(&conn->db, VIEWD_LOG_WARNING,
			       "database '%s', trigger %s is not viewd's, though viewd_triggers names it: it is left alone",
			       conn->db.database_name, name);
	}
	talloc_free(rows.mem);
	return good;
}

static bool drop_source(struct viewd_conn *conn, const char *source, struct viewd_err *err)
{
	struct relation rel;

	return relation_parse(&my_syntax, source, &rel, err) && drop_recorded(conn, &rel, NULL, err) &&
	       tables_forget(conn, source, err);
}

/* Nobody needs them: what may not be dropped now stays and is found again, and keeps nobody from setting up others. */
bool my_drop_trigger(struct db *db, const char *source, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	struct viewd_err failure = {0};

	if (drop_source(conn, source, &failure))
		return true;
	if (failure.cls == VIEWD_ERR_DENIED) {
		db_log(db, conn->told_hidden ? VIEWD_LOG_DEBUG : VIEWD_LOG_WARNING,
		       "database '%s', triggers of table %s that nobody needs stay for now (%s; %s)", db->database_name, source,
		       failure.msg, failure.hint);
		conn->told_hidden = true;
		return true;
	}
	if (err != NULL)
		*err = failure;
	return false;
}

/* ---- making */

static bool hint_at_privilege(struct viewd_err *err)
{
	if (err != NULL && err->native == ER_BINLOG_CREATE_ROUTINE_NEED_SUPER)
		return err_hint(err, "with a binary log the server lets ordinary accounts make triggers only if "
		                     "log_bin_trust_function_creators is on");
	if (err != NULL && err->cls == VIEWD_ERR_DENIED && err->hint[0] == '\0')
		return err_hint(err, "grant TRIGGER on the table's database, or set capture = binlog or poll");
	return false;
}

/* The statement names things of the default database alone, so that is the table's own while it runs. */
bool trigger_create_in(struct viewd_conn *conn, void *mem, const char *schema, const char *sql, struct viewd_err *err)
{
	bool away = !note_is_home(conn, schema);

	if (away && !db_exec(&conn->db, ident_append(&my_syntax, talloc_strdup(mem, "USE "), schema), err))
		return false;
	bool done = db_exec(&conn->db, sql, err);
	if (away && !conn->lost && mysql_select_db(conn->my, conn->url->database) != 0)
		conn->lost = true;
	return done;
}

/* A trigger of the name was left on a table that was renamed, or has another body or definer. */
static bool make_one(struct viewd_conn *conn, void *mem, const struct trigger_plan *plan, const char *source,
                     const struct definer *definer, struct viewd_err *err)
{
	struct relation on = {.schema = ""};
	const char *schema = plan->table->schema;
	const char *params[] = {source, note_is_home(conn, schema) ? "" : schema, plan->name};
	bool taken = false;

	memcpy(on.name, plan->table->name, sizeof on.name);
	char *create = talloc_asprintf(mem, "CREATE %sTRIGGER %s AFTER %s ON %s FOR EACH ROW %s", definer_clause(definer),
	                               plan->name, plan->event, relation_quoted(&my_syntax, mem, &on), plan->body);
	if (!my_exec(&conn->db, "INSERT IGNORE INTO viewd_triggers VALUES (?, ?, ?)", params, ARRAY_LEN(params), NULL,
	             err) ||
	    !drop_ours(conn, mem, schema, plan->name, &taken, err))
		return false;
	if (taken)
		return err_set(err, VIEWD_ERR_EXISTS, "trigger %.64s.%.64s is in the way and is not viewd's", schema,
		               plan->name);
	return trigger_create_in(conn, mem, schema, create, err);
}

static bool drop_in(struct viewd_conn *conn, const char *schema, struct viewd_err *err);

/* The triggers that have words lost are gone before the procedure is put right, so that whoever comes next finds them
 * missing. Those of other databases call other procedures. */
static bool make_procedure(struct viewd_conn *conn, const char *schema, const struct definer *definer,
                           struct viewd_err *err)
{
	bool right = false;

	if (!note_is_right(conn, schema, definer, &right, err))
		return false;
	return right || (drop_in(conn, schema, err) && note_make(conn, schema, definer, err));
}

/* The plans from first on that are of one table. */
static bool make_on(struct viewd_conn *conn, void *mem, const struct trigger_plans *all, size_t first,
                    const struct definer *definer, bool *made_r, struct viewd_err *err)
{
	const struct relation *table = all->items[first].table;
	bool proved = false, good = make_procedure(conn, table->schema, definer, err);

	for (size_t i = first; i < all->n && all->items[i].table == table && good; i++) {
		bool there = false;
		good = trigger_is_there(conn, mem, &all->items[i], definer, &there, err);
		if (!good || there)
			continue;
		good = (proved || note_prove(conn, table->schema, definer, err)) &&
		       make_one(conn, mem, &all->items[i], all->source, definer, err);
		*made_r = proved = true;
	}
	return good;
}

static bool make_all(struct viewd_conn *conn, void *mem, const struct trigger_plans *all, bool *made_r,
                     struct viewd_err *err)
{
	struct definer definer;
	bool good = true;

	for (size_t i = 0; i < all->n && good; i++) {
		if (i > 0 && all->items[i].table == all->items[i - 1].table)
			continue;
		if (!definer_enter(conn, all->items[i].table, &definer, err))
			return false;
		good = make_on(conn, mem, all, i, &definer, made_r, err);
		definer_leave(conn, &definer);
	}
	return good || hint_at_privilege(err);
}

/* Writers from before a trigger was there, or was what it is now, have ended: CREATE TRIGGER waits for them. So the
 * mark that follows it is a mark for all of them. Older triggers go when the new ones are there. */
bool my_make_trigger(struct db *db, const struct relation *source, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	struct viewd_err failure = {0};
	struct trigger_plans all = {.items = NULL};
	void *mem = talloc_new(NULL);
	bool made = false;
	bool good = tables_remember(conn, source, &failure) && trigger_plan_all(conn, mem, source, &all, &failure) &&
	            make_all(conn, mem, &all, &made, &failure) && drop_recorded(conn, source, &all, &failure) &&
	            (!made || marks_touch(db, relation_quoted(&my_syntax, mem, source), NULL, &failure));

	talloc_free(mem);
	if (!good && err != NULL)
		*err = failure;
	return good;
}

bool trigger_lacks(struct viewd_conn *conn, const struct relation *source, bool *lacks_r, struct viewd_err *err)
{
	struct trigger_plans all = {.items = NULL};
	struct db_object found;
	void *mem = talloc_new(NULL);
	bool lacks = false, there = true;
	bool good = my_find_object(&conn->db, source, &found, err);

	if (good && found.kind == VIEWD_KIND_TABLE)
		good = trigger_plan_all(conn, mem, source, &all, err);
	for (size_t i = 0; i < all.n && good; i++) {
		good = trigger_is_there(conn, mem, &all.items[i], NULL, &there, err) &&
		       (there || trigger_absent(conn, all.items[i].table->schema, all.items[i].name, err));
		lacks = lacks || !there;
	}
	talloc_free(mem);
	if (good)
		*lacks_r = lacks;
	return good;
}

/* ---- all of them */

struct listing {
	struct viewd_conn *conn;
	const struct db_reader *row;
	void *ctx;
	struct viewd_err *err;
	bool misfit;
};

static bool list_source_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct listing *listing = ctx;
	struct relation rel;

	if (!body_source(listing->conn, v[0], &rel))
		return true;
	char *quoted = relation_quoted(&my_syntax, NULL, &rel);
	const char *const value[] = {quoted};
	bool more = false;
	listing->misfit = !db_give(listing->row, listing->ctx, value, 1, &more, listing->err);
	talloc_free(quoted);
	return !listing->misfit && more;
}

static const struct db_reader list_source[] = {{list_source_fn, "t", "the triggers of viewd"}};

bool my_list_triggers(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct listing listing = {my_conn(db), row, ctx, err, false};

	return my_query(db, "SELECT DISTINCT source FROM viewd_triggers", NULL, 0, list_source, &listing, err) &&
	       !listing.misfit;
}

static bool drop_listed(struct viewd_conn *conn, const struct texts *sources, struct viewd_err *err)
{
	bool good = true;

	for (size_t i = 0; i < sources->n && good; i++)
		good = drop_source(conn, sources->items[i], err);
	return good;
}

static bool drop_in(struct viewd_conn *conn, const char *schema, struct viewd_err *err)
{
	struct texts sources = {.mem = talloc_new(NULL)};
	struct listing listing = {conn, texts_reader, &sources, err, false};
	const char *const params[] = {note_is_home(conn, schema) ? "" : schema};

	if (!my_captures_lock(&conn->db, err)) {
		talloc_free(sources.mem);
		return false;
	}
	bool good = my_query(&conn->db, "SELECT DISTINCT source FROM viewd_triggers WHERE trigger_schema = ?", params, 1,
	                     list_source, &listing, err) &&
	            !listing.misfit && drop_listed(conn, &sources, err);
	my_captures_unlock(&conn->db);
	talloc_free(sources.mem);
	return good;
}

bool trigger_drop_all(struct viewd_conn *conn, struct viewd_err *err)
{
	struct texts sources = {.mem = talloc_new(NULL)};

	if (!my_captures_lock(&conn->db, err)) {
		talloc_free(sources.mem);
		return false;
	}
	bool good = my_list_triggers(&conn->db, texts_reader, &sources, err) && drop_listed(conn, &sources, err);
	my_captures_unlock(&conn->db);
	talloc_free(sources.mem);
	return good;
}
