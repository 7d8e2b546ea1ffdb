/* SPDX-License-Identifier: MIT
 *
 * sources.c: asks the server what a definition yields and reads.
 *
 * The definition becomes a temporary view that is undone before the call returns. So the answer is the same before the
 * view exists, for all methods, and a text that is no query at all (INSERT ... RETURNING) is refused by the server.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/objects/task.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"
#include "postgresql/pg.h"

static bool probe_failed(struct viewd_err *err)
{
	if (err != NULL && strcmp(err->sqlstate, "42501") == 0 && err->hint[0] == '\0')
		return err_hint(err, "viewd needs SELECT on what the definition reads and TEMPORARY on the database");
	return false;
}

void pg_op_probe_as(struct db *db, const char *role)
{
	pg_of(db)->probe_role = role;
}

/* Undone with the probe. */
static bool probe_role(struct viewd_conn *conn, struct viewd_err *err)
{
	if (conn->probe_role == NULL)
		return true;
	char *role = ident_append(&pg_syntax, talloc_strdup(conn, ""), conn->probe_role);
	bool ok = pg_execf(conn, err, "SET LOCAL ROLE %s", role);
	talloc_free(role);
	return ok || err_wrap(err, "run_as");
}

bool pg_probe_begin(struct viewd_conn *conn, const char *with, const char *query, bool *opened_r, struct viewd_err *err)
{
	if (!pg_scratch_begin(conn, opened_r, err))
		return false;
	char *sql = talloc_asprintf(conn, "CREATE TEMPORARY VIEW " PG_PROBE "%s AS %s", with, query);
	bool ok = probe_role(conn, err) && pg_exec(conn, sql, err) &&
	          (conn->probe_role == NULL || pg_exec(conn, "RESET ROLE", err));
	talloc_free(sql);
	if (ok)
		return true;
	pg_scratch_end(conn, *opened_r);
	return probe_failed(err);
}

/* Dependencies of a view hang from its rule: https://www.postgresql.org/docs/15/catalog-pg-depend.html */
/* clang-format off */
static const char sources_sql[] =
	"WITH RECURSIVE reads (oid) AS ("
	" SELECT pg_catalog.to_regclass('pg_temp." PG_PROBE "')::oid UNION SELECT d.refobjid FROM reads r"
	" JOIN pg_catalog.pg_class v ON v.oid = r.oid AND v.relkind = 'v'"
	" JOIN pg_catalog.pg_rewrite w ON w.ev_class = v.oid AND w.rulename = '_RETURN'"
	" JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid"
	"  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> v.oid)"
	" SELECT n.nspname, c.relname, c.relkind::text FROM reads r"
	" JOIN pg_catalog.pg_class c ON c.oid = r.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" WHERE c.oid <> pg_catalog.to_regclass('pg_temp." PG_PROBE "')::oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"
	"  AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2";
/* clang-format on */

struct source_ctx {
	struct viewd_source_sink sink;
};

static bool source_row_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	const struct source_ctx *sc = ctx;
	struct viewd_source src = {.schema = v[0], .name = v[1], .kind = VIEWD_KIND_TABLE};
	if (v[2][0] == 'v')
		src.kind = VIEWD_KIND_VIEW;
	else if (v[2][0] == 'm')
		src.kind = VIEWD_KIND_MATVIEW;
	else if (v[2][0] == 'f')
		src.kind = VIEWD_KIND_OTHER;
	return sc->sink.fn(sc->sink.ctx, &src);
}

static const struct db_reader source_row[] = {{source_row_fn, "ttt", "the sources of a view"}};

bool pg_op_list_sources(struct db *db, const char *definition, struct viewd_source_sink sink, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	struct source_ctx sc = {.sink = sink};
	bool opened;
	if (!pg_probe_begin(conn, "", definition, &opened, err))
		return false;
	bool ok = pg_op_query(db, sources_sql, NULL, 0, source_row, &sc, err);
	pg_scratch_end(conn, opened);
	return ok;
}

bool pg_op_query_columns(struct db *db, const char *query, const struct db_reader *row, void *ctx,
                         struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	bool opened;
	if (!pg_probe_begin(conn, "", query, &opened, err))
		return false;
	bool ok = pg_op_query(db,
	                      "SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) || " PG_COLLATE_SQL
	                      " FROM pg_catalog.pg_attribute a WHERE a.attrelid = pg_catalog.to_regclass('pg_temp." PG_PROBE
	                      "') AND a.attnum > 0 ORDER BY a.attnum",
	                      NULL, 0, row, ctx, err);
	pg_scratch_end(conn, opened);
	return ok;
}

