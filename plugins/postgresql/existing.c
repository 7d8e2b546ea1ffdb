/* SPDX-License-Identifier: MIT
 *
 * existing.c: the views that a database has before viewd comes. What belongs to an extension is the extension's.
 */
#include "base/err.h"
#include "postgresql/pg.h"

/* clang-format off */
static const char views_sql[] =
	"SELECT CASE WHEN n.nspname = $2 THEN '' ELSE n.nspname END, c.relname, "
	"CASE c.relkind WHEN 'm' THEN 'MATVIEW' ELSE 'VIEW' END, pg_catalog.pg_get_viewdef(c.oid),"
	" pg_catalog.array_to_string(c.reloptions, ', '), pg_catalog.obj_description(c.oid, 'pg_class'), NULL::text"
	" FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" WHERE c.relkind IN ('v', 'm') AND ($1::text IS NULL OR n.nspname = $1)"
	" AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'viewd', 'viewd_stage')"
	" AND n.nspname !~ '^pg_(toast|temp)'"
	" AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass"
	" AND d.objid = c.oid AND d.deptype = 'e') ORDER BY n.nspname <> $2, n.nspname, c.relname";

static const char indexes_sql[] =
	"SELECT x.relname, CASE WHEN i.indisunique THEN 'UNIQUE ' ELSE '' END || pg_catalog.regexp_replace("
	"pg_catalog.substr(pg_catalog.pg_get_indexdef(i.indexrelid), pg_catalog.length(pg_catalog.concat('CREATE ',"
	" CASE WHEN i.indisunique THEN 'UNIQUE ' END, 'INDEX ', pg_catalog.quote_ident(x.relname), ' ON ',"
	" pg_catalog.quote_ident(n.nspname), '.', pg_catalog.quote_ident(c.relname), ' ')) + 1), '^USING btree ', ''),"
	" CASE WHEN i.indisunique AND i.indpred IS NULL AND i.indimmediate AND i.indnatts = i.indnkeyatts AND"
	" x.reloptions IS NULL AND NOT 0 = ANY (i.indkey::int2[]) AND NOT EXISTS (SELECT 1 FROM"
	" pg_catalog.generate_series(1, i.indnatts) AS k (k) WHERE pg_catalog.pg_get_indexdef(i.indexrelid, k, false)"
	" <> (SELECT pg_catalog.quote_ident(a.attname) FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND"
	" a.attnum = i.indkey[k - 1])) AND NOT 0 <> ANY (i.indoption::int2[]) THEN"
	" (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY u.k)"
	" FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS u (attnum, k) JOIN pg_catalog.pg_attribute a"
	" ON a.attrelid = c.oid AND a.attnum = u.attnum) END"
	" FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid"
	" JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
	" WHERE n.nspname = $1 AND c.relname = $2 AND i.indisvalid AND i.indisready ORDER BY i.indnatts, x.relname";
/* clang-format on */

bool pg_op_list_existing(struct db *db, const char *schema, const struct db_reader *row, void *ctx,
                         struct viewd_err *err)
{
	const char *params[] = {schema, pg_of(db)->default_schema};
	return pg_op_query(db, views_sql, params, ARRAY_LEN(params), row, ctx, err);
}

bool pg_op_existing_indexes(struct db *db, const struct relation *rel, const struct db_reader *row, void *ctx,
                            struct viewd_err *err)
{
	const char *params[] = {rel->schema[0] != '\0' ? rel->schema : pg_of(db)->default_schema, rel->name};
	return pg_op_query(db, indexes_sql, params, ARRAY_LEN(params), row, ctx, err);
}
