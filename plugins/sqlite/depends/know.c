/* SPDX-License-Identifier: MIT
 *
 * know.c: asks the schema about the tables of a definition, for the analysis.
 */
#include "common/depends/knowledge.h"
#include "sqlite/depends/walk.h"
#include "sqlite/objects/catalogue.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

/* The same result for the same arguments, whatever the connection is. What takes 'now' is found by its argument. */
static const char pure[] = "abs ceil ceiling char coalesce concat concat_ws degrees exp floor format glob hex ifnull "
						   "iif instr json json_array_length "
						   "json_extract json_type json_valid length like ln log log10 log2 lower ltrim btrim mod "
						   "nullif octet_length pi pow power printf quote "
						   "radians replace round rtrim sign sqrt substr substring trim trunc typeof unicode upper "
						   "date time datetime julianday strftime unixepoch";

/* SQL: column p of table m is the row number. */
#define ROW_NUMBER \
	"(p.pk = 1 AND upper(p.type) = 'INTEGER' AND (SELECT count(*) FROM pragma_table_xinfo(m.name) o WHERE o.pk > 0) =" \
	" 1 AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) o WHERE o.origin = 'pk'))"
#define NAMED " FROM main.sqlite_master m WHERE m.type IN ('table', 'view') AND m.name COLLATE NOCASE IN (%s)"

/* REPLACE removes rows without a trigger, and which rows are in its way is found by the columns of unique keys. */
static const char relations_sql[] =
	"SELECT '', m.name, CASE WHEN m.type = 'view' THEN 'view' WHEN m.sql LIKE 'CREATE VIRTUAL%%' THEN 'virtual table' "
	"ELSE 'table' END, NULL,"
	" CASE WHEN EXISTS (SELECT 1 FROM pragma_index_list(m.name) l, pragma_index_xinfo(l.name) x WHERE l.\"unique\" "
	"AND x.\"key\" AND x.cid = -2) THEN 'it has a unique index over an expression' END" NAMED;

/* The row number is never NULL, whatever its column says; a primary key that is an index is no row number. */
/* clang-format off */
static const char columns_sql[] =
	"SELECT m.name, p.name, p.type, upper(p.type) = 'ANY' AND EXISTS (SELECT 1 FROM pragma_table_list t WHERE "
	"t.schema = 'main' AND t.name = m.name AND t.strict), CASE WHEN p.\"notnull\" OR " ROW_NUMBER " THEN 0 ELSE 1 END"
	" FROM main.sqlite_master m, pragma_table_xinfo(m.name) p WHERE m.type IN ('table', 'view') AND m.name COLLATE "
	"NOCASE IN (%s)"
	"  AND p.hidden <> 1 ORDER BY 1, p.cid";
/* clang-format on */

static const char row_number_sql[] =
	"SELECT '', m.name, 'primary key', p.name FROM main.sqlite_master m, pragma_table_xinfo(m.name) p"
	" WHERE m.type = 'table' AND m.name COLLATE NOCASE IN (%s) AND " ROW_NUMBER " ORDER BY 1, 2";

/* clang-format off */
static const char keys_sql[] =
	"SELECT m.name, l.name, i.name, i.coll FROM main.sqlite_master m, pragma_index_list(m.name) l, "
	"pragma_index_xinfo(l.name) i"
	" WHERE m.type = 'table' AND m.name COLLATE NOCASE IN (%s) AND l.\"unique\" AND NOT l.partial AND i.\"key\""
	" ORDER BY 1, l.name, i.seqno";
/* clang-format on */

static const char indexes_sql[] =
	"SELECT m.name, l.name, i.name, i.coll, CASE WHEN l.\"unique\" OR l.name LIKE 'viewd$_key$_%%' ESCAPE '$' THEN '1' "
	"ELSE '0' END FROM main.sqlite_master m, pragma_index_list(m.name) l, pragma_index_xinfo(l.name) i"
	" WHERE m.type = 'table' AND m.name COLLATE NOCASE IN (%s) AND NOT l.partial AND i.\"key\""
	" ORDER BY 1, l.name, i.seqno";

