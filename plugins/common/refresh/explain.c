/* SPDX-License-Identifier: MIT
 *
 * explain.c: explains how a definition can be kept incrementally, as facts for people and programs.
 */
#include "base/err.h"
#include "common/analysis/analysis.h"
#include "common/depends/knowledge.h"
#include "common/incremental/chain.h"
#include "common/incremental/incremental.h"
#include "common/objects/task.h"
#include "common/refresh/indexes.h"
#include "common/refresh/refresh.h"

#include <string.h>
#include <talloc.h>

struct told {
	struct task *task;
	const struct facts *facts;
};

/* Where a fact belongs. */
struct place {
	struct viewd_explained_sink sink;
	uint32_t node, source;
};

static void tell_fact(const struct place *place, enum viewd_explained_kind kind, const char *key, const char *text,
                      int64_t number)
{
	const struct viewd_explained fact = {sizeof fact, place->node, place->source, kind, key, text, number};
	place->sink.fn(place->sink.ctx, &fact);
}

static void tell_text(const struct place *place, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		tell_fact(place, VIEWD_EXPLAINED_TEXT, key, text, 0);
}

static void tell_flag(const struct place *place, const char *key, bool yes)
{
	tell_fact(place, VIEWD_EXPLAINED_FLAG, key, NULL, yes);
}

static void tell_list(const struct place *place, const char *key, const struct analysis_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		tell_fact(place, VIEWD_EXPLAINED_ITEM, key, list->items[i], 0);
}

static void tell_source(const struct place *place, const struct analysis_source *source)
{
	if (source->node != 0)
		tell_fact(place, VIEWD_EXPLAINED_NUMBER, "of_node", NULL, (int64_t)source->node);
	tell_text(place, "schema", source->schema);
	tell_text(place, "name", source->name);
	tell_text(place, "alias", source->alias);
}

static void tell_use(const struct place *place, const struct analysis_source *source)
{
	tell_flag(place, "images", source->images);
	tell_flag(place, "whole", source->whole);
	tell_flag(place, "tied", source->tied);
	tell_flag(place, "all_tied", source->all_tied);
	tell_text(place, "way", source->way);
	tell_list(place, "conditions", &source->conditions);
	tell_list(place, "log_columns", &source->logged);
	tell_list(place, "columns", &source->read);
}

/* The parts of a node that a picture of the views shows. */
static void tell_outline(struct place place, const struct analysis_node *node)
{
	tell_text(&place, "kind", analysis_kind_word(node->kind));
	tell_list(&place, "key", &node->key);
	tell_list(&place, "groups", &node->groups);
	for (size_t i = 0; i < node->n_sources; i++) {
		place.source = (uint32_t)i + 1;
		tell_source(&place, &node->sources[i]);
	}
}

void explain_outline(struct viewd_explained_sink sink, const struct analysis *analysis)
{
	struct place place = {.sink = sink};
	for (size_t i = 0; i < analysis->n_nodes; i++) {
		place.node = (uint32_t)i + 1;
		tell_outline(place, &analysis->nodes[i]);
	}
}

static void tell_size(const struct place *place, const struct analysis_source *source, const struct facts *facts)
{
	for (size_t i = 0; source->node == 0 && i < facts->n_relations; i++) {
		const struct fact_relation *relation = &facts->relations[i];
		if (relation->rows > 0 && strcmp(relation->name, source->name) == 0 &&
		    strcmp(relation->schema, source->schema) == 0)
			tell_fact(place, VIEWD_EXPLAINED_NUMBER, "rows", NULL, (int64_t)relation->rows);
	}
}

static void tell_node(const struct told *told, struct place place, const struct analysis_node *node)
{
	tell_outline(place, node);
	tell_list(&place, "aggregates", &node->aggregates);
	tell_list(&place, "notes", &node->notes);
	for (size_t i = 0; i < node->n_sources; i++) {
		place.source = (uint32_t)i + 1;
		tell_use(&place, &node->sources[i]);
		tell_size(&place, &node->sources[i], told->facts);
		struct analysis_list missing = indexes_missing(told->task->mem, told->task->db->syntax, node, i, told->facts);
		tell_list(&place, "missing_indexes", &missing);
	}
}

