/* SPDX-License-Identifier: MIT */
#include "common/analysis/meaning/names.h"

#include "common/analysis/meaning/calls.h"
#include "common/analysis/meaning/order.h"
#include "common/analysis/meaning/ranges.h"
#include "common/sqltext/ident.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

/* ---- asking ---- */

struct expr *names_meaning(struct expr *expr)
{
	while (expr->kind == EXPR_COLUMN && expr->means != NULL)
		expr = expr->means;
	return expr;
}

const struct fact_column *names_fact(const struct occurrence *occurrence, size_t column)
{
	struct occurrence *of;
	size_t number;
	if (occurrence->relation != NULL)
		return &occurrence->relation->columns[column];
	return names_column(occurrence->derived->items[column].expr, &of, &number);
}

const struct fact_column *names_column(struct expr *expr, struct occurrence **occurrence_r, size_t *column_r)
{
	expr = names_meaning(expr);
	if (expr->kind != EXPR_COLUMN || expr->of == NULL)
		return NULL;
	*occurrence_r = expr->of;
	*column_r = expr->column;
	return names_fact(expr->of, expr->column);
}

bool names_inside(const struct names *names, int scope, int outer)
{
	while (scope >= 0 && scope != outer)
		scope = names->scopes[scope].parent;
	return scope == outer;
}

bool names_nullable(const struct names *names, int scope)
{
	return names->scopes[scope].kind == SCOPE_NULLABLE;
}

bool names_mergeable(const struct facts *facts, struct query *query)
{
	return query->op == QUERY_SELECT && query->groups.n == 0 && query->having == NULL && !query->distinct &&
	       query->distinct_on.n == 0 && query->limit == NULL && query->n_from > 0 && !query_aggregates(facts, query) &&
	       !query_has_windows(query);
}

/* ---- making ---- */

static int add_scope(struct names *names, const struct scope *scope)
{
	names->scopes = talloc_realloc(names->mem, names->scopes, struct scope, (unsigned)names->n_scopes + 1);
	assert(names->scopes != NULL);
	names->scopes[names->n_scopes] = *scope;
	return (int)names->n_scopes++;
}

static struct occurrence *add_occurrence(struct names *names, const struct occurrence *row)
{
	struct occurrence *occurrence = talloc(names->mem, struct occurrence);
	names->occurrences =
		talloc_realloc(names->mem, names->occurrences, struct occurrence *, (unsigned)names->n_occurrences + 1);
	assert(occurrence != NULL && names->occurrences != NULL);
	*occurrence = *row;
	occurrence->read =
		talloc_zero_array(names->mem, bool, row->relation != NULL ? (unsigned)row->relation->n_columns + 1 : 1);
	assert(occurrence->read != NULL);
	occurrence->number = names->n_occurrences;
	names->occurrences[names->n_occurrences++] = occurrence;
	return occurrence;
}

static struct conjunct *add_conjunct(struct names *names, struct expr *expr, struct query *in, int scope)
{
	struct conjunct *conjunct = talloc(names->mem, struct conjunct);
	names->conjuncts =
		talloc_realloc(names->mem, names->conjuncts, struct conjunct *, (unsigned)names->n_conjuncts + 1);
	assert(conjunct != NULL && names->conjuncts != NULL);
	*conjunct = (struct conjunct){expr, in, scope};
	names->conjuncts[names->n_conjuncts++] = conjunct;
	return conjunct;
}

static bool enter_query(struct names *names, struct query *query, int scope, const struct ranges *outer);

/* ---- expressions ---- */

/* Where an expression stands. */
struct place {
	struct names *names;
	const struct ranges *ranges;
	int scope;
	bool filters; /* WHERE or ON, with nothing but AND and OR above */
	bool in_having;
	struct conjunct *within;
};

static bool enter_expr(struct place *place, struct expr *expr);

static bool enter_list(struct place *place, struct expr_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (!enter_expr(place, list->items[i]))
			return false;
	return true;
}