/* ---- comparing with what exists */

/* The options that change what a view means, as find_object digests them; storage options cannot be given to a plain
 * view. */
static char *meaning_options(void *mem_ctx, const struct viewd_view_spec *view)
{
	char *with = talloc_strdup(mem_ctx, "");
	for (size_t i = 0; i < view->n_options; i++) {
		const struct viewd_kv *o = &view->options[i];
		if (strncmp(o->key, "security_", 9) == 0 || strcmp(o->key, "check_option") == 0)
			with = talloc_asprintf_append_buffer(with, "%s%s=%s", with[0] == '\0' ? " WITH (" : ", ", o->key, o->value);
	}
	return with[0] == '\0' ? with : talloc_strdup_append_buffer(with, ")");
}

static bool copy_digest_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	snprintf(ctx, 65, "%s", v[0]);
	return false;
}

static const struct db_reader copy_digest[] = {{copy_digest_fn, "t", "a definition as the server stores it"}};

static bool probe_canonical(struct viewd_conn *conn, const char *with, const char *query, char out[static 65],
                            struct viewd_err *err)
{
	bool opened;
	if (!pg_probe_begin(conn, with, query, &opened, err))
		return false;
	bool ok = pg_path_narrow(conn, err) &&
	          pg_op_query(&conn->db,
	                      "SELECT " PG_CANONICAL_SQL
	                      " FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass('pg_temp." PG_PROBE "')",
	                      NULL, 0, copy_digest, out, err);
	pg_scratch_end(conn, opened); /* undoes the narrow path too */
	return ok;
}

bool pg_op_wanted_canonical(struct task *task, char out[static 65], struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(task->db);
	char plain[65], ordered[65];
	char *with = meaning_options(task->mem, task->view);
	if (task->gen.columns == NULL)
		task->gen.columns = columns_declared(&pg_syntax, task->mem, task->view, err);
	if (task->gen.columns == NULL)
		return false;
	/* A view made by hand has the definition as it stands; one of viewd's may have its columns put in order around
	 * it. */
	if (!probe_canonical(conn, with, task->definition, plain, err) ||
	    !probe_canonical(conn, with, gen_query(&task->gen), ordered, err))
		return false;
	memcpy(out, strcmp(plain, task->found.canonical) == 0 ? plain : ordered, sizeof plain);
	return true;
}

struct type {
	char oid[24], mod[16], collate[2 * IDENT_MAX];
};

static bool take_type_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct type *type = ctx;
	snprintf(type->oid, sizeof type->oid, "%s", v[0]);
	snprintf(type->mod, sizeof type->mod, "%s", v[1]);
	snprintf(type->collate, sizeof type->collate, "%s", v[2]);
	return false;
}

static const struct db_reader take_type[] = {{take_type_fn, "ttt", "a column type"}};

/* As a view's column, so that nothing is run: the check of a domain is anybody's function. */
static bool describe_type(struct viewd_conn *conn, const char *name, struct type *out, struct viewd_err *err)
{
	bool opened;
	char *query = talloc_asprintf(conn, "SELECT NULL::%s AS t", name);
	bool ok = pg_probe_begin(conn, "", query, &opened, err);
	talloc_free(query);
	if (!ok)
		return err_wrap(err, "column type '%s'", name);
	ok = pg_op_query(&conn->db,
	                 "SELECT a.atttypid, a.atttypmod, " PG_COLLATE_SQL " FROM pg_catalog.pg_attribute a"
	                 " WHERE a.attrelid = pg_catalog.to_regclass('pg_temp." PG_PROBE "') AND a.attnum = 1",
	                 NULL, 0, take_type, out, err);
	pg_scratch_end(conn, opened);
	return ok;
}

/* A declared collation is part of the type; without one it is the query's. */
bool pg_op_agree_type(struct db *db, void *mem_ctx, const char *declared, const char *actual, const char **type_r,
                      struct viewd_err *err)
{
	struct viewd_conn *conn = pg_of(db);
	struct type want = {.oid = ""}, have = {.oid = ""};
	bool collates = lex_has_word(&pg_syntax, declared, "COLLATE");
	if (!describe_type(conn, declared, &want, err) || !describe_type(conn, actual, &have, err))
		return false;
	bool same = strcmp(want.oid, have.oid) == 0 && (strcmp(want.mod, have.mod) == 0 || strcmp(want.mod, "-1") == 0) &&
	            (!collates || strcmp(want.collate, have.collate) == 0);
	*type_r = !same ? NULL : collates ? declared : talloc_asprintf(mem_ctx, "%s%s", declared, have.collate);
	return true;
}
