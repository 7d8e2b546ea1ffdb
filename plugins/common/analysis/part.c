/* SPDX-License-Identifier: MIT */
#include "common/analysis/node.h"

#include "common/analysis/exact.h"
#include "common/analysis/meaning/calls.h"
#include "common/analysis/print.h"
#include "common/analysis/texts.h"
#include "common/sqltext/ident.h"
#include "common/sqltext/sqltext.h"

#include <string.h>
#include <talloc.h>

#define KEY_MAX 8

struct key {
	struct tie_end ends[KEY_MAX];
	size_t n;
};

/* The best key so far. */
struct choice {
	const struct unit *unit;
	struct key key;
	struct way *ways;
	size_t direct;
	bool found;
	const struct occurrence *missing; /* a table without a way to a key that was tried */
	struct key tried;
	bool rolled;         /* a roll over the rows is the result */
	bool not_listed;     /* a key was left because it is not among the columns */
	struct expr *window; /* a window function that has no key in its PARTITION BY */
};

/* ---- windows ---- */

struct partitions {
	const struct unit *unit;
	const struct key *key;
	struct expr *bad;
};

static const struct expr_list *partition_of(const struct query *query, const struct window *window)
{
	for (size_t i = 0; window->name[0] != '\0' && i < query->n_windows; i++)
		if (strcmp(query->windows[i]->name, window->name) == 0 && window->partition.n == 0)
			return &query->windows[i]->partition;
	return &window->partition;
}

static bool key_in_partition(void *ctx, struct expr *expr)
{
	struct partitions *p = ctx;
	struct tie_end found;
	if (expr->kind != EXPR_CALL || expr->call->over == NULL)
		return true;
	for (size_t i = 0; i < p->key->n; i++) {
		if (!listed_in(p->unit, partition_of(p->unit->query, expr->call->over), p->key->ends[i], &found)) {
			p->bad = expr;
			return false;
		}
	}
	return true;
}

static struct expr *bad_window(const struct unit *unit, const struct key *key)
{
	struct partitions partitions = {unit, key, NULL};
	query_walk(unit->query, key_in_partition, &partitions);
	return partitions.bad;
}

/* ---- choosing a key ---- */

/* May rows of the result be found by this key? Its columns are written as they stand in the list where they do. */
static bool key_listed(const struct choice *choice, struct key *key)
{
	const struct unit *unit = choice->unit;
	struct expr_list list = listed_items(unit);
	if (!unit->result || unit->maker->unlisted || choice->rolled)
		return true;
	struct key listed = *key;
	for (size_t i = 0; i < key->n; i++)
		if (!listed_in(unit, &list, key->ends[i], &listed.ends[i]))
			return false;
	*key = listed;
	return true;
}

static bool key_in_distinct_on(const struct unit *unit, const struct key *key)
{
	struct tie_end found;
	for (size_t i = 0; unit->query->distinct_on.n > 0 && i < key->n; i++)
		if (!listed_in(unit, &unit->query->distinct_on, key->ends[i], &found))
			return false;
	return true;
}

static void try_key(struct choice *choice, struct key key)
{
	const struct unit *unit = choice->unit;
	struct way *ways = talloc_zero_array(unit->maker->mem, struct way, (unsigned)unit->names.n_occurrences + 1);
	assert(ways != NULL);
	if (!key_listed(choice, &key)) {
		choice->not_listed = true;
		choice->tried = key;
		return;
	}
	if ((choice->window = bad_window(unit, &key)) != NULL || !key_in_distinct_on(unit, &key))
		return;
	size_t direct = ways_find(&unit->names, &unit->ties, key.ends, key.n, ways);
	const struct occurrence *without = ways_missing(&unit->names, ways);
	if (without != NULL) {
		choice->missing = without;
		choice->tried = key;
	} else if (!choice->found || direct > choice->direct || (direct == choice->direct && key.n > choice->key.n)) {
		choice->key = key;
		choice->ways = ways;
		choice->direct = direct;
		choice->found = true;
	}
}

