/* SPDX-License-Identifier: MIT
 *
 * examine.c: privileges and settings that viewd's role lacks. The catalogue tells of them whoever asks. So the
 * relations that a definition names are looked for there, by its text: the server itself would stop at the first one
 * that is shut.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "common/analysis/reading/named.h"
#include "common/sqltext/ident.h"
#include "postgresql/pg.h"

struct examination {
	struct viewd_conn *conn;
	struct viewd_finding_sink findings;
	const char *path; /* schemas of unqualified names, as pg_search_path writes them */
	const char *view; /* whom a finding is about; NULL: the database */
};

/* {missing, what, mend} */
static bool tell_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	const struct examination *x = ctx;
	const struct viewd_finding finding = {
		.struct_size = sizeof finding, .missing = v[0][0] == 't', .view = x->view, .what = v[1], .mend = v[2]};
	return x->findings.fn(x->findings.ctx, &finding);
}

static const struct db_reader tell[] = {{tell_fn, "ttT", "what an account lacks"}};

/* clang-format off */
static const char database_sql[] =
	"SELECT 't', pg_catalog.format('%I may not create in database %I, where viewd keeps its tables', current_user,"
	" pg_catalog.current_database()), pg_catalog.format('GRANT CREATE ON DATABASE %I TO %I',"
	" pg_catalog.current_database(), current_user) WHERE NOT pg_catalog.has_database_privilege("
	"pg_catalog.current_database(), 'CREATE') AND (SELECT pg_catalog.count(*) FROM pg_catalog.pg_namespace n"
	" WHERE n.nspname IN ('viewd', 'viewd_stage')) < 2"
	" UNION ALL SELECT 't', pg_catalog.format('%I may not make temporary tables in database %I', current_user,"
	" pg_catalog.current_database()), pg_catalog.format('GRANT TEMPORARY ON DATABASE %I TO %I',"
	" pg_catalog.current_database(), current_user) WHERE NOT pg_catalog.has_database_privilege("
	"pg_catalog.current_database(), 'TEMPORARY')"
	" UNION ALL SELECT 't', pg_catalog.format('%I is a superuser, so functions that views call could run with all"
	" rights', current_user), NULL WHERE $1 = 'f' AND EXISTS (SELECT 1 FROM pg_catalog.pg_roles r WHERE r.rolname ="
	" current_user AND r.rolsuper)"
	" UNION ALL SELECT 'f', 'track_counts is off, so capture = poll and the statistics of views do not work',"
	" 'ALTER SYSTEM SET track_counts = on' WHERE pg_catalog.current_setting('track_counts') = 'off'"
	" UNION ALL SELECT 'f', 'deadlock_timeout is below 1s, so replacements may get into deadlocks with readers',"
	" 'ALTER SYSTEM SET deadlock_timeout = ''1s''' WHERE (SELECT s.setting::int8 FROM pg_catalog.pg_settings s"
	" WHERE s.name = 'deadlock_timeout') < 1000";

/* $1 schema or NULL, $2 name, $3 search path, $4 t: its triggers are wanted, $5 t: nothing else will do. */
#define PATH_SQL \
	"WITH RECURSIVE path (nspname, ord) AS (SELECT pg_catalog.btrim(u.s, '\"'), u.ord FROM pg_catalog.unnest(" \
	"pg_catalog.string_to_array($3, ', ')) WITH ORDINALITY AS u (s, ord))"

static const char source_sql[] =
	PATH_SQL ", named (oid) AS (SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid ="
	" c.relnamespace LEFT JOIN path p ON p.nspname = n.nspname WHERE c.relname = $2 AND c.relkind IN ('r', 'p', 'v',"
	" 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND CASE WHEN $1::text IS NULL THEN p.ord IS"
	" NOT NULL ELSE n.nspname = $1 END ORDER BY p.ord LIMIT 1),"
	" below (oid) AS (SELECT oid FROM named UNION (WITH b AS (SELECT oid FROM below) SELECT d.refobjid FROM b JOIN"
	" pg_catalog.pg_class v ON v.oid = b.oid AND v.relkind = 'v' JOIN pg_catalog.pg_rewrite w ON w.ev_class = v.oid"
	" JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid AND"
	" d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid <> v.oid"
	" UNION SELECT i.inhrelid FROM b JOIN pg_catalog.pg_inherits i ON i.inhparent = b.oid)),"
	" relation (oid, kind, nsp, schema, name, direct) AS (SELECT c.oid, c.relkind, n.oid, n.nspname,"
	" pg_catalog.format('%I.%I', n.nspname, c.relname), c.oid IN (SELECT oid FROM named) FROM below b JOIN"
	" pg_catalog.pg_class c ON c.oid = b.oid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname"
	" NOT IN ('pg_catalog', 'information_schema'))"
	" SELECT 't', pg_catalog.format('%I may not use schema %I', current_user, r.schema), pg_catalog.format("
	"'GRANT USAGE ON SCHEMA %I TO %I', r.schema, current_user) FROM relation r WHERE (r.direct OR $4 = 't') AND NOT"
	" pg_catalog.has_schema_privilege(r.nsp, 'USAGE')"
	" UNION ALL SELECT 't', pg_catalog.format('%I may not read %s', current_user, r.name), pg_catalog.format("
	"'GRANT SELECT ON %s TO %I', r.name, current_user) FROM relation r WHERE r.direct AND NOT"
	" pg_catalog.has_table_privilege(r.oid, 'SELECT') AND NOT pg_catalog.has_any_column_privilege(r.oid, 'SELECT')"
	" UNION ALL SELECT $5::text, pg_catalog.format('%I may not make triggers on %s, so capture = auto polls and"
	" capture = trigger fails',"
	" current_user, r.name), pg_catalog.format('GRANT TRIGGER ON %s TO %I', r.name, current_user) FROM relation r"
	" WHERE $4 = 't' AND r.kind IN ('r', 'p') AND NOT pg_catalog.has_table_privilege(r.oid, 'TRIGGER')";

