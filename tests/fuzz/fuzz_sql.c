/* SPDX-License-Identifier: MIT
 *
 * Fuzz target for what reads untrusted text in plugins/common: lexer, identifiers, URLs. Each input
 * goes through the syntaxes of all engines.
 */
#include "base/utf8.h"
#include "common/conn/url.h"
#include "common/generate/columns.h"
#include "common/sqltext/ident.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"
#include "common/text/timetext.h"
#include "unit/plugins/plugins_support.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool swallow(void *ctx UNUSED, const char *text)
{
	assert(strlen(text) > 0 && strlen(text) < IDENT_MAX);
	return true;
}

/* The tokens put together are the input. */
static void tokens_cover_the_text(unsigned flags, const char *text)
{
	struct lex_token tok;
	const char *p = text;
	size_t total = 0;
	while ((tok = lex_next(flags, &p)).kind != LEX_END) {
		assert(tok.len > 0 && tok.text == text + total);
		total += tok.len;
	}
	assert(total == strlen(text));
}

/* A query that is accepted is accepted again as it is returned, and normalising is idempotent. */
static void queries_are_stable(const struct syntax *syn, void *mem, const char *text)
{
	char *query = lex_one_query(syn, mem, text, NULL);
	if (query != NULL) {
		char *again = lex_one_query(syn, mem, query, NULL);
		assert(again != NULL && strcmp(query, again) == 0);
		char *normal = lex_normalise(syn, mem, query);
		assert(strcmp(normal, lex_normalise(syn, mem, normal)) == 0);
	}
}

/* A name that parses is quoted into a text that parses to the same name. */
static void names_are_stable(const struct syntax *syn, void *mem, const char *text)
{
	struct relation rel, again;
	if (!relation_parse(syn, text, &rel, NULL))
		return;
	assert(utf8_valid(rel.name));
	bool parsed = relation_parse(syn, relation_quoted(syn, mem, &rel), &again, NULL);
	assert(parsed && strcmp(rel.name, again.name) == 0 && strcmp(rel.schema, again.schema) == 0);
}

static void read_everything(const struct syntax *syn, const char *text)
{
	void *mem = talloc_new(NULL);
	bool unique;
	const char *rest;
	tokens_cover_the_text(syn->lexer.flags, text);
	queries_are_stable(syn, mem, text);
	names_are_stable(syn, mem, text);
	lex_mentions(syn, text, (struct viewd_text_sink){swallow, NULL});
	if (lex_index_text(syn, text, &unique, &rest, NULL))
		assert(rest >= text && rest <= text + strlen(text));
	if (lex_type_text(syn, text, NULL))
		assert(utf8_valid(text));
	struct url *url = url_parse(mem, text, NULL);
	assert(url == NULL || (url->scheme != NULL && url->port >= 0 && url->port <= 65535));
	(void)timetext_parse(text);
	assert(literal_quoted(syn, mem, text) != NULL);
	talloc_free(mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct syntax *const syntaxes[] = {&like_postgresql, &like_mysql, &like_sqlite};
	char *text = strndup((const char *)data, size);
	assert(text != NULL);
	for (size_t i = 0; i < ARRAY_LEN(syntaxes); i++)
		read_everything(syntaxes[i], text);
	free(text);
	return 0;
}