/* Columns of GROUP BY whose values have few rows: the groups are the key. */
static void try_groups(struct choice *choice, const struct occurrence *root)
{
	struct expr_list groups = unit_groups(choice->unit);
	for (size_t i = 0; i < groups.n; i++) {
		struct key key = {.n = 1};
		if (names_column(groups.items[i], &key.ends[0].of, &key.ends[0].column) != NULL && key.ends[0].of->scope == 0 &&
		    root_fine(choice->unit, root, key.ends[0]))
			try_key(choice, key);
	}
}

/* The unique key of the fact table, or one column of it that is nearly as good. */
static void try_root(struct choice *choice, const struct occurrence *root)
{
	const struct unit *unit = choice->unit;
	const struct fact_key *unique = root != NULL ? root_key(root) : NULL;
	struct occurrence *of = root != NULL ? unit->names.occurrences[root->number] : NULL;
	for (size_t i = 0; unique != NULL && unique->n > 1 && i < unique->n; i++) {
		const struct fact_column *fact = &of->relation->columns[unique->columns[i]];
		if (fact->distinct > 0 && of->relation->rows / fact->distinct <= NODE_ROWS_A_KEY && of->relation->rows > 0) {
			of->read[unique->columns[i]] = true;
			try_key(choice, (struct key){{{of, unique->columns[i]}}, 1});
		}
	}
	if (choice->found || unique == NULL || unique->n > KEY_MAX)
		return;
	struct key key = {.n = unique->n};
	for (size_t i = 0; i < unique->n; i++) {
		key.ends[i] = (struct tie_end){of, unique->columns[i]};
		of->read[unique->columns[i]] = true;
	}
	try_key(choice, key);
}

/* Columns that a subquery's value depends on: with them as key it is computed for its own keys only. */
static void try_correlated(struct choice *choice, const struct occurrence *root)
{
	const struct unit *unit = choice->unit;
	for (size_t i = 0; i < unit->ties.n; i++) {
		const struct tie *tie = &unit->ties.items[i];
		const struct scope *scope = &unit->names.scopes[tie->scope];
		bool value = scope->kind == SCOPE_SUBQUERY && scope->subquery->subquery == SUBQUERY_VALUE && scope->parent == 0;
		struct tie_end end = tie->a.of->scope == 0 ? tie->a : tie->b;
		if (value && end.of->scope == 0 && root_fine(unit, root, end))
			try_key(choice, (struct key){{end}, 1});
	}
}

/* All columns of the list that belong to one table, or one of them: rows with the same values are computed as a whole.
 */
static void try_whole(struct choice *choice, const struct expr_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct key key = {.n = 0};
		struct tie_end first, end;
		if (names_column(list->items[i], &first.of, &first.column) == NULL || first.of->scope != 0)
			continue;
		try_key(choice, (struct key){{first}, 1});
		for (size_t k = 0; k < list->n && key.n < KEY_MAX; k++)
			if (names_column(list->items[k], &end.of, &end.column) != NULL && end.of == first.of)
				key.ends[key.n++] = end;
		try_key(choice, key);
	}
}

static bool try_partition(void *ctx, struct expr *expr)
{
	struct choice *choice = ctx;
	if (expr->kind == EXPR_CALL && expr->call->over != NULL)
		try_whole(choice, partition_of(choice->unit->query, expr->call->over));
	return true;
}

/* Columns by which a derived table can be computed in parts. */
static void try_derived(struct choice *choice)
{
	const struct unit *unit = choice->unit;
	struct tie_end below;
	for (size_t i = 0; i < unit->names.n_occurrences; i++) {
		struct occurrence *of = unit->names.occurrences[i];
		for (size_t c = 0; of->relation == NULL && of->scope == 0 && c < of->derived->n_items; c++)
			if (ties_exit(of->derived, unit->maker->facts, c, &below))
				try_key(choice, (struct key){{{of, c}}, 1});
	}
}

/* A key need not be unique: the rows of a value are computed together. */
static void try_indexes(struct choice *choice)
{
	struct key key;
	for (size_t i = 0; root_index(choice->unit, i, key.ends, KEY_MAX, &key.n); i++)
		if (key.n > 0)
			try_key(choice, key);
}

