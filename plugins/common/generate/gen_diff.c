/* SPDX-License-Identifier: MIT
 *
 * gen_diff.c: the statements of a diff refresh: the definition's rows go into a temporary table of the relation's
 * shape; rows of the view that are not among them, or not the very same, are deleted; rows whose key is then absent are
 * inserted. Unchanged rows are never written. Keys are compared with plain equality first, because that can use an
 * index, then exactly. Rows with a NULL in their key equal nothing and may come several times: all of them together are
 * exchanged when they differ.
 */
#include "common/generate/generate.h"
#include "common/sqltext/sqltext.h"

#include <stdio.h>
#include <talloc.h>

static char *qualified(const struct gen *gen, const char *prefix, const char *name)
{
	return ident_append(gen->syn, sql_add(sql_new(gen->mem), "%s.", prefix), name);
}

/* "(s.k IS NULL OR s.l IS NULL)": no row of another can be found by this key. */
static char *add_keyless(const struct gen *gen, char *sql, const char *prefix)
{
	for (size_t i = 0; i < gen->columns->n_key; i++)
		sql = sql_add(sql, "%s%s IS NULL", i == 0 ? "(" : " OR ", qualified(gen, prefix, gen->columns->key[i]));
	return sql_add(sql, ")");
}

/* "s.k = v.k AND ... AND same(s.a, v.a) AND ..." */
static char *add_match(const struct gen *gen, char *sql, const char *rel, const char *const *exact, size_t n_exact)
{
	for (size_t i = 0; i < gen->columns->n_key; i++) {
		const char *name = gen->columns->key[i];
		sql = sql_add(sql, "%s = %s AND ", qualified(gen, "s", name), qualified(gen, rel, name));
	}
	for (size_t i = 0; i < n_exact; i++) {
		sql = sql_add(sql, "%s", i > 0 ? " AND " : "");
		sql =
			sql_template2(sql, gen->syn->diff.same_value, qualified(gen, "s", exact[i]), qualified(gen, rel, exact[i]));
	}
	return sql_add(sql, ")");
}

void gen_diff_name(const struct gen *gen, struct relation *stage)
{
	*stage = (struct relation){0};
	ident_temporary(&gen->rel, "viewd_stage_", stage->name);
	if (gen->syn->temporary.schema != NULL)
		snprintf(stage->schema, sizeof stage->schema, "%s", gen->syn->temporary.schema);
}

char *gen_diff_stage(const struct gen *gen, const struct relation *stage)
{
	struct gen plain = *gen;
	struct viewd_view_spec no_options = *gen->view;
	no_options.n_options = 0;
	plain.view = &no_options;
	plain.tag = NULL;
	plain.stage = true;
	const char *create = gen_create_table(&plain, stage, false);
	return talloc_asprintf(gen->mem, "CREATE TEMPORARY %s", create + sizeof "CREATE");
}

/* The index lives where the table does: its name carries the schema, the table's must not. */
char *gen_diff_index(const struct gen *gen, const struct relation *stage)
{
	struct relation index = *stage, bare = *stage;
	if (!gen->syn->diff.stage_index)
		return NULL;
	bare.schema[0] = '\0';
	snprintf(index.name, sizeof index.name, "%.200s_key", stage->name);
	char *sql = sql_add(sql_new(gen->mem), "CREATE INDEX %s ON %s (", relation_quoted(gen->syn, gen->mem, &index),
	                    relation_quoted(gen->syn, gen->mem, &bare));
	return sql_add(sql_names(gen->syn, sql, NULL, gen->columns->key, gen->columns->n_key), ")");
}

char *gen_diff_delete(const struct gen *gen, const struct relation *stage)
{
	char *rel = relation_quoted(gen->syn, gen->mem, &gen->rel);
	char *sql = add_keyless(gen, sql_add(sql_new(gen->mem), "DELETE FROM %s WHERE NOT ", rel), rel);
	sql = sql_add(sql, " AND NOT EXISTS (SELECT 1 FROM %s AS s WHERE ", relation_quoted(gen->syn, gen->mem, stage));
	return add_match(gen, sql, rel, gen->columns->names, gen->columns->n);
}

/* "INSERT INTO v (a, b) SELECT s.a, s.b FROM stage AS s WHERE " */
static char *insert_staged(const struct gen *gen, const struct relation *stage)
{
	char *sql = sql_add(sql_new(gen->mem), "INSERT INTO %s (", relation_quoted(gen->syn, gen->mem, &gen->rel));
	sql = sql_add(sql_names(gen->syn, sql, NULL, gen->columns->names, gen->columns->n), ")\nSELECT ");
	sql = sql_names(gen->syn, sql, "s.", gen->columns->names, gen->columns->n);
	return sql_add(sql, " FROM %s AS s WHERE ", relation_quoted(gen->syn, gen->mem, stage));
}

char *gen_diff_insert(const struct gen *gen, const struct relation *stage)
{
	char *rel = relation_quoted(gen->syn, gen->mem, &gen->rel);
	char *sql = add_keyless(gen, sql_add(insert_staged(gen, stage), "NOT "), "s");
	sql = sql_add(sql, " AND NOT EXISTS (SELECT 1 FROM %s WHERE ", rel);
	return add_match(gen, sql, rel, gen->columns->key, gen->columns->n_key);
}

