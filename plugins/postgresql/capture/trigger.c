/* SPDX-License-Identifier: MIT
 *
 * trigger.c: one statement trigger for each source on every relation through which its rows can be changed. Its
 * argument is the source, so a partition that several sources share has one for each.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/state/marks.h"
#include "postgresql/pg.h"

#define CAPTURES_WAIT_MS "10000"
#define DROP_WAIT_MS "5"
#define SETTING_MAX 32

/* Faults that keep the trigger of a relation from being as it should. REPLACE: it calls another function, and is heard
 * all the same. ALWAYS: it is silent in replica sessions (ENABLE TRIGGER ALL makes it so). */
enum lack_kind { LACK_TRIGGER, LACK_REPLACE, LACK_ALWAYS };

struct lacking {
	void *mem;
	struct lack {
		char *relation, *trigger;
		bool foreign, owned;
		enum lack_kind kind;
	} * items;
	size_t n;
};

static bool take_lack_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct lacking *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, struct lack, list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = (struct lack){
		.relation = talloc_strdup(list->mem, v[0]),
		.trigger = v[3] != NULL ? talloc_strdup(list->mem, v[3]) : NULL,
		.foreign = v[1][0] == 'f',
		.owned = v[2][0] == 't',
		.kind = v[3] == NULL     ? LACK_TRIGGER
	            : v[4][0] == 't' ? LACK_REPLACE
	                             : LACK_ALWAYS,
	};
	return true;
}

static const struct db_reader take_lack[] = {{take_lack_fn, "tttTT", "triggers that are lacking"}};

struct shape {
	void *mem;
	char name[IDENT_MAX];
	char *source;
	char *literal;   /* the source */
	char *signature; /* of the function */
};

/* The server has no TRUNCATE triggers for foreign tables. ALWAYS, so that replica sessions fire it too, is for owners
 * only. */
static bool make_one(struct viewd_conn *conn, const struct lack *lack, const struct shape *shape, struct viewd_err *err)
{
	if (lack->kind == LACK_ALWAYS)
		return pg_execf(conn, err, "ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", lack->relation, lack->trigger);
	return pg_execf(conn, err,
	                "CREATE %sTRIGGER %s AFTER INSERT OR UPDATE OR DELETE%s ON %s FOR EACH STATEMENT EXECUTE FUNCTION "
	                "%.*s(%s)",
	                lack->kind == LACK_REPLACE ? "OR REPLACE " : "", shape->name, lack->foreign ? "" : " OR TRUNCATE",
	                lack->relation, (int)strcspn(shape->signature, "("), shape->signature, shape->literal) &&
	       (!lack->owned ||
	        pg_execf(conn, err, "ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", lack->relation, shape->name));
}

/* Registers the source, and says what its triggers shall look like. In a transaction. */
static bool describe(struct db *db, const struct relation *rel, struct shape *shape, struct viewd_err *err)
{
	shape->source = relation_quoted(db->syntax, shape->mem, rel);
	shape->literal = literal_quoted(&pg_syntax, shape->mem, shape->source);
	ident_temporary(rel, "viewd_", shape->name);
	return pg_functions_function(pg_of(db), shape->mem, shape->source, &shape->signature, err);
}

static bool find_lacking(struct db *db, const struct shape *shape, struct lacking *list, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] = PG_TREE_SQL("SELECT $1::text") " SELECT pg_catalog.format('%I.%I', n.nspname, "
	                                                         "c.relname), c.relkind,"
		" pg_catalog.pg_has_role(c.relowner, 'USAGE'), pg_catalog.quote_ident(g.tgname), g.tgfoid <> "
		"$2::pg_catalog.regprocedure" PG_TRIGGERS_SQL
		" WHERE (g.oid IS NULL OR g.tgfoid <> $2::pg_catalog.regprocedure OR (g.tgenabled = 'O' AND "
		"pg_catalog.pg_has_role(c.relowner, 'USAGE')))"
		" AND c.relpersistence <> 't' ORDER BY c.oid";
	/* clang-format on */
	const char *params[] = {shape->source, shape->signature};
	return pg_op_query(db, sql, params, 2, take_lack, list, err);
}

