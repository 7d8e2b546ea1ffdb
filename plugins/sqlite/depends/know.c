/* SPDX-License-Identifier: MIT
 *
 * know.c: what the schema knows of the tables of a definition, for the analysis.
 */
#include "common/depends/knowledge.h"
#include "sqlite/depends/walk.h"

#include <string.h>
#include <talloc.h>

/* The same result for the same arguments, whatever the connection is. What takes 'now' is found by its argument. */
static const char pure[] =
	"abs ceil ceiling char coalesce concat concat_ws degrees exp floor format glob hex ifnull iif instr json "
	"json_array_length "
	"json_extract json_type json_valid length like ln log log10 log2 lower ltrim btrim mod nullif octet_length pi pow "
	"power printf quote "
	"radians replace round rtrim sign sqrt substr substring trim trunc typeof unicode upper "
	"date time datetime julianday strftime unixepoch";

#define NAMED " FROM main.sqlite_master m WHERE m.type IN ('table', 'view') AND m.name COLLATE NOCASE IN (%s)"

static const char relations_sql[] =
	"SELECT '', m.name, CASE WHEN m.type = 'view' THEN 'view' WHEN m.sql LIKE 'CREATE VIRTUAL%%' THEN 'virtual table' "
	"ELSE 'table' END,"
	" NULL, NULL" NAMED;

/* Columns with collations of their own compare like no other: which one has which is only in the text. */
static const char columns_sql[] =
	"SELECT '', m.name, p.name, CASE WHEN p.type LIKE '%%INT%%' THEN 'integer'"
	"  WHEN p.type LIKE '%%REAL%%' OR p.type LIKE '%%FLOA%%' OR p.type LIKE '%%DOUB%%' THEN 'float' ELSE 'other' END, "
	"NULL,"
	" upper(p.type) || CASE WHEN m.sql LIKE '%%COLLATE%%' THEN ' of ' || m.name || '.' || p.name ELSE '' END,"
	" CASE WHEN p.\"notnull\" THEN 0 WHEN p.pk = 1 AND upper(p.type) = 'INTEGER'"
	"  AND (SELECT count(*) FROM pragma_table_xinfo(m.name) o WHERE o.pk > 0) = 1 THEN 0 ELSE 1 END, NULL"
	" FROM main.sqlite_master m, pragma_table_xinfo(m.name) p WHERE m.type IN ('table', 'view') AND m.name COLLATE "
	"NOCASE IN (%s)"
	"  AND p.hidden <> 1 ORDER BY 1, 2, p.cid";

static const char primary_sql[] =
	"SELECT '', m.name, 'primary key', p.name FROM main.sqlite_master m, pragma_table_xinfo(m.name) p"
	" WHERE m.type = 'table' AND m.name COLLATE NOCASE IN (%s) AND p.pk > 0 ORDER BY 1, 2, p.pk";

static const char keys_sql[] =
	"SELECT '', m.name, l.name, i.name FROM main.sqlite_master m, pragma_index_list(m.name) l, "
	"pragma_index_info(l.name) i"
	" WHERE m.type = 'table' AND m.name COLLATE NOCASE IN (%s) AND l.\"unique\" AND NOT l.partial ORDER BY 1, 2, "
	"l.name, i.seqno";

/* Forms double their percent signs but for the place of the names. */
static bool ask(struct db *db, const char *form, const char *names, const struct db_reader *reader,
                struct knowledge *out, struct viewd_err *err)
{
	char *sql = talloc_strdup(NULL, "");
	for (const char *next; (next = strchr(form, '%')) != NULL; form = next + 2)
		sql = talloc_asprintf_append_buffer(sql, "%.*s%s", (int)(next - form), form, next[1] == 's' ? names : "%");
	sql = talloc_strdup_append_buffer(sql, form);
	bool done = sqlite_op_query(db, sql, NULL, 0, reader, out, err);
	talloc_free(sql);
	return done;
}

bool sqlite_op_know(struct db *db, const char *names, struct knowledge *out, struct viewd_err *err)
{
	knowledge_pure(out, pure);
	return ask(db, relations_sql, names, knowledge_relations, out, err) &&
	       ask(db, columns_sql, names, knowledge_columns, out, err) &&
	       ask(db, primary_sql, names, knowledge_keys, out, err) && ask(db, keys_sql, names, knowledge_keys, out, err);
}
