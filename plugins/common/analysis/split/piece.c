/* SPDX-License-Identifier: MIT
 *
 * piece.c: a subquery becomes a table of viewd's own. Its columns all get names, and it gets the columns of its key
 * where it does not have them.
 */
#include "common/analysis/split/split.h"

#include "common/analysis/reading/alike.h"
#include "common/analysis/reading/read_sql.h"
#include "common/analysis/split/edits.h"
#include "common/analysis/texts.h"
#include "common/sqltext/ident.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"

#include <string.h>
#include <talloc.h>

/* ---- names of columns ---- */

static bool all_named(const struct query *query)
{
	for (size_t i = 0; i < query->n_items; i++)
		if (query->items[i].name[0] == '\0' && query->items[i].expr->kind != EXPR_STAR)
			return false;
	return true;
}

/* The text with a name for each column; NULL when its columns are not found. */
static const char *name_columns(const struct split *split, const char *text)
{
	struct refusal ignored = {0};
	struct query *query = read_sql(split->mem, split->syn, text, &ignored);
	struct edits edits = {.mem = split->mem, .tokens = span_split(split->mem, split->syn, text)};
	struct span list, rows;
	if (query == NULL || query->op != QUERY_SELECT)
		return NULL;
	if (all_named(query))
		return text;
	if (!span_of_select(&edits.tokens, &list, &rows))
		return NULL;
	for (size_t i = 0; i < query->n_items; i++) {
		struct span item = span_of_item(&edits.tokens, list, i);
		if (item.to <= item.from ||
		    !alike_value(split->syn, span_text(split->mem, &edits.tokens, item), query->items[i].expr))
			return NULL;
		if (query->items[i].name[0] == '\0')
			edits_add(&edits, (struct span){item.to, item.to}, talloc_asprintf(split->mem, " AS viewd_c%zu", i + 1));
	}
	return edits_apply(&edits, split->mem, (struct span){0, edits.tokens.n});
}

/* ---- the key ---- */

/* The text with these expressions as further columns. */
static const char *add_columns(const struct split *split, const char *text, const struct analysis_list *more)
{
	struct edits edits = {.mem = split->mem, .tokens = span_split(split->mem, split->syn, text)};
	struct span list, rows;
	char *sql = sql_new(split->mem);
	if (more->n == 0 || !span_of_select(&edits.tokens, &list, &rows) ||
	    span_is_word(&edits.tokens, list.from, "DISTINCT"))
		return NULL;
	for (size_t i = 0; i < more->n; i++)
		sql = sql_add(sql, ", %s AS viewd_k%zu", more->items[i], i + 1);
	edits_add(&edits, (struct span){list.to, list.to}, sql);
	return edits_apply(&edits, split->mem, (struct span){0, edits.tokens.n});
}

/* SQL for the columns by which rows are found again. */
static const struct analysis_list *key_of(const struct analysis *analysis)
{
	const struct analysis_node *last = &analysis->nodes[analysis->n_nodes - 1];
	if (last->kind == ANALYSIS_ROLL)
		return last->texts != NULL ? &last->texts->groups : NULL;
	return last->key_sql.n == last->key.n ? &last->key_sql : NULL;
}

/* ---- alone ---- */

static struct analysis *run_alone(const struct split *split, const char *text, unsigned options)
{
	struct analysis *analysis = analysis_run(split->out, split->syn, text, split->base, options);
	if (analysis->possible && ((options & ANALYSIS_UNLISTED) != 0 || split->runs(split->ctx, analysis, true)))
		return analysis;
	talloc_free(analysis);
	return NULL;
}

static bool same_list(const struct analysis_list *a, const struct analysis_list *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; i < a->n && same; i++)
		same = strcmp(a->items[i], b->items[i]) == 0;
	return same;
}

static bool same_key(const struct analysis *a, const struct analysis *b)
{
	const struct analysis_list *key_a = key_of(a), *key_b = key_of(b);
	return key_a != NULL && key_b != NULL && same_list(key_a, key_b);
}

/* With the best key, whose columns the query gets where it does not have them; else with one that it has. */
static struct analysis *keep_alone(const struct split *split, const char **text, unsigned options)
{
	struct analysis *unlisted = run_alone(split, *text, options | ANALYSIS_UNLISTED),
					*listed = unlisted != NULL ? run_alone(split, *text, options) : NULL;
	if (unlisted == NULL || (listed != NULL && same_key(listed, unlisted)))
		return listed;
	const struct analysis_list *key = key_of(unlisted);
	const char *longer = key != NULL ? add_columns(split, *text, key) : NULL;
	struct analysis *analysis = longer != NULL ? run_alone(split, longer, options) : NULL;
	if (analysis != NULL)
		*text = longer;
	return analysis != NULL ? analysis : listed;
}

/* ---- rolls that are the same ---- */

