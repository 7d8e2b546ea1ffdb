/* SPDX-License-Identifier: MIT
 *
 * changed_objects.c: what is compared of what a view depends on, as one text: of a table its kind, engine and columns,
 * of a plain view its text and whose rights it runs with, of a function its body and when it was made. Rows and storage
 * are no part of it: viewd exchanges tables itself.
 *
 * information_schema answers for one name, or for a whole database at once, which is cheaper from some twenty names on.
 */
#include "mysql/conn/row_key.h"
#include "mysql/depends/walk.h"

#include <stdio.h>
#include <string.h>

#include "common/depends/objects.h"
#include "common/sqltext/sqltext.h"

#define ONE_BY_ONE 16

/* The order of columns is in their positions, so their digests may come in any. 120 bits of them are kept. Not every
 * server has MD5. */
#define COLUMNS_DIGEST \
	"CONCAT(COUNT(*), HEX(BIT_XOR(CAST(CONV(LEFT(m, 15), 16, 10) AS UNSIGNED))), '-', " \
	"HEX(BIT_XOR(CAST(CONV(SUBSTRING(m, 16, 15), 16, 10) AS UNSIGNED))))"
#define COLUMN_DIGEST \
	"SHA2(CONCAT_WS('|', ORDINAL_POSITION, COLUMN_NAME, COLUMN_TYPE, IFNULL(COLLATION_NAME, ''), " \
	"IFNULL(GENERATION_EXPRESSION, ''), IFNULL(COLUMN_DEFAULT, '')), 256)"
#define VIEW_DIGEST "LEFT(SHA2(CONCAT_WS('|', VIEW_DEFINITION, SECURITY_TYPE, DEFINER), 256), 32)"
#define FUNCTION_DIGEST \
	"LEFT(SHA2(CONCAT_WS('|', IFNULL(ROUTINE_DEFINITION, LAST_ALTERED), DTD_IDENTIFIER, SECURITY_TYPE, DEFINER, " \
	"SQL_MODE, " \
	"CREATED), 256), 32)"

/* where: what picks the names in each of the three tables. */
static char *relations_query(void *mem, const char *where)
{
	return talloc_asprintf(mem,
	                       "SELECT t.TABLE_NAME, CONCAT_WS(' ', t.TABLE_TYPE, t.ENGINE, v.d, c.d) FROM (SELECT "
	                       "TABLE_NAME, TABLE_TYPE, ENGINE FROM"
	                       " information_schema.TABLES WHERE %s) t LEFT JOIN (SELECT TABLE_NAME, " VIEW_DIGEST
	                       " AS d FROM information_schema.VIEWS"
	                       " WHERE %s) v ON v.TABLE_NAME = t.TABLE_NAME AND t.TABLE_TYPE = 'VIEW' LEFT JOIN (SELECT "
	                       "TABLE_NAME, " COLUMNS_DIGEST " AS d FROM (SELECT TABLE_NAME, " COLUMN_DIGEST
	                       " AS m FROM information_schema.COLUMNS "
	                       "WHERE %s" NOT_ROW_KEY ") q GROUP BY TABLE_NAME) c"
	                       " ON c.TABLE_NAME = t.TABLE_NAME AND t.TABLE_TYPE <> 'VIEW'",
	                       where, where, where);
}

static char *functions_query(void *mem, const char *where)
{
	return talloc_asprintf(mem,
	                       "SELECT ROUTINE_NAME, " FUNCTION_DIGEST
	                       " FROM information_schema.ROUTINES WHERE %s AND ROUTINE_TYPE = 'FUNCTION'",
	                       where);
}

/* ---- one */

struct one {
	void *mem;
	const char *name;
	char *digest;
};

static bool take_one_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct one *one = ctx;

	if (strcmp(v[0], one->name) != 0)
		return true;
	one->digest = talloc_strdup(one->mem, v[1] != NULL ? v[1] : "");
	return false;
}

static const struct db_reader take_one[] = {{take_one_fn, "tT", "a definition"}};

bool look_at_object(struct viewd_conn *conn, void *mem, const struct relation *rel, bool function, char **digest_r,
                    struct viewd_err *err)
{
	struct one one = {.mem = mem, .name = rel->name};
	char *schema = literal_quoted(&my_syntax, mem, rel->schema), *name = literal_quoted(&my_syntax, mem, rel->name);
	char *where = function ? talloc_asprintf(mem, "ROUTINE_SCHEMA = %s AND ROUTINE_NAME = %s", schema, name)
	                       : talloc_asprintf(mem, "TABLE_SCHEMA = %s AND TABLE_NAME = %s", schema, name);

