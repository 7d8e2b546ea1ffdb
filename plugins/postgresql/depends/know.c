/* SPDX-License-Identifier: MIT
 *
 * know.c: asks the catalogue about the relations and functions of a definition, for the analysis.
 */
#include "common/depends/knowledge.h"
#include "postgresql/depends/shards.h"
#include "postgresql/pg.h"

#include <string.h>
#include <talloc.h>

#define NAMED \
	"c.relname IN (%s) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')" \
	" AND pg_catalog.has_schema_privilege(c.relnamespace, 'USAGE')"
#define FROM_CLASS " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "

/* Row policies show other rows to other roles. Of a table with children that are no partitions nothing is unique over
 * all of them. Statements on a parent do not fire the statement triggers of what is below. */
/* clang-format off */
#define RELATIONS_SQL(more) \
	"SELECT n.nspname, c.relname, CASE WHEN n.nspname IN ('pg_catalog', 'information_schema') THEN 'catalogue'" \
	" WHEN c.relkind IN ('r', 'p') THEN 'table' WHEN c.relkind = 'v' THEN 'view' WHEN c.relkind = 'm' THEN " \
	"'materialized view'" \
	" ELSE 'foreign table' END," \
	" CASE WHEN c.reltuples > 0 THEN c.reltuples::pg_catalog.int8 END," \
	" CASE WHEN c.relrowsecurity THEN 'row security may show other rows to another role'" \
	"  WHEN c.relpersistence = 't' THEN 'it is a temporary table'" more \
	"  WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_subscription_rel r WHERE r.srrelid = c.oid) THEN 'a subscription " \
	"fills it, which fires no trigger of a statement'" \
	"  WHEN c.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhparent = c.oid) THEN 'it " \
	"has children that are no partitions'" \
	"  WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid) THEN 'statements on its parent " \
	"change it unheard'" \
	"  WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class f ON f.oid = h.inhrelid AND " \
	"f.relkind " \
	"= 'f' WHERE h.inhparent = c.oid) THEN 'it has partitions that are foreign tables' END" FROM_CLASS "WHERE " NAMED \
	" ORDER BY NOT pg_catalog.pg_table_is_visible(c.oid), 1, 2"
static const char relations_sql[] = RELATIONS_SQL("");
static const char relations_sharded_sql[] =
	RELATIONS_SQL(" WHEN " SHARDED_SQL("c.oid") " THEN 'its rows are in shards, where no trigger of the table fires'");
/* clang-format on */

/* Keys are collected into arrays, which arrays of several lengths cannot be: no value of such a column is carried to
 * another one, and no unique key has one. */
#define IS_ARRAY \
	"EXISTS (SELECT FROM pg_catalog.pg_type y WHERE y.oid = a.atttypid AND y.typlen = -1 AND y.typelem <> 0)"

/* Since PostgreSQL 12 a collation may take texts of other bytes for equal; before, none does. */
#define IS_BYTEWISE "pg_catalog.to_jsonb(l) ->> 'collisdeterministic' IS DISTINCT FROM 'false'"

/* Other types whose values are equal only when their bytes are. Blanks fill up a text of a declared length. */
#define IS_PLAIN \
	"a.atttypid IN ('pg_catalog.bool'::pg_catalog.regtype, 'pg_catalog.\"char\"'::pg_catalog.regtype, " \
	"'pg_catalog.date'::pg_catalog.regtype, 'pg_catalog.time'::pg_catalog.regtype, " \
	"'pg_catalog.timestamp'::pg_catalog.regtype, 'pg_catalog.timestamptz'::pg_catalog.regtype, " \
	"'pg_catalog.uuid'::pg_catalog.regtype, 'pg_catalog.bytea'::pg_catalog.regtype) OR EXISTS (SELECT FROM " \
	"pg_catalog.pg_type y WHERE y.oid = a.atttypid AND y.typtype = 'e') OR (a.atttypid = " \
	"'pg_catalog.bpchar'::pg_catalog.regtype AND a.atttypmod > 0 AND EXISTS (SELECT FROM pg_catalog.pg_collation l " \
	"WHERE l.oid = a.attcollation AND " IS_BYTEWISE "))"

/* The scale of numeric(p,s) is in the lower 11 bits of its modifier, less the header of 4 bytes. */
/* clang-format off */
static const char columns_sql[] =
	"SELECT n.nspname, c.relname, a.attname,"
	" CASE WHEN a.atttypid IN ('pg_catalog.int2'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype,"
	"  'pg_catalog.int8'::pg_catalog.regtype) THEN 'integer'"
	"  WHEN a.atttypid = 'pg_catalog.numeric'::pg_catalog.regtype THEN 'decimal'"
	"  WHEN a.atttypid IN ('pg_catalog.float4'::pg_catalog.regtype, 'pg_catalog.float8'::pg_catalog.regtype) THEN "
	"'float'"
	"  WHEN a.atttypid IN ('pg_catalog.text'::pg_catalog.regtype, 'pg_catalog.varchar'::pg_catalog.regtype) AND EXISTS "
	"(SELECT FROM pg_catalog.pg_collation l WHERE l.oid = a.attcollation AND " IS_BYTEWISE ") THEN 'text'"
	"  WHEN " IS_PLAIN " THEN 'plain'"
	"  ELSE 'other' END,"
	" CASE WHEN a.atttypid = 'pg_catalog.numeric'::pg_catalog.regtype AND a.atttypmod >= 4"
	"  AND ((a.atttypmod - 4) & 2047) < 1024 THEN (a.atttypmod - 4) & 2047 END,"
	" pg_catalog.format_type(a.atttypid, a.atttypmod) || ' ' || a.attcollation::pg_catalog.text || CASE WHEN "
	IS_ARRAY " THEN pg_catalog.concat(' ', c.oid, ' ', a.attnum) ELSE '' END,"
	" CASE WHEN a.attnotnull THEN 0 ELSE 1 END,"
	" (SELECT pg_catalog.max(CASE WHEN s.n_distinct >= 0 THEN s.n_distinct ELSE -s.n_distinct * c.reltuples "
	"END)::pg_catalog.int8"
	"  FROM pg_catalog.pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = "
	"a.attname)" FROM_CLASS
	"JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped WHERE " NAMED
	" ORDER BY 1, 2, a.attnum";

