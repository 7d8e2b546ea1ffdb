/* SPDX-License-Identifier: MIT
 *
 * stamp.h: SQL that tells whether what a view depends on is what it was (docs/adr/005-dependencies.md).
 *
 * An identity is a letter and an oid: r relation, f function, t type, c text search configuration; m0 is who is a
 * member of which role. A stamp is made of row versions: no text is read. What belongs to an object without being
 * written in its row (partitions, policies, labels, checks) is taken together, so that an added one is seen.
 *
 * The first part of a relation's stamp is where its rows are stored, the second the versions of its columns. ALTER
 * TABLE that writes rows anew changes both, CLUSTER or SET STATISTICS one of them: so the last word of its digest is
 * another one when both are. The third part is the version of its row, and after a point what GRANT, triggers and the
 * like change there. The last part is the version of its row type, which is renamed with it.
 *
 * The same digest with another stamp may be one that was another in between: PG_DOUBT_SQL tells where versions say more
 * than that. A member counts with the version of its membership, so one that was away is another one. A row that is
 * another one without a reason to be seen may have had row security on, or off; where there is any, no reason is good
 * enough.
 */
#ifndef VIEWD_POSTGRESQL_DEPENDS_STAMP_H
#define VIEWD_POSTGRESQL_DEPENDS_STAMP_H

/* A partition that is being detached concurrently is none any more for those who read. PostgreSQL 13 does not know
 * that. */
#define PG_NOT_PENDING " AND NOT i.inhdetachpending"

/* A table c whose rows have gone into shards (shards.h) is told by its trigger, which may leave no version anywhere. */
#define PG_SHARDED_WORD_SQL \
	"(SELECT 'sharded' FROM pg_catalog.pg_trigger g WHERE c.relhastriggers AND g.tgrelid = c.oid AND g.tgname LIKE " \
	"'truncate\\_trigger\\_%' LIMIT 1)"

/* Lists that follow a list obj(identity, cls, oid): kept, those of viewd's own relations; members, what a relation
 * consists of; stamps(identity, stamp) of those that exist. Aggregates of one object each: the planner has no good
 * guess of how many objects there are. */
