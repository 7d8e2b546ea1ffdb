/* SPDX-License-Identifier: MIT */
#include "common/analysis/unit.h"

#include "common/analysis/exact.h"
#include "common/analysis/meaning/calls.h"
#include "common/analysis/print.h"
#include "common/analysis/spans.h"

#include <string.h>
#include <talloc.h>

/* ---- what the columns may contain when there are groups ---- */

struct cover {
	const struct unit *unit;
	struct expr_list groups;
	bool good;
};

static bool is_group(const struct cover *cover, struct expr *expr)
{
	void *mem = talloc_new(cover->unit->maker->mem);
	const char *text = print_expr(mem, expr);
	bool found = false;
	for (size_t i = 0; i < cover->groups.n && !found; i++)
		found = strcmp(text, print_expr(mem, cover->groups.items[i])) == 0;
	talloc_free(mem);
	return found;
}

static bool groups_have(const struct cover *cover, struct tie_end end)
{
	for (size_t i = 0; i < cover->groups.n; i++) {
		struct tie_end group;
		if (names_column(cover->groups.items[i], &group.of, &group.column) != NULL &&
		    ties_same(&cover->unit->names, &cover->unit->ties, group, end))
			return true;
	}
	return false;
}

/* Is the column one value in each group, because the groups have a unique key of its table? */
static bool depends_on_groups(const struct cover *cover, const struct occurrence *of)
{
	const struct fact_relation *relation = of->relation;
	for (size_t i = 0; relation != NULL && i < relation->n_keys; i++) {
		bool all = true;
		for (size_t k = 0; k < relation->keys[i].n; k++) {
			size_t column = relation->keys[i].columns[k];
			all = all && !relation->columns[column].nullable &&
			      groups_have(cover, (struct tie_end){cover->unit->names.occurrences[of->number], column});
		}
		if (all)
			return true;
	}
	return false;
}

static bool covered(struct cover *cover, struct expr *expr);

static bool cover_args(struct cover *cover, const struct expr *expr)
{
	for (size_t i = 0; i < expr->args.n; i++)
		if (!covered(cover, expr->args.items[i]))
			return false;
	return true;
}

static bool covered(struct cover *cover, struct expr *expr)
{
	struct refusal *no = cover->unit->maker->no;
	expr = names_meaning(expr);
	if (expr->kind == EXPR_CONST || call_aggregate(cover->unit->maker->facts, expr) != AGGREGATE_NONE ||
	    is_group(cover, expr))
		return true;
	if (expr->kind == EXPR_COLUMN && expr->of != NULL && depends_on_groups(cover, expr->of))
		return true;
	if (expr->kind == EXPR_COLUMN)
		return refuse_named(no, expr->at, "column", expr->name,
		                    "it is neither in GROUP BY nor in an aggregate: any row of the group may give it",
		                    "add it to GROUP BY");
	return cover_args(cover, expr);
}

static bool check_columns(const struct unit *unit)
{
	struct cover cover = {.unit = unit, .groups = unit_groups(unit)};
	const struct query *query = unit->query;
	if (query->distinct && query->groups.n == 0 && !query_aggregates(unit->maker->facts, unit->query))
		return true;
	for (size_t i = 0; i < query->n_items; i++)
		if (!covered(&cover, query->items[i].expr))
			return false;
	return query->having == NULL || covered(&cover, query->having);
}

/* Rows of the result are found again by their groups. */
bool unit_groups_listed(const struct unit *unit)
{
	struct maker *maker = unit->maker;
	struct expr_list groups = unit_groups(unit);
	for (size_t i = 0; unit->result && !maker->unlisted && i < groups.n; i++) {
		const char *text = print_expr(maker->mem, groups.items[i]);
		bool listed = false;
		for (size_t k = 0; k < unit->query->n_items && !listed; k++)
			listed = strcmp(text, print_expr(maker->mem, unit->query->items[k].expr)) == 0;
		if (!listed)
			return refuse_named(maker->no, groups.items[i]->at, "GROUP BY", text,
			                    "it is not among the columns, so a changed row is not found again",
			                    "add it to the columns");
	}
	return true;
}

static bool check_distinct(const struct unit *unit)
{
	bool twice =
		unit->query->distinct && (unit->query->groups.n > 0 || query_aggregates(unit->maker->facts, unit->query));
	return !twice || refuse(unit->maker->no, unit->query->at, "DISTINCT beside GROUP BY",
	                        "a row may stand for several groups", "leave DISTINCT out, or two views");
}

