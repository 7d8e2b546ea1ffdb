/* SPDX-License-Identifier: MIT
 *
 * The statements of a diff refresh: the definition's rows go into a temporary table of the relation's shape; rows of the view that are
 * not among them, or not the very same, are deleted; rows whose key is then absent are inserted. Unchanged rows are never written.
 * Keys are compared with plain equality first, because that can use an index, then exactly.
 */
#include "common/generate.h"
#include "common/sqltext.h"

#include <stdio.h>
#include <talloc.h>

static char *qualified(const struct gen *gen, const char *prefix, const char *name)
{
	return ident_append(gen->syn, sql_add(sql_new(gen->mem), "%s.", prefix), name);
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
		sql = sql_template2(sql, gen->syn->same_value, qualified(gen, "s", exact[i]), qualified(gen, rel, exact[i]));
	}
	return sql_add(sql, ")");
}

void gen_diff_name(const struct gen *gen, struct relation *stage)
{
	*stage = (struct relation){0};
	ident_temporary(&gen->rel, "viewd_stage_", stage->name);
	if (gen->syn->temporary_schema != NULL)
		snprintf(stage->schema, sizeof stage->schema, "%s", gen->syn->temporary_schema);
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
	if (!gen->syn->stage_index)
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
	char *sql = sql_add(sql_new(gen->mem), "DELETE FROM %s WHERE NOT EXISTS (SELECT 1 FROM %s AS s WHERE ", rel,
	                    relation_quoted(gen->syn, gen->mem, stage));
	return add_match(gen, sql, rel, gen->columns->names, gen->columns->n);
}

char *gen_diff_insert(const struct gen *gen, const struct relation *stage)
{
	char *rel = relation_quoted(gen->syn, gen->mem, &gen->rel);
	char *sql = sql_add(sql_new(gen->mem), "INSERT INTO %s (", rel);
	sql = sql_add(sql_names(gen->syn, sql, NULL, gen->columns->names, gen->columns->n), ")\nSELECT ");
	sql = sql_names(gen->syn, sql, "s.", gen->columns->names, gen->columns->n);
	sql = sql_add(sql, " FROM %s AS s WHERE NOT EXISTS (SELECT 1 FROM %s WHERE ", relation_quoted(gen->syn, gen->mem, stage), rel);
	return add_match(gen, sql, rel, gen->columns->key, gen->columns->n_key);
}

char *gen_diff_drop(const struct gen *gen, const struct relation *stage)
{
	return sql_add(sql_new(gen->mem), "%s IF EXISTS %s", gen->syn->drop_temporary, relation_quoted(gen->syn, gen->mem, stage));
}

/* "SELECT row numbers FROM what WHERE no row of other is the very same" as a temporary table. */
static char *add_delta(const struct gen *gen, const struct relation *table, const char *what, const char *row_id, const char *other)
{
	char *rel = relation_quoted(gen->syn, gen->mem, &gen->rel);
	char *sql = sql_add(sql_new(gen->mem), "CREATE TEMPORARY TABLE %s AS SELECT %s AS rid FROM %s WHERE NOT EXISTS (SELECT 1 FROM %s WHERE ",
	                    relation_quoted(gen->syn, gen->mem, table), row_id, what, other);
	return add_match(gen, sql, rel, gen->columns->names, gen->columns->n);
}

char *gen_delta_gone(const struct gen *gen, const struct relation *stage, const struct relation *gone, const char *row_id)
{
	char *staged = sql_add(sql_new(gen->mem), "%s AS s", relation_quoted(gen->syn, gen->mem, stage));
	return add_delta(gen, gone, relation_quoted(gen->syn, gen->mem, &gen->rel), row_id, staged);
}

char *gen_delta_fresh(const struct gen *gen, const struct relation *stage, const struct relation *fresh, const char *row_id)
{
	char *staged = sql_add(sql_new(gen->mem), "%s AS s", relation_quoted(gen->syn, gen->mem, stage));
	return add_delta(gen, fresh, staged, row_id, relation_quoted(gen->syn, gen->mem, &gen->rel));
}

char *gen_delta_delete(const struct gen *gen, const struct relation *gone, const char *row_id)
{
	return sql_add(gen_delete(gen, &gen->rel), " WHERE %s IN (SELECT rid FROM %s)", row_id, relation_quoted(gen->syn, gen->mem, gone));
}

char *gen_delta_insert(const struct gen *gen, const struct relation *stage, const struct relation *fresh, const char *row_id)
{
	struct gen from_stage = *gen;
	from_stage.source = stage;
	return sql_add(gen_insert(&from_stage, &gen->rel), " WHERE %s IN (SELECT rid FROM %s)", row_id,
	               relation_quoted(gen->syn, gen->mem, fresh));
}
