/* SPDX-License-Identifier: MIT
 *
 * key_index.c: an index by which the rows of a key are found in the relation that holds them, and what else is unique
 * there.
 */
#include "mysql/incremental/log.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/incremental/part.h"
#include "common/sqltext/sqltext.h"
#include "mysql/conn/row_key.h"

/* Long values are indexed by their beginning. */
#define PREFIX "(100)"

static char *key_names(void *mem, const struct part *part)
{
	char *names = sql_new(mem);
	for (size_t i = 0; i < part->n_key; i++)
		names = sql_add(names, "%s%s", i > 0 ? ", " : "",
		                literal_quoted(&my_syntax, mem, part->columns->names[part->key[i]]));
	return names;
}

/* How many indexes let each value of the key be there once? */
static char *one_each_text(struct viewd_conn *conn, void *mem, const struct part *part)
{
	return talloc_asprintf(mem,
	                       "SELECT COUNT(*) FROM (SELECT 1 FROM information_schema.STATISTICS WHERE %s GROUP BY "
	                       "INDEX_NAME HAVING MAX(NON_UNIQUE) = 0 AND COUNT(*) = %zu AND SUM(COLUMN_NAME IN (%s) AND "
	                       "SUB_PART IS NULL) = %zu) viewd_i",
	                       my_where(conn, mem, &part->rel), part->n_key, key_names(mem, part), part->n_key);
}

/* How many indexes have the columns of the key, whole or their beginnings, in whatever order before all others? */
static char *count_text(struct viewd_conn *conn, void *mem, const struct part *part)
{
	char *names = key_names(mem, part);
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
	int64_t n = 0, unique = 0;
	bool done =
		my_query_int(my_conn(db), count_text(my_conn(db), mem, part), NULL, 0, &n, err) &&
		(n > 0 || db_exec(db, create_text(mem, part), err)) &&
		(part->n_row > 0 || my_query_int(my_conn(db), one_each_text(my_conn(db), mem, part), NULL, 0, &unique, err));
	part->one_each = unique > 0;
	talloc_free(mem);
	return done;
}

/* ---- changing rows in place ---- */

static bool is_whole(const char *type)
{
	return type != NULL && value_is_number(type) && strncasecmp(type, "decimal", 7) != 0;
}

static char *row_names(const struct difference *d)
{
	char *names = sql_new(d->mem);
	for (size_t i = 0; i < d->n_row; i++)
		names =
			sql_add(names, "%s%s", i > 0 ? ", " : "", literal_quoted(&my_syntax, d->mem, d->columns->names[d->row[i]]));
	return names;
}

/* An index finds the row, and each one that is unique either has all that identifies a row or nothing else: where two
 * rows exchange their values, the first one would meet the other. */
char *in_place_question(const struct difference *d)
{
	if (d->n_row == 0 || d->n_row == d->columns->n)
		return NULL;
	for (size_t i = 0; i < d->n_row; i++)
		if (!is_whole(d->columns->items[d->row[i]].type))
			return NULL;
	struct relation at;
	my_place(d->conn, d->rel, &at);
	return talloc_asprintf(
		d->mem,
		"SELECT COALESCE(SUM(viewd_first = %zu) > 0 AND SUM(viewd_unique AND viewd_own < %zu AND "
		"viewd_own < viewd_all) = 0, 0) FROM (SELECT COUNT(*) AS viewd_all, SUM(COLUMN_NAME IN (%s)) "
		"AS viewd_own, SUM(SEQ_IN_INDEX <= %zu AND COLUMN_NAME IN (%s)) AS viewd_first, "
		"MAX(NON_UNIQUE = 0) AS viewd_unique FROM information_schema.STATISTICS WHERE %s" NOT_ROW_KEY
		" GROUP BY INDEX_NAME) viewd_i",
		d->n_row, d->n_row, row_names(d), d->n_row, row_names(d), my_where(d->conn, d->mem, &at));
}

/* Nothing else may be unique: a row takes the place of another one that may come only later. */
char *numbered_question(const struct difference *d)
{
	for (size_t i = 0; i < d->columns->n; i++)
		if (ident_same(&my_syntax, d->columns->names[i], ROW_KEY))
			return NULL;
	struct relation at;
	my_place(d->conn, d->rel, &at);
	return talloc_asprintf(d->mem,
	                       "SELECT COALESCE(COUNT(*) = 1 AND MAX(INDEX_NAME = 'PRIMARY' AND COLUMN_NAME = '" ROW_KEY
	                       "'), 0) FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND %s",
	                       my_where(d->conn, d->mem, &at));
}