/* Rows that are not grouped. */
static void try_rows(struct choice *choice, const struct occurrence *root)
{
	try_root(choice, root);
	try_correlated(choice, root);
	if (choice->found)
		return;
	query_walk(choice->unit->query, try_partition, choice);
	try_whole(choice, &choice->unit->query->distinct_on);
	try_derived(choice);
	if (!choice->found)
		try_indexes(choice);
}

/* ---- refusing ---- */

static size_t refuse_missing(const struct choice *choice)
{
	const struct unit *unit = choice->unit;
	const struct occurrence *of = choice->missing;
	for (int scope = of->scope; scope > 0; scope = unit->names.scopes[scope].parent)
		if (!node_refuse_scope(unit, &unit->names.scopes[scope]))
			return 0;
	char *why = talloc_asprintf(unit->maker->mem, "no equality of columns leads from it to %s",
	                            print_end(unit->maker->mem, choice->tried.ends[0]));
	assert(why != NULL);
	refuse_named(unit->maker->no, of->at, "table", of->alias, why, "join it by column = column of the same type");
	return 0;
}

static size_t refuse_key(const struct choice *choice, struct expr *bad, const char *why)
{
	struct refusal *no = choice->unit->maker->no;
	struct query *query = choice->unit->query;
	if (choice->missing != NULL)
		return refuse_missing(choice);
	if (choice->not_listed) {
		char *help = talloc_asprintf(choice->unit->maker->mem, "add %s to the columns",
		                             print_end(choice->unit->maker->mem, choice->tried.ends[0]));
		assert(help != NULL);
		refuse(no, query->at, "the list of columns", "it has no key by which a changed row is found again", help);
	}
	if (query->distinct_on.n > 0)
		refuse(no, query->distinct_on.items[0]->at, "DISTINCT ON", "no key is within its columns",
		       "add a unique key to the ON list");
	if (choice->window != NULL)
		refuse(no, choice->window->at, "a window function", "no key is within every PARTITION BY",
		       "add the key to each PARTITION BY");
	if (bad != NULL)
		refuse_named(no, bad->at, "aggregate", bad->name, why, "GROUP BY columns of one table");
	for (size_t i = 1; i < choice->unit->names.n_scopes; i++)
		if (choice->unit->names.scopes[i].kind == SCOPE_DERIVED && choice->unit->names.scopes[i].query->limit != NULL)
			node_refuse_scope(choice->unit, &choice->unit->names.scopes[i]);
	refuse(no, query->at, "the definition", "no table in it has a unique key without NULL that determines the rows",
	       "declare a primary key");
	return 0;
}

/* ---- making it ---- */

static const char *way_text(const struct unit *unit, const struct occurrence *of, const struct way *way)
{
	char *text = talloc_strdup(unit->maker->out, "");
	for (size_t i = 0; i < way->n_pairs; i++)
		text =
			talloc_asprintf_append(text, "%s%s.%s = %s", i > 0 ? " and " : "", of->alias,
		                           print_column(of, way->pairs[i].from), print_end(unit->maker->mem, way->pairs[i].to));
	assert(text != NULL);
	return text;
}

static bool all_tied(const struct choice *choice, const struct fact_relation *relation)
{
	const struct names *names = &choice->unit->names;
	for (size_t i = 0; i < names->n_occurrences; i++)
		if (names->occurrences[i]->relation == relation && choice->ways[i].next != NULL)
			return false;
	return true;
}

/* Number of the source that stands for an occurrence. */
static size_t source_number(const struct unit *unit, const struct occurrence *of)
{
	size_t number = 1;
	for (size_t i = 0; i < of->number; i++)
		number += unit->names.occurrences[i]->relation != NULL;
	return number;
}