static bool enter_subquery(struct place *place, struct expr *expr)
{
	expr->scope = add_scope(place->names, &(struct scope){.kind = SCOPE_SUBQUERY,
	                                                      .parent = place->scope,
	                                                      .query = expr->query,
	                                                      .subquery = expr,
	                                                      .filters = place->filters,
	                                                      .in_having = place->in_having,
	                                                      .within = place->within});
	return enter_query(place->names, expr->query, expr->scope, place->ranges);
}

static bool enter_call(struct place *place, struct expr *expr)
{
	struct expr_call *call = expr->call;
	if (!call_check(place->names->facts, expr, place->names->no))
		return false;
	if (call->filter != NULL && !enter_expr(place, call->filter))
		return false;
	return call->over == NULL || (enter_list(place, &call->over->partition) && enter_list(place, &call->over->order));
}

/* The word of a moment, or a place, that a text holds where it begins with that or with a number ("12:00 today"): it
 * means this wherever a time is expected. NULL: none. */
static const char *moment_in(const char *text)
{
	static const char *const words[] = {"now", "today", "tomorrow", "yesterday", "localtime"};
	static const char blanks[] = " \t\n\v\f\r";
	const char *word = text + strspn(text, blanks);
	bool numbers = true;
	for (; *word != '\0' && numbers; word += strspn(word, blanks)) {
		size_t len = strcspn(word, blanks);
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (strlen(words[i]) == len && strncasecmp(words[i], word, len) == 0)
				return words[i];
		numbers = isdigit((unsigned char)word[0]) != 0;
		word += len;
	}
	return NULL;
}

static bool enter_const(struct place *place, const struct expr *expr)
{
	const char *word = expr->name[0] == '\'' ? moment_in(expr->name + 1) : NULL;
	return word == NULL ||
	       refuse_named(place->names->no, expr->at, "the word", word,
	                    "it may mean the present, or the time zone of the place", "use a schedule, or a column");
}

static bool enter_expr(struct place *place, struct expr *expr)
{
	struct place below = *place;
	below.filters = place->filters && (expr->kind == EXPR_AND || expr->kind == EXPR_OR || expr->kind == EXPR_SUBQUERY);
	switch (expr->kind) {
	case EXPR_COLUMN:
		return ranges_resolve(place->names, place->ranges, expr);
	case EXPR_STAR:
		return refuse(place->names->no, expr->at, "* inside an expression", "the analysis does not follow it",
		              "write the columns");
	case EXPR_CONST:
		return enter_const(place, expr);
	case EXPR_CALL:
		return enter_list(&below, &expr->args) && enter_call(&below, expr);
	case EXPR_SUBQUERY:
		return enter_list(&below, &expr->args) && enter_subquery(place, expr);
	case EXPR_COMPARE:
	case EXPR_SAME:
	case EXPR_OTHER:
	case EXPR_CASE:
	case EXPR_CAST:
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_NOT:
	case EXPR_ROW:
		break;
	}
	return enter_list(&below, &expr->args);
}

static bool enter_condition(struct names *names, struct expr *expr, struct query *in, int scope,
                            const struct ranges *ranges)
{
	if (expr == NULL)
		return true;
	if (expr->kind == EXPR_AND) {
		for (size_t i = 0; i < expr->args.n; i++)
			if (!enter_condition(names, expr->args.items[i], in, scope, ranges))
				return false;
		return true;
	}
	struct conjunct *conjunct = add_conjunct(names, expr, in, scope);
	return enter_expr(
		&(struct place){.names = names, .ranges = ranges, .scope = scope, .filters = true, .within = conjunct}, expr);
}

/* ---- FROM ---- */

static const struct fact_relation *find_relation(const struct names *names, const struct from *from)
{
	for (size_t i = 0; i < names->facts->n_relations; i++) {
		const struct fact_relation *relation = &names->facts->relations[i];
		if (ident_same(names->syn, relation->name, from->name) &&
		    (from->schema[0] == '\0' || ident_same(names->syn, relation->schema, from->schema)))
			return relation;
	}
	return NULL;
}

