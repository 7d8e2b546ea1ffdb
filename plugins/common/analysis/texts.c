/* SPDX-License-Identifier: MIT */
#include "common/analysis/texts.h"

#include "common/analysis/exact.h"
#include "common/analysis/meaning/calls.h"
#include "common/analysis/reading/alike.h"
#include "common/analysis/split/edits.h"
#include "common/sqltext/ident.h"
#include "common/sqltext/sqltext.h"

#include <string.h>
#include <strings.h>
#include <talloc.h>

struct rewriting {
	const struct unit *unit;
	void *mem;
	const char *average;
	const struct query *inside; /* the derived table that all rows come from; NULL: tables */
	bool derived;               /* columns come from a derived table of the groups; else from a roll */
	struct span_tokens tokens;
	struct expr_list groups, aggregates;
	struct edits edits;
};

static const char *text_of(const struct rewriting *r)
{
	return r->unit->maker->text;
}

/* ---- pieces ---- */

/* Finds the text of a column or a call, and has the parser confirm it. */
static bool span_of(const struct rewriting *r, struct expr *expr, struct span *out)
{
	bool found = expr->kind == EXPR_COLUMN
	                 ? (names_meaning(expr) == expr || r->inside != NULL) &&
	                       span_of_column(&r->tokens, text_of(r), expr->at, out)
	                 : expr->kind == EXPR_CALL && span_of_call(&r->tokens, text_of(r), expr->at, out);
	return found && out->to - out->from <= 64 &&
	       alike_value(r->unit->maker->syn, span_text(r->mem, &r->tokens, *out), expr);
}

/* Equal columns, or calls that are written alike. */
static bool same(const struct rewriting *r, struct expr *a, struct expr *b)
{
	struct span span_a, span_b;
	if (a == b)
		return true;
	if (a->kind != b->kind || (a->kind != EXPR_COLUMN && a->kind != EXPR_CALL))
		return false;
	if (a->kind == EXPR_COLUMN && (a->means != NULL || b->means != NULL))
		return a->means == b->means;
	if (a->kind == EXPR_COLUMN)
		return a->of != NULL && a->of == b->of && a->column == b->column;
	return strcmp(a->name, b->name) == 0 && span_of(r, a, &span_a) && span_of(r, b, &span_b) &&
	       strcmp(span_text(r->mem, &r->tokens, span_a), span_text(r->mem, &r->tokens, span_b)) == 0;
}

static size_t position(const struct rewriting *r, const struct expr_list *list, struct expr *expr)
{
	size_t i = 0;
	while (i < list->n && !same(r, list->items[i], expr))
		i++;
	return i;
}

