/* SPDX-License-Identifier: MIT
 *
 * key_index.c: an index by which the rows of a key are found in the relation that holds them.
 */
#include "mysql/incremental/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/incremental/part.h"
#include "common/sqltext/sqltext.h"

/* Long values are indexed by their beginning. */
#define PREFIX "(100)"

/* How many indexes have the columns of the key, whole or their beginnings, in whatever order before all others? */
static char *count_text(struct viewd_conn *conn, void *mem, const struct part *part)
{
	char *names = sql_new(mem);
	for (size_t i = 0; i < part->n_key; i++)
		names = sql_add(names, "%s%s", i > 0 ? ", " : "",
		                literal_quoted(&my_syntax, mem, part->columns->names[part->key[i]]));
	return talloc_asprintf(mem,
	                       "SELECT COUNT(*) FROM (SELECT 1 FROM information_schema.STATISTICS WHERE %s AND "
	                       "SEQ_IN_INDEX <= %zu AND COLUMN_NAME IN (%s) AND INDEX_TYPE = 'BTREE' GROUP BY INDEX_NAME "
	                       "HAVING COUNT(*) = %zu) viewd_i",
	                       my_where(conn, mem, &part->rel), part->n_key, names, part->n_key);
}

static bool is_long(const char *type)
{
	static const char *const words[] = {"tinytext",   "text",     "mediumtext", "longtext", "tinyblob", "blob",
	                                    "mediumblob", "longblob", "json",       "varchar",  "varbinary"};
	for (size_t i = 0; type != NULL && i < ARRAY_LEN(words); i++)
		if (strncasecmp(type, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* A prefix may not be longer than the column. */
static bool needs_prefix(const char *type)
{
	const char *open = type != NULL ? strchr(type, '(') : NULL;
	return is_long(type) && (strncasecmp(type, "var", 3) != 0 || (open != NULL && strtol(open + 1, NULL, 10) > 100));
}

static char *create_text(void *mem, const struct part *part)
{
	char name[IDENT_MAX];
	ident_temporary(&part->rel, "viewd_key_", name);
	char *sql = sql_add(sql_new(mem), "CREATE INDEX IF NOT EXISTS %s ON %s (", name,
	                    relation_quoted(&my_syntax, mem, &part->rel));
	for (size_t i = 0; i < part->n_key; i++) {
		sql = ident_append(&my_syntax, sql_add(sql, i > 0 ? ", " : ""), part->columns->names[part->key[i]]);
		if (needs_prefix(part->columns->items[part->key[i]].type))
			sql = sql_add(sql, PREFIX);
	}
	return sql_add(sql, ")");
}

bool my_index_part(struct db *db, struct part *part, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	int64_t n = 0;
	bool done = my_query_int(my_conn(db), count_text(my_conn(db), mem, part), NULL, 0, &n, err) &&
	            (n > 0 || db_exec(db, create_text(mem, part), err));
	talloc_free(mem);
	return done;
}
