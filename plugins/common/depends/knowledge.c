/* SPDX-License-Identifier: MIT */
#include "common/depends/knowledge.h"

#include "base/words.h"
#include "common/sqltext/ident.h"
#include "common/sqltext/lexer.h"
#include "common/text/number.h"

#include <string.h>
#include <talloc.h>

struct key {
	const char *name;
	size_t *columns;
	size_t n;
	bool unusable; /* an expression is in it */
};

struct index {
	const char *name;
	size_t *columns;
	size_t n;
	bool ended; /* by an expression */
	bool apart;
};

struct known {
	struct fact_relation fact;
	struct fact_column *columns;
	struct key *keys;
	size_t n_keys;
	struct index *indexes;
	size_t n_indexes;
};

struct knowledge {
	struct known *relations;
	size_t n_relations;
	struct fact_function *functions;
	size_t n_functions;
	struct facts facts;
};

struct knowledge *knowledge_new(void *mem_ctx)
{
	struct knowledge *knowledge = talloc_zero(mem_ctx, struct knowledge);
	assert(knowledge != NULL);
	return knowledge;
}

static const char *copy_text(const struct knowledge *knowledge, const char *text)
{
	const char *kept = talloc_strdup(knowledge, text);
	assert(kept != NULL);
	return kept;
}

static enum viewd_depends depends_or_other(const char *word)
{
	enum viewd_depends kind;
	return depends_of_word(word, &kind) ? kind : VIEWD_DEPENDS_OTHER;
}

static bool add_relation(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct knowledge *k = ctx;
	k->relations = talloc_realloc(k, k->relations, struct known, (unsigned)k->n_relations + 1);
	assert(k->relations != NULL);
	int64_t rows = number_or(v[3], 0);
	k->relations[k->n_relations++] = (struct known){.fact = {
														.schema = copy_text(k, v[0]),
														.name = copy_text(k, v[1]),
														.kind = depends_or_other(v[2]),
														.rows = rows > 0 ? (double)rows : 0,
														.refused = v[4] != NULL ? copy_text(k, v[4]) : NULL,
													}};
	return true;
}

static struct known *find_relation(struct knowledge *k, const char *schema, const char *name)
{
	for (size_t i = 0; i < k->n_relations; i++)
		if (strcmp(k->relations[i].fact.name, name) == 0 && strcmp(k->relations[i].fact.schema, schema) == 0)
			return &k->relations[i];
	return NULL;
}

static enum fact_type type_of(const char *word)
{
	if (strcmp(word, "integer") == 0)
		return FACT_INTEGER;
	if (strcmp(word, "decimal") == 0)
		return FACT_DECIMAL;
	if (strcmp(word, "text") == 0)
		return FACT_TEXT;
	if (strcmp(word, "plain") == 0)
		return FACT_PLAIN;
	return strcmp(word, "float") == 0 ? FACT_FLOAT : FACT_OTHER;
}

static bool add_column(void *ctx, const char *const *v, size_t n)
{
	struct knowledge *k = ctx;
	struct known *of = find_relation(k, v[0], v[1]);
	if (of == NULL)
		return true;
	size_t at = of->fact.n_columns++;
	int64_t distinct = number_or(v[7], 0);
	of->columns = talloc_realloc(k, of->columns, struct fact_column, (unsigned)at + 1);
	assert(of->columns != NULL);
	of->columns[at] = (struct fact_column){
		.name = copy_text(k, v[2]),
		.type = type_of(v[3]),
		.scale = v[4] != NULL ? (int)number_or(v[4], FACT_NO_SCALE) : FACT_NO_SCALE,
		.written = copy_text(k, v[5]),
		.nullable = strcmp(v[6], "0") != 0,
		.hidden = n > 8 && v[8] != NULL,
		.distinct = distinct > 0 ? (double)distinct : 0,
	};
	return true;
}

static struct key *key_of(struct knowledge *k, struct known *of, const char *name)
{
	if (of->n_keys > 0 && strcmp(of->keys[of->n_keys - 1].name, name) == 0)
		return &of->keys[of->n_keys - 1];
	of->keys = talloc_realloc(k, of->keys, struct key, (unsigned)of->n_keys + 1);
	assert(of->keys != NULL);
	of->keys[of->n_keys] = (struct key){.name = copy_text(k, name)};
	return &of->keys[of->n_keys++];
}

/* The number of the column; n_columns: there is none. */
static size_t column_of(const struct known *of, const char *name)
{
	size_t column = 0;
	while (column < of->fact.n_columns && (name == NULL || strcmp(of->columns[column].name, name) != 0))
		column++;
	return column;
}

static bool add_key(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct knowledge *k = ctx;
	struct known *of = find_relation(k, v[0], v[1]);
	if (of == NULL)
		return true;
	struct key *key = key_of(k, of, v[2]);
	size_t column = column_of(of, v[3]);
	key->unusable |= column == of->fact.n_columns;
	key->columns = talloc_realloc(k, key->columns, size_t, (unsigned)key->n + 1);
	assert(key->columns != NULL);
	key->columns[key->n++] = column;
	return true;
}

static struct index *index_of(struct knowledge *k, struct known *of, const char *name)
{
	if (of->n_indexes > 0 && strcmp(of->indexes[of->n_indexes - 1].name, name) == 0)
		return &of->indexes[of->n_indexes - 1];
	of->indexes = talloc_realloc(k, of->indexes, struct index, (unsigned)of->n_indexes + 1);
	assert(of->indexes != NULL);
	of->indexes[of->n_indexes] = (struct index){.name = copy_text(k, name)};
	return &of->indexes[of->n_indexes++];
}

