/* SPDX-License-Identifier: MIT */
#include "common/analysis/split/split.h"

#include "common/analysis/reading/alike.h"
#include "common/analysis/reading/read_sql.h"
#include "common/analysis/split/edits.h"
#include "common/analysis/texts.h"
#include "common/sqltext/sqltext.h"

#include <string.h>
#include <strings.h>
#include <talloc.h>

/* ---- reading ---- */

static bool read_text_anew(struct split *split)
{
	struct query *written = read_sql(split->mem, split->syn, split->text, &split->no),
				 *resolved = written != NULL ? read_sql(split->mem, split->syn, split->text, &split->no) : NULL;
	if (resolved == NULL)
		return false;
	split->tokens = span_split(split->mem, split->syn, split->text);
	split->names =
		(struct names){.mem = split->mem, .syn = split->syn, .facts = &split->facts, .no = &split->no, .whole = true};
	split->written = split->resolved = (struct queries){.mem = split->mem};
	if (!names_resolve(&split->names, resolved))
		return false;
	queries_list(&split->written, written);
	queries_list(&split->resolved, resolved);
	return split->written.n == split->resolved.n ||
	       refuse(&split->no, -1, "the definition", "its queries are not told apart", "");
}

char *split_text(const struct split *split, struct span span)
{
	return span_text(split->mem, &split->tokens, span);
}

bool split_reads_piece(const struct split *split, struct span span)
{
	for (size_t i = span.from; i < span.to; i++)
		if (strncasecmp(split->tokens.items[i].text, SPLIT_PREFIX, strlen(SPLIT_PREFIX)) == 0)
			return true;
	return false;
}

bool split_is_piece(const struct split *split, const struct fact_relation *relation)
{
	return relation >= split->relations + split->base->n_relations &&
	       relation < split->relations + split->base->n_relations + split->n_pieces;
}

/* The query of the definition that this text is, where it stands: what it calls a table is a table there too, and no
 * query of a WITH clause. */
bool split_find_query(const struct split *split, struct span span, struct level *out)
{
	struct refusal ignored = {0};
	const char *first = split->tokens.items[span.from].text;
	const struct query *alone = read_sql(split->mem, split->syn, split_text(split, span), &ignored);
	for (size_t i = 0; alone != NULL && alone->at >= 0 && i < split->written.n; i++) {
		const struct query *written = split->written.items[i];
		if (written->at != alone->at + (int)(first - split->text) || !alike_query(written, alone))
			continue;
		*out = (struct level){span, split->resolved.items[i], written};
		return !out->query->correlated;
	}
	return false;
}

static size_t closing(const struct span_tokens *tokens, size_t open)
{
	int depth = 0;
	for (size_t i = open; i < tokens->n; i++) {
		depth += span_is_sign(&tokens->items[i], '(') - span_is_sign(&tokens->items[i], ')');
		if (depth == 0)
			return i;
	}
	return 0;
}

bool split_level_at(struct split *split, size_t open, size_t *close_r, struct level *out)
{
	const struct span_tokens *tokens = &split->tokens;
	if (!span_is_sign(&tokens->items[open], '(') || open + 1 == tokens->n ||
	    !(span_is_word(tokens, open + 1, "SELECT") || span_is_word(tokens, open + 1, "WITH")))
		return false;
	*close_r = closing(tokens, open);
	return *close_r > open && split_find_query(split, (struct span){open + 1, *close_r}, out);
}

bool split_root(const struct split *split, struct level *out)
{
	int depth = 0;
	for (size_t i = 0; i < split->tokens.n; i++) {
		depth += span_opens(&split->tokens.items[i]);
		if (depth == 0 && span_is_word(&split->tokens, i, "SELECT")) {
			*out = (struct level){{i, split->tokens.n}, split->resolved.items[0], split->written.items[0]};
			return true;
		}
	}
	return false;
}

static void put_text(struct split *split, const struct edits *edits)
{
	split->text = edits_apply(edits, split->mem, (struct span){0, split->tokens.n});
}