static const char *why_no_table(enum viewd_depends kind)
{
	switch (kind) {
	case VIEWD_DEPENDS_TABLE:
		return NULL;
	case VIEWD_DEPENDS_VIEW:
		return "it is a view, and what it reads is not analysed through it";
	case VIEWD_DEPENDS_MATVIEW:
		return "it is a materialized view, and its refreshes do not tell which rows changed";
	case VIEWD_DEPENDS_FOREIGN:
		return "its rows are somewhere else, and changes made there are not told";
	case VIEWD_DEPENDS_VIRTUAL:
		return "the engine runs no triggers on it";
	case VIEWD_DEPENDS_FUNCTION:
	case VIEWD_DEPENDS_TYPE:
	case VIEWD_DEPENDS_SEQUENCE:
	case VIEWD_DEPENDS_CATALOGUE:
	case VIEWD_DEPENDS_CLOCK:
	case VIEWD_DEPENDS_SETTING:
	case VIEWD_DEPENDS_OTHER:
	case VIEWD_DEPENDS_COUNT:
		break;
	}
	return "no trigger tells of its changes";
}

static bool add_table(struct names *names, struct from *from, struct query *in, int scope, struct ranges *ranges)
{
	const struct fact_relation *relation = find_relation(names, from);
	if (relation == NULL)
		return refuse_named(names->no, from->at, "table", from->name, "it is not known", "");
	const char *why = relation->refused != NULL ? relation->refused : why_no_table(relation->kind);
	if (why != NULL)
		return refuse_named(names->no, from->at, "relation", from->name, why,
		                    relation->kind == VIEWD_DEPENDS_VIEW ? "write the view's query in its place" : "");
	struct occurrence *occurrence = add_occurrence(
		names,
		&(struct occurrence){.relation = relation, .in = in, .alias = from->alias, .at = from->at, .scope = scope});
	ranges_add(names, ranges,
	           &(struct range){.alias = from->alias, .schema = relation->schema, .occurrence = occurrence});
	return true;
}

static bool add_query(struct names *names, struct from *from, struct query *in, int scope, struct ranges *ranges)
{
	struct range range = {.alias = from->alias, .schema = "", .columns = from->columns, .n_columns = from->n_columns};
	const struct ranges *outer = from->lateral ? ranges : ranges->outer;
	/* The names that a LATERAL query sees must not change while names are added. */
	struct ranges *seen = talloc_zero(names->mem, struct ranges);
	assert(seen != NULL);
	if (outer != NULL)
		*seen = *outer;
	if (seen->query != NULL && outer == ranges)
		seen->query = NULL;
	if (names_mergeable(names->facts, from->query)) {
		range.merged = from->query;
		if (!enter_query(names, from->query, scope, outer != NULL ? seen : NULL))
			return false;
	} else {
		int inner = add_scope(names, &(struct scope){.kind = SCOPE_DERIVED, .parent = scope, .query = from->query});
		if (!enter_query(names, from->query, inner, outer != NULL ? seen : NULL))
			return false;
		range.occurrence = add_occurrence(names, &(struct occurrence){.derived = from->query,
		                                                              .in = in,
		                                                              .alias = from->alias,
		                                                              .renamed = from->columns,
		                                                              .n_renamed = from->n_columns,
		                                                              .at = from->at,
		                                                              .scope = scope});
	}
	in->correlated |= from->query->correlated && !from->lateral;
	ranges_add(names, ranges, &range);
	return true;
}

static bool add_from(struct names *names, struct from *from, struct query *in, int scope, struct ranges *ranges);

/* One `left.name = right.name` for each column of USING. */
static bool add_using(struct names *names, const struct from *from, struct query *in, int scope, struct ranges *ranges,
                      const size_t bounds[3])
{
	for (size_t i = 0; i < from->n_using; i++) {
		struct expr *left = ranges_find(names, ranges, bounds[0], bounds[1], from->using_names[i]);
		struct expr *right =
			left != NULL ? ranges_find(names, ranges, bounds[1], bounds[2], from->using_names[i]) : NULL;
		struct expr *same = talloc_zero(names->mem, struct expr);
		struct expr **args = talloc_array(names->mem, struct expr *, 2);
		assert(same != NULL && args != NULL);
		if (right == NULL)
			return false;
		args[0] = left;
		args[1] = right;
		*same = (struct expr){
			.kind = EXPR_COMPARE, .at = from->at, .name = "=", .qualifier = "", .schema = "", .args = {args, 2}};
		add_conjunct(names, same, in, scope);
		ranges_merge(names, ranges, from->using_names[i], from->join == JOIN_RIGHT ? right : left);
	}
	return true;
}