/* clang-format off */
#define PG_STAMPS_SQL(pending) \
	", kept (oid) AS MATERIALIZED (SELECT pg_catalog.split_part(v.identity, ':', 1)::oid FROM viewd.view_state v " \
	"WHERE v.identity ~ '^[0-9]+:')," \
	" parents (oid) AS MATERIALIZED (SELECT DISTINCT i.inhparent FROM pg_catalog.pg_inherits i)," \
	" parts (root, oid) AS (" \
	" SELECT o.oid, o.oid FROM obj o WHERE o.cls = 'r' AND o.oid IN (SELECT p.oid FROM parents p)" \
	" UNION ALL" \
	" SELECT p.root, i.inhrelid FROM parts p JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid" pending \
	" JOIN parents k ON k.oid = i.inhrelid)," \
	" members (root, which, files) AS MATERIALIZED (" \
	" SELECT p.root, pg_catalog.count(*) || '.' || pg_catalog.sum(pg_catalog.hashtextextended(i.xmin::text, " \
	"k.oid::int8))," \
	" pg_catalog.sum(pg_catalog.hashint8extended((k.oid::int8 << 32) | k.relfilenode::int8, 0))" \
	" FROM parts p JOIN pg_catalog.pg_inherits i ON i.inhparent = p.oid" pending " JOIN pg_catalog.pg_class k ON " \
	"k.oid = i.inhrelid GROUP BY p.root)," \
	" stamps (identity, stamp) AS (" \
	" SELECT o.identity, pg_catalog.concat_ws('/', CASE WHEN c.relkind <> 'v' AND c.oid IN (SELECT k.oid FROM kept k)" \
	"  THEN 'kept' ELSE (c.relfilenode::int8 + coalesce((SELECT m.files FROM members m WHERE c.relhassubclass AND " \
	"m.root = c.oid), 0))::text END," \
	"  coalesce((SELECT pg_catalog.sum(pg_catalog.hashtextextended(a.xmin::text, a.attnum)) FROM " \
	"pg_catalog.pg_attribute a" \
	"   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), 0)," \
	"  CASE WHEN c.relkind <> 'v' AND c.oid IN (SELECT k.oid FROM kept k) THEN c.relnamespace || c.relname ELSE " \
	"c.xmin || '.' ||" \
	"  pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', c.relacl, c.reloptions, c.relowner, c.relhastriggers, " \
	"c.relhasrules, c.relchecks, c.relnatts," \
	"  c.relreplident, c.relispartition, c.relhassubclass, c.reltablespace, c.relpersistence), 0) END," \
	"  (SELECT m.which FROM members m WHERE c.relhassubclass AND m.root = c.oid)," \
	"  CASE WHEN c.relrowsecurity THEN (SELECT pg_catalog.sum(pg_catalog.hashtextextended(p.xmin::text, " \
	"p.oid::int8)) FROM pg_catalog.pg_policy p" \
	"   WHERE p.polrelid = c.oid) END," \
	"  CASE WHEN c.relkind = 'v' THEN (SELECT w.xmin FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid AND " \
	"w.rulename = '_RETURN') END," \
	"  " PG_SHARDED_WORD_SQL "," \
	"  pg_catalog.pg_table_is_visible(c.oid), (SELECT y.xmin FROM pg_catalog.pg_type y WHERE y.oid = c.reltype AND " \
	"c.oid NOT IN (SELECT k.oid FROM kept k)))" \
	" FROM obj o JOIN pg_catalog.pg_class c ON c.oid = o.oid WHERE o.cls = 'r'" \
	" UNION ALL" \
	" SELECT o.identity, pg_catalog.concat_ws('/', p.xmin, (SELECT " \
	"pg_catalog.sum(pg_catalog.hashint8extended(q.oid::int8, 0)) FROM pg_catalog.pg_proc q" \
	"  WHERE q.proname = p.proname), (SELECT pg_catalog.string_agg(x.xmin::text, ',') FROM pg_catalog.pg_depend d " \
	"JOIN pg_catalog.pg_extension x" \
	"  ON x.oid = d.refobjid WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND " \
	"d.deptype = 'e'))" \
	" FROM obj o JOIN pg_catalog.pg_proc p ON p.oid = o.oid WHERE o.cls = 'f'" \
	" UNION ALL" \
	" SELECT o.identity, pg_catalog.concat_ws('/', y.xmin," \
	"  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(e.xmin::text, e.oid::int8)) FROM pg_catalog.pg_enum e " \
	"WHERE e.enumtypid = y.oid)," \
	"  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(k.xmin::text, k.oid::int8)) FROM pg_catalog.pg_constraint " \
	"k WHERE k.contypid = y.oid)," \
	"  (SELECT pg_catalog.sum(pg_catalog.hashtextextended(a.xmin::text, a.attnum)) FROM pg_catalog.pg_attribute a" \
	"   WHERE y.typrelid <> 0 AND a.attrelid = y.typrelid))" \
	" FROM obj o JOIN pg_catalog.pg_type y ON y.oid = o.oid WHERE o.cls = 't'" \
	" UNION ALL" \
	" SELECT o.identity, pg_catalog.concat_ws('/', x.xmin, (SELECT " \
	"pg_catalog.sum(pg_catalog.hashtextextended(m.xmin::text || d.xmin::text, m.maptokentype))" \
	"  FROM pg_catalog.pg_ts_config_map m JOIN pg_catalog.pg_ts_dict d ON d.oid = m.mapdict WHERE m.mapcfg = x.oid))" \
	" FROM obj o JOIN pg_catalog.pg_ts_config x ON x.oid = o.oid WHERE o.cls = 'c'" \
	" UNION ALL" \
	" SELECT o.identity, pg_catalog.concat_ws('/', (SELECT " \
	"pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', r.oid, r.rolname, r.rolsuper," \
	"  r.rolinherit, r.rolbypassrls), 0)) FROM pg_catalog.pg_roles r), (SELECT " \
	"pg_catalog.sum(pg_catalog.hashtextextended(pg_catalog.concat_ws(' ', m.roleid," \
	"  m.member, m.xmin), 0)) FROM pg_catalog.pg_auth_members m)) FROM obj o WHERE o.cls = 'm')"
/* clang-format on */

/* Compares the same two rows when the digest is the stored one: was the definition written anew, or only the row of a
 * relation or its rows? */
#define PG_WITHOUT_ROW_SQL(stamp) "pg_catalog.regexp_replace(" stamp ", '^[^/]*/([^/]*)/[^/]*', '\\1')"
#define PG_ROW_SQL(stamp) "pg_catalog.split_part(" stamp ", '/', 3)"
/* clang-format off */
#define PG_DOUBT_SQL \
	"CASE o.cls WHEN 'r' THEN " PG_WITHOUT_ROW_SQL("o.stamp") " <> " PG_WITHOUT_ROW_SQL("s.stamp") \
	" OR (pg_catalog.split_part(o.stamp, '/', 1) = pg_catalog.split_part(s.stamp, '/', 1) AND " PG_ROW_SQL("o.stamp") \
	" <> " PG_ROW_SQL("s.stamp") \
	" AND (pg_catalog.split_part(" PG_ROW_SQL("o.stamp") ", '.', 2) = pg_catalog.split_part(" PG_ROW_SQL("s.stamp") \
	", '.', 2)" \
	" OR EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = o.oid)" \
	" OR EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = o.oid AND c.relrowsecurity))) ELSE o.stamp <> " \
	"s.stamp END"
