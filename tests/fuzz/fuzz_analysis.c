/* SPDX-License-Identifier: MIT
 *
 * Fuzz target for the analysis of definitions: any text gives a chain or a refusal with a reason and a place inside
 * the text.
 */
#include "unit/plugins/analysis_facts.h"
#include "unit/plugins/analysis_support.h"
#include "unit/plugins/plugins_support.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void analyse(const struct syntax *syn, const struct facts *facts, const char *text)
{
	void *mem = talloc_new(NULL);
	const struct analysis *analysis = analysis_run(mem, syn, text, facts, 0);
	const struct refusal *no = &analysis->refusal;
	assert(analysis->possible == (analysis->n_nodes > 0));
	assert(analysis->possible || (no->why[0] != '\0' && no->construct[0] != '\0'));
	assert(analysis->possible || (no->line >= 0 && (size_t)no->line <= strlen(text) + 1));
	for (size_t i = 0; i < analysis->n_nodes; i++) {
		assert(analysis->nodes[i].n_sources > 0);
		for (size_t k = 0; k < analysis->nodes[i].n_sources; k++)
			assert(analysis->nodes[i].sources[k].node <= i);
	}
	assert(analysis_line(mem, syn, facts, text) != NULL);
	talloc_free(mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	assert(text != NULL);
	analyse(&like_postgresql, &rule_facts, text);
	analyse(&like_mysql, &rule_facts, text);
	analyse(&like_sqlite, &tpch_facts, text);
	free(text);
	return 0;
}