static bool add_join(struct names *names, struct from *from, struct query *in, int scope, struct ranges *ranges)
{
	if (from->join == JOIN_FULL && !names->whole)
		return refuse(names->no, from->at, "FULL JOIN",
		              "rows of either side may come alone, and their keys are not followed yet",
		              "two LEFT JOINs and UNION ALL, as views on views");
	int nullable = scope;
	if (from->join != JOIN_INNER)
		nullable = add_scope(names, &(struct scope){.kind = SCOPE_NULLABLE, .parent = scope});
	int left = from->join == JOIN_RIGHT || from->join == JOIN_FULL ? nullable : scope;
	int right = from->join == JOIN_LEFT || from->join == JOIN_FULL ? nullable : scope;
	size_t bounds[3] = {ranges->n};
	if (!add_from(names, from->left, in, left, ranges))
		return false;
	bounds[1] = ranges->n;
	if (!add_from(names, from->right, in, right, ranges))
		return false;
	bounds[2] = ranges->n;
	return add_using(names, from, in, nullable, ranges, bounds) &&
	       enter_condition(names, from->on, in, nullable, ranges);
}

static bool add_from(struct names *names, struct from *from, struct query *in, int scope, struct ranges *ranges)
{
	switch (from->kind) {
	case FROM_TABLE:
		return add_table(names, from, in, scope, ranges);
	case FROM_QUERY:
		return add_query(names, from, in, scope, ranges);
	case FROM_JOIN:
		break;
	}
	return add_join(names, from, in, scope, ranges);
}

/* ---- a query ---- */

/* Does a column of the list have the name, and is another one than the table's? Engines differ in which of them they
 * take. */
static bool means_another(const struct names *names, const struct query *query, struct expr *expr)
{
	for (size_t i = 0; expr->kind == EXPR_COLUMN && expr->qualifier[0] == '\0' && i < query->n_items; i++) {
		if (!ident_same(names->syn, query->items[i].name, expr->name))
			continue;
		struct expr *item = names_meaning(query->items[i].expr), *group = names_meaning(expr);
		if (item != group && (item->kind != EXPR_COLUMN || group->kind != EXPR_COLUMN || item->of != group->of ||
		                      item->column != group->column))
			return true;
	}
	return false;
}

/* GROUP BY 1 means the first column. A name means a column of a table first, and must not mean another one as well. */
static bool enter_groups(struct names *names, struct query *query, const struct ranges *ranges, int scope)
{
	struct place place = {.names = names, .ranges = ranges, .scope = scope};
	for (size_t i = 0; i < query->groups.n; i++) {
		struct expr *expr = query->groups.items[i];
		if (expr->kind == EXPR_CONST) {
			size_t number = (size_t)strtoul(expr->name[0] != '\0' ? expr->name : "0", NULL, 10);
			if (number < 1 || number > query->n_items)
				return refuse(names->no, expr->at, "GROUP BY a constant", "it names no column", "");
			query->groups.items[i] = query->items[number - 1].expr;
		} else if (!enter_expr(&place, expr)) {
			return false;
		} else if (means_another(names, query, expr)) {
			return refuse_named(names->no, expr->at, "GROUP BY", expr->name,
			                    "a table and the list of columns both have that name", "write the table before it");
		}
	}
	return true;
}

