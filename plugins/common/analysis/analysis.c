/* SPDX-License-Identifier: MIT */
#include "common/analysis/analysis.h"

#include "common/analysis/node.h"
#include "common/analysis/reading/read_sql.h"
#include "common/analysis/split/split.h"
#include "common/sqltext/timeword.h"

#include <string.h>
#include <talloc.h>

const char *analysis_kind_word(enum analysis_kind kind)
{
	switch (kind) {
	case ANALYSIS_PART:
		return "part";
	case ANALYSIS_ROLL:
		return "roll";
	case ANALYSIS_TOP:
		break;
	}
	return "top";
}

/* Line and column, from 1, counted in characters; 0 where the place is not known. */
static void place(const char *text, struct refusal *no)
{
	if (no->at < 0)
		return;
	no->line = no->column = 1;
	for (int i = 0; i < no->at && text[i] != '\0'; i++) {
		if (text[i] == '\n') {
			no->line++;
			no->column = 1;
		} else if (((unsigned char)text[i + 1] & 0xc0) != 0x80) {
			no->column++;
		}
	}
}

static bool refuse_clock(const struct syntax *syn, const char *text, struct refusal *no)
{
	char word[64];
	timeword_find(syn, text, word, sizeof word);
	return word[0] == '\0' || refuse_named(no, -1, "the clock:", word, "its value changes although no row does",
	                                       "use a schedule, or a column");
}

/* A copy of the column would lose that values are equal in another way than by their bytes. */
static bool is_odd(struct expr *expr)
{
	struct occurrence *of;
	size_t column;
	const struct fact_column *fact = names_column(expr, &of, &column);
	if (fact != NULL)
		return !listed_one_spelling(fact);
	switch (names_meaning(expr)->kind) {
	case EXPR_CALL:
	case EXPR_CONST:
	case EXPR_CASE:
	case EXPR_COMPARE:
	case EXPR_SAME:
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_NOT:
		return false;
	case EXPR_COLUMN:
	case EXPR_STAR:
	case EXPR_OTHER:
	case EXPR_CAST:
	case EXPR_ROW:
	case EXPR_SUBQUERY:
		break;
	}
	return true;
}

static void list_columns(struct analysis *out, const struct query *query)
{
	struct analysis_column *columns = talloc_zero_array(out, struct analysis_column, (unsigned)query->n_items + 1);
	assert(columns != NULL);
	for (size_t i = 0; i < query->n_items; i++) {
		struct expr *expr = query->items[i].expr;
		struct occurrence *of;
		size_t column;
		columns[i] = (struct analysis_column){.name = talloc_strdup(out, query->items[i].name),
		                                      .computed = names_column(expr, &of, &column) == NULL,
		                                      .odd = is_odd(expr)};
	}
	out->columns = columns;
	out->n_columns = query->n_items;
}

/* There is always one. */
static void settle_refusal(struct analysis *out, const char *text)
{
	refuse(&out->refusal, -1, "the definition", "the analysis does not know its form", "");
	out->n_nodes = 0;
	place(text, &out->refusal);
}

struct analysis *analysis_run(void *mem_ctx, const struct syntax *syn, const char *text, const struct facts *facts,
                              unsigned options)
{
	struct analysis *out = talloc_zero(mem_ctx, struct analysis);
	void *mem = talloc_new(out);
	assert(out != NULL && mem != NULL);
	struct maker maker = {.mem = mem,
	                      .syn = syn,
	                      .facts = facts,
	                      .no = &out->refusal,
	                      .out = out,
	                      .text = text,
	                      .one_part = (options & ANALYSIS_ONE_PART) != 0,
	                      .unlisted = (options & ANALYSIS_UNLISTED) != 0,
	                      .no_images = (options & ANALYSIS_NO_IMAGES) != 0};
	struct query *query = read_sql(mem, syn, text, &out->refusal);
	out->possible = query != NULL && node_of_query(&maker, query, true) != 0 && refuse_clock(syn, text, &out->refusal);
	if (out->possible)
		list_columns(out, query);
	else
		settle_refusal(out, text);
	return out;
}

static struct analysis *split_definition(void *mem_ctx, const struct syntax *syn, const char *text,
                                         const struct facts *facts, analysis_runs_fn *runs, void *ctx, bool early)
{
	struct analysis *out = talloc_zero(mem_ctx, struct analysis);
	assert(out != NULL);
	struct split split = {
		.mem = talloc_new(out), .out = out, .syn = syn, .base = facts, .runs = runs, .ctx = ctx, .early = early};
	out->possible = split_run(&split, text, out) && refuse_clock(syn, text, &split.no);
	return out;
}

struct analysis *analysis_keep(void *mem_ctx, const struct syntax *syn, const char *text, const struct facts *facts,
                               analysis_runs_fn *runs, void *ctx)
{
	static const unsigned options[] = {0, ANALYSIS_NO_IMAGES, ANALYSIS_ONE_PART};
	struct analysis *refused = NULL, *early = split_definition(mem_ctx, syn, text, facts, runs, ctx, true);
	if (early->possible)
		return early;
	talloc_free(early);
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		struct analysis *found = analysis_run(mem_ctx, syn, text, facts, options[i]);
		if (found->possible && runs(ctx, found, false))
			return found;
		/* A chain that is possible says nothing of what prevents it. */
		if (refused == NULL || refused->possible)
			refused = found;
	}
	struct analysis *split = split_definition(mem_ctx, syn, text, facts, runs, ctx, false);
	if (split->possible)
		return split;
	refused->possible = false;
	settle_refusal(refused, text);
	return refused;
}