static bool check_subquery_places(const struct unit *unit)
{
	for (size_t i = 0; i < unit->names.n_scopes; i++) {
		const struct scope *scope = &unit->names.scopes[i];
		if (unit->grouped && scope->kind == SCOPE_SUBQUERY && scope->parent == 0 && scope->within == NULL &&
		    !scope->in_having)
			return refuse(unit->maker->no, scope->subquery->at, "a subquery beside aggregates",
			              "its rows change without any row of the group", "compute it in a view of its own");
	}
	return true;
}

bool unit_open(struct maker *maker, struct query *query, struct unit *out)
{
	*out = (struct unit){.maker = maker, .query = query};
	out->names = (struct names){.mem = maker->mem, .syn = maker->syn, .facts = maker->facts, .no = maker->no};
	if (query->limit != NULL)
		return refuse(maker->no, query->limit->at, "LIMIT or OFFSET", "a row may enter because another one has left",
		              "a plain view with ORDER BY and LIMIT over a view without them");
	if (!names_resolve(&out->names, query) || !ties_collect(&out->names, &out->ties))
		return false;
	out->grouped =
		query->groups.n > 0 || query->distinct || query->having != NULL || query_aggregates(maker->facts, query);
	if (query->n_from == 0)
		return refuse(maker->no, query->at, "a query without FROM", "it reads no table", "");
	return !out->grouped || (check_distinct(out) && check_columns(out) && check_subquery_places(out));
}

/* ---- asking ---- */

struct gather {
	const struct unit *unit;
	struct expr_list list;
};

static bool gather_aggregate(void *ctx, struct expr *expr)
{
	struct gather *gather = ctx;
	void *mem = gather->unit->maker->mem;
	expr = names_meaning(expr);
	if (call_aggregate(gather->unit->maker->facts, expr) == AGGREGATE_NONE)
		return true;
	const char *text = print_expr(mem, expr);
	for (size_t i = 0; i < gather->list.n; i++)
		if (strcmp(text, print_expr(mem, gather->list.items[i])) == 0)
			return true;
	gather->list.items = talloc_realloc(mem, gather->list.items, struct expr *, (unsigned)gather->list.n + 1);
	assert(gather->list.items != NULL);
	gather->list.items[gather->list.n++] = expr;
	return true;
}

struct expr_list unit_aggregates(const struct unit *unit)
{
	struct gather gather = {.unit = unit};
	for (size_t i = 0; i < unit->query->n_items; i++)
		expr_walk(unit->query->items[i].expr, gather_aggregate, &gather);
	expr_walk(unit->query->having, gather_aggregate, &gather);
	return gather.list;
}

struct expr_list unit_groups(const struct unit *unit)
{
	const struct query *query = unit->query;
	if (!query->distinct || query->groups.n > 0 || query_aggregates(unit->maker->facts, unit->query))
		return query->groups;
	struct expr_list all = {talloc_array(unit->maker->mem, struct expr *, (unsigned)query->n_items + 1),
	                        query->n_items};
	assert(all.items != NULL);
	for (size_t i = 0; i < query->n_items; i++)
		all.items[i] = query->items[i].expr;
	return all;
}

bool unit_rollable(const struct unit *unit, struct expr **bad_r, const char **why_r)
{
	struct expr_list aggregates = unit_aggregates(unit);
	*bad_r = NULL;
	*why_r = "a subquery in HAVING changes without any row of the group";
	for (size_t i = 1; i < unit->names.n_scopes; i++)
		if (unit->names.scopes[i].in_having)
			return false;
	*why_r = "window functions look at other groups";
	if (query_has_windows(unit->query) || unit->query->distinct_on.n > 0)
		return false;
	for (size_t i = 0; i < aggregates.n; i++) {
		if (!exact_rollable(unit->maker->facts, aggregates.items[i], why_r)) {
			*bad_r = aggregates.items[i];
			return false;
		}
	}
	return true;
}

bool unit_flat(const struct unit *unit)
{
	for (size_t i = 0; i < unit->names.n_occurrences; i++)
		if (unit->names.occurrences[i]->relation == NULL)
			return false;
	return unit->names.n_scopes <= 1 && !query_has_windows(unit->query);
}

/* ---- making nodes ---- */

struct analysis_node *unit_add_node(struct maker *maker, enum analysis_kind kind, size_t *number_r)
{
	struct analysis *out = maker->out;
	out->nodes = talloc_realloc(out, out->nodes, struct analysis_node, (unsigned)out->n_nodes + 1);
	assert(out->nodes != NULL);
	out->nodes[out->n_nodes] = (struct analysis_node){.kind = kind};
	*number_r = out->n_nodes + 1;
	return &out->nodes[out->n_nodes++];
}