static bool same_or_none(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same_terms(const struct analysis_texts *a, const struct analysis_texts *b)
{
	bool same = a->n_terms == b->n_terms;
	for (size_t i = 0; i < a->n_terms && same; i++)
		same = a->terms[i].summed == b->terms[i].summed && same_or_none(a->terms[i].arg, b->terms[i].arg) &&
		       same_or_none(a->terms[i].extreme, b->terms[i].extreme) &&
		       same_or_none(a->terms[i].longer, b->terms[i].longer);
	return same;
}

/* Blanks do not count. */
static bool same_text(const struct split *split, const char *a, const char *b)
{
	return strcmp(lex_normalise(split->syn, split->mem, a), lex_normalise(split->syn, split->mem, b)) == 0;
}

/* Sums of the same rows: only what is selected from them differs. Texts decide. */
static bool same_roll(const struct split *split, const struct analysis *a, const struct analysis *b)
{
	const struct analysis_node *last_a = &a->nodes[a->n_nodes - 1], *last_b = &b->nodes[b->n_nodes - 1];
	return last_a->kind == ANALYSIS_ROLL && last_b->kind == ANALYSIS_ROLL && a->n_nodes == b->n_nodes &&
	       same_list(&a->nodes[0].key_sql, &b->nodes[0].key_sql) &&
	       same_text(split, last_a->texts->rows, last_b->texts->rows) &&
	       same_list(&last_a->texts->groups, &last_b->texts->groups) && same_terms(last_a->texts, last_b->texts);
}

static size_t find_same(const struct split *split, const struct analysis *analysis)
{
	for (size_t i = 0; i < split->n_pieces; i++)
		if (split->pieces[i].same == 0 && same_roll(split, split->pieces[i].analysis, analysis))
			return i + 1;
	return 0;
}

/* ---- is it worth it? ---- */

bool split_saves(const struct analysis *analysis)
{
	const struct analysis_node *last = &analysis->nodes[analysis->n_nodes - 1];
	return last->kind == ANALYSIS_ROLL || last->groups.n > 0 || last->aggregates.n > 0 || last->n_sources > 1;
}

/* Rows of one small table as they are: to read these is as quick. Whether the definition can be split must not depend
 * on how many rows there are. */
static bool is_worth(const struct split *split, const struct analysis *analysis)
{
	const struct analysis_node *last = &analysis->nodes[analysis->n_nodes - 1];
	double rows = 0;
	if (split_saves(analysis))
		return true;
	for (size_t i = 0; i < last->n_sources; i++)
		for (size_t k = 0; k < split->base->n_relations; k++) {
			const struct fact_relation *relation = &split->base->relations[k];
			if (strcmp(relation->name, last->sources[i].name) != 0 ||
			    strcmp(relation->schema, last->sources[i].schema) != 0)
				continue;
			if (relation->rows <= 0)
				return true;
			rows += relation->rows;
		}
	return rows > SPLIT_FEW_ROWS;
}

/* ---- taking it ---- */

static bool has_doubles(const struct analysis *analysis)
{
	for (size_t i = 0; i < analysis->n_columns; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(analysis->columns[i].name, analysis->columns[k].name) == 0)
				return true;
	return false;
}

/* The piece as a table. Its rows differ in what identifies them. */
static void add_relation(struct split *split, const struct analysis_piece *piece)
{
	const struct analysis *analysis = piece->analysis;
	const struct analysis_list *row = &analysis->nodes[analysis->n_nodes - 1].row_columns;
	struct fact_column *columns = talloc_zero_array(split->mem, struct fact_column, (unsigned)analysis->n_columns);
	size_t *positions = talloc_zero_array(split->mem, size_t, (unsigned)row->n + 1);
	struct fact_key *key = talloc_zero(split->mem, struct fact_key);
	assert(columns != NULL && positions != NULL && key != NULL);
	for (size_t i = 0; i < analysis->n_columns; i++)
		columns[i] = (struct fact_column){.name = analysis->columns[i].name, .written = ""};
	*key = (struct fact_key){positions, row->n};
	for (size_t i = 0; i < row->n; i++)
		for (size_t k = 0; k < analysis->n_columns; k++)
			if (strcmp(row->items[i], columns[k].name) == 0)
				positions[i] = k;
	split->relations[split->base->n_relations + split->n_pieces] =
		(struct fact_relation){.schema = "",
	                           .name = piece->name,
	                           .kind = VIEWD_DEPENDS_TABLE,
	                           .columns = columns,
	                           .n_columns = analysis->n_columns,
	                           .keys = key,
	                           .n_keys = row->n > 0};
	split->facts.n_relations = split->base->n_relations + split->n_pieces + 1;
}

/* The columns that the query had, read from the piece. */
static const char *read_piece(const struct split *split, const struct analysis_piece *piece, size_t n)
{
	char *sql = sql_add(sql_new(split->mem), "SELECT ");
	for (size_t i = 0; i < n; i++)
		sql =
			ident_append(split->syn, sql_add(sql, i > 0 ? ", viewd_n." : "viewd_n."), piece->analysis->columns[i].name);
	return sql_add(sql, " FROM %s AS viewd_n", piece->name);
}

bool split_take_piece(struct split *split, const struct level *level, const char **text_r)
{
	static const unsigned options[] = {0, ANALYSIS_NO_IMAGES, ANALYSIS_ONE_PART};
	const char *text = name_columns(split, split_text(split, level->span));
	/* A table has no order, and it may be the order that tells which row is the first one. */
	if (text == NULL || split->n_pieces == SPLIT_PIECES_MAX || level->query->order.n > 0)
		return false;
	struct analysis *analysis = NULL;
	for (size_t i = 0; i < ARRAY_LEN(options) && analysis == NULL; i++)
		analysis = keep_alone(split, &text, options[i]);
	if (analysis == NULL || has_doubles(analysis) || !is_worth(split, analysis))
		return false;
	struct analysis_piece *piece = &split->pieces[split->n_pieces];
	*piece = (struct analysis_piece){
		.text = talloc_strdup(split->out, text), .analysis = analysis, .same = find_same(split, analysis)};
	piece->name = talloc_asprintf(split->out, SPLIT_PREFIX "%zu", split->n_pieces + 1);
	assert(piece->text != NULL && piece->name != NULL);
	add_relation(split, piece);
	split->n_pieces++;
	*text_r = read_piece(split, piece, level->query->n_items);
	return true;
}