static void tell_refusal(const struct place *place, const struct refusal *no)
{
	tell_text(place, "construct", no->construct);
	if (no->line > 0) {
		tell_fact(place, VIEWD_EXPLAINED_NUMBER, "line", NULL, no->line);
		tell_fact(place, VIEWD_EXPLAINED_NUMBER, "column", NULL, no->column);
	}
	tell_text(place, "why", no->why);
	tell_text(place, "help", no->help);
}

/* The costs of the nodes that are in use. Forms count from 1 for people. */
static void tell_costs(const struct told *told, const struct place *place)
{
	static const char *const keys[COST_FORMS][2] = {{"form_1_us", "form_1_keys"}, {"form_2_us", "form_2_keys"}};
	struct cost cost;
	if (!incremental_costs(told->task, &cost))
		return;
	tell_fact(place, VIEWD_EXPLAINED_NUMBER, "form", NULL, cost.form + 1);
	if (cost.whole_us > 0)
		tell_fact(place, VIEWD_EXPLAINED_NUMBER, "all_rows_us", NULL, (int64_t)cost.whole_us);
	for (size_t i = 0; i < COST_FORMS; i++) {
		int64_t usual = cost_usual_keys(&cost, (int)i);
		if (usual <= 0)
			continue;
		tell_fact(place, VIEWD_EXPLAINED_NUMBER, keys[i][1], NULL, usual);
		tell_fact(place, VIEWD_EXPLAINED_NUMBER, keys[i][0], NULL, (int64_t)cost_of_form(&cost, (int)i, usual));
	}
}

static void tell_analysis(const struct told *told, struct viewd_explained_sink sink, const struct analysis *analysis)
{
	struct place place = {.sink = sink};
	tell_flag(&place, "possible", analysis->possible);
	if (!analysis->possible)
		tell_refusal(&place, &analysis->refusal);
	else
		tell_costs(told, &place);
	for (size_t i = 0; i < analysis->n_nodes; i++) {
		place.node = (uint32_t)i + 1;
		tell_node(told, place, &analysis->nodes[i]);
	}
}

/* NULL: err says why nothing can be told. */
static const struct analysis *analyse(struct told *told, struct viewd_err *err)
{
	struct task *task = told->task;
	struct db *db = task->db;
	struct knowledge *knowledge = knowledge_new(task->mem);
	knowledge_average(knowledge, db->ops->incremental.average, db->ops->incremental.average_large);
	knowledge_extremes(knowledge, db->ops->incremental.roll.extreme_odd);
	if (db->ops->depends.know == NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "the dialect for %s does not tell what tables consist of", db->syntax->dialect);
		return NULL;
	}
	if (!db->ops->depends.know(db, knowledge_names(db->syntax, task->mem, task->definition), knowledge, err))
		return NULL;
	told->facts = knowledge_facts(knowledge);
	bool kept = chain_known(task) && strcmp(task->chain->definition, task->definition) == 0;
	return kept ? task->chain->analysis : chain_analyse(task, task->mem, told->facts);
}

bool recipe_explain(struct task *task, struct viewd_explained_sink facts, struct viewd_err *err)
{
	struct place place = {.sink = facts};
	struct told told = {.task = task};
	const struct analysis *analysis = analyse(&told, err);
	char *text;
	if (analysis == NULL || !chain_describe(task, analysis, &text, err))
		return false;
	tell_text(&place, "today", text);
	tell_analysis(&told, facts, analysis);
	return true;
}

bool explain_may_become_table(struct task *task, struct viewd_err *err)
{
	struct told told = {.task = task};
	if (task->view->method != VIEWD_METHOD_MATERIALIZED || task->resolved.mode != VIEWD_MODE_INCREMENTAL)
		return true;
	const struct analysis *analysis = analyse(&told, err);
	return analysis != NULL && (analysis->possible || chain_refuse(task, &analysis->refusal, err));
}