void unit_list_add(struct maker *maker, struct analysis_list *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], text) == 0)
			return;
	list->items = talloc_realloc(maker->out, list->items, const char *, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = text;
}

struct analysis_source *unit_add_source(struct maker *maker, struct analysis_node *node)
{
	node->sources = talloc_realloc(maker->out, node->sources, struct analysis_source, (unsigned)node->n_sources + 1);
	assert(node->sources != NULL);
	node->sources[node->n_sources] = (struct analysis_source){.schema = "", .name = "", .alias = "", .way = ""};
	return &node->sources[node->n_sources++];
}

/* ---- conditions and columns ---- */

struct only {
	const struct occurrence *of;
	bool any;
};

static bool only_of(void *ctx, struct expr *expr)
{
	struct only *only = ctx;
	if (expr->kind == EXPR_SUBQUERY)
		return false;
	if (expr->kind != EXPR_COLUMN)
		return true;
	struct expr *meaning = names_meaning(expr);
	if (meaning->kind != EXPR_COLUMN)
		return expr_walk(meaning, only_of, only);
	only->any = true;
	return meaning->of == only->of;
}

static bool names_only(struct expr *expr, const struct occurrence *of)
{
	struct only only = {.of = of};
	return expr_walk(expr, only_of, &only) && only.any;
}

/* A condition of another scope does not decide about all rows of the table. */
static bool is_own(const struct conjunct *conjunct, const struct occurrence *of)
{
	return conjunct->scope == of->scope && names_only(conjunct->expr, of);
}

/* Does it name a column of a derived table? The log does not have that. */
static bool not_merged(void *ctx UNUSED, struct expr *expr)
{
	return names_meaning(expr) == expr;
}

static bool reads_merged(struct expr *expr)
{
	return !expr_walk(expr, not_merged, NULL);
}

/* The text of a condition as it is written; NULL where that would not do for the table's log. */
static const char *filter_text(const struct unit *unit, struct expr *expr)
{
	const struct maker *maker = unit->maker;
	return reads_merged(expr) ? NULL : span_condition(maker->out, maker->syn, maker->text, expr);
}

/* Appends to `text` the conditions of one branch of an OR on the table alone; "" there are none. */
static char *add_branch(const struct unit *unit, const struct occurrence *of, struct expr *branch, char *text)
{
	for (size_t i = 0; branch->kind == EXPR_AND && i < branch->args.n; i++)
		text = add_branch(unit, of, branch->args.items[i], text);
	const char *filter = branch->kind != EXPR_AND && names_only(branch, of) ? filter_text(unit, branch) : NULL;
	return filter == NULL ? text : talloc_asprintf_append(text, "%s(%s)", text[0] != '\0' ? " AND " : "", filter);
}

/* SQL: a row meets the conditions of one branch of the OR, where every branch has some on the table alone. NULL: some
 * branch has none. */
static char *either_text(const struct unit *unit, const struct occurrence *of, const struct conjunct *conjunct)
{
	const struct expr *either = conjunct->expr;
	char *text = NULL;
	if (either->kind != EXPR_OR || conjunct->scope != of->scope)
		return NULL;
	for (size_t i = 0; i < either->args.n; i++) {
		char *branch = add_branch(unit, of, either->args.items[i], talloc_strdup(unit->maker->out, ""));
		if (branch[0] == '\0')
			return NULL;
		text = text == NULL ? branch : talloc_asprintf_append(text, " OR %s", branch);
	}
	return text;
}

static void add_either(const struct unit *unit, const struct occurrence *of, const struct conjunct *conjunct,
                       struct analysis_source *out)
{
	const char *text = either_text(unit, of, conjunct);
	if (text == NULL)
		return;
	unit_list_add(unit->maker, &out->conditions, text);
	unit_list_add(unit->maker, &out->filters, text);
	unit_log_columns(unit->maker, out, of, conjunct->expr);
}

void unit_conditions(const struct unit *unit, const struct occurrence *of, struct analysis_source *out)
{
	struct maker *maker = unit->maker;
	out->complete = true;
	for (size_t i = 0; i < unit->names.n_conjuncts; i++) {
		struct conjunct *conjunct = unit->names.conjuncts[i];
		if (!is_own(conjunct, of)) {
			add_either(unit, of, conjunct, out);
			out->complete = false;
			continue;
		}
		unit_list_add(maker, &out->conditions, print_expr(maker->out, conjunct->expr));
		const char *span = filter_text(unit, conjunct->expr);
		out->complete &= span != NULL;
		if (span != NULL)
			unit_list_add(maker, &out->filters, span);
	}
}

