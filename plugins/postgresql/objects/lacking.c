/* SPDX-License-Identifier: MIT */
#include "postgresql/objects/lacking.h"

#include <string.h>

#include "common/analysis/reading/named.h"
#include "postgresql/conn/pooled.h"

struct lacking {
	struct viewd_conn *conn;
	struct viewd_source_sink missing;
	struct viewd_err *err;
	bool failed;
};

static bool take_flag_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0] != NULL && v[0][0] == 't';
	return false;
}

static const struct db_reader flag[] = {{take_flag_fn, "T", "what a name leads to"}};

/* One that is asked while the names of the definition are looked up where the definition would have them looked up. */
static bool ask(struct viewd_conn *conn, const char *sql, const char *const *params, size_t n, bool *yes_r,
                struct viewd_err *err)
{
	const char *path[] = {conn->search_path, pg_settings_local(conn)};
	pg_queue(conn, "SELECT pg_catalog.set_config('search_path', $1, $2::boolean)", path, ARRAY_LEN(path), NULL, NULL);
	return pg_query_with_queue(conn, sql, params, n, flag, yes_r, err);
}

static bool look(void *ctx, const char *schema, const char *name)
{
	static const char sql[] =
		"SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
		" WHERE c.relname = $2 AND CASE WHEN $1::text IS NULL THEN n.nspname = ANY (pg_catalog.current_schemas(true))"
		" ELSE n.nspname = $1 END)";
	struct lacking *l = ctx;
	const char *params[] = {schema, name};
	bool there = false;
	l->failed = !ask(l->conn, sql, params, ARRAY_LEN(params), &there, l->err);
	if (l->failed || there)
		return !l->failed;
	return l->missing.fn(
		l->missing.ctx,
		&(struct viewd_source){.schema = schema != NULL ? schema : "", .name = name, .kind = VIEWD_KIND_NONE});
}

/* The server's text is in any language, so the names are taken from the definition. */
bool pg_op_lacking(struct db *db, const char *definition, const struct viewd_err *failure,
                   struct viewd_source_sink missing, struct viewd_err *err)
{
	struct lacking lacking = {.conn = pg_of(db), .missing = missing, .err = err};
	if (strcmp(failure->sqlstate, "42P01") == 0) /* undefined_table */
		(void)named_relations(definition, look, &lacking);
	return !lacking.failed;
}

bool pg_op_is_on_path(struct db *db, const char *schema, bool *yes_r, struct viewd_err *err)
{
	return ask(pg_of(db), "SELECT $1 = ANY (pg_catalog.current_schemas(true))", &schema, 1, yes_r, err);
}
