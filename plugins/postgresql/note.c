/* SPDX-License-Identifier: MIT
 *
 * note.c: what viewd's triggers call. Each source has a function of its own, note_7, and a sequence, flood_7, that says whether writers
 * shall leave log rows (never called: yes) or the source counts as changed anyway (flood.c). A sequence is read where it is, in
 * shared memory, by no snapshot; it is written ahead like any change, so it is as true after a crash as what else had been written by then.
 *
 * A function of its own, with everything written out, is a third cheaper for writers than one that reads its arguments.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/number.h"
#include "postgresql/pg.h"

static bool found_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0] != NULL && v[0][0] == 't';
	return false;
}

static const struct db_reader found_row[] = {{found_row_fn, "T", "a function of viewd"}};

/* Replacing what is equal would make every session of the server plan it anew. */
bool pg_function_make(struct viewd_conn *conn, const char *signature, const char *head, const char *body, const char *privilege,
                      struct viewd_err *err)
{
	const char *params[] = {signature, body};
	bool same = false;
	if (!pg_op_query(&conn->db,
	                 "SELECT pg_catalog.count(*) > 0 FROM pg_catalog.pg_proc WHERE oid = pg_catalog.to_regprocedure($1) AND prosrc = $2",
	                 params, 2, found_row, &same, err))
		return false;
	if (same)
		return true;
	char *literal = literal_quoted(&pg_syntax, conn, body);
	bool made = pg_execf(conn, err, "CREATE OR REPLACE FUNCTION %s LANGUAGE plpgsql SECURITY DEFINER AS %s", head, literal) &&
	            pg_exec(conn, privilege, err);
	talloc_free(literal);
	return made;
}

struct entry {
	int64_t id;
	bool foreign;
};

static bool entry_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(struct entry *)ctx = (struct entry){number_or(v[0], 0), v[1][0] == 't'};
	return false;
}

static const struct db_reader entry_row[] = {{entry_row_fn, "nt", "a source that is registered"}};

/* The row stays locked: of two sessions that make the same function one waits. A write to a foreign table alone has no transaction id
 * here by which it could be waited for. */
static bool register_source(struct viewd_conn *conn, const char *source, struct entry *out, struct viewd_err *err)
{
	static const char lock_sql[] = PG_TREE_SQL("SELECT $1::text")
		" SELECT s.id, EXISTS (SELECT 1 FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid WHERE c.relkind = 'f')"
		" FROM viewd.sources s WHERE s.source = $1 FOR UPDATE OF s";
	const char *params[] = {source};
	return pg_op_exec(&conn->db, "INSERT INTO viewd.sources (source) VALUES ($1) ON CONFLICT DO NOTHING", params, 1, NULL, err) &&
	       pg_op_query(&conn->db, lock_sql, params, 1, entry_row, out, err);
}

/* A literal with a backslash means what the writer's standard_conforming_strings says. */
static char *note_body(void *mem, int64_t id, const char *source)
{
	const char *name = strchr(source, '\\') != NULL ? "TG_ARGV[0]" : literal_quoted(&pg_syntax, mem, source);
	return talloc_asprintf(mem,
	                       "BEGIN IF pg_catalog.pg_sequence_last_value('viewd.flood_%lld') IS NULL THEN" PG_NOTE("%s")
	                       " END IF; RETURN NULL; END", (long long)id, name);
}

static bool make_own(struct viewd_conn *conn, void *mem, int64_t id, const char *source, char **signature_r, struct viewd_err *err)
{
	char *signature = talloc_asprintf(mem, "viewd.note_%lld()", (long long)id);
	char *head = talloc_asprintf(mem, "%s RETURNS trigger", signature);
	char *privilege = talloc_asprintf(mem, "REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC", signature);
	if (!pg_execf(conn, err, "CREATE SEQUENCE IF NOT EXISTS viewd.flood_%lld", (long long)id) ||
	    !pg_function_make(conn, signature, head, note_body(mem, id, source), privilege, err))
		return false;
	*signature_r = signature;
	return true;
}

bool pg_note_function(struct viewd_conn *conn, void *mem_ctx, const char *source, char **signature_r, struct viewd_err *err)
{
	struct entry entry = {.id = 0};
	if (!register_source(conn, source, &entry, err))
		return false;
	if (!entry.foreign)
		return make_own(conn, mem_ctx, entry.id, source, signature_r, err);
	*signature_r = talloc_strdup(mem_ctx, "viewd.note_change()");
	return true;
}

bool pg_note_forget(struct viewd_conn *conn, const char *source, struct viewd_err *err)
{
	static const char sql[] =
		"DELETE FROM viewd.sources WHERE source = $1 AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_trigger g"
		" WHERE g.tgfoid IN (" PG_NOTE_FUNCTIONS_SQL ")"
		" AND g.tgargs = pg_catalog.convert_to($1, pg_catalog.getdatabaseencoding()) || '\\x00'::bytea) RETURNING id, false";
	const char *params[] = {source};
	struct entry entry = {.id = 0};
	return pg_op_query(&conn->db, sql, params, 1, entry_row, &entry, err) &&
	       (entry.id == 0 || (pg_execf(conn, err, "DROP FUNCTION IF EXISTS viewd.note_%lld()", (long long)entry.id) &&
	                          pg_execf(conn, err, "DROP SEQUENCE IF EXISTS viewd.flood_%lld", (long long)entry.id)));
}