char *gen_diff_count(const struct gen *gen)
{
	char *rel = relation_quoted(gen->syn, gen->mem, &gen->rel);
	char *sql = add_keyless(gen, sql_add(sql_new(gen->mem), "SELECT count(*), coalesce(sum(CASE WHEN "), rel);
	return sql_add(sql, " THEN 1 ELSE 0 END), 0) FROM %s", rel);
}

char *gen_keyless_differ(const struct gen *gen, const struct relation *stage)
{
	char *rel = relation_quoted(gen->syn, gen->mem, &gen->rel), *values = sql_new(gen->mem), *group = sql_new(gen->mem);
	for (size_t i = 0; i < gen->columns->n; i++) {
		char *name = ident_append(gen->syn, sql_new(gen->mem), gen->columns->names[i]);
		values = sql_add(sql_template(values, gen->syn->verify_value, name), " AS c%zu, ", i + 1);
		group = sql_add(group, "%sc%zu", i > 0 ? ", " : "", i + 1);
	}
	char *sql = sql_add(sql_new(gen->mem), "SELECT count(*) FROM (SELECT %s FROM (SELECT %s1 AS w FROM %s AS s WHERE ",
	                    group, values, relation_quoted(gen->syn, gen->mem, stage));
	sql = sql_add(add_keyless(gen, sql, "s"), "\nUNION ALL\nSELECT %s-1 AS w FROM %s WHERE ", values, rel);
	return sql_add(add_keyless(gen, sql, rel), ") AS viewd_u GROUP BY %s HAVING sum(w) <> 0) AS viewd_g", group);
}

char *gen_keyless_delete(const struct gen *gen)
{
	char *rel = relation_quoted(gen->syn, gen->mem, &gen->rel);
	return add_keyless(gen, sql_add(gen_delete(gen, &gen->rel), " WHERE "), rel);
}

char *gen_keyless_insert(const struct gen *gen, const struct relation *stage)
{
	return add_keyless(gen, insert_staged(gen, stage), "s");
}

char *gen_diff_drop(const struct gen *gen, const struct relation *stage)
{
	return sql_add(sql_new(gen->mem), "%s IF EXISTS %s", gen->syn->temporary.drop,
	               relation_quoted(gen->syn, gen->mem, stage));
}

/* One side of a comparison: what it is in FROM, and what its columns are called by. */
struct side {
	const char *from, *prefix;
};

static struct side stored(const struct gen *gen)
{
	char *rel = relation_quoted(gen->syn, gen->mem, &gen->rel);
	return (struct side){rel, rel};
}

static struct side staged(const struct gen *gen, const struct relation *stage)
{
	return (struct side){sql_add(sql_new(gen->mem), "%s AS s", relation_quoted(gen->syn, gen->mem, stage)), "s"};
}

/* "SELECT row numbers FROM what WHERE it has a key and no row of other is the very same" as a temporary table. */
static char *add_delta(const struct gen *gen, const struct relation *table, struct side what, const char *row_id,
                       struct side other)
{
	char *sql = sql_add(sql_new(gen->mem), "CREATE TEMPORARY TABLE %s AS SELECT %s AS rid FROM %s WHERE NOT ",
	                    relation_quoted(gen->syn, gen->mem, table), row_id, what.from);
	sql = sql_add(add_keyless(gen, sql, what.prefix), " AND NOT EXISTS (SELECT 1 FROM %s WHERE ", other.from);
	return add_match(gen, sql, stored(gen).prefix, gen->columns->names, gen->columns->n);
}

static char *add_keyless_delta(const struct gen *gen, const struct relation *table, struct side what,
                               const char *row_id)
{
	char *sql = sql_add(sql_new(gen->mem), "INSERT INTO %s SELECT %s FROM %s WHERE ",
	                    relation_quoted(gen->syn, gen->mem, table), row_id, what.from);
	return add_keyless(gen, sql, what.prefix);
}

char *gen_delta_gone(const struct gen *gen, const struct relation *stage, const struct relation *gone,
                     const char *row_id)
{
	return add_delta(gen, gone, stored(gen), row_id, staged(gen, stage));
}

char *gen_delta_fresh(const struct gen *gen, const struct relation *stage, const struct relation *fresh,
                      const char *row_id)
{
	return add_delta(gen, fresh, staged(gen, stage), row_id, stored(gen));
}

char *gen_delta_keyless_gone(const struct gen *gen, const struct relation *gone, const char *row_id)
{
	return add_keyless_delta(gen, gone, stored(gen), row_id);
}

char *gen_delta_keyless_fresh(const struct gen *gen, const struct relation *stage, const struct relation *fresh,
                              const char *row_id)
{
	return add_keyless_delta(gen, fresh, staged(gen, stage), row_id);
}

char *gen_delta_delete(const struct gen *gen, const struct relation *gone, const char *row_id)
{
	return sql_add(gen_delete(gen, &gen->rel), " WHERE %s IN (SELECT rid FROM %s)", row_id,
	               relation_quoted(gen->syn, gen->mem, gone));
}

char *gen_delta_insert(const struct gen *gen, const struct relation *stage, const struct relation *fresh,
                       const char *row_id)
{
	struct gen from_stage = *gen;
	from_stage.source = stage;
	return sql_add(gen_insert(&from_stage, &gen->rel), " WHERE %s IN (SELECT rid FROM %s)", row_id,
	               relation_quoted(gen->syn, gen->mem, fresh));
}