static const char keys_sql[] =
	"SELECT n.nspname, c.relname, x.relname, CASE WHEN NOT " IS_ARRAY " THEN a.attname END" FROM_CLASS
	"JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND "
	"i.indpred IS NULL"
	" JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid"
	" CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) k (n)"
	" LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[k.n] AND a.attnum > 0"
	" WHERE " NAMED " AND (c.relkind = 'p' OR NOT c.relhassubclass) ORDER BY 1, 2, NOT i.indisprimary, 3, k.n";
/* clang-format on */

/* Partial ones find only some rows. NULL may stand in more than one row of a unique index. */
static const char indexes_sql[] =
	"SELECT n.nspname, c.relname, x.relname, a.attname, CASE WHEN i.indisunique OR x.relname LIKE 'viewd\\_key\\_%' "
	"THEN '1' ELSE '0' END" FROM_CLASS
	"JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL"
	" JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam AND m.amname = "
	"'btree'"
	" CROSS JOIN LATERAL pg_catalog.generate_series(0, i.indnkeyatts - 1) k (n)"
	" LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[k.n] AND a.attnum > 0 AND "
	"NOT " IS_ARRAY " WHERE " NAMED " ORDER BY 1, 2, 3, k.n";

/* Grammar turns TRIM and AT TIME ZONE into calls of other names. Of the stable functions those count as good that
 * depend on nothing but settings. */
static const char functions_sql[] =
	"SELECT p.proname, CASE pg_catalog.max(CASE WHEN p.provolatile = 'i' THEN 1 WHEN p.provolatile = 's' AND"
	"  p.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND p.proname IN ('to_char', 'to_date', 'to_timestamp', "
	"'to_number',"
	"  'date_trunc', 'date_part', 'extract', 'timezone', 'date', 'timestamp', 'timestamptz', 'concat', 'concat_ws', "
	"'format',"
	"  'array_to_string', 'string_to_array', 'quote_literal', 'quote_nullable') THEN 2 ELSE 3 END) WHEN 1 THEN 'i' "
	"WHEN 2 THEN 's' ELSE 'v' END,"
	" pg_catalog.max(CASE WHEN p.prokind = 'a' THEN 1 ELSE 0 END), pg_catalog.max(CASE WHEN p.proretset THEN 1 ELSE 0 "
	"END)"
	" FROM pg_catalog.pg_proc p WHERE p.proname IN (%s)"
	" OR p.proname IN ('btrim', 'ltrim', 'rtrim', 'timezone', 'like_escape', 'similar_to_escape') GROUP BY 1 ORDER BY "
	"1";

static bool ask_catalogue(struct db *db, const char *form, const char *names, const struct db_reader *reader,
                          struct knowledge *out, struct viewd_err *err)
{
	/* One place for the names in each form; `%` stands nowhere else. */
	const char *slot = strstr(form, "%s");
	char *sql = talloc_asprintf(NULL, "%.*s%s%s", (int)(slot - form), form, names, slot + 2);
	bool done = pg_op_query(db, sql, NULL, 0, reader, out, err);
	talloc_free(sql);
	return done;
}

/* Types whose sum is an int8, and the sum of that a numeric. */
static const char *const small_types[] = {"smallint ", "integer ", NULL};

bool pg_op_know(struct db *db, const char *names, struct knowledge *out, struct viewd_err *err)
{
	bool sharded = false;
	if (!shards_listed(pg_of(db), &sharded, err))
		return false;
	knowledge_sums_again(out, "coalesce(sum({}), 0)::pg_catalog.int8", "sum({})::pg_catalog.int8", small_types);
	knowledge_sums_keep_scale(out, "pg_catalog.scale({})", "pg_catalog.round({a}, {b})");
	return ask_catalogue(db, sharded ? relations_sharded_sql : relations_sql, names, knowledge_relations, out, err) &&
	       ask_catalogue(db, columns_sql, names, knowledge_columns, out, err) &&
	       ask_catalogue(db, keys_sql, names, knowledge_keys, out, err) &&
	       ask_catalogue(db, indexes_sql, names, knowledge_indexes, out, err) &&
	       ask_catalogue(db, functions_sql, names, knowledge_functions, out, err);
}