static const struct analysis_pair *pairs_of(const struct unit *unit, const struct occurrence *of, const struct way *way)
{
	struct analysis_pair *pairs = talloc_array(unit->maker->out, struct analysis_pair, (unsigned)way->n_pairs);
	assert(pairs != NULL);
	for (size_t i = 0; i < way->n_pairs; i++)
		pairs[i] =
			(struct analysis_pair){print_column(of, way->pairs[i].from),
		                           print_column(way->pairs[i].to.of, way->pairs[i].to.column), unit->ties.null_safe};
	return pairs;
}

static void add_pairs(const struct choice *choice, struct analysis_source *source, const struct occurrence *of)
{
	const struct unit *unit = choice->unit;
	const struct way *way = &choice->ways[of->number];
	source->pairs = pairs_of(unit, of, way);
	source->n_pairs = way->n_pairs;
	source->next = way->next != NULL ? source_number(unit, way->next) : 0;
}

static void add_source(const struct choice *choice, struct analysis_node *node, const struct occurrence *of)
{
	const struct unit *unit = choice->unit;
	const struct way *way = &choice->ways[of->number];
	struct analysis_source *source = unit_add_source(unit->maker, node);
	source->schema = of->relation->schema;
	source->name = of->relation->name;
	source->alias = of->alias;
	source->tied = way->next == NULL;
	source->all_tied = all_tied(choice, of->relation);
	source->way = way_text(unit, of, way);
	add_pairs(choice, source, of);
	unit_conditions(unit, of, source);
	source->narrows = source->filters.n > 0 && unit_narrows(unit, of, way);
	unit_columns(unit, of, source);
	for (size_t i = 0; i < way->n_pairs; i++)
		unit_log_column(unit->maker, source, of, way->pairs[i].from);
	/* Ways of others that lead through this table. */
	for (size_t i = 0; i < unit->names.n_occurrences; i++)
		for (size_t k = 0; choice->ways[i].next == of && k < choice->ways[i].n_pairs; k++)
			unit_log_column(unit->maker, source, of, choice->ways[i].pairs[k].to.column);
}

/* A table on the way is asked there. */
static bool may_be_partner(const struct analysis_source *source, size_t number, const struct analysis_source *other)
{
	return other->filters.n > 0 && source->next != number;
}

/* Where few of the keys stay in any case, asking for those that images lead to does not pay. */
static bool is_narrowed(const struct analysis_node *node, const struct analysis_source *source)
{
	bool narrowed = false;
	for (size_t i = 0; i < node->n_sources; i++)
		narrowed |= source->next == 0 && node->sources[i].narrows;
	return narrowed;
}

/* Elsewhere its images lead to the same keys. */
static bool stands_once(const struct unit *unit, const struct occurrence *of)
{
	size_t n = 0;
	for (size_t i = 0; i < unit->names.n_occurrences; i++)
		n += unit->names.occurrences[i]->relation == of->relation;
	return n == 1;
}

static void add_partner(const struct choice *choice, struct analysis_node *node, struct occurrence *of)
{
	const struct unit *unit = choice->unit;
	struct analysis_source *source = &node->sources[source_number(unit, of) - 1];
	bool may = stands_once(unit, of) && !is_narrowed(node, source);
	struct way way;
	for (size_t i = 0; may && i < unit->names.n_occurrences && source->partner == 0; i++) {
		struct occurrence *other = unit->names.occurrences[i];
		size_t number = source_number(unit, other);
		if (other->relation == NULL || !may_be_partner(source, number, &node->sources[number - 1]) ||
		    !unit_partners(unit, of, other, &way))
			continue;
		source->partner = number;
		source->partner_pairs = pairs_of(unit, of, &way);
		source->n_partner_pairs = way.n_pairs;
		for (size_t k = 0; k < way.n_pairs; k++) {
			unit_log_column(unit->maker, source, of, way.pairs[k].from);
			unit_log_column(unit->maker, &node->sources[number - 1], other, way.pairs[k].to.column);
		}
	}
}