static bool add_index(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct knowledge *k = ctx;
	struct known *of = find_relation(k, v[0], v[1]);
	if (of == NULL)
		return true;
	struct index *index = index_of(k, of, v[2]);
	size_t column = column_of(of, v[3]);
	index->ended |= column == of->fact.n_columns;
	index->apart = !index->ended && strcmp(v[4], "0") != 0;
	if (index->ended)
		return true;
	index->columns = talloc_realloc(k, index->columns, size_t, (unsigned)index->n + 1);
	assert(index->columns != NULL);
	index->columns[index->n++] = column;
	return true;
}

static void keep_function(struct knowledge *k, const struct fact_function *function)
{
	k->functions = talloc_realloc(k, k->functions, struct fact_function, (unsigned)k->n_functions + 1);
	assert(k->functions != NULL);
	k->functions[k->n_functions++] = *function;
}

static bool add_function(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct knowledge *k = ctx;
	enum fact_volatility volatility = v[1][0] == 'i' ? FACT_IMMUTABLE : v[1][0] == 's' ? FACT_STABLE : FACT_VOLATILE;
	keep_function(
		k, &(struct fact_function){copy_text(k, v[0]), volatility, strcmp(v[2], "0") != 0, strcmp(v[3], "0") != 0});
	return true;
}

const struct db_reader knowledge_relations[] = {{add_relation, "tttNT", "the relations of a definition"}};
const struct db_reader knowledge_columns[] = {{add_column, "ttttNtnN*", "the columns of a definition's relations"}};
const struct db_reader knowledge_keys[] = {{add_key, "tttT", "the unique keys of a definition's relations"}};
const struct db_reader knowledge_indexes[] = {{add_index, "tttTt", "the indexes of a definition's relations"}};
const struct db_reader knowledge_functions[] = {{add_function, "ttnn", "the functions of a definition"}};

void knowledge_pure(struct knowledge *knowledge, const char *names)
{
	for (; *names != '\0'; names += strspn(names, " ")) {
		size_t len = strcspn(names, " ");
		const char *name = talloc_strndup(knowledge, names, len);
		assert(name != NULL);
		keep_function(knowledge, &(struct fact_function){name, FACT_IMMUTABLE, false, false});
		names += len;
	}
}

void knowledge_average(struct knowledge *knowledge, const char *text, const char *large)
{
	knowledge->facts.average = text;
	knowledge->facts.average_large = large;
}

void knowledge_extremes(struct knowledge *knowledge, const char *odd)
{
	knowledge->facts.extreme_odd = odd;
}

void knowledge_sums_again(struct knowledge *knowledge, const char *counts, const char *small,
                          const char *const *small_types)
{
	knowledge->facts.sum_of_counts = counts;
	knowledge->facts.sum_of_small = small;
	knowledge->facts.small_types = small_types;
}

void knowledge_sums_keep_scale(struct knowledge *knowledge, const char *digits, const char *shorter)
{
	knowledge->facts.sums_keep_scale = true;
	knowledge->facts.digits = digits;
	knowledge->facts.shorter = shorter;
}

struct mentions {
	const struct syntax *syn;
	char *text;
};

static bool add_mention(void *ctx, const char *text)
{
	struct mentions *m = ctx;
	const char *literal = literal_quoted(m->syn, m->text, text);
	m->text = talloc_asprintf_append_buffer(m->text, "%s%s", m->text[0] != '\0' ? ", " : "", literal);
	assert(m->text != NULL);
	return true;
}

char *knowledge_names(const struct syntax *syn, void *mem_ctx, const char *definition)
{
	struct mentions mentions = {syn, talloc_strdup(mem_ctx, "")};
	assert(mentions.text != NULL);
	lex_mentions(syn, definition, (struct viewd_text_sink){add_mention, &mentions});
	return mentions.text[0] != '\0' ? mentions.text : talloc_strdup(mem_ctx, "''");
}

static void finish_keys(struct knowledge *k, struct known *of)
{
	struct fact_key *keys = talloc_array(k, struct fact_key, (unsigned)of->n_keys + 1);
	assert(keys != NULL);
	of->fact.n_keys = 0;
	for (size_t i = 0; i < of->n_keys; i++)
		if (!of->keys[i].unusable)
			keys[of->fact.n_keys++] = (struct fact_key){of->keys[i].columns, of->keys[i].n};
	of->fact.keys = keys;
	of->fact.columns = of->columns;
}

static void finish_indexes(struct knowledge *k, struct known *of)
{
	struct fact_index *indexes = talloc_array(k, struct fact_index, (unsigned)of->n_indexes + 1);
	assert(indexes != NULL);
	of->fact.n_indexes = 0;
	for (size_t i = 0; i < of->n_indexes; i++)
		if (of->indexes[i].n > 0)
			indexes[of->fact.n_indexes++] =
				(struct fact_index){of->indexes[i].columns, of->indexes[i].n, of->indexes[i].apart};
	of->fact.indexes = indexes;
}

const struct facts *knowledge_facts(struct knowledge *k)
{
	struct fact_relation *relations = talloc_array(k, struct fact_relation, (unsigned)k->n_relations + 1);
	assert(relations != NULL);
	for (size_t i = 0; i < k->n_relations; i++) {
		finish_keys(k, &k->relations[i]);
		finish_indexes(k, &k->relations[i]);
		relations[i] = k->relations[i].fact;
	}
	k->facts.relations = relations;
	k->facts.n_relations = k->n_relations;
	k->facts.functions = k->functions;
	k->facts.n_functions = k->n_functions;
	return &k->facts;
}
