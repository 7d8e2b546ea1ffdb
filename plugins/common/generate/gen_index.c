/* SPDX-License-Identifier: MIT
 *
 * gen_index.c: names and statements of the indexes that a view declares, and of its unique_key.
 */
#include "common/generate/generate.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"
#include "common/text/digest.h"

#include <stdio.h>
#include <string.h>

static size_t key_count(const struct gen *gen)
{
	bool kept = gen->method == VIEWD_METHOD_MATERIALIZED ||
	            (gen->method == VIEWD_METHOD_TABLE && !gen->syn->table.no_unique_index);
	return kept && gen->columns->n_key > 0 ? 1 : 0;
}

size_t gen_index_count(const struct gen *gen)
{
	return gen->method == VIEWD_METHOD_SIMPLE ? 0 : key_count(gen) + gen->view->n_indexes;
}

/* NAME and text of index number; the unique_key is written out as an index text. */
static const char *index_text(const struct gen *gen, size_t number, const char **name_r)
{
	if (number < key_count(gen)) {
		*name_r = "key";
		char *sql = sql_add(sql_new(gen->mem), "UNIQUE (");
		return sql_add(sql_names(gen->syn, sql, NULL, gen->columns->key, gen->columns->n_key), ")");
	}
	const struct viewd_index *index = &gen->view->indexes[number - key_count(gen)];
	*name_r = index->name;
	return index->text;
}

/* At most limit bytes, never in the middle of a character. */
static size_t cut_length(const char *text, size_t limit)
{
	size_t len = strlen(text);
	if (len <= limit)
		return len;
	while (limit > 0 && ((unsigned char)text[limit] & 0xc0) == 0x80)
		limit--;
	return limit;
}

void gen_index_name(const struct gen *gen, size_t number, char out[static IDENT_MAX])
{
	const char *name;
	const char *text = index_text(gen, number, &name);
	char hex[DIGEST_SIZE];
	char *all = sql_add(sql_new(gen->mem), "%s\n%s\n%s", gen->rel.name, name, text);
	digest_text(all, hex);
	size_t limit = (gen->syn->names.max < IDENT_MAX ? gen->syn->names.max : IDENT_MAX - 1) - 9;
	char *stem = sql_add(sql_new(gen->mem), "%s_%s", gen->rel.name, name);
	snprintf(out, IDENT_MAX, "%.*s_%.8s", (int)cut_length(stem, limit), stem, hex);
}

char *gen_index_create(const struct gen *gen, size_t number, const struct relation *on)
{
	const char *name, *rest = "";
	char index_name[IDENT_MAX];
	bool unique = false;
	const char *text = index_text(gen, number, &name);
	if (!lex_index_text(gen->syn, text, &unique, &rest, NULL))
		rest = text;
	gen_index_name(gen, number, index_name);
	char *sql = sql_add(sql_new(gen->mem), "CREATE %sINDEX ", unique ? "UNIQUE " : "");
	sql = ident_append(gen->syn, sql, index_name);
	return sql_add(sql, " ON %s %s", relation_quoted(gen->syn, gen->mem, on), rest);
}

char *gen_index_drop(const struct gen *gen, const char *index_name)
{
	char *sql = sql_add(sql_new(gen->mem), "DROP INDEX ");
	if (!gen->syn->table.drops_index && gen->rel.schema[0] != '\0')
		sql = sql_add(ident_append(gen->syn, sql, gen->rel.schema), ".");
	sql = ident_append(gen->syn, sql, index_name);
	return gen->syn->table.drops_index ? sql_add(sql, " ON %s", relation_quoted(gen->syn, gen->mem, &gen->rel)) : sql;
}
