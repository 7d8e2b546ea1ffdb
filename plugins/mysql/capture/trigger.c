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
#include "mysql/capture/trigger_procedure.h"
#include "mysql/depends/cascade.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "common/state/marks.h"
#include "common/text/digest.h"

#define ER_BINLOG_CREATE_ROUTINE_NEED_SUPER 1419

/* One trigger: what it is on, and what it writes. */
struct plan {
	const struct relation *table;
	const char *event;
	const char *condition; /* NULL: always */
	char name[IDENT_MAX];
	char *body;
};

struct plans {
	struct plan *items;
	size_t n;
	const char *source; /* as triggers name it */
};

/* "viewd_i_" and 16 digits. The same in a copy of the database; but two databases of viewd may watch one table of a
 * third. */
static void name_trigger(struct viewd_conn *conn, void *mem, const char *source, struct plan *plan)
{
	const char *home = note_is_home(conn, plan->table->schema) ? "" : conn->url->database;
	char hash[DIGEST_SIZE];

	digest_text(
		talloc_asprintf(mem, "2\n%s\n%s\n%s\n%s", home, source, body_relation(conn, mem, plan->table), plan->event),
		hash);
	snprintf(plan->name, sizeof plan->name, "viewd_%c_%.16s", plan->event[0] - 'A' + 'a', hash);
}

static void add_plan(struct viewd_conn *conn, void *mem, struct plans *all, const struct relation *table,
                     const char *event, const char *condition)
{
	struct plan plan = {.table = table, .event = event, .condition = condition};

	name_trigger(conn, mem, all->source, &plan);
	plan.body = body_text(conn, mem, table->schema, all->source, condition);
	all->items = talloc_realloc(mem, all->items, struct plan, (unsigned)all->n + 1);
	all->items[all->n++] = plan;
}

/* The three of the source itself, and those of the tables whose foreign keys write it. */
static bool plan_all(struct viewd_conn *conn, void *mem, const struct relation *source, struct plans *all,
                     struct viewd_err *err)
{
	struct cascades *list = talloc_zero(mem, struct cascades);

	list->mem = mem;
	*all = (struct plans){.source = body_relation(conn, mem, source)};
	if (!cascade_find(conn, source, list, err))
		return false;
	add_plan(conn, mem, all, source, "INSERT", NULL);
	add_plan(conn, mem, all, source, "UPDATE", NULL);
	add_plan(conn, mem, all, source, "DELETE", NULL);
	for (size_t i = 0; i < list->n; i++) {
		const struct cascade *c = &list->items[i];
		if (c->on_delete)
			add_plan(conn, mem, all, &c->parent, "DELETE", NULL);
		if (c->on_update)
			add_plan(conn, mem, all, &c->parent, "UPDATE", c->differs);
	}
	return true;
}

/* ---- what is there */

char *trigger_quoted(void *mem, const char *schema, const char *name)
{
	struct relation rel = {.schema = ""};

	snprintf(rel.schema, sizeof rel.schema, "%s", schema);
	snprintf(rel.name, sizeof rel.name, "%s", name);
	return relation_quoted(&my_syntax, mem, &rel);
}

struct seen {
	bool there;
	bool hidden; /* the account may not see what it does */
	char *body;
	char definer[2 * IDENT_MAX];
	void *mem;
};

static bool take_seen_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct seen *seen = ctx;

	seen->there = true;
	seen->hidden = v[0] == NULL;
	seen->body = talloc_strdup(seen->mem, v[0] != NULL ? v[0] : "");
	snprintf(seen->definer, sizeof seen->definer, "%s", v[1] != NULL ? v[1] : "");
	return false;
}

static const struct db_reader take_seen[] = {{take_seen_fn, "TT", "a trigger"}};

/* table NULL: on whatever table. The server then looks at all tables of the database. */
static bool see(struct viewd_conn *conn, void *mem, const char *schema, const char *table, const char *name,
                struct seen *out, struct viewd_err *err)
{
	const char *params[] = {schema, schema, name, table};
	char *sql =
		talloc_asprintf(mem,
	                    "SELECT ACTION_STATEMENT, DEFINER FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?"
	                    " AND EVENT_OBJECT_SCHEMA = ? AND TRIGGER_NAME = ?%s",
	                    table != NULL ? " AND EVENT_OBJECT_TABLE = ?" : "");

	*out = (struct seen){.mem = mem};
	return my_query(&conn->db, sql, params, table != NULL ? 4 : 3, take_seen, out, err) &&
	       (!out->hidden || trigger_hidden(conn, schema, name, err));
}

