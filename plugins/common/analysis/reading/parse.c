/* SPDX-License-Identifier: MIT */
#include "common/analysis/reading/parse.h"

#include <pg_query.h>
#include <stdio.h>

/* The byte at which character number n (from 1) begins. */
static int byte_of(const char *text, int n)
{
	int at = 0;
	for (; text[at] != '\0' && n > 0; at++)
		if (((unsigned char)text[at] & 0xc0) != 0x80 && --n == 0)
			break;
	return at;
}

static void refuse_syntax(const char *text, const PgQueryError *error, struct refusal *no)
{
	char why[sizeof no->why];
	snprintf(why, sizeof why, "the grammar of PostgreSQL 15 does not read it (%s)", error->message);
	refuse(no, byte_of(text, error->cursorpos), "a form that only the engine reads", why, "write it in standard SQL");
}

/* stmts[0].stmt.SelectStmt, where that is all. */
static json_t *only_select(json_t *root)
{
	json_t *list = json_object_get(root, "stmts");
	if (json_array_size(list) != 1)
		return NULL;
	return json_incref(json_object_get(json_object_get(json_array_get(list, 0), "stmt"), "SelectStmt"));
}

json_t *parse_select(const char *text, struct refusal *no)
{
	PgQueryParseResult result = pg_query_parse(text);
	json_t *root = NULL, *select = NULL;
	if (result.error != NULL)
		refuse_syntax(text, result.error, no);
	else if ((root = json_loads(result.parse_tree, 0, NULL)) == NULL)
		refuse(no, 0, "a deeply nested expression", "it is not looked at", "split it into views on views");
	else if ((select = only_select(root)) == NULL)
		refuse(no, 0, "something else than one SELECT", "only a SELECT can be kept incrementally", "");
	json_decref(root);
	pg_query_free_parse_result(result);
	return select;
}