/* *end_r: the last token of it, or the first one behind. */
static bool level_at(struct split *split, size_t at, size_t *end_r, struct level *out)
{
	return split_level_at(split, at, end_r, out) || split_branch_at(split, at, end_r, out);
}

/* ---- pieces ---- */

/* The largest subqueries first. */
static bool take_pieces(struct split *split)
{
	struct edits edits = {.mem = split->mem, .tokens = split->tokens};
	for (size_t i = 0; i < split->tokens.n; i++) {
		struct level level;
		size_t close;
		const char *text;
		if (!level_at(split, i, &close, &level) || split_reads_piece(split, level.span) ||
		    !split_take_piece(split, &level, &text))
			continue;
		edits_add(&edits, level.span, text);
		i = close;
	}
	if (edits.n == 0)
		return true;
	put_text(split, &edits);
	return read_text_anew(split);
}

/* ---- rewriting ---- */

/* Does the query read more than few rows of tables? */
static bool reads_much(const struct split *split, struct query *query)
{
	double rows = 0;
	for (size_t i = 0; i < split->names.n_occurrences; i++) {
		const struct occurrence *of = split->names.occurrences[i];
		if (of->relation == NULL || split_is_piece(split, of->relation) || !queries_inside(query, of->in))
			continue;
		if (of->relation->rows <= 0)
			return true;
		rows += of->relation->rows;
	}
	return rows > SPLIT_FEW_ROWS;
}

const char *split_lift_groups(struct split *split, const struct level *level)
{
	struct refusal ignored = {0};
	struct analysis *out = talloc_zero(split->mem, struct analysis);
	struct maker maker = {.mem = split->mem,
	                      .syn = split->syn,
	                      .facts = &split->facts,
	                      .no = &ignored,
	                      .out = out,
	                      .text = split_text(split, level->span)};
	struct query *query = read_sql(split->mem, split->syn, maker.text, &ignored);
	struct unit unit;
	assert(out != NULL);
	if (level->query->having == NULL || !queries_of_tables(level->query) || query == NULL ||
	    !unit_open(&maker, query, &unit))
		return NULL;
	unit.result = true;
	return texts_derived(&unit);
}

static const char *rewrite_level(struct split *split, const struct level *level)
{
	const char *text = NULL;
	if (!reads_much(split, level->query))
		return NULL;
	text = split_lift_rows(split, level);
	return text != NULL || level->query->having == NULL || !split_reads_piece(split, level->span)
	           ? text
	           : split_lift_groups(split, level);
}

/* One query of the text becomes another one; false when none does. */
static bool rewrite(struct split *split)
{
	struct edits edits = {.mem = split->mem, .tokens = split->tokens};
	struct level level;
	const char *text = NULL;
	if (split_root(split, &level) && (text = split_lift_limit(split, &level)) == NULL)
		text = rewrite_level(split, &level);
	for (size_t i = 0; i < split->tokens.n && text == NULL; i++) {
		size_t close;
		if (level_at(split, i, &close, &level))
			text = rewrite_level(split, &level);
	}
	if (text == NULL)
		return false;
	edits_add(&edits, level.span, text);
	put_text(split, &edits);
	return true;
}

/* ---- the answer ---- */

static void add_table(struct maker *maker, struct analysis_node *top, const struct occurrence *of)
{
	struct analysis_source *source = unit_add_source(maker, top);
	source->schema = of->relation->schema;
	source->name = of->relation->name;
	source->alias = of->alias;
	source->whole = true;
	for (size_t i = 0; i < of->relation->n_columns; i++)
		if (of->read[i])
			unit_list_add(maker, &source->read, of->relation->columns[i].name);
}

/* The nodes of a piece come into the one list, with other numbers. Returns the last one's. */
static size_t add_nodes(struct maker *maker, const struct analysis *piece)
{
	size_t before = maker->out->n_nodes, number = 0;
	for (size_t i = 0; i < piece->n_nodes; i++) {
		struct analysis_node *node = unit_add_node(maker, ANALYSIS_PART, &number);
		*node = piece->nodes[i];
		node->sources = talloc_memdup(maker->out, node->sources, node->n_sources * sizeof *node->sources);
		assert(node->sources != NULL);
		for (size_t k = 0; k < node->n_sources; k++)
			if (node->sources[k].node != 0)
				node->sources[k].node += before;
	}
	return number;
}