bool trigger_hidden(struct viewd_conn *conn, const char *schema, const char *name, struct viewd_err *err)
{
	conn->denied = true;
	err_set(err, VIEWD_ERR_DENIED, "trigger '%.64s' of database '%.64s' cannot be seen", name, schema);
	return err_hint(err, "grant TRIGGER on %.64s.* to viewd's account", schema);
}

/* MariaDB shows the triggers of a table to who has any right there, MySQL to who has TRIGGER. The server tells apart
 * what is not there (1360) and what may not be seen. */
bool trigger_absent(struct viewd_conn *conn, const char *schema, const char *name, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	char *sql = talloc_strdup(NULL, "SHOW CREATE TRIGGER ");

	sql = talloc_strdup_append(sql, trigger_quoted(sql, schema, name));
	bool shown = db_exec(&conn->db, sql, &failure);
	talloc_free(sql);
	if (shown || failure.cls == VIEWD_ERR_QUERY || failure.cls == VIEWD_ERR_MISSING)
		return true;
	if (failure.cls == VIEWD_ERR_DENIED)
		return trigger_hidden(conn, schema, name, err);
	if (err != NULL)
		*err = failure;
	return false;
}

static bool is_there(struct viewd_conn *conn, void *mem, const struct plan *plan, const struct definer *definer,
                     bool *there_r, struct viewd_err *err)
{
	struct seen seen;

	if (!see(conn, mem, plan->table->schema, plan->table->name, plan->name, &seen, err))
		return false;
	*there_r =
		seen.there && strcmp(seen.body, plan->body) == 0 && (definer == NULL || definer_same(definer, seen.definer));
	return true;
}

/* ---- dropping */

/* Drops it when it is viewd's. *taken_r: it is somebody else's. */
static bool drop_ours(struct viewd_conn *conn, void *mem, const char *schema, const char *name, bool *taken_r,
                      struct viewd_err *err)
{
	struct viewd_err failure = {0};
	struct seen seen;

	if (!see(conn, mem, schema, NULL, name, &seen, err))
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

static bool is_planned(const struct viewd_conn *conn, const struct plans *keep, const char *schema, const char *name)
{
	for (size_t i = 0; keep != NULL && i < keep->n; i++)
		if (strcmp(keep->items[i].name, name) == 0 &&
		    (schema[0] == '\0' ? note_is_home(conn, keep->items[i].table->schema)
		                       : strcmp(keep->items[i].table->schema, schema) == 0))
			return true;
	return false;
}

/* Drops what viewd_triggers names for the source; keep (NULL: nothing) stays. */
static bool drop_recorded(struct viewd_conn *conn, const struct relation *source, const struct plans *keep,
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
static bool make_one(struct viewd_conn *conn, void *mem, const struct plan *plan, const char *source,
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
static bool make_on(struct viewd_conn *conn, void *mem, const struct plans *all, size_t first,
                    const struct definer *definer, bool *made_r, struct viewd_err *err)
{
	const struct relation *table = all->items[first].table;
	bool proved = false, good = make_procedure(conn, table->schema, definer, err);

	for (size_t i = first; i < all->n && all->items[i].table == table && good; i++) {
		bool there = false;
		good = is_there(conn, mem, &all->items[i], definer, &there, err);
		if (!good || there)
			continue;
		good = (proved || note_prove(conn, table->schema, definer, err)) &&
		       make_one(conn, mem, &all->items[i], all->source, definer, err);
		*made_r = proved = true;
	}
	return good;
}

static bool make_all(struct viewd_conn *conn, void *mem, const struct plans *all, bool *made_r, struct viewd_err *err)
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
	struct plans all = {.items = NULL};
	void *mem = talloc_new(NULL);
	bool made = false;
	bool good = tables_remember(conn, source, &failure) && plan_all(conn, mem, source, &all, &failure) &&
	            make_all(conn, mem, &all, &made, &failure) && drop_recorded(conn, source, &all, &failure) &&
	            (!made || marks_touch(db, relation_quoted(&my_syntax, mem, source), NULL, &failure));

	talloc_free(mem);
	if (!good && err != NULL)
		*err = failure;
	return good;
}

bool trigger_lacks(struct viewd_conn *conn, const struct relation *source, bool *lacks_r, struct viewd_err *err)
{
	struct plans all = {.items = NULL};
	struct db_object found;
	void *mem = talloc_new(NULL);
	bool lacks = false, there = true;
	bool good = my_find_object(&conn->db, source, &found, err);

	if (good && found.kind == VIEWD_KIND_TABLE)
		good = plan_all(conn, mem, source, &all, err);
	for (size_t i = 0; i < all.n && good; i++) {
		good = is_there(conn, mem, &all.items[i], NULL, &there, err) &&
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