/* A subquery of IN or EXISTS that every row of the query must pass, and that has no row without one of its tables. */
static bool must_pass(const struct unit *unit, const struct scope *scope)
{
	if (scope->kind != SCOPE_SUBQUERY || scope->parent != 0 || scope->in_having || scope->within == NULL ||
	    scope->within->scope != 0 || scope->within->expr != scope->subquery)
		return false;
	return (scope->subquery->subquery == SUBQUERY_IN || scope->subquery->subquery == SUBQUERY_EXISTS) &&
	       scope->query->op == QUERY_SELECT && !query_aggregates(unit->maker->facts, scope->query);
}

static bool is_always_there(const struct unit *unit, const struct occurrence *of)
{
	const struct scope *scope = &unit->names.scopes[of->scope];
	return of->scope == 0 || (of->in == scope->query && must_pass(unit, scope));
}

static bool has_column(const struct way *way, size_t column)
{
	for (size_t i = 0; i < way->n_pairs; i++)
		if (way->pairs[i].from == column)
			return true;
	return false;
}

/* An index finds the row. */
static bool is_one_row(const struct occurrence *of, const struct way *way)
{
	for (size_t i = 0; i < of->relation->n_keys; i++) {
		const struct fact_key *key = &of->relation->keys[i];
		bool all = key->n > 0;
		for (size_t k = 0; k < key->n && all; k++)
			all = has_column(way, key->columns[k]);
		if (all)
			return true;
	}
	return false;
}

bool unit_narrows(const struct unit *unit, const struct occurrence *of, const struct way *way)
{
	return way->found && way->next == NULL && !unit->ties.null_safe && is_always_there(unit, of) && is_one_row(of, way);
}

static bool find_same(const struct unit *unit, struct occurrence *of, struct tie_end to, struct way_pair *out)
{
	for (size_t c = 0; c < of->relation->n_columns; c++)
		if (of->read[c] && ties_same(&unit->names, &unit->ties, (struct tie_end){of, c}, to)) {
			*out = (struct way_pair){c, to};
			return true;
		}
	return false;
}

static bool reaches_key(const struct unit *unit, struct occurrence *of, struct occurrence *other,
                        const struct fact_key *key, struct way *out)
{
	struct way_pair *pairs = talloc_array(unit->maker->mem, struct way_pair, (unsigned)key->n + 1);
	assert(pairs != NULL);
	for (size_t k = 0; k < key->n; k++)
		if (!find_same(unit, of, (struct tie_end){other, key->columns[k]}, &pairs[k]))
			return false;
	*out = (struct way){.found = true, .pairs = pairs, .n_pairs = key->n};
	return key->n > 0;
}

bool unit_partners(const struct unit *unit, struct occurrence *of, struct occurrence *other, struct way *out)
{
	bool may = of != other && of->scope == 0 && other->scope == 0 && !unit->ties.null_safe;
	for (size_t i = 0; may && other->relation != NULL && i < other->relation->n_keys; i++)
		if (reaches_key(unit, of, other, &other->relation->keys[i], out))
			return true;
	return false;
}

void unit_log_column(struct maker *maker, struct analysis_source *source, const struct occurrence *of, size_t column)
{
	unit_list_add(maker, &source->logged, print_column(of, column));
}

struct logging {
	struct maker *maker;
	struct analysis_source *source;
	const struct occurrence *of;
};

static bool log_columns(void *ctx, struct expr *expr)
{
	const struct logging *logging = ctx;
	struct expr *meaning = names_meaning(expr);
	if (meaning != expr)
		return expr_walk(meaning, log_columns, ctx);
	if (expr->kind == EXPR_COLUMN && expr->of == logging->of)
		unit_log_column(logging->maker, logging->source, logging->of, expr->column);
	return true;
}

void unit_log_columns(struct maker *maker, struct analysis_source *source, const struct occurrence *of,
                      struct expr *expr)
{
	struct logging logging = {maker, source, of};
	expr_walk(expr, log_columns, &logging);
}

void unit_columns(const struct unit *unit, const struct occurrence *of, struct analysis_source *source)
{
	for (size_t i = 0; of->relation != NULL && i < of->relation->n_columns; i++)
		if (of->read[i])
			unit_list_add(unit->maker, &source->read, of->relation->columns[i].name);
	for (size_t i = 0; i < unit->names.n_conjuncts; i++)
		if (is_own(unit->names.conjuncts[i], of))
			unit_log_columns(unit->maker, source, of, unit->names.conjuncts[i]->expr);
}
