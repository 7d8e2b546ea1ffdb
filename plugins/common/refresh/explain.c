/* SPDX-License-Identifier: MIT
 *
 * explain.c: how a definition could be kept incrementally, as facts for people and programs.
 */
#include "base/err.h"
#include "common/analysis/analysis.h"
#include "common/depends/knowledge.h"
#include "common/incremental/chain.h"
#include "common/objects/task.h"
#include "common/refresh/refresh.h"

#include <talloc.h>

/* Where a fact belongs. */
struct place {
	struct viewd_explained_sink sink;
	uint32_t node, source;
};

static void tell(const struct place *place, enum viewd_explained_kind kind, const char *key, const char *text,
                 int64_t number)
{
	const struct viewd_explained fact = {sizeof fact, place->node, place->source, kind, key, text, number};
	place->sink.fn(place->sink.ctx, &fact);
}

static void tell_text(const struct place *place, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		tell(place, VIEWD_EXPLAINED_TEXT, key, text, 0);
}

static void tell_flag(const struct place *place, const char *key, bool yes)
{
	tell(place, VIEWD_EXPLAINED_FLAG, key, NULL, yes);
}

static void tell_list(const struct place *place, const char *key, const struct analysis_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		tell(place, VIEWD_EXPLAINED_ITEM, key, list->items[i], 0);
}

static void tell_source(const struct place *place, const struct analysis_source *source)
{
	if (source->node != 0)
		tell(place, VIEWD_EXPLAINED_NUMBER, "of_node", NULL, (int64_t)source->node);
	tell_text(place, "schema", source->schema);
	tell_text(place, "name", source->name);
	tell_text(place, "alias", source->alias);
	tell_flag(place, "images", source->images);
	tell_flag(place, "whole", source->whole);
	tell_flag(place, "tied", source->tied);
	tell_flag(place, "all_tied", source->all_tied);
	tell_text(place, "way", source->way);
	tell_list(place, "conditions", &source->conditions);
	tell_list(place, "log_columns", &source->logged);
	tell_list(place, "columns", &source->read);
}

static void tell_node(struct place place, const struct analysis_node *node)
{
	tell_text(&place, "kind", analysis_kind_word(node->kind));
	tell_list(&place, "key", &node->key);
	tell_list(&place, "groups", &node->groups);
	tell_list(&place, "aggregates", &node->aggregates);
	tell_list(&place, "notes", &node->notes);
	for (size_t i = 0; i < node->n_sources; i++) {
		place.source = (uint32_t)i + 1;
		tell_source(&place, &node->sources[i]);
	}
}

static void tell_refusal(const struct place *place, const struct refusal *no)
{
	tell_text(place, "construct", no->construct);
	if (no->line > 0) {
		tell(place, VIEWD_EXPLAINED_NUMBER, "line", NULL, no->line);
		tell(place, VIEWD_EXPLAINED_NUMBER, "column", NULL, no->column);
	}
	tell_text(place, "why", no->why);
	tell_text(place, "help", no->help);
}

static void tell_analysis(struct viewd_explained_sink sink, const struct analysis *analysis)
{
	struct place place = {.sink = sink};
	tell_flag(&place, "possible", analysis->possible);
	if (!analysis->possible)
		tell_refusal(&place, &analysis->refusal);
	for (size_t i = 0; i < analysis->n_nodes; i++) {
		place.node = (uint32_t)i + 1;
		tell_node(place, &analysis->nodes[i]);
	}
}

bool recipe_explain(struct task *task, struct viewd_explained_sink facts, struct viewd_err *err)
{
	struct db *db = task->db;
	struct place place = {.sink = facts};
	struct knowledge *knowledge = knowledge_new(task->mem);
	knowledge_average(knowledge, db->ops->incremental.average, db->ops->incremental.average_large);
	if (db->ops->depends.know == NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "the dialect for %s does not tell what tables consist of",
		               db->syntax->dialect);
	if (!db->ops->depends.know(db, knowledge_names(db->syntax, task->mem, task->definition), knowledge, err))
		return false;
	const struct analysis *analysis = chain_analyse(task, task->mem, knowledge_facts(knowledge));
	char *text;
	if (!chain_describe(task, analysis, &text, err))
		return false;
	tell_text(&place, "today", text);
	tell_analysis(facts, analysis);
	return true;
}