/* Aggregates that are written in two ways are two. */
static bool gather(void *ctx, struct expr *expr)
{
	struct rewriting *r = ctx;
	struct expr_list *list = &r->aggregates;
	if (call_aggregate(r->unit->maker->facts, expr) == AGGREGATE_NONE || position(r, list, expr) < list->n)
		return true;
	list->items = talloc_realloc(r->mem, list->items, struct expr *, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = expr;
	return true;
}

static void gather_aggregates(struct rewriting *r)
{
	for (size_t i = 0; i < r->unit->query->n_items; i++)
		expr_walk(r->unit->query->items[i].expr, gather, r);
	expr_walk(r->unit->query->having, gather, r);
}

/* Are the terms of two lengths? A sum has as many digits as its longest term. */
static bool two_lengths(const struct rewriting *r, const struct expr *aggregate, struct exact *exact_r)
{
	*exact_r = exact_of(aggregate->args.items[0]);
	return r->unit->maker->facts->sums_keep_scale && exact_r->low != exact_r->high;
}

static const char *sum_over_roll(const struct rewriting *r, size_t number, const struct expr *expr)
{
	struct exact exact;
	char *sum = talloc_asprintf(r->mem, "viewd_n.s%zu", number + 1), low[16];
	if (!two_lengths(r, expr, &exact))
		return sum;
	snprintf(low, sizeof low, "%d", exact.low);
	char *sql = sql_add(sql_new(r->mem), "(CASE WHEN viewd_n.m%zu > 0 THEN %s ELSE ", number + 1, sum);
	return sql_add(sql_template2(sql, r->unit->maker->facts->shorter, sum, low), " END)");
}

/* An aggregate, computed from the roll's columns. */
static const char *over_roll(const struct rewriting *r, size_t number, const struct expr *expr)
{
	char *count = talloc_asprintf(r->mem, "viewd_n.n%zu", number + 1);
	switch (call_aggregate(r->unit->maker->facts, expr)) {
	case AGGREGATE_COUNT:
		return expr->call->star ? "viewd_n.cnt" : count;
	case AGGREGATE_SUM:
		return talloc_asprintf(r->mem, "(CASE WHEN %s > 0 THEN %s END)", count, sum_over_roll(r, number, expr));
	case AGGREGATE_AVG:
		return r->average != NULL ? sql_template2(sql_new(r->mem), r->average, sum_over_roll(r, number, expr), count)
		                          : NULL;
	case AGGREGATE_MIN:
	case AGGREGATE_MAX:
		return r->unit->maker->facts->extreme_odd != NULL ? talloc_asprintf(r->mem, "viewd_n.e%zu", number + 1) : NULL;
	case AGGREGATE_NONE:
	case AGGREGATE_WHOLE:
	case AGGREGATE_ORDER:
		break;
	}
	return NULL;
}

static bool rewrite(struct rewriting *r, struct expr *expr);

static bool replace(struct rewriting *r, struct expr *expr, const char *text)
{
	struct span span;
	if (text == NULL || !span_of(r, expr, &span))
		return false;
	edits_add(&r->edits, span, text);
	return true;
}

static bool rewrite_parts(struct rewriting *r, const struct expr *expr)
{
	for (size_t i = 0; i < expr->args.n; i++)
		if (!rewrite(r, expr->args.items[i]))
			return false;
	return expr->call == NULL || (expr->call->filter == NULL && expr->call->over == NULL);
}

/* Around a derived table a subquery may stand that names nothing of the row. */
static bool stands_alone(const struct rewriting *r, const struct expr *expr)
{
	return r->derived && expr->kind == EXPR_SUBQUERY && !expr->query->correlated;
}

/* Puts the roll's columns in place of aggregates and groups; nothing else of a row may be left. */
static bool rewrite(struct rewriting *r, struct expr *expr)
{
	if (call_aggregate(r->unit->maker->facts, expr) != AGGREGATE_NONE) {
		size_t number = position(r, &r->aggregates, expr);
		return replace(r, expr,
		               r->derived ? talloc_asprintf(r->mem, "viewd_p.viewd_a%zu", number + 1)
		                          : over_roll(r, number, expr));
	}
	size_t number = position(r, &r->groups, expr);
	if (number < r->groups.n)
		return replace(r, expr,
		               talloc_asprintf(r->mem, r->derived ? "viewd_p.viewd_g%zu" : "viewd_n.g%zu", number + 1));
	if (expr->kind == EXPR_COLUMN || expr->kind == EXPR_STAR || (expr->kind == EXPR_SUBQUERY && !stands_alone(r, expr)))
		return false;
	return rewrite_parts(r, expr);
}

static char *edited(const struct rewriting *r, struct span span)
{
	return edits_apply(&r->edits, r->unit->maker->out, span);
}

/* ---- the list of columns ---- */

/* Does the column end with its own name? */
static bool has_alias(const struct rewriting *r, struct span item, const char *name)
{
	const struct lex_token *last = &r->tokens.items[item.to - 1];
	size_t len = strlen(name);
	if (item.to - item.from < 2 || (last->kind != LEX_WORD && last->kind != LEX_IDENT))
		return false;
	bool same = last->kind == LEX_WORD ? last->len == len && strncasecmp(last->text, name, len) == 0
	                                   : last->len == len + 2 && strncmp(last->text + 1, name, len) == 0;
	const struct lex_token *before = last - 1;
	return same && (before->kind != LEX_OTHER || span_is_sign(before, ')'));
}

static char *item_text(struct rewriting *r, struct span list, size_t number)
{
	const struct select_item *item = &r->unit->query->items[number];
	struct span span = span_of_item(&r->tokens, list, number);
	if (item->name[0] == '\0' || span.to <= span.from ||
	    !alike_value(r->unit->maker->syn, span_text(r->mem, &r->tokens, span), item->expr) || !rewrite(r, item->expr))
		return NULL;
	char *text = edited(r, span);
	return has_alias(r, span, item->name) ? text : ident_append(r->unit->maker->syn, sql_add(text, " AS "), item->name);
}

static char *list_text(struct rewriting *r, struct span list)
{
	char *text = sql_new(r->unit->maker->out);
	for (size_t i = 0; i < r->unit->query->n_items; i++) {
		char *item = item_text(r, list, i);
		if (item == NULL)
			return NULL;
		text = sql_add(text, "%s%s", i > 0 ? ", " : "", item);
	}
	return text;
}

/* ---- HAVING ---- */

/* From behind HAVING to the end or ORDER BY. */
static bool having_span(const struct rewriting *r, size_t from, struct span *out)
{
	int depth = 0;
	out->from = 0;
	out->to = r->tokens.n;
	for (size_t i = from; i < r->tokens.n; i++) {
		const struct lex_token *token = &r->tokens.items[i];
		depth += span_opens(token);
		if (depth == 0 && span_is_word(&r->tokens, i, "HAVING"))
			out->from = i + 1;
		else if (depth == 0 && out->from > 0 && span_is_word(&r->tokens, i, "ORDER"))
			out->to = i;
	}
	return out->from > 0 && out->to > out->from;
}

static bool having_text(struct rewriting *r, size_t from, struct analysis_texts *out)
{
	struct span span;
	if (r->unit->query->having == NULL)
		return true;
	if (!having_span(r, from, &span) ||
	    !alike_condition(r->unit->maker->syn, span_text(r->mem, &r->tokens, span), r->unit->query->having) ||
	    !rewrite(r, r->unit->query->having))
		return false;
	out->having = edited(r, span);
	return true;
}

/* ---- groups and terms ---- */

static bool group_texts(const struct rewriting *r, struct analysis_texts *out)
{
	struct span span;
	for (size_t i = 0; i < r->groups.n; i++) {
		if (!span_of(r, r->groups.items[i], &span))
			return false;
		out->groups.items = talloc_realloc(r->unit->maker->out, out->groups.items, const char *, (unsigned)i + 1);
		assert(out->groups.items != NULL);
		out->groups.items[out->groups.n++] = span_text(r->unit->maker->out, &r->tokens, span);
	}
	return true;
}

/* Terms of which this is true. */
static void count_odd(const struct rewriting *r, const char *odd, struct analysis_term *out)
{
	char *sql = sql_template(sql_add(sql_new(r->unit->maker->out), "CASE WHEN "), odd, out->arg);
	out->longer = sql_add(sql, " THEN 1 END");
	out->none_longer = true;
}

/* Terms of two lengths are told apart by counting the longer ones (docs/adr/008). */
static bool add_lengths(const struct rewriting *r, struct expr *aggregate, struct analysis_term *out)
{
	const struct facts *facts = r->unit->maker->facts;
	struct exact exact;
	if (!two_lengths(r, aggregate, &exact))
		return exact.exact;
	if (!exact.exact || exact.between || facts->digits == NULL)
		return false;
	char *sql = sql_template(sql_add(sql_new(r->unit->maker->out), "CASE WHEN "), facts->digits, out->arg);
	out->longer = sql_add(sql, " > %d THEN 1 END", exact.low);
	return true;
}

static bool term_of(const struct rewriting *r, struct expr *aggregate, struct analysis_term *out)
{
	struct span span;
	const struct facts *facts = r->unit->maker->facts;
	enum aggregate kind = call_aggregate(facts, aggregate);
	*out = (struct analysis_term){.summed = kind == AGGREGATE_SUM || kind == AGGREGATE_AVG,
	                              .extreme = kind == AGGREGATE_MIN   ? "min"
	                                         : kind == AGGREGATE_MAX ? "max"
	                                                                 : NULL};
	if (aggregate->call->star)
		return true;
	if (out->extreme != NULL && facts->extreme_odd == NULL)
		return false;
	if (aggregate->args.n != 1 || aggregate->call->distinct || aggregate->call->ordered ||
	    !span_of(r, aggregate, &span))
		return false;
	out->arg = span_text(r->unit->maker->out, &r->tokens, span_arguments(&r->tokens, span));
	if (kind == AGGREGATE_AVG && facts->average_large != NULL)
		count_odd(r, facts->average_large, out);
	if (out->extreme != NULL)
		count_odd(r, facts->extreme_odd, out);
	return (!out->summed || add_lengths(r, aggregate, out)) &&
	       alike_value(r->unit->maker->syn, out->arg, aggregate->args.items[0]);
}

static bool term_texts(const struct rewriting *r, struct analysis_texts *out)
{
	out->terms = talloc_zero_array(r->unit->maker->out, struct analysis_term, (unsigned)r->aggregates.n + 1);
	assert(out->terms != NULL);
	for (size_t i = 0; i < r->aggregates.n; i++)
		if (!term_of(r, r->aggregates.items[i], &out->terms[out->n_terms++]))
			return false;
	return true;
}

/* ---- all of it ---- */

/* Whatever stands in WHERE is taken over as it is; what stands in FROM must have its columns where they can be
 * named. */
static bool only_tables(const struct unit *unit, struct query *in)
{
	for (size_t i = 0; i < unit->names.n_occurrences; i++)
		if (unit->names.occurrences[i]->relation == NULL && unit->names.occurrences[i]->in == in)
			return false;
	return !query_has_windows(in);
}

const struct query *texts_inside(const struct unit *unit)
{
	const struct query *query = unit->query;
	const struct from *from = query->n_from == 1 ? query->from[0] : NULL;
	if (from == NULL || from->kind != FROM_QUERY || from->lateral || from->n_columns > 0)
		return NULL;
	struct query *in = from->query;
	bool plain = in->op == QUERY_SELECT && !in->distinct && in->groups.n == 0 && in->having == NULL &&
	             in->order.n == 0 && in->limit == NULL && !query_aggregates(unit->maker->facts, in);
	return plain && only_tables(unit, in) ? in : NULL;
}

const struct occurrence *texts_grouped(const struct unit *unit)
{
	const struct query *query = unit->query;
	const struct from *from = query->n_from == 1 ? query->from[0] : NULL;
	const struct occurrence *found = NULL;
	if (from == NULL || from->kind != FROM_QUERY || from->lateral)
		return NULL;
	for (size_t i = 0; i < unit->names.n_occurrences; i++)
		if (unit->names.occurrences[i]->in == query)
			found = unit->names.occurrences[i];
	for (size_t i = 0; i < unit->names.n_occurrences && found != NULL && found->derived != NULL; i++) {
		const struct occurrence *of = unit->names.occurrences[i];
		if (of != found && of->in != found->derived)
			return NULL;
	}
	return found != NULL && found->relation == NULL ? found : NULL;
}

/* "FROM (SELECT", and what follows. */
static bool split_rows(const struct rewriting *r, struct span rows, struct analysis_texts *out)
{
	size_t at = rows.from;
	if (r->inside == NULL)
		return true;
	if (rows.to - at < 4 || !span_is_word(&r->tokens, at, "FROM") || !span_is_sign(&r->tokens.items[at + 1], '(') ||
	    !span_is_word(&r->tokens, at + 2, "SELECT") || span_is_word(&r->tokens, at + 3, "ALL"))
		return false;
	out->opening = span_text(r->unit->maker->out, &r->tokens, (struct span){at, at + 3});
	out->inside = span_text(r->unit->maker->out, &r->tokens, (struct span){at + 3, rows.to});
	return true;
}

static bool take_apart(struct rewriting *r, struct analysis_texts *out)
{
	struct span list, rows;
	struct query *query = r->unit->query;
	if (!r->unit->result || query->distinct || query->op != QUERY_SELECT ||
	    !(only_tables(r->unit, query) || texts_grouped(r->unit) != NULL) || query_has_windows(query) ||
	    !span_of_select(&r->tokens, &list, &rows))
		return false;
	out->rows = span_text(r->unit->maker->out, &r->tokens, rows);
	out->list = list_text(r, list);
	return alike_rows(r->unit->maker->syn, out->rows, query) && out->list != NULL && having_text(r, rows.to, out) &&
	       group_texts(r, out) && (r->derived || (term_texts(r, out) && split_rows(r, rows, out)));
}

static struct rewriting *new_rewriting(const struct unit *unit)
{
	struct maker *maker = unit->maker;
	struct rewriting *r = talloc_zero(maker->mem, struct rewriting);
	assert(r != NULL);
	r->unit = unit;
	r->mem = maker->mem;
	r->inside = texts_inside(unit);
	r->tokens = span_split(maker->mem, maker->syn, maker->text);
	r->edits = (struct edits){.mem = r->mem, .tokens = r->tokens};
	r->groups = unit_groups(unit);
	gather_aggregates(r);
	return r;
}

struct analysis_texts *texts_make(const struct unit *unit, const char *average)
{
	struct rewriting *r = new_rewriting(unit);
	struct analysis_texts *out = talloc_zero(unit->maker->out, struct analysis_texts);
	assert(out != NULL);
	r->average = average;
	return take_apart(r, out) ? out : NULL;
}

/* "a AS viewd_g1, sum(x) AS viewd_a1"; NULL where one of them is not found. */
static char *derived_list(const struct rewriting *r)
{
	const struct expr_list *lists[] = {&r->groups, &r->aggregates};
	char *sql = sql_new(r->mem);
	struct span span;
	for (size_t k = 0; k < ARRAY_LEN(lists); k++)
		for (size_t i = 0; i < lists[k]->n; i++) {
			if (!span_of(r, lists[k]->items[i], &span))
				return NULL;
			sql = sql_add(sql, "%s%s AS viewd_%c%zu", sql[0] != '\0' ? ", " : "", span_text(r->mem, &r->tokens, span),
			              k == 0 ? 'g' : 'a', i + 1);
		}
	return sql[0] != '\0' ? sql : NULL;
}

const char *texts_derived(const struct unit *unit)
{
	struct rewriting *r = new_rewriting(unit);
	struct analysis_texts *out = talloc_zero(unit->maker->out, struct analysis_texts);
	char *list = derived_list(r), *sql = sql_new(r->mem);
	assert(out != NULL);
	r->derived = true;
	if (list == NULL || !take_apart(r, out))
		return NULL;
	sql = sql_add(sql, "SELECT %s FROM (SELECT %s %s", out->list, list, out->rows);
	for (size_t i = 0; i < out->groups.n; i++)
		sql = sql_add(sql, "%s%s", i > 0 ? ", " : " GROUP BY ", out->groups.items[i]);
	return sql_add(sql, ") AS viewd_p%s%s", out->having != NULL ? " WHERE " : "",
	               out->having != NULL ? out->having : "");
}
