/* SPDX-License-Identifier: MIT
 *
 * know.c: asks the server's dictionary about the tables of a definition, for the analysis.
 */
#include "common/depends/knowledge.h"
#include "mysql/conn/row_key.h"
#include "mysql/depends/walk.h"
#include "mysql/my.h"

#include <string.h>
#include <talloc.h>

/* The same result for the same arguments, whatever the session is. */
static const char pure[] = "abs acos asin atan ceil ceiling cos cot crc32 degrees exp floor greatest least ln log "
						   "log10 log2 mod pi pow power radians round "
						   "sign sin sqrt tan truncate ascii char_length character_length concat concat_ws elt field "
						   "hex unhex insert instr lcase left length "
						   "locate lower lpad ltrim btrim mid octet_length ord repeat replace reverse right rpad rtrim "
						   "space strcmp substr substring "
						   "substring_index trim ucase upper bin oct bit_length md5 sha1 sha2 coalesce if ifnull "
						   "nullif isnull extract year month day "
						   "dayofmonth dayofweek dayofyear hour minute second quarter week weekday weekofyear yearweek "
						   "to_days from_days last_day date "
						   "datediff json_extract json_unquote json_value json_length inet_aton inet_ntoa";

/* Relations in the database of the session are meant by a name alone. */
/* clang-format off */
static const char relations_sql[] =
	"SELECT TABLE_SCHEMA, TABLE_NAME,"
	" CASE WHEN TABLE_SCHEMA IN ('information_schema', 'performance_schema', 'mysql', 'sys') THEN 'catalogue'"
	"  WHEN TABLE_TYPE = 'VIEW' THEN 'view' WHEN TABLE_TYPE = 'SEQUENCE' THEN 'sequence'"
	"  WHEN ENGINE IN ('CSV', 'FEDERATED', 'CONNECT', 'SPIDER') THEN 'foreign table' ELSE 'table' END, TABLE_ROWS,"
	" CASE WHEN TABLE_TYPE IN ('VIEW', 'SEQUENCE') OR ENGINE = 'InnoDB' THEN NULL"
	"  ELSE 'its engine has no transactions, so a change and its log are not one' END"
	" FROM information_schema.TABLES WHERE TABLE_NAME IN (%s) ORDER BY COALESCE(TABLE_SCHEMA <> DATABASE(), 1), 1, 2";

static const char columns_sql[] =
	"SELECT c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME,"
	" CASE WHEN c.DATA_TYPE IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint') THEN 'integer' WHEN c.DATA_TYPE "
	"= 'decimal' THEN 'decimal'"
	"  WHEN c.DATA_TYPE IN ('float', 'double') THEN 'float' ELSE 'other' END,"
	" CASE WHEN c.DATA_TYPE = 'decimal' THEN c.NUMERIC_SCALE END,"
	" CONCAT(c.COLUMN_TYPE, ' ', COALESCE(c.COLLATION_NAME, '')),"
	" CASE WHEN c.IS_NULLABLE = 'NO' THEN 0 ELSE 1 END,"
	" (SELECT MAX(s.CARDINALITY) FROM information_schema.STATISTICS s WHERE s.TABLE_SCHEMA = c.TABLE_SCHEMA AND "
	"s.TABLE_NAME = c.TABLE_NAME"
	"  AND s.COLUMN_NAME = c.COLUMN_NAME AND s.SEQ_IN_INDEX = 1),"
	" CASE WHEN c.EXTRA LIKE '%INVISIBLE%' THEN 1 END"
	" FROM information_schema.COLUMNS c WHERE c.TABLE_NAME IN (%s)"
	" ORDER BY 1, 2, c.ORDINAL_POSITION";
/* clang-format on */

/* A key over the beginning of a column, or an expression, has no name of a column here. */
static const char keys_sql[] =
	"SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, CASE WHEN SUB_PART IS NULL THEN COLUMN_NAME END"
	" FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND TABLE_NAME IN (%s)" NOT_ROW_KEY
	" ORDER BY 1, 2, INDEX_NAME <> 'PRIMARY', 3, SEQ_IN_INDEX";

/* The beginning of a column finds its rows, too. */
static const char indexes_sql[] =
	"SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, CASE WHEN NON_UNIQUE = 0 OR INDEX_NAME LIKE "
	"'viewd$_key$_%' ESCAPE '$' THEN '1' ELSE '0' END"
	" FROM information_schema.STATISTICS WHERE INDEX_TYPE = 'BTREE' AND TABLE_NAME IN (%s)"
	" ORDER BY 1, 2, 3, SEQ_IN_INDEX";

static bool ask_dictionary(struct db *db, const char *form, const char *names, const struct db_reader *reader,
                           struct knowledge *out, struct viewd_err *err)
{
	const char *slot = strstr(form, "%s");
	char *sql = talloc_asprintf(NULL, "%.*s%s%s", (int)(slot - form), form, names, slot + 2);
	bool done = my_query(db, sql, NULL, 0, reader, out, err);
	talloc_free(sql);
	return done;
}

bool my_know(struct db *db, const char *names, struct knowledge *out, struct viewd_err *err)
{
	knowledge_pure(out, pure);
	return ask_dictionary(db, relations_sql, names, knowledge_relations, out, err) &&
	       ask_dictionary(db, columns_sql, names, knowledge_columns, out, err) &&
	       ask_dictionary(db, keys_sql, names, knowledge_keys, out, err) &&
	       ask_dictionary(db, indexes_sql, names, knowledge_indexes, out, err);
}
