/* SPDX-License-Identifier: MIT */
#include "common/refresh/indexes.h"

#include "common/sqltext/ident.h"
#include "common/sqltext/sqltext.h"

#include <string.h>
#include <talloc.h>

#define FEW_ROWS 1000 /* a table of fewer rows is read as a whole as quickly */
#define WIDTH_MAX 8

struct wanted {
	const char *names[WIDTH_MAX];
	size_t n;
};

static const struct fact_relation *relation_of(const struct facts *facts, const struct analysis_source *source)
{
	for (size_t i = 0; i < facts->n_relations; i++)
		if (strcmp(facts->relations[i].name, source->name) == 0 &&
		    strcmp(facts->relations[i].schema, source->schema) == 0)
			return &facts->relations[i];
	return NULL;
}

static bool is_wanted(const struct wanted *wanted, const char *name)
{
	for (size_t i = 0; i < wanted->n; i++)
		if (strcmp(wanted->names[i], name) == 0)
			return true;
	return false;
}

/* Are its first columns wanted ones? The rest of a wide key is compared row by row. */
static bool finds(const struct fact_relation *relation, const size_t *columns, size_t n, const struct wanted *wanted)
{
	size_t found = 0;
	while (found < n && found < wanted->n && is_wanted(wanted, relation->columns[columns[found]].name))
		found++;
	return found > 0 && (found == n || found == wanted->n);
}

static bool is_indexed(const struct fact_relation *relation, const struct wanted *wanted)
{
	for (size_t i = 0; i < relation->n_keys; i++)
		if (finds(relation, relation->keys[i].columns, relation->keys[i].n, wanted))
			return true;
	for (size_t i = 0; i < relation->n_indexes; i++)
		if (finds(relation, relation->indexes[i].columns, relation->indexes[i].n, wanted))
			return true;
	return false;
}

static void add_missing(void *mem, const struct syntax *syn, const struct fact_relation *relation,
                        const struct wanted *wanted, struct analysis_list *list)
{
	if (wanted->n == 0 || is_indexed(relation, wanted))
		return;
	char *text = sql_names(syn, sql_add(sql_new(mem), "("), NULL, wanted->names, wanted->n);
	text = sql_add(text, ")");
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], text) == 0)
			return;
	list->items = talloc_realloc(mem, list->items, const char *, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = text;
}

static struct wanted columns_of_way(const struct analysis_source *source, bool from)
{
	struct wanted wanted = {.n = 0};
	for (size_t i = 0; i < source->n_pairs && wanted.n < WIDTH_MAX; i++) {
		const char *name = from ? source->pairs[i].from : source->pairs[i].to;
		if (!is_wanted(&wanted, name))
			wanted.names[wanted.n++] = name;
	}
	return wanted;
}

struct analysis_list indexes_missing(void *mem, const struct syntax *syn, const struct analysis_node *node, size_t at,
                                     const struct facts *facts)
{
	const struct analysis_source *source = &node->sources[at];
	const struct fact_relation *relation = source->node == 0 ? relation_of(facts, source) : NULL;
	struct analysis_list list = {.n = 0};
	if (relation == NULL || source->images || source->whole || (relation->rows > 0 && relation->rows < FEW_ROWS))
		return list;
	struct wanted wanted = columns_of_way(source, true);
	add_missing(mem, syn, relation, &wanted, &list);
	for (size_t i = 0; i < node->n_sources; i++) {
		wanted = columns_of_way(&node->sources[i], false);
		if (node->sources[i].next == at + 1)
			add_missing(mem, syn, relation, &wanted, &list);
	}
	return list;
}

const char *indexes_advice(void *mem, const struct syntax *syn, const struct analysis_node *node,
                           const struct facts *facts)
{
	for (size_t i = 0; i < node->n_sources; i++) {
		struct analysis_list list = indexes_missing(mem, syn, node, i, facts);
		if (list.n > 0)
			return sql_add(ident_append(syn, sql_add(sql_new(mem), "an index is missing on "), node->sources[i].name),
			               " %s", list.items[0]);
	}
	return "";
}