/* Equal keys that are not the same bytes show any of their spellings; sums of floats depend on the order. */
static bool one_answer(const struct choice *choice)
{
	const struct unit *unit = choice->unit;
	struct expr_list groups = unit_groups(unit), aggregates = unit_aggregates(unit);
	const char *why;
	for (size_t i = 0; i < choice->key.n; i++) {
		const struct fact_column *fact = names_fact(choice->key.ends[i].of, choice->key.ends[i].column);
		if (!listed_one_spelling(fact))
			return false;
	}
	if (!listed_spelled_one_way(&groups))
		return false;
	for (size_t i = 0; i < aggregates.n; i++)
		if (!exact_rollable(unit->maker->facts, aggregates.items[i], &why))
			return false;
	return !query_has_windows(unit->query);
}

static const char *key_sql(const struct unit *unit, struct tie_end end)
{
	char *sql = ident_append(unit->maker->syn, sql_new(unit->maker->out), end.of->alias);
	return ident_append(unit->maker->syn, sql_add(sql, "."), print_column(end.of, end.column));
}

/* A derived table lends it a name; elsewhere inside it is not known outside. */
static void add_key_sql(const struct unit *unit, struct tie_end end, struct analysis_node *node)
{
	const struct query *inside = texts_inside(unit);
	const char *sql = key_sql(unit, end);
	if (inside != NULL && end.of->in == inside) {
		unit_list_add(unit->maker, &node->key_inside, sql);
		sql = talloc_asprintf(unit->maker->out, "viewd_f%zu", node->key_inside.n);
	} else if (end.of->in != unit->query) {
		return;
	}
	unit_list_add(unit->maker, &node->key_sql, sql);
}

static struct analysis_node *add_part(const struct choice *choice, size_t *number_r)
{
	const struct unit *unit = choice->unit;
	struct analysis_node *node = unit_add_node(unit->maker, ANALYSIS_PART, number_r);
	for (size_t i = 0; i < choice->key.n; i++)
		unit_list_add(unit->maker, &node->key, print_end(unit->maker->out, choice->key.ends[i]));
	node->one_answer = one_answer(choice);
	for (size_t i = 0; i < choice->key.n; i++)
		add_key_sql(unit, choice->key.ends[i], node);
	if (unit->result && !choice->rolled)
		listed_columns(unit, choice->key.ends, choice->key.n, node);
	for (size_t i = 0; i < unit->names.n_occurrences; i++)
		if (unit->names.occurrences[i]->relation != NULL)
			add_source(choice, node, unit->names.occurrences[i]);
	for (size_t i = 0; i < unit->names.n_occurrences; i++)
		if (unit->names.occurrences[i]->relation != NULL)
			add_partner(choice, node, unit->names.occurrences[i]);
	if (unit->grouped) {
		struct expr_list groups = unit_groups(unit), aggregates = unit_aggregates(unit);
		for (size_t i = 0; i < groups.n; i++)
			unit_list_add(unit->maker, &node->groups, print_expr(unit->maker->out, groups.items[i]));
		for (size_t i = 0; i < aggregates.n; i++)
			unit_list_add(unit->maker, &node->aggregates, print_expr(unit->maker->out, aggregates.items[i]));
	}
	return node;
}

/* Groups that are larger than a key: rows by the key of the fact table, and sums over them. */
static size_t part_and_roll(struct choice *choice, const struct occurrence *root)
{
	size_t part;
	choice->rolled = true;
	choice->not_listed = false;
	try_root(choice, root);
	try_correlated(choice, root);
	if (!choice->found)
		return refuse_key(choice, NULL, "");
	(void)add_part(choice, &part);
	return roll_over(choice->unit, part);
}

size_t part_make(const struct unit *unit)
{
	struct choice choice = {.unit = unit};
	const struct occurrence *root = root_find(unit);
	struct expr *bad = NULL;
	const char *why = "";
	size_t number;
	if (!unit->grouped) {
		try_rows(&choice, root);
	} else {
		try_groups(&choice, root);
		if (!choice.found && !unit->maker->one_part && unit_rollable(unit, &bad, &why))
			return part_and_roll(&choice, root);
		struct expr_list groups = unit_groups(unit);
		if (!choice.found)
			try_whole(&choice, &groups);
	}
	if (!choice.found)
		return refuse_key(&choice, bad, why);
	(void)add_part(&choice, &number);
	return number;
}