struct telling {
	struct viewd_conn *conn;
	struct knowledge *out;
	struct viewd_err *err;
	bool misfit;
};

static bool tell_row(struct telling *telling, const struct db_reader *reader, const char *const *values, size_t n)
{
	bool more = true;
	telling->misfit = !db_give(reader, telling->out, values, n, &more, telling->err);
	return !telling->misfit && more;
}

/* Affinity and collation say how a column is compared, the declared type does not. Any column may hold texts, so one of
 * numbers is compared as such only where texts are compared by bytes. */
static bool tell_column_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct telling *telling = ctx;
	const char *affinity = sqlite_affinity(v[2], strcmp(v[3], "1") == 0);
	bool whole = strcmp(affinity, "INTEGER") == 0, real = strcmp(affinity, "REAL") == 0;
	bool number = whole || real || strcmp(affinity, "NUMERIC") == 0;
	const char *collation = sqlite_collation(telling->conn, v[0], v[1]);
	bool bytes = strcasecmp(collation, "BINARY") == 0, text = strcmp(affinity, "TEXT") == 0;
	const char *type = whole && bytes ? "integer" : text && bytes ? "text" : real ? "float" : "other";
	char *written = talloc_asprintf(NULL, "%s %s", number ? "NUMERIC" : affinity, collation);
	assert(written != NULL);
	for (char *c = written; *c != '\0'; c++)
		*c = (char)toupper((unsigned char)*c);
	const char *const values[] = {"", v[0], v[1], type, NULL, written, v[4], NULL};
	bool more = tell_row(telling, knowledge_columns, values, ARRAY_LEN(values));
	talloc_free(written);
	return more;
}

/* Values that an index by bytes tells apart may be equal for their column. */
static bool tell_key_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct telling *telling = ctx;
	const char *collation = v[2] != NULL ? sqlite_collation(telling->conn, v[0], v[2]) : "BINARY";
	bool same = strcasecmp(collation, "BINARY") == 0 || strcasecmp(collation, v[3]) == 0;
	const char *const values[] = {"", v[0], v[1], same ? v[2] : NULL};
	return tell_row(telling, knowledge_keys, values, ARRAY_LEN(values));
}

/* An index of another collation finds no row. */
static bool tell_index_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct telling *telling = ctx;
	const char *collation = v[2] != NULL ? sqlite_collation(telling->conn, v[0], v[2]) : "BINARY";
	const char *const values[] = {"", v[0], v[1], strcasecmp(collation, v[3]) == 0 ? v[2] : NULL, v[4]};
	return tell_row(telling, knowledge_indexes, values, ARRAY_LEN(values));
}

static const struct db_reader tell_column[] = {{tell_column_fn, "ttTnn", "the columns of a definition's relations"}};
static const struct db_reader tell_key[] = {{tell_key_fn, "ttTt", "the unique keys of a definition's relations"}};
static const struct db_reader tell_index[] = {{tell_index_fn, "ttTtt", "the indexes of a definition's relations"}};

/* Forms double their percent signs but for the place of the names. */
static bool ask_schema(struct db *db, const char *form, const char *names, const struct db_reader *reader, void *out,
                       struct viewd_err *err)
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
	struct telling telling = {sqlite_conn_of(db), out, err, false};
	knowledge_pure(out, pure);
	return ask_schema(db, relations_sql, names, knowledge_relations, out, err) &&
	       ask_schema(db, columns_sql, names, tell_column, &telling, err) && !telling.misfit &&
	       ask_schema(db, row_number_sql, names, knowledge_keys, out, err) &&
	       ask_schema(db, keys_sql, names, tell_key, &telling, err) && !telling.misfit &&
	       ask_schema(db, indexes_sql, names, tell_index, &telling, err) && !telling.misfit;
}
