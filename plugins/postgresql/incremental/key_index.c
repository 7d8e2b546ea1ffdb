/* SPDX-License-Identifier: MIT
 *
 * key_index.c: an index by which the rows of a key are found in the relation that holds them.
 */
#include "postgresql/incremental/log_objects.h"

#include <talloc.h>

#include "base/err.h"
#include "common/incremental/part.h"
#include "common/sqltext/sqltext.h"

static bool found_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = v[0] != NULL && v[0][0] == 't';
	return false;
}

static const struct db_reader found[] = {{found_fn, "T", "indexes of a relation"}};

/* $1 the relation, $2 the names of the key's columns: whatever order the first columns of an index are in. */
static const char has_sql[] =
	"SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisvalid "
	"AND i.indpred IS NULL AND i.indnkeyatts >= pg_catalog.cardinality($2::text[]) AND (SELECT pg_catalog.count(*) "
	"FROM "
	"pg_catalog.unnest($2::text[]) WITH ORDINALITY w (name, n) JOIN pg_catalog.pg_attribute a ON a.attrelid = "
	"i.indrelid "
	"AND a.attname = w.name WHERE a.attnum = ANY ((i.indkey::pg_catalog.int2[])[0:pg_catalog.cardinality($2::text[]) - "
	"1])) = pg_catalog.cardinality($2::text[]))";

static char *names_array(void *mem, const struct columns *columns, const size_t *positions, size_t n)
{
	char *sql = sql_add(sql_new(mem), "{");
	for (size_t i = 0; i < n; i++) {
		sql = sql_add(sql, "%s\"", i > 0 ? "," : "");
		for (const char *c = columns->names[positions[i]]; *c != '\0'; c++)
			sql = sql_add(sql, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
		sql = sql_add(sql, "\"");
	}
	return sql_add(sql, "}");
}

/* Keys are collected into arrays, which arrays of several lengths cannot be. */
static const char array_sql[] =
	"SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type y ON y.oid = a.atttypid WHERE "
	"a.attrelid = pg_catalog.to_regclass($1) AND a.attname = ANY ($2::text[]) AND y.typlen = -1 AND y.typelem <> 0)";

static bool may_be_keys(struct db *db, const char *const *params, struct viewd_err *err)
{
	bool array = false;
	if (!pg_op_query(db, array_sql, params, 2, found, &array, err))
		return false;
	if (!array)
		return true;
	err_set(err, VIEWD_ERR_CONFIG, "keys that are arrays cannot be kept incrementally");
	return err_hint(err, "refresh_mode = auto always works");
}

/* Rows may take over from each other what is unique besides. None is updated in place then: those that differ go, and
 * come again, as if all their columns identified them. */
static bool find_exchanges(struct db *db, void *mem, struct part *part, struct viewd_err *err)
{
	bool exchanges = false;
	const char *params[] = {relation_quoted(&pg_syntax, mem, &part->rel),
	                        names_array(mem, part->columns, part->row, part->n_row)};
	if (part->n_row > 0 &&
	    !pg_op_query(db, "SELECT " PG_EXCHANGES_SQL("$1", "$2"), params, ARRAY_LEN(params), found, &exchanges, err))
		return false;
	if (exchanges)
		part->n_row = 0;
	return true;
}

/* The key has an index that lets each value be there once, and no other column is unique. */
static const char one_each_sql[] =
	"SELECT EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = $1::pg_catalog.regclass AND i.indisunique AND "
	"i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND i.indnkeyatts = pg_catalog.cardinality($2::text[])) "
	"AND NOT " PG_EXCHANGES_SQL("$1", "$2");

/* A row whose other columns have changed is then updated in place. Should there be more rows of a key after all, they
 * are told apart by counting. */
static bool find_one_each(struct db *db, const char *const *params, struct part *part, struct viewd_err *err)
{
	part->one_each = false;
	return part->n_row > 0 || part->n_key == 0 || pg_op_query(db, one_each_sql, params, 2, found, &part->one_each, err);
}

bool pg_op_index_part(struct db *db, struct part *part, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	char name[IDENT_MAX];
	const char *params[] = {relation_quoted(&pg_syntax, mem, &part->rel),
	                        names_array(mem, part->columns, part->key, part->n_key)};
	bool has = false;
	ident_temporary(&part->rel, "viewd_key_", name);
	bool done = may_be_keys(db, params, err) && find_one_each(db, params, part, err) &&
	            find_exchanges(db, mem, part, err) && pg_op_query(db, has_sql, params, 2, found, &has, err);
	if (done && !has) {
		char *sql = sql_add(sql_new(mem), "CREATE INDEX IF NOT EXISTS %s ON %s (", name, params[0]);
		for (size_t i = 0; i < part->n_key; i++)
			sql = ident_append(&pg_syntax, sql_add(sql, "%s", i > 0 ? ", " : ""), part->columns->names[part->key[i]]);
		done = pg_exec(pg_of(db), sql_add(sql, ")"), err);
	}
	talloc_free(mem);
	return done;
}