	if (!my_query(&conn->db, function ? functions_query(mem, where) : relations_query(mem, where), NULL, 0, take_one,
	              &one, err))
		return false;
	*digest_r = one.digest;
	return true;
}

/* ---- all */

/* An object as it is stored, and what was found. */
struct known {
	const struct object *object;
	struct relation rel;
	bool function, done;
	char *digest; /* NULL: gone */
};

struct comparing {
	struct viewd_conn *conn;
	void *mem;
	struct known *items;
	size_t n;
	const char *schema; /* whose names come in */
	bool function;
};

static bool take_up(struct viewd_conn *conn, const struct object *object, struct known *out)
{
	const char *text = object->source;

	out->object = object;
	out->function = strncmp(text, FUNCTION_PREFIX, strlen(FUNCTION_PREFIX)) == 0;
	text += out->function ? strlen(FUNCTION_PREFIX) : 0;
	if (!relation_parse(&my_syntax, text, &out->rel, NULL))
		return false;
	my_place(conn, &out->rel, &out->rel);
	return true;
}

bool my_digest_of(struct db *db, void *mem, const struct object *object, char **digest_r, struct viewd_err *err)
{
	struct known known = {.done = false};

	*digest_r = NULL;
	return !take_up(my_conn(db), object, &known) ||
	       look_at_object(my_conn(db), mem, &known.rel, known.function, digest_r, err);
}

static bool is_of(const struct known *known, const char *schema, bool function)
{
	return !known->done && known->function == function && strcmp(known->rel.schema, schema) == 0;
}

static bool take_found_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct comparing *all = ctx;

	for (size_t i = 0; i < all->n; i++)
		if (is_of(&all->items[i], all->schema, all->function) && strcmp(all->items[i].rel.name, v[0]) == 0)
			all->items[i].digest = talloc_strdup(all->mem, v[1] != NULL ? v[1] : "");
	return true;
}

static const struct db_reader take_found[] = {{take_found_fn, "tT", "definitions"}};

/* Everything of one database and kind that is not done yet. */
static bool look_at_database(struct comparing *all, const struct known *first, struct viewd_err *err)
{
	size_t count = 0;
	bool good = true;

	all->schema = first->rel.schema;
	all->function = first->function;
	for (size_t i = 0; i < all->n; i++)
		count += is_of(&all->items[i], all->schema, all->function);
	if (count > ONE_BY_ONE) {
		char *where = talloc_asprintf(all->mem, "%s = %s", all->function ? "ROUTINE_SCHEMA" : "TABLE_SCHEMA",
		                              literal_quoted(&my_syntax, all->mem, all->schema));
		good = my_query(&all->conn->db,
		                all->function ? functions_query(all->mem, where) : relations_query(all->mem, where), NULL, 0,
		                take_found, all, err);
	}
	for (size_t i = 0; i < all->n && good; i++) {
		struct known *known = &all->items[i];
		if (!is_of(known, all->schema, all->function))
			continue;
		good = count > ONE_BY_ONE ||
		       look_at_object(all->conn, all->mem, &known->rel, known->function, &known->digest, err);
		known->done = true;
	}
	return good;
}

static bool tell_differences(const struct comparing *all, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	bool more = true;

	for (size_t i = 0; i < all->n && more; i++) {
		const struct known *known = &all->items[i];
		const char *const v[] = {known->object->source, known->digest, known->digest, known->object->digest, NULL};
		if (strcmp(known->digest != NULL ? known->digest : "", known->object->digest) != 0 &&
		    !db_give(row, ctx, v, ARRAY_LEN(v), &more, err))
			return false;
	}
	return true;
}

bool my_changed_objects(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err)
{
	struct comparing all = {.conn = my_conn(db), .mem = talloc_new(NULL)};
	struct objects stored = {.mem = all.mem};
	bool good = objects_load(db, &stored, err);

	all.items = talloc_zero_array(all.mem, struct known, (unsigned)stored.n + 1);
	for (size_t i = 0; i < stored.n && good; i++)
		if (take_up(all.conn, &stored.items[i], &all.items[all.n]))
			all.n++;
	for (size_t i = 0; i < all.n && good; i++)
		good = all.items[i].done || look_at_database(&all, &all.items[i], err);
	good = good && tell_differences(&all, row, ctx, err);
	talloc_free(all.mem);
	return good;
}
