/* SPDX-License-Identifier: MIT
 *
 * key_index.c: an index by which the rows of a key are found in the relation that holds them.
 */
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"
#include "sqlite/conn/conn.h"
#include "sqlite/incremental/incremental.h"

#include <stdio.h>
#include <talloc.h>

static bool found_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = number_or(v[0], 0) > 0;
	return false;
}

static const struct db_reader found[] = {{found_fn, "N", "indexes of a relation"}};

/* ('a', 'BINARY'), ('b', 'NOCASE') */
static char *add_key(struct db *db, char *sql, const struct part *part, const char *const *collations)
{
	for (size_t i = 0; i < part->n_key; i++)
		sql = sql_add(sql, "%s(%s, %s)", i > 0 ? ", " : "",
		              literal_quoted(db->syntax, sql, part->columns->names[part->key[i]]),
		              literal_quoted(db->syntax, sql, collations[i]));
	return sql;
}

/* Whatever order the first columns of an index are in. */
static bool has_index(struct db *db, void *mem, const struct part *part, const char *const *collations, bool *has_r,
                      struct viewd_err *err)
{
	const char *params[] = {part->rel.name};
	char *sql = sql_add(sql_new(mem), "WITH wanted (name, coll) AS (VALUES ");
	sql = sql_add(add_key(db, sql, part, collations),
	              ") SELECT count(*) FROM pragma_index_list(?, 'main') AS l WHERE NOT l.partial AND (SELECT count(*) "
	              "FROM pragma_index_xinfo(l.name, 'main') AS x, wanted AS w WHERE x.seqno < %zu AND x.\"key\" AND "
	              "x.name = w.name COLLATE NOCASE AND x.coll = w.coll COLLATE NOCASE) = %zu",
	              part->n_key, part->n_key);
	*has_r = false;
	return sqlite_op_query(db, sql, params, 1, found, has_r, err);
}

/* The name of the index holds a digest of its columns. */
static bool make_index(struct db *db, void *mem, const struct part *part, const char *const *collations,
                       struct viewd_err *err)
{
	char name[IDENT_MAX], *columns = sql_new(mem);
	for (size_t i = 0; i < part->n_key; i++) {
		columns = sql_add(columns, "%s", i > 0 ? ", " : "");
		columns = ident_append(db->syntax, columns, part->columns->names[part->key[i]]);
		columns = ident_append(db->syntax, sql_add(columns, " COLLATE "), collations[i]);
	}
	struct relation of = part->rel;
	snprintf(of.schema, sizeof of.schema, "%.200s", columns);
	ident_temporary(&of, SQLITE_KEY_INDEX, name);
	return db_exec(db,
	               sql_add(sql_new(mem), "CREATE INDEX IF NOT EXISTS main.%s ON %s (%s)", name,
	                       relation_quoted(db->syntax, mem, &part->rel), columns),
	               err);
}

bool sqlite_op_index_part(struct db *db, struct part *part, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	const char *collations[KEY_WIDTH_MAX];
	bool has = false;
	sqlite_key_collations(db, mem, part, collations);
	bool done = has_index(db, mem, part, collations, &has, err) && (has || make_index(db, mem, part, collations, err));
	talloc_free(mem);
	return done;
}