/* The lock that pg_op_ready_triggers() holds from one transaction to the next, where a session keeps it. */
static bool alone_too(struct viewd_conn *conn, struct viewd_err *err)
{
	return !conn->pooled || pg_op_captures_lock(&conn->db, err);
}

/* In a transaction of its own: one that has the lock of one table and waits for that of another is part of deadlocks,
 * and the server may resolve them at a writer's cost. Only a trigger that is not there cannot wait. Before PostgreSQL
 * 14 nothing replaces one. */
static bool make_alone(struct viewd_conn *conn, const struct lack *lack, const struct shape *shape,
                       struct viewd_err *err)
{
	struct viewd_err failed = {0};
	if (lack->kind == LACK_REPLACE && PQserverVersion(conn->pg) < 140000)
		return true;
	if (pg_op_begin(&conn->db, DB_BEGIN_WRITE, &failed) && alone_too(conn, &failed) &&
	    make_one(conn, lack, shape, &failed) && pg_op_commit(&conn->db, &failed))
		return true;
	pg_op_rollback(&conn->db);
	if (lack->kind == LACK_TRIGGER) {
		if (err != NULL)
			*err = failed;
		return false;
	}
	pg_log(conn, VIEWD_LOG_DEBUG, "database '%s', the trigger on table %s stays as it is (%s)", conn->db.database_name,
	       lack->relation, failed.msg);
	return true;
}

static bool ready(struct db *db, const struct relation *rel, struct lacking *list, struct viewd_err *err)
{
	struct shape shape = {.mem = list->mem};
	if (!pg_op_begin(db, DB_BEGIN_WRITE, err) || !describe(db, rel, &shape, err) || !pg_op_commit(db, err)) {
		pg_op_rollback(db);
		return false;
	}
	bool good = find_lacking(db, &shape, list, err);
	for (size_t i = 0; good && i < list->n; i++)
		good = make_alone(pg_of(db), &list->items[i], &shape, err);
	return good;
}

bool pg_op_ready_triggers(struct db *db, const struct relation *rel, struct viewd_err *err)
{
	struct lacking list = {.mem = talloc_new(NULL)};
	bool kept = !pg_of(db)->pooled;
	bool locked = kept && pg_exec(pg_of(db), "SELECT pg_catalog.pg_advisory_lock(" PG_LOCK_CAPTURES ")", err);
	bool good = (locked || !kept) && ready(db, rel, &list, err);
	if (locked)
		pg_exec_quietly(pg_of(db), "SELECT pg_catalog.pg_advisory_unlock(" PG_LOCK_CAPTURES ")");
	talloc_free(list.mem);
	return good;
}

/* Nobody but viewd waits for who waits here, so it may take longer than a view's lock_timeout. */
bool pg_op_captures_lock(struct db *db, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	return pg_exec(conn, "SET LOCAL lock_timeout = " CAPTURES_WAIT_MS, err) &&
	       pg_exec(conn, "SELECT pg_catalog.pg_advisory_xact_lock(" PG_LOCK_CAPTURES ")", err) &&
	       pg_execf(conn, err, "SET LOCAL lock_timeout = %" PRId64, conn->lock_us / 1000);
}

/* ready_triggers has made them, and this finds them there; what has come up in between is made here. */
bool pg_op_make_trigger(struct db *db, const struct relation *rel, struct viewd_err *err)
{
	struct lacking list = {.mem = talloc_new(NULL)};
	struct shape shape = {.mem = list.mem};
	bool good = describe(db, rel, &shape, err) && find_lacking(db, &shape, &list, err);
	for (size_t i = 0; good && i < list.n; i++)
		good = list.items[i].kind != LACK_TRIGGER || make_one(pg_of(db), &list.items[i], &shape, err);
	good = good && pg_parts_note(pg_of(db), shape.source, err);
	talloc_free(list.mem);
	return good;
}

