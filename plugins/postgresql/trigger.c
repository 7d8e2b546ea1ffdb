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
		bool foreign, owned;
	} *items;
	size_t n;
};

static bool keep_lack(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct lacking *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, struct lack, list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = (struct lack){talloc_strdup(list->mem, v[0]), v[1][0] == 'f', v[2][0] == 't'};
	return true;
}

/* The server has no TRUNCATE triggers for foreign tables. ALWAYS, so that replica sessions fire it too, is for owners only. */
static bool make_one(struct viewd_conn *conn, const struct lack *lack, const char *name, const char *source, struct viewd_err *err)
{
	char *literal = literal_quoted(&pg_syntax, conn, source);
	bool made = pg_execf(conn, err, "CREATE TRIGGER %s AFTER INSERT OR UPDATE OR DELETE%s ON %s FOR EACH STATEMENT"
	                     " EXECUTE FUNCTION viewd.note_change(%s)", name, lack->foreign ? "" : " OR TRUNCATE", lack->relation, literal) &&
	            (!lack->owned || pg_execf(conn, err, "ALTER TABLE %s ENABLE ALWAYS TRIGGER %s", lack->relation, name));
	talloc_free(literal);
	return made;
}

bool pg_op_captures_lock(struct db *db, struct viewd_err *err)
{
	return pg_exec(pg_of(db), "SELECT pg_catalog.pg_advisory_xact_lock(" PG_LOCK_CAPTURES ")", err);
}

bool pg_op_make_trigger(struct db *db, const struct relation *rel, struct viewd_err *err)
{
	static const char sql[] = PG_TREE_SQL("SELECT $1::text") " SELECT pg_catalog.format('%I.%I', n.nspname, c.relname), c.relkind,"
		" pg_catalog.pg_has_role(c.relowner, 'USAGE')" PG_TRIGGERS_SQL " WHERE g.oid IS NULL AND c.relpersistence <> 't' ORDER BY c.oid";
	struct lacking list = {.mem = talloc_new(NULL)};
	char name[IDENT_MAX];
	char *source = relation_quoted(db->syntax, list.mem, rel);
	const char *params[] = {source};
	ident_temporary(rel, "viewd_", name);
	bool good = pg_op_query(db, sql, params, 1, keep_lack, &list, err);
	for (size_t i = 0; good && i < list.n; i++)
		good = make_one(pg_of(db), &list.items[i], name, source, err);
	talloc_free(list.mem);
	return good;
}

bool pg_op_list_triggers(struct db *db, db_row_fn *row, void *ctx, struct viewd_err *err)
{
	return pg_op_query(db,
	                   "SELECT DISTINCT pg_catalog.convert_from(pg_catalog.substring(g.tgargs, 1, pg_catalog.octet_length(g.tgargs) - 1),"
	                   " pg_catalog.getdatabaseencoding()) FROM pg_catalog.pg_trigger g"
	                   " WHERE g.tgfoid = pg_catalog.to_regprocedure('viewd.note_change()') AND g.tgnargs = 1",
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
		" WHERE g.tgfoid = pg_catalog.to_regprocedure('viewd.note_change()') AND pg_catalog.pg_has_role(c.relowner, 'USAGE')"
		" AND g.tgargs = pg_catalog.convert_to($1, pg_catalog.getdatabaseencoding()) || '\\x00'::bytea ORDER BY c.oid";
	struct drops list = {.mem = talloc_new(NULL)};
	const char *params[] = {source};
	bool good = pg_op_query(db, sql, params, 1, keep_drop, &list, err);
	for (size_t i = 0; good && i < list.n; i++)
		good = pg_exec(pg_of(db), list.statements[i], err);
	talloc_free(list.mem);
	return good;
}
