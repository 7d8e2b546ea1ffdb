/* SPDX-License-Identifier: MIT
 *
 * own.c: checks that the schemas viewd and viewd_stage are what they should be. Whoever owns one of them, may create
 * in it or owns something there decides what viewd's own statements run: a table may be a view or have triggers, an
 * operator may hide the server's.
 *
 * Superusers are trusted with the schemas, since they may do anything anyway. What is in schema viewd belongs to
 * viewd's own role, because its functions run with the rights of who owns them.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "postgresql/pg.h"

#define OWNER_NAME(oid) "pg_catalog.pg_get_userbyid(" oid ")"
#define WORD_SQL \
	"CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' WHEN 'f' THEN " \
	"'FOREIGN TABLE' ELSE 'TABLE' END"

/* An object of a trusted role only needs another owner. An object that anybody else has made is to go, since it may
 * hold more than it shows. */
/* clang-format off */
#define OBJECT_SQL(owner, kind, name) \
	"pg_catalog.format('%s %s belongs to role %I', pg_catalog.lower(" kind "), " name ", " OWNER_NAME(owner) ")," \
	" CASE WHEN EXISTS (SELECT 1 FROM trusted t WHERE t.oid = " owner ") THEN pg_catalog.format('ALTER %s %s OWNER " \
	"TO %I', " kind ", " name \
	", current_user) ELSE pg_catalog.format('DROP %s %s CASCADE', " kind ", " name ") END"
/* clang-format on */

/* Objects of schema viewd belong to current_user or to the role that is named; those of viewd_stage may be a
 * superuser's, too. */
#define MISOWNED(owner) \
	"NOT EXISTS (SELECT 1 FROM trusted t WHERE t.oid = " owner " AND (s.nspname = 'viewd_stage' OR NOT t.super))"

/* clang-format off */
static const char faults_sql[] =
	"WITH trusted (oid, super) AS (SELECT r.oid, r.rolname <> current_user AND r.rolname <> $1 FROM "
	"pg_catalog.pg_roles r"
	" WHERE r.rolname = current_user OR r.rolname = $1 OR r.rolsuper),"
	" s AS (SELECT oid, nspname, nspowner, nspacl FROM pg_catalog.pg_namespace WHERE nspname IN ('viewd', "
	"'viewd_stage'))"
	" SELECT fault, mend, pg_catalog.count(*) OVER () FROM ("
	"SELECT 1, pg_catalog.format('schema %I belongs to role %I', s.nspname, " OWNER_NAME("s.nspowner") "),"
	" pg_catalog.format('ALTER SCHEMA %I OWNER TO %I', s.nspname, current_user) FROM s"
	" WHERE NOT EXISTS (SELECT 1 FROM trusted t WHERE t.oid = s.nspowner)"
	" UNION ALL SELECT 2, pg_catalog.format('%s may create in schema %I', g.who, s.nspname),"
	" pg_catalog.format('REVOKE CREATE ON SCHEMA %I FROM %s', s.nspname, g.who) FROM s, LATERAL (SELECT CASE WHEN "
	"x.grantee = 0 THEN 'PUBLIC'"
	" ELSE pg_catalog.quote_ident(" OWNER_NAME("x.grantee") ") END FROM pg_catalog.aclexplode(s.nspacl) x WHERE "
	"x.privilege_type = 'CREATE'"
	" AND NOT EXISTS (SELECT 1 FROM trusted t WHERE t.oid = x.grantee)) AS g (who)"
	" UNION ALL SELECT 3, " OBJECT_SQL("c.relowner", WORD_SQL, "c.oid::pg_catalog.regclass")
	" FROM s JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"
	" AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = "
	"'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid"
	" AND d.deptype IN ('a', 'i') AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass) WHERE "
	MISOWNED("c.relowner")
	" UNION ALL SELECT 4, " OBJECT_SQL("p.proowner", "CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN "
	"'AGGREGATE' ELSE 'FUNCTION' END",
	                                   "p.oid::pg_catalog.regprocedure")
	" FROM s JOIN pg_catalog.pg_proc p ON p.pronamespace = s.oid WHERE " MISOWNED("p.proowner")
	" UNION ALL SELECT 5, " OBJECT_SQL("o.oprowner", "'OPERATOR'::text", "pg_catalog.format('%I.%s (%s, %s)', "
	"s.nspname, o.oprname,"
	                                   " o.oprleft::pg_catalog.regtype, o.oprright::pg_catalog.regtype)")
	" FROM s JOIN pg_catalog.pg_operator o ON o.oprnamespace = s.oid WHERE " MISOWNED("o.oprowner")
	" UNION ALL SELECT 6, " OBJECT_SQL("y.typowner", "'TYPE'::text", "y.oid::pg_catalog.regtype")
	" FROM s JOIN pg_catalog.pg_type y ON y.typnamespace = s.oid AND y.typrelid = 0 AND y.typelem = 0 WHERE "
	MISOWNED("y.typowner")
	" UNION ALL SELECT 7, pg_catalog.format('table %s has a trigger %I', g.tgrelid::pg_catalog.regclass, g.tgname),"
	" pg_catalog.format('DROP TRIGGER %I ON %s', g.tgname, g.tgrelid::pg_catalog.regclass)"
	" FROM s JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid"
	" WHERE s.nspname = 'viewd' AND NOT g.tgisinternal"
	" UNION ALL SELECT 8, pg_catalog.format('table %s has a rule %I', w.ev_class::pg_catalog.regclass, w.rulename),"
	" pg_catalog.format('DROP RULE %I ON %s', w.rulename, w.ev_class::pg_catalog.regclass)"
	" FROM s JOIN pg_catalog.pg_class c ON c.relnamespace = s.oid JOIN pg_catalog.pg_rewrite w ON w.ev_class = c.oid"
	" WHERE s.nspname = 'viewd' AND w.rulename <> '_RETURN'"
	") AS found (ord, fault, mend) ORDER BY ord, fault LIMIT 1";
/* clang-format on */

struct fault {
	char what[200], mend[200];
	bool found, more;
};

static bool take_fault_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct fault *fault = ctx;
	snprintf(fault->what, sizeof fault->what, "%s", v[0]);
	snprintf(fault->mend, sizeof fault->mend, "%s", v[1]);
	fault->found = true;
	fault->more = strcmp(v[2], "1") != 0;
	return false;
}

static const struct db_reader take_fault[] = {{take_fault_fn, "ttt", "whose viewd's schemas are"}};

bool pg_own_check(struct viewd_conn *conn, struct viewd_err *err)
{
	struct fault fault = {.found = false};
	const char *params[] = {conn->schema_owner};
	if (!pg_op_query(&conn->db, faults_sql, params, ARRAY_LEN(params), take_fault, &fault, err))
		return false;
	if (!fault.found)
		return true;
	err_set(err, VIEWD_ERR_DENIED, "database '%s', %s%s, so others could run code with viewd's rights",
	        conn->db.database_name, fault.what, fault.more ? " (and more)" : "");
	return err_hint(
		err, "%s (after looking at what is there), or name a role that is trusted as schema_owner in [database %s]",
		fault.mend, conn->db.database_name);
}

bool pg_op_judge_place(struct db *db, struct viewd_err *err)
{
	return pg_own_check(pg_of(db), err);
}