/* In an order, and in DISTINCT ON, a name means a column of the list first, on all engines. */
static bool enter_order(struct place *place, const struct query *query, struct expr_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct expr *expr = list->items[i];
		const struct select_item *label = NULL;
		for (size_t k = 0; expr->kind == EXPR_COLUMN && expr->qualifier[0] == '\0' && k < query->n_items; k++)
			if (ident_same(place->names->syn, query->items[k].name, expr->name))
				label = &query->items[k];
		if (label != NULL)
			expr->means = label->expr;
		else if (!enter_expr(place, expr))
			return false;
	}
	return true;
}

static bool enter_clauses(struct names *names, struct query *query, struct ranges *ranges, int scope)
{
	struct place place = {.names = names, .ranges = ranges, .scope = scope};
	if (!ranges_expand(names, ranges, query))
		return false;
	for (size_t i = 0; i < query->n_items; i++)
		if (!enter_expr(&place, query->items[i].expr))
			return false;
	ranges->query = query;
	if (!enter_condition(names, query->where, query, scope, ranges) || !enter_groups(names, query, ranges, scope))
		return false;
	for (size_t i = 0; i < query->n_windows; i++)
		if (!enter_list(&place, &query->windows[i]->partition) || !enter_list(&place, &query->windows[i]->order))
			return false;
	if (!enter_order(&place, query, &query->distinct_on))
		return false;
	/* An order that decides about nothing is not looked at. */
	if ((query->limit != NULL || query->distinct_on.n > 0) && !enter_order(&place, query, &query->order))
		return false;
	place.in_having = true;
	return (query->having == NULL || enter_expr(&place, query->having)) && order_check(names, query);
}

/* The columns of a set operation have the names of the first branch's columns, and are no columns of a table. */
static bool list_branches(struct names *names, struct query *query)
{
	const struct query *left = query->left, *right = query->right;
	query->n_items = left->n_items;
	query->items = talloc_zero_array(names->mem, struct select_item, (unsigned)query->n_items + 1);
	struct expr *columns = talloc_zero_array(names->mem, struct expr, (unsigned)query->n_items + 1);
	assert(query->items != NULL && columns != NULL);
	for (size_t i = 0; i < query->n_items; i++) {
		columns[i] = (struct expr){
			.kind = EXPR_OTHER, .at = left->items[i].expr->at, .name = "UNION", .qualifier = "", .schema = ""};
		query->items[i] = (struct select_item){&columns[i], left->items[i].name};
	}
	return left->n_items == right->n_items ||
	       refuse(names->no, query->at, "UNION, EXCEPT or INTERSECT", "its branches differ in their columns", "");
}

static bool enter_branches(struct names *names, struct query *query, int scope, const struct ranges *outer)
{
	struct query *const branches[] = {query->left, query->right};
	if (!names->whole)
		return refuse(names->no, query->at, "UNION, EXCEPT or INTERSECT",
		              "keys are not followed through its branches yet",
		              "one view for each branch, and a plain view over them");
	if (query->limit != NULL)
		return refuse(names->no, query->limit->at, "LIMIT or OFFSET after UNION, EXCEPT or INTERSECT",
		              "the analysis does not look at what decides about the order", "");
	for (size_t i = 0; i < ARRAY_LEN(branches); i++) {
		int inner = add_scope(names, &(struct scope){.kind = SCOPE_DERIVED, .parent = scope, .query = branches[i]});
		if (!enter_query(names, branches[i], inner, outer))
			return false;
		query->correlated |= branches[i]->correlated;
	}
	return list_branches(names, query);
}

static bool enter_query(struct names *names, struct query *query, int scope, const struct ranges *outer)
{
	struct ranges ranges = {.outer = outer, .self = query};
	query->scope = scope;
	query->correlated = false;
	if (query->op != QUERY_SELECT)
		return enter_branches(names, query, scope, outer);
	for (size_t i = 0; i < query->n_from; i++)
		if (!add_from(names, query->from[i], query, scope, &ranges))
			return false;
	return enter_clauses(names, query, &ranges, scope);
}

bool names_resolve(struct names *names, struct query *query)
{
	add_scope(names, &(struct scope){.kind = SCOPE_QUERY, .parent = -1, .query = query});
	return enter_query(names, query, 0, NULL);
}