static void answer(struct split *split, struct analysis *out)
{
	struct maker maker = {.mem = split->mem, .syn = split->syn, .facts = split->base, .no = &split->no, .out = out};
	struct analysis_top *said = talloc_zero(out, struct analysis_top);
	size_t numbers[SPLIT_PIECES_MAX], number;
	assert(said != NULL);
	for (size_t i = 0; i < split->n_pieces; i++)
		numbers[i] = split->pieces[i].same != 0 ? numbers[split->pieces[i].same - 1]
		                                        : add_nodes(&maker, split->pieces[i].analysis);
	struct analysis_node *top = unit_add_node(&maker, ANALYSIS_TOP, &number);
	for (size_t i = 0; i < split->n_pieces; i++)
		if (split->pieces[i].same == 0)
			*unit_add_source(&maker, top) = (struct analysis_source){
				.node = numbers[i], .schema = "", .name = "", .alias = "", .way = "", .whole = true};
	for (size_t i = 0; i < split->names.n_occurrences; i++) {
		const struct occurrence *of = split->names.occurrences[i];
		if (of->relation != NULL && !split_is_piece(split, of->relation))
			add_table(&maker, top, of);
	}
	*said = (struct analysis_top){
		.text = talloc_strdup(out, split->text), .pieces = split->pieces, .n_pieces = split->n_pieces};
	out->top = said;
}

static bool any_saves(struct split *split)
{
	for (size_t i = 0; i < split->n_pieces; i++)
		if (split_saves(split->pieces[i].analysis))
			return true;
	return refuse(&split->no, -1, "the definition", "no part of it can be kept by itself", "");
}

/* A name that meant something of its query may not come to mean something around it. */
static size_t correlated(const struct split *split)
{
	size_t n = 0;
	for (size_t i = 0; i < split->resolved.n; i++)
		n += split->resolved.items[i]->correlated;
	return n;
}

static bool split_all(struct split *split)
{
	if (split_reads_piece(split, (struct span){0, split->tokens.n}))
		return refuse(&split->no, -1, "a name of viewd's own", "it stands for something else", "call it otherwise");
	for (int i = 0; take_pieces(split); i++) {
		size_t before = correlated(split);
		if (i == SPLIT_REWRITES_MAX || !rewrite(split))
			return any_saves(split);
		if (!read_text_anew(split))
			break;
		if (correlated(split) > before)
			return refuse(&split->no, -1, "the definition", "a name in it would come to mean another one", "");
	}
	return false;
}

/* The table that is summed becomes a roll, or nothing is gained. */
static bool sum_early(struct split *split)
{
	struct edits edits = {.mem = split->mem, .tokens = split->tokens};
	struct level level;
	const char *text = split_root(split, &level) && level.span.from == 0 ? split_sum_early(split, &level) : NULL;
	if (text == NULL)
		return refuse(&split->no, -1, "the definition", "no table is summed before it is joined", "");
	edits_add(&edits, level.span, text);
	put_text(split, &edits);
	return read_text_anew(split) && split_all(split) && split->n_pieces == 1 &&
	       split->pieces[0].analysis->nodes[0].kind == ANALYSIS_ROLL;
}

bool split_run(struct split *split, const char *text, struct analysis *out)
{
	split->text = text;
	split->facts = *split->base;
	split->pieces = talloc_zero_array(split->out, struct analysis_piece, SPLIT_PIECES_MAX);
	split->relations =
		talloc_zero_array(split->mem, struct fact_relation, (unsigned)split->base->n_relations + SPLIT_PIECES_MAX);
	assert(split->pieces != NULL && split->relations != NULL);
	memcpy(split->relations, split->base->relations, split->base->n_relations * sizeof *split->relations);
	split->facts.relations = split->relations;
	if (!read_text_anew(split) || !(split->early ? sum_early(split) : split_all(split)))
		return false;
	answer(split, out);
	return true;
}
