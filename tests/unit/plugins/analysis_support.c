/* SPDX-License-Identifier: MIT */
#include "unit/plugins/analysis_support.h"

#include <talloc.h>

static char *add_list(char *line, const char *before, const struct analysis_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		line = talloc_asprintf_append(line, "%s%s", i == 0 ? before : ", ", list->items[i]);
	return line;
}

static char *add_sources(char *line, const struct analysis_node *node)
{
	for (size_t i = 0; i < node->n_sources; i++) {
		const struct analysis_source *source = &node->sources[i];
		line = talloc_strdup_append(line, i == 0 ? " of " : ", ");
		if (source->node != 0)
			line = talloc_asprintf_append(line, "%zu", source->node);
		else
			line = talloc_strdup_append(line, source->images ? "images" : source->alias);
	}
	return line;
}

static char *add_node(char *line, const struct analysis_node *node)
{
	line = talloc_strdup_append(line, analysis_kind_word(node->kind));
	if (node->kind == ANALYSIS_PART)
		return add_list(line, " ", &node->key);
	line = add_sources(line, node);
	return node->kind == ANALYSIS_ROLL ? add_list(line, " by ", &node->groups) : line;
}

/* As an engine that moves sums: a piece has to be taken apart. */
static bool runs(void *ctx UNUSED, const struct analysis *analysis, bool piece)
{
	const struct analysis_node *last = &analysis->nodes[analysis->n_nodes - 1];
	return !piece || last->kind == ANALYSIS_PART || last->texts != NULL;
}

char *analysis_line(void *mem_ctx, const struct syntax *syn, const struct facts *facts, const char *text)
{
	struct analysis *analysis = analysis_keep(mem_ctx, syn, text, facts, runs, NULL);
	const struct refusal *no = &analysis->refusal;
	if (!analysis->possible)
		return talloc_asprintf(mem_ctx, "%s at %d:%d", no->construct, no->line, no->column);
	char *line = talloc_strdup(mem_ctx, "");
	for (size_t i = 0; i < analysis->n_nodes; i++)
		line = add_node(i > 0 ? talloc_strdup_append(line, " | ") : line, &analysis->nodes[i]);
	return line;
}
