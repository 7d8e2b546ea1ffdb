/* SPDX-License-Identifier: MIT
 *
 * trigger.c: one statement trigger for each source on every relation through which its rows can be changed. Its argument is the source,
 * so a partition that several sources share has one for each.
 */
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/marks.h"
#include "postgresql/pg.h"

struct lacking {
	void *mem;
	struct lack {
		char *relation;
		bool foreign, owned, replace;
	} *items;
	size_t n;
};

static bool keep_lack(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct lacking *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, struct lack, list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = (struct lack){talloc_strdup(list->mem, v[0]), v[1][0] == 'f', v[2][0] == 't', v[3][0] == 't'};
	return true;
}

struct shape {
	char name[IDENT_MAX];
	char *literal;   /* the source */
	char *signature; /* of the function */
};

/* The server has no TRUNCATE triggers for foreign tables. ALWAYS, so that replica sessions fire it too, is for owners only. */
static bool make_one(struct viewd_conn *conn, const struct lack *lack, const struct shape *shape, struct viewd_err *err)
{
	return pg_execf(conn, err, "CREATE %sTRIGGER %s AFTER INSERT OR UPDATE OR DELETE%s ON %s FOR EACH STATEMENT EXECUTE FUNCTION %.*s(%s)",
	                lack->replace ? "OR REPLACE " : "", shape->name, lack->foreign ? "" : " OR TRUNCATE", lack->relation,
	                (int)strcspn(shape->signature, "("), shape->signature, shape->literal) &&
	       (!lack->owned || pg_execf(conn, err, "ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", lack->relation, shape->name));
}

/* One that calls another function than it should is heard all the same: it can wait. Before PostgreSQL 14 nothing replaces it. */
static bool make_or_leave(struct viewd_conn *conn, const struct lack *lack, const struct shape *shape, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	if (!lack->replace)
		return make_one(conn, lack, shape, err);
	if (PQserverVersion(conn->pg) < 140000)
		return true;
	if (!pg_exec(conn, "SAVEPOINT viewd_trigger", err))
		return false;
	if (make_one(conn, lack, shape, &failed))
		return pg_exec(conn, "RELEASE SAVEPOINT viewd_trigger", err);
	pg_savepoint_undo(conn, "viewd_trigger");
	pg_log(conn, VIEWD_LOG_DEBUG, "database '%s', the trigger on table %s stays as it is (%s)", conn->db.database_name, lack->relation,
	       failed.msg);
	return true;
}

/* As of now, unless it is known as of earlier. */
static bool note_members(struct db *db, const char *source, struct viewd_err *err)
{
	const char *params[] = {source};
	return pg_op_exec(db, PG_TREE_SQL("SELECT $1::text") " UPDATE viewd.sources s SET members = " PG_MEMBERS_SQL
	                  " FROM wanted w WHERE s.source = w.source AND s.members IS NULL", params, 1, NULL, err);
}

bool pg_op_captures_lock(struct db *db, struct viewd_err *err)
{
	return pg_exec(pg_of(db), "SELECT pg_catalog.pg_advisory_xact_lock(" PG_LOCK_CAPTURES ")", err);
}

bool pg_op_make_trigger(struct db *db, const struct relation *rel, struct viewd_err *err)
{
	static const char sql[] = PG_TREE_SQL("SELECT $1::text") " SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind,"
		" pg_catalog.pg_has_role(c.relowner, 'USAGE'), g.oid IS NOT NULL" PG_TRIGGERS_SQL
		" WHERE (g.oid IS NULL OR g.tgfoid <> $2::pg_catalog.regprocedure) AND c.relpersistence <> 't' ORDER BY c.oid";
	struct lacking list = {.mem = talloc_new(NULL)};
	struct shape shape;
	char *source = relation_quoted(db->syntax, list.mem, rel);
	shape.literal = literal_quoted(&pg_syntax, list.mem, source);
	ident_temporary(rel, "viewd_", shape.name);
	bool good = pg_note_function(pg_of(db), list.mem, source, &shape.signature, err);
	if (good) {
		const char *params[] = {source, shape.signature};
		good = pg_op_query(db, sql, params, 2, keep_lack, &list, err);
	}
	for (size_t i = 0; good && i < list.n; i++)
		good = make_or_leave(pg_of(db), &list.items[i], &shape, err);
	good = good && note_members(db, source, err);
	talloc_free(list.mem);
	return good;
}

bool pg_op_list_triggers(struct db *db, db_row_fn *row, void *ctx, struct viewd_err *err)
{
	return pg_op_query(db,
	                   "SELECT DISTINCT pg_catalog.convert_from(pg_catalog.substring(g.tgargs, 1, pg_catalog.octet_length(g.tgargs) - 1),"
	                   " pg_catalog.getdatabaseencoding()) FROM pg_catalog.pg_trigger g"
	                   " WHERE g.tgfoid IN (" PG_NOTE_FUNCTIONS_SQL ") AND g.tgnargs = 1"
	                   " UNION SELECT source FROM viewd.sources WHERE id > 0",
	                   NULL, 0, row, ctx, err);
}

struct drops {
	void *mem;
	char **statements;
	size_t n;
};

static bool keep_drop(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct drops *list = ctx;
	list->statements = talloc_realloc(list->mem, list->statements, char *, list->n + 1);
	assert(list->statements != NULL);
	list->statements[list->n++] = talloc_strdup(list->mem, v[0]);
	return true;
}

/* Only a table's owner may drop a trigger: elsewhere it stays, and its log rows mean nothing to anybody. */
bool pg_op_drop_trigger(struct db *db, const char *source, struct viewd_err *err)
{
	static const char sql[] =
		"SELECT pg_catalog.format('DROP TRIGGER %I ON %I.%I', g.tgname, n.nspname, c.relname) FROM pg_catalog.pg_trigger g"
		" JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		" WHERE g.tgfoid IN (" PG_NOTE_FUNCTIONS_SQL ") AND pg_catalog.pg_has_role(c.relowner, 'USAGE')"
		" AND g.tgargs = pg_catalog.convert_to($1, pg_catalog.getdatabaseencoding()) || '\\x00'::bytea ORDER BY c.oid";
	struct drops list = {.mem = talloc_new(NULL)};
	const char *params[] = {source};
	bool good = pg_op_query(db, sql, params, 1, keep_drop, &list, err);
	for (size_t i = 0; good && i < list.n; i++)
		good = pg_exec(pg_of(db), list.statements[i], err);
	good = good && pg_note_forget(pg_of(db), source, err);
	talloc_free(list.mem);
	return good;
}
