/* SPDX-License-Identifier: MIT */
#include "common/generate/generate.h"

#include "base/err.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"
#include "common/text/kind.h"

#include <string.h>

static char *quoted(const struct gen *gen, const struct relation *rel)
{
	return relation_quoted(gen->syn, gen->mem, rel);
}

static char *column_list(const struct gen *gen, char *sql, const char *prefix)
{
	return sql_names(gen->syn, sql, prefix, gen->columns->names, gen->columns->n);
}

/* Column i of the definition, in a statement around it. */
static char *add_inner(const struct gen *gen, char *sql, size_t i)
{
	return ident_append(gen->syn, sql_add(sql, "%s", gen->syn->lexer.quoted_may_be_text ? "viewd_q." : ""),
	                    gen->columns->inner[i]);
}

static char *add_inner_columns(const struct gen *gen, char *sql)
{
	const struct columns *cols = gen->columns;
	for (size_t i = 0; i < cols->n; i++) {
		sql = add_inner(gen, sql_add(sql, "%s", i > 0 ? ", " : ""), i);
		if (strcmp(cols->inner[i], cols->names[i]) != 0)
			sql = ident_append(gen->syn, sql_add(sql, " AS "), cols->names[i]);
	}
	return sql;
}

char *gen_query(const struct gen *gen)
{
	char *sql = sql_new(gen->mem);
	bool wrap = gen->columns->declared || (gen->method == VIEWD_METHOD_TABLE && gen->columns->n > 0);
	if (!wrap)
		return sql_add(sql, "%s", gen->definition);
	sql = add_inner_columns(gen, sql_add(sql, "SELECT "));
	return sql_add(sql, "\nFROM (\n%s\n) AS viewd_q", gen->definition);
}

static bool is_plain_value(const char *value)
{
	return *value != '\0' &&
	       strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.") == strlen(value);
}

/* " WITH (k=v, ...)" or nothing. */
static char *add_options(const struct gen *gen, char *sql)
{
	const struct viewd_view_spec *view = gen->view;
	for (size_t i = 0; i < view->n_options; i++) {
		const char *value = view->options[i].value;
		if (!is_plain_value(value))
			value = literal_quoted(gen->syn, gen->mem, value);
		sql = sql_add(sql, "%s%s=%s", i == 0 ? " WITH (" : ", ", view->options[i].key, value);
	}
	return view->n_options > 0 ? sql_add(sql, ")") : sql;
}

static char *add_tag(const struct gen *gen, char *sql, const char *tmpl)
{
	return gen->tag != NULL ? sql_template(sql, tmpl, gen->tag) : sql;
}

static bool all_typed(const struct columns *columns)
{
	for (size_t i = 0; i < columns->n; i++)
		if (columns->items[i].type == NULL)
			return false;
	return columns->n > 0;
}

static size_t type_length(const struct gen *gen, const char *type)
{
	return gen->stage && gen->syn->diff.stage_uncollated ? lex_type_length(gen->syn, type) : strlen(type);
}

static char *add_row_key(const struct gen *gen, char *sql)
{
	const char *key = gen->row_key == NULL ? NULL : gen->stage ? gen->row_key->temporary : gen->row_key->table;
	return key != NULL ? sql_add(sql, ",\n\t%s", key) : sql;
}

static char *add_column_definitions(const struct gen *gen, char *sql)
{
	sql = sql_add(sql, " (");
	for (size_t i = 0; i < gen->columns->n; i++) {
		const struct viewd_column *column = &gen->columns->items[i];
		sql = ident_append(gen->syn, sql_add(sql, "%s\n\t", i > 0 ? "," : ""), column->name);
		if (column->type != NULL)
			sql = sql_add(sql, " %.*s", (int)type_length(gen, column->type), column->type);
	}
	sql = add_row_key(gen, sql);
	if (gen->stage)
		sql = sql_template(sql, gen->syn->diff.stage_key,
		                   sql_names(gen->syn, sql_new(gen->mem), NULL, gen->columns->key, gen->columns->n_key));
	return sql_add(sql, "\n)");
}

char *gen_create_table(const struct gen *gen, const struct relation *as, bool if_not_exists)
{
	const struct syntax *syn = gen->syn;
	char *sql = sql_add(sql_new(gen->mem), "CREATE TABLE %s%s", if_not_exists ? "IF NOT EXISTS " : "", quoted(gen, as));
	bool listed = gen->columns->n > 0 && (syn->table.from_query == NULL || all_typed(gen->columns));
	sql = add_tag(gen, sql, syn->table.name_tag);
	if (listed)
		sql = add_column_definitions(gen, sql);
	sql = add_tag(gen, sql_template(add_options(gen, sql), syn->table.suffix, ""), syn->table.comment);
	if (listed)
		return sql;
	if (syn->table.from_query == NULL)
		return sql_add(sql, " AS\nSELECT * FROM (\n%s\n) AS viewd_q LIMIT 0", gen->definition);
	return sql_add(sql, " AS\n%s%s", gen_query(gen), syn->table.from_query);
}