/* clang-format on */

/* The digest of row o of obj(identity, cls, oid, stamp, digest), which has what was stored, and of its row s of
 * stamps. */
#define PG_DIGEST_SQL \
	"pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(CASE o.cls" \
	" WHEN 'r' THEN (SELECT pg_catalog.concat_ws(' ', n.nspname, c.relname, c.relkind, " \
	"pg_catalog.pg_table_is_visible(c.oid), c.relrowsecurity, c.relforcerowsecurity," \
	"  CASE WHEN c.relkind = 'm' AND c.oid NOT IN (SELECT t.oid FROM kept t) THEN c.xmin || '.' || c.relfilenode END," \
	"  CASE WHEN c.relkind = 'v' OR c.relrowsecurity THEN c.relowner END," \
	"  " PG_SHARDED_WORD_SQL "," \
	"  CASE WHEN c.relkind = 'v' THEN (SELECT pg_catalog.string_agg(x, ',' ORDER BY x) FROM " \
	"pg_catalog.unnest(c.reloptions) AS x) END," \
	"  (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', a.attnum, a.attname, a.atttypid, a.atttypmod, " \
	"a.attcollation, a.attgenerated," \
	"   CASE WHEN a.attgenerated <> '' THEN pg_catalog.pg_get_expr(f.adbin, f.adrelid) END), ',' ORDER BY a.attnum) " \
	"FROM pg_catalog.pg_attribute a" \
	"   LEFT JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum WHERE a.attrelid = c.oid " \
	"AND a.attnum > 0 AND NOT a.attisdropped)," \
	"  CASE WHEN c.relhassubclass THEN (SELECT m.which FROM members m WHERE m.root = c.oid) END," \
	"  CASE WHEN c.relrowsecurity THEN (SELECT pg_catalog.string_agg((pg_catalog.to_jsonb(p) - 'oid')::text, ',' " \
	"ORDER BY p.polname)" \
	"   FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid) END," \
	"  CASE WHEN c.relkind = 'v' THEN (SELECT pg_catalog.regexp_replace(w.ev_action::text, ':(stmt_)?(location|len) " \
	"-?\\d+', '', 'g') || w.ev_enabled::text" \
	"   FROM pg_catalog.pg_rewrite w WHERE w.ev_class = c.oid AND w.rulename = '_RETURN') END)" \
	"  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = o.oid)" \
	" WHEN 'f' THEN (SELECT pg_catalog.concat_ws(' ', (pg_catalog.to_jsonb(p) - " \
	"'{proacl,procost,prorows,proparallel,proowner,prosupport}'::text[])::text," \
	"  CASE WHEN p.prosecdef THEN p.proowner END, s.stamp_rest) FROM pg_catalog.pg_proc p, pg_catalog.concat_ws('/', " \
	"pg_catalog.split_part(s.stamp, '/', 2)," \
	"  pg_catalog.split_part(s.stamp, '/', 3)) AS s (stamp_rest) WHERE p.oid = o.oid)" \
	" WHEN 't' THEN (SELECT pg_catalog.concat_ws(' ', (pg_catalog.to_jsonb(y) - " \
	"'{typacl,typowner,typarray}'::text[])::text," \
	"  (SELECT pg_catalog.string_agg(e.enumlabel || ':' || e.enumsortorder, ',' ORDER BY e.enumsortorder) FROM " \
	"pg_catalog.pg_enum e WHERE e.enumtypid = y.oid)," \
	"  (SELECT pg_catalog.string_agg((pg_catalog.to_jsonb(k) - 'oid')::text, ',' ORDER BY k.conname) FROM " \
	"pg_catalog.pg_constraint k WHERE k.contypid = y.oid)," \
	"  (SELECT pg_catalog.string_agg(pg_catalog.concat_ws(':', a.attnum, a.attname, a.atttypid, a.atttypmod, " \
	"a.attcollation), ',' ORDER BY a.attnum)" \
	"   FROM pg_catalog.pg_attribute a WHERE a.attrelid = y.typrelid AND y.typrelid <> 0 AND a.attnum > 0 AND NOT " \
	"a.attisdropped))" \
	"  FROM pg_catalog.pg_type y WHERE y.oid = o.oid)" \
	" ELSE s.stamp END, 'UTF8')), 'hex') || ' ' || CASE WHEN o.cls = 'r' AND pg_catalog.split_part(o.stamp, '/', 1) " \
	"<> pg_catalog.split_part(s.stamp, '/', 1)" \
	" AND pg_catalog.split_part(o.stamp, '/', 2) <> pg_catalog.split_part(s.stamp, '/', 2) THEN " \
	"pg_catalog.split_part(s.stamp, '/', 1)" \
	" ELSE coalesce(nullif(pg_catalog.split_part(o.digest, ' ', 2), ''), '0') END"

#endif
