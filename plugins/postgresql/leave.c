/* SPDX-License-Identifier: MIT
 *
 * leave.c: what takes viewd out of a database: triggers, then what they call, then what that writes, then the schema.
 *
 * Each statement is a transaction of its own, so that no two tables of an application are locked together. Nothing but
 * the triggers of a function is dropped by CASCADE: what others have built on viewd's tables is named by the server's
 * refusal.
 */
#include "postgresql/pg.h"

/* viewd_stage is made by administrators, as an empty schema may be; such a one is theirs to drop. */
#define OURS_SQL \
	"ours AS (SELECT n.oid, n.nspname, n.nspowner FROM pg_catalog.pg_namespace n WHERE n.nspname IN ('viewd', " \
	"'viewd_stage'))"

/* A trigger on somebody else's table goes with its function, which is all that this role may drop. */
#define TRIGGERS_SQL \
	"triggers AS (SELECT g.tgname, g.tgfoid, n.nspname, c.relname, c.oid, pg_catalog.pg_has_role(c.relowner, 'USAGE')" \
	" OR NOT pg_catalog.pg_has_role(p.proowner, 'USAGE') AS alone FROM pg_catalog.pg_trigger g" \
	" JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid JOIN ours o ON o.oid = p.pronamespace" \
	" JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace" \
	" WHERE NOT g.tgisinternal AND NOT EXISTS (SELECT 1 FROM ours WHERE ours.oid = n.oid))"

/* clang-format off */
#define RELATIONS_SQL(kinds, word, phase) \
	" UNION ALL SELECT " phase ", 0, 'DROP " word " ' || pg_catalog.string_agg(pg_catalog.format('%I.%I', o.nspname, " \
	"c.relname), ', '" \
	" ORDER BY o.nspname, c.relname) FROM pg_catalog.pg_class c JOIN ours o ON o.oid = c.relnamespace WHERE " \
	"c.relkind IN (" kinds ")" \
	" AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = " \
	"'pg_catalog.pg_class'::pg_catalog.regclass" \
	" AND d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass" \
	" AND c.relkind = 'S') HAVING pg_catalog.count(*) > 0"
/* clang-format on */

bool pg_op_list_leavings(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"WITH " OURS_SQL ", " TRIGGERS_SQL
		" SELECT s.sql FROM (SELECT 0 AS phase, 0::oid AS place, pg_catalog.format('DROP EVENT TRIGGER %I', e.evtname) "
		"AS sql"
		" FROM pg_catalog.pg_event_trigger e JOIN pg_catalog.pg_proc p ON p.oid = e.evtfoid JOIN ours o ON o.oid = "
		"p.pronamespace"
		" UNION ALL SELECT 1, t.oid, pg_catalog.format('DROP TRIGGER %I ON %I.%I', t.tgname, t.nspname, t.relname) "
		"FROM triggers t WHERE t.alone"
		" UNION ALL SELECT CASE WHEN n.n > 0 THEN 2 ELSE 4 END, p.oid, pg_catalog.format('DROP ROUTINE %I.%I(%s)%s', "
		"o.nspname, p.proname,"
		" pg_catalog.pg_get_function_identity_arguments(p.oid), CASE WHEN n.n > 0 THEN ' CASCADE' ELSE '' END)"
		" FROM pg_catalog.pg_proc p JOIN ours o ON o.oid = p.pronamespace,"
		" LATERAL (SELECT pg_catalog.count(*) AS n FROM triggers t WHERE t.tgfoid = p.oid AND NOT t.alone) n"
		RELATIONS_SQL("'v'", "VIEW", "3") RELATIONS_SQL("'m'", "MATERIALIZED VIEW", "5")
		RELATIONS_SQL("'r', 'p'", "TABLE", "6")
		RELATIONS_SQL("'S'", "SEQUENCE", "7")
		" UNION ALL SELECT 8, o.oid, pg_catalog.format('DROP SCHEMA %I', o.nspname) FROM ours o WHERE "
		"pg_catalog.pg_has_role(o.nspowner, 'USAGE')"
		") s ORDER BY s.phase, s.place, s.sql";
	/* clang-format on */
	return pg_op_query(db, sql, NULL, 0, row, ctx, err);
}
