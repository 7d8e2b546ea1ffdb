/* SPDX-License-Identifier: MIT */
#include "common/analysis/analysis.h"

#include "common/analysis/node.h"
#include "common/analysis/reading/mask.h"
#include "common/analysis/reading/parse.h"
#include "common/analysis/reading/read.h"
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

static struct query *read_text_of(void *mem, const struct syntax *syn, const char *text, struct refusal *no)
{
	char *masked = mask_text(syn, mem, text, no);
	json_t *select = masked != NULL ? parse_select(masked, no) : NULL;
	struct reader reader = {.mem = mem, .no = no};
	struct query *query = select != NULL ? read_query(&reader, select) : NULL;
	json_decref(select);
	return query;
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
	                      .no_images = (options & ANALYSIS_NO_IMAGES) != 0};
	struct query *query = read_text_of(mem, syn, text, &out->refusal);
	out->possible = query != NULL && node_of_query(&maker, query, true) != 0 && refuse_clock(syn, text, &out->refusal);
	if (!out->possible) {
		refuse(&out->refusal, -1, "the definition", "the analysis does not know its form", "");
		out->n_nodes = 0;
		place(text, &out->refusal);
	}
	return out;
}