static char *create_view(const struct gen *gen, const struct viewd_render_flags *flags)
{
	const struct syntax *syn = gen->syn;
	char *sql = sql_add(sql_new(gen->mem), "CREATE %sVIEW %s%s",
	                    flags->or_replace && syn->has.view_or_replace ? "OR REPLACE " : "",
	                    flags->if_not_exists ? "IF NOT EXISTS " : "", quoted(gen, &gen->rel));
	sql = add_options(gen, add_tag(gen, sql, syn->table.name_tag));
	return sql_add(sql, " AS\n%s", gen_query(gen));
}

static char *create_materialized(const struct gen *gen, const struct viewd_render_flags *flags)
{
	char *sql = sql_add(sql_new(gen->mem), "CREATE MATERIALIZED VIEW %s%s",
	                    flags->if_not_exists ? "IF NOT EXISTS " : "", quoted(gen, &gen->rel));
	return sql_add(add_options(gen, sql), " AS\n%s\nWITH NO DATA", gen_query(gen));
}

char *gen_create(const struct gen *gen, const struct viewd_render_flags *flags, struct viewd_err *err)
{
	if (flags->or_replace && flags->if_not_exists) {
		err_set(err, VIEWD_ERR_CONFIG, "or-replace and if-not-exists exclude each other");
		return NULL;
	}
	if (gen->method == VIEWD_METHOD_SIMPLE && flags->if_not_exists && !gen->syn->has.view_if_not_exists) {
		err_set(err, VIEWD_ERR_CONFIG, "if-not-exists cannot be used (%s has no CREATE VIEW IF NOT EXISTS)",
		        gen->syn->dialect);
		err_hint(err, "use or-replace");
		return NULL;
	}
	switch (gen->method) {
	case VIEWD_METHOD_SIMPLE:
		return create_view(gen, flags);
	case VIEWD_METHOD_MATERIALIZED:
		return create_materialized(gen, flags);
	case VIEWD_METHOD_TABLE:
	case VIEWD_METHOD_COUNT:
		break;
	}
	return gen_create_table(gen, &gen->rel, flags->if_not_exists);
}

char *gen_insert(const struct gen *gen, const struct relation *target)
{
	char *sql = sql_add(sql_new(gen->mem), "INSERT INTO %s", quoted(gen, target));
	if (gen->columns->n > 0)
		sql = sql_add(column_list(gen, sql_add(sql, " ("), NULL), ")");
	if (gen->source != NULL) {
		sql = column_list(gen, sql_add(sql, "\nSELECT "), NULL);
		return sql_add(sql, " FROM %s", quoted(gen, gen->source));
	}
	return sql_add(sql, "\n%s", gen_query(gen));
}

char *gen_delete(const struct gen *gen, const struct relation *target)
{
	return sql_add(sql_new(gen->mem), "DELETE FROM %s", quoted(gen, target));
}

char *gen_refresh(const struct gen *gen, bool concurrently)
{
	return sql_add(sql_new(gen->mem), "REFRESH MATERIALIZED VIEW %s%s", concurrently ? "CONCURRENTLY " : "",
	               quoted(gen, &gen->rel));
}

char *gen_drop(const struct gen *gen, const struct relation *rel, enum viewd_kind kind, bool if_exists, bool cascade)
{
	return sql_add(sql_new(gen->mem), "DROP %s %s%s%s", kind_sql(kind), if_exists ? "IF EXISTS " : "", quoted(gen, rel),
	               cascade && gen->syn->has.drop_cascade ? " CASCADE" : "");
}

char *gen_verify(const struct gen *gen)
{
	char *wanted = sql_new(gen->mem), *stored = sql_new(gen->mem), *group = sql_new(gen->mem);
	for (size_t i = 0; i < gen->columns->n; i++) {
		char *name = ident_append(gen->syn, sql_new(gen->mem), gen->columns->names[i]);
		wanted = sql_add(sql_template(wanted, gen->syn->verify_value, add_inner(gen, sql_new(gen->mem), i)),
		                 " AS c%zu, ", i + 1);
		stored = sql_add(sql_template(stored, gen->syn->verify_value, name), " AS c%zu, ", i + 1);
		group = sql_add(group, "%sc%zu", i > 0 ? ", " : "", i + 1);
	}
	char *sql =
		sql_add(sql_new(gen->mem), "SELECT coalesce(sum(n), 0), coalesce(sum(CASE WHEN d > 0 THEN d ELSE 0 END), 0),"
	                               " coalesce(sum(CASE WHEN d < 0 THEN -d ELSE 0 END), 0)\nFROM (SELECT sum(w) AS d,"
	                               " sum(CASE WHEN w > 0 THEN 1 ELSE 0 END) AS n\nFROM (");
	sql = sql_add(sql, "SELECT %s1 AS w FROM (\n%s\n) AS viewd_q\nUNION ALL\n", wanted, gen->definition);
	sql = sql_add(sql, "SELECT %s-1 AS w FROM %s) AS viewd_u\n", stored, quoted(gen, &gen->rel));
	return sql_add(sql, "GROUP BY %s) AS viewd_g", group);
}