bool pg_op_list_triggers(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	return pg_op_query(
		db,
		"SELECT DISTINCT pg_catalog.convert_from(pg_catalog.substring(g.tgargs, 1, "
		"pg_catalog.octet_length(g.tgargs) - 1),"
		" pg_catalog.getdatabaseencoding()) FROM pg_catalog.pg_trigger g WHERE g.tgfoid IN (" PG_NOTE_FUNCTIONS_SQL
		") AND g.tgnargs = 1 UNION SELECT source FROM viewd.sources WHERE id > 0",
		NULL, 0, row, ctx, err);
}

struct drops {
	void *mem;
	char **statements;
	size_t n;
};

static bool take_drop_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct drops *list = ctx;
	list->statements = talloc_realloc(list->mem, list->statements, char *, list->n + 1);
	assert(list->statements != NULL);
	list->statements[list->n++] = talloc_strdup(list->mem, v[0]);
	return true;
}

static const struct db_reader take_drop[] = {{take_drop_fn, "t", "the triggers of a source"}};

static bool find_drops(struct db *db, const char *source, struct drops *list, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"SELECT pg_catalog.format('DROP TRIGGER %I ON %I.%I', g.tgname, n.nspname, c.relname) FROM "
		"pg_catalog.pg_trigger g"
		" JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		" WHERE g.tgfoid IN (" PG_NOTE_FUNCTIONS_SQL ") AND pg_catalog.pg_has_role(c.relowner, 'USAGE')"
		" AND g.tgargs = pg_catalog.convert_to($1, pg_catalog.getdatabaseencoding()) || '\\x00'::bytea ORDER BY c.oid";
	/* clang-format on */
	const char *params[] = {source};
	return pg_op_query(db, sql, params, 1, take_drop, list, err);
}

static bool drop_all(struct db *db, const char *source, const struct drops *list, struct viewd_err *err)
{
	bool good = pg_exec(pg_of(db), "SET LOCAL lock_timeout = " DROP_WAIT_MS, err);
	for (size_t i = 0; good && i < list->n; i++)
		good = pg_exec(pg_of(db), list->statements[i], err);
	return good && pg_functions_forget(pg_of(db), source, err);
}

static bool take_setting_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	snprintf(ctx, SETTING_MAX, "%s", v[0]);
	return false;
}

static const struct db_reader take_setting[] = {{take_setting_fn, "t", "lock_timeout"}};

/* Readers wait behind who waits to drop, and nothing depends on its being dropped now: what is in use stays until the
 * next sweep. */
static bool drop_or_leave(struct db *db, const char *source, const struct drops *list, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	struct viewd_err failed = {0};
	char before[SETTING_MAX] = "0";
	if (!pg_op_query(db, "SELECT pg_catalog.current_setting('lock_timeout')", NULL, 0, take_setting, before, err) ||
	    !pg_exec(conn, "SAVEPOINT viewd_trigger", err))
		return false;
	if (drop_all(db, source, list, &failed))
		return pg_execf(conn, err, "SET LOCAL lock_timeout = '%s'", before) &&
		       pg_exec(conn, "RELEASE SAVEPOINT viewd_trigger", err);
	pg_savepoint_undo(conn, "viewd_trigger");
	if (failed.cls != VIEWD_ERR_CONFLICT) {
		if (err != NULL)
			*err = failed;
		return false;
	}
	pg_log(conn, VIEWD_LOG_DEBUG, "database '%s', triggers of %s that nobody needs stay for now (%s)",
	       conn->db.database_name, source, failed.msg);
	return true;
}

/* Only a table's owner may drop a trigger: elsewhere it stays, and its log rows mean nothing to anybody. */
bool pg_op_drop_trigger(struct db *db, const char *source, struct viewd_err *err)
{
	struct drops list = {.mem = talloc_new(NULL)};
	bool good = find_drops(db, source, &list, err) && drop_or_leave(db, source, &list, err);
	talloc_free(list.mem);
	return good;
}