/* $4 t: an object that is there is to be taken over, or is viewd's. */
static const char target_sql[] =
	PATH_SQL ", place (oid, nspname) AS (SELECT n.oid, n.nspname FROM pg_catalog.pg_namespace n LEFT JOIN path p ON"
	" p.nspname = n.nspname WHERE n.nspname <> 'pg_catalog' AND CASE WHEN $1::text IS NULL THEN p.ord IS NOT NULL ELSE"
	" n.nspname = $1 END ORDER BY p.ord LIMIT 1)"
	" SELECT 't', pg_catalog.format('%I may not create in schema %I, where the view is kept', current_user, nspname),"
	" pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', nspname, current_user) FROM place WHERE NOT"
	" (pg_catalog.has_schema_privilege(oid, 'CREATE') AND pg_catalog.has_schema_privilege(oid, 'USAGE'))"
	" UNION ALL SELECT 't', pg_catalog.format('%I does not own %I.%I, and is no member of its owner %I', current_user,"
	" place.nspname, c.relname, o.rolname), pg_catalog.format('GRANT %I TO %I', o.rolname, current_user) FROM place"
	" JOIN pg_catalog.pg_class c ON c.relnamespace = place.oid AND c.relname = $2 AND c.relkind IN ('v', 'm') JOIN"
	" pg_catalog.pg_roles o ON o.oid = c.relowner WHERE $4 = 't' AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')";
/* clang-format on */

/* ---- the relations that a definition names ---- */

struct sources {
	struct examination *x;
	const struct viewd_examined *view;
	struct viewd_err *err;
};

static bool examine_source(void *ctx, const char *schema, const char *name)
{
	const struct sources *sources = ctx;
	enum viewd_capture capture = sources->view->capture;
	bool triggers = sources->view->on_change && (capture == VIEWD_CAPTURE_AUTO || capture == VIEWD_CAPTURE_TRIGGER);
	const char *params[] = {schema, name, sources->x->path, triggers ? "t" : "f",
	                        capture == VIEWD_CAPTURE_TRIGGER ? "t" : "f"};
	return pg_op_query(&sources->x->conn->db, source_sql, params, ARRAY_LEN(params), tell, sources->x, sources->err);
}

static bool examine_view(struct examination *x, const struct viewd_examined *view, struct viewd_err *err)
{
	struct relation rel;
	if (!relation_parse(&pg_syntax, view->view->relation, &rel, err))
		return false;
	const char *params[] = {rel.schema[0] != '\0' ? rel.schema : NULL, rel.name, x->path, view->adopt ? "t" : "f"};
	x->view = view->view->name;
	return pg_op_query(&x->conn->db, target_sql, params, ARRAY_LEN(params), tell, x, err) &&
	       named_relations(view->view->definition, examine_source, &(struct sources){x, view, err});
}

/* Someone else's hold on the schemas of viewd is a finding as well. */
static void examine_own(struct examination *x, const struct viewd_database_spec *spec)
{
	struct viewd_err fault = {0};
	if (!pg_schema_owner(x->conn, spec, &x->conn->schema_owner, &fault) || pg_own_check(x->conn, &fault))
		return;
	const struct viewd_finding finding = {.struct_size = sizeof finding,
	                                      .missing = true,
	                                      .what = fault.msg,
	                                      .advice = fault.hint[0] != '\0' ? fault.hint : NULL};
	x->findings.fn(x->findings.ctx, &finding);
}

bool pg_examine(const struct viewd_host *host, const struct viewd_database_spec *db, const struct viewd_examined *views,
                size_t n, struct viewd_finding_sink findings, struct viewd_err *err)
{
	struct viewd_conn *conn = pg_conn_connect(host, db, err);
	struct examination x = {.conn = conn, .findings = findings};
	bool allow = false;
	char *path = NULL;
	if (conn == NULL)
		return false;
	bool done = pg_search_path(conn, db, &path, err) && pg_allow_superuser(db, &allow, err);
	const char *params[] = {allow ? "t" : "f"};
	x.path = path;
	done = done && pg_op_query(&conn->db, database_sql, params, 1, tell, &x, err);
	if (done)
		examine_own(&x, db);
	for (size_t i = 0; i < n && done; i++)
		done = examine_view(&x, &views[i], err);
	pg_conn_close(&conn);
	return done;
}
