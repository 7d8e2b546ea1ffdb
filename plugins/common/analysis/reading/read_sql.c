/* SPDX-License-Identifier: MIT */
#include "common/analysis/reading/read_sql.h"

#include "common/analysis/reading/mask.h"
#include "common/analysis/reading/parse.h"
#include "common/analysis/reading/read.h"

struct query *read_sql(void *mem, const struct syntax *syn, const char *text, struct refusal *no)
{
	char *masked = mask_text(syn, mem, text, no);
	json_t *select = masked != NULL ? parse_select(masked, no) : NULL;
	struct reader reader = {.mem = mem, .no = no};
	struct query *query = select != NULL ? read_query(&reader, select) : NULL;
	json_decref(select);
	return query;
}
