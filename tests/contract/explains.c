/* SPDX-License-Identifier: MIT
 *
 * How a view can be kept incrementally, asked of a real catalogue.
 */
#include "contract/contract.h"

#include <string.h>
#include <talloc.h>

/* "key=text" of what was told, one a line. */
static bool keep(void *ctx, const struct viewd_explained *fact)
{
	char **text = ctx;
	*text = talloc_asprintf_append(*text, "%u.%u %s=", fact->node, fact->source, fact->key);
	*text = fact->text != NULL ? talloc_asprintf_append(*text, "%s\n", fact->text)
	                           : talloc_asprintf_append(*text, "%lld\n", (long long)fact->number);
	return true;
}

static const char *explained(struct contract *c, const char *definition)
{
	struct viewd_view_spec view = contract_view("kept", VIEWD_METHOD_TABLE, definition);
	char *text = talloc_strdup(harness_ctx(), "");
	if (c->dialect->explain == NULL)
		harness_skip("the dialect does not explain");
	REQUIRE_OK(c->dialect->explain(c->conn, &view, (struct viewd_explained_sink){keep, &text}, &c->err), &c->err);
	return text;
}

static void tells_the_nodes(void)
{
	struct contract c;
	contract_begin(&c);
	contract_sql("CREATE TABLE head (id integer PRIMARY KEY, day integer NOT NULL)");
	contract_sql("CREATE TABLE detail (id integer PRIMARY KEY, head integer NOT NULL, amount integer)");
	const char *text =
		explained(&c, "SELECT d.id, h.day FROM detail d JOIN head h ON h.id = d.head WHERE d.amount > 3");
	CHECK_CONTAINS(text, "0.0 possible=1\n");
	CHECK_CONTAINS(text, "1.0 kind=part\n");
	CHECK_CONTAINS(text, "1.0 key=d.id\n");
	CHECK_CONTAINS(text, "1.1 tied=1\n");
	CHECK_CONTAINS(text, "1.1 conditions=(d.amount > 3)\n");
	CHECK_CONTAINS(text, "1.2 way=h.id = d.head\n");
	contract_end(&c);
}

/* A dialect tells what it does itself: groups are a roll over the part, or the key of the part. */
static void tells_how_groups_are_kept(void)
{
	struct contract c;
	contract_begin(&c);
	contract_sql("CREATE TABLE head (id integer PRIMARY KEY, day integer NOT NULL)");
	contract_sql("CREATE TABLE detail (id integer PRIMARY KEY, head integer NOT NULL)");
	const char *text =
		explained(&c, "SELECT h.day, count(*) AS n FROM detail d JOIN head h ON h.id = d.head GROUP BY h.day");
	bool rolls = strstr(text, "2.0 kind=roll\n") != NULL;
	CHECK_CONTAINS(text, "0.0 possible=1\n");
	CHECK_CONTAINS(text, rolls ? "1.0 key=d.id\n" : "1.0 key=h.day\n");
	CHECK_CONTAINS(text, rolls ? "2.1 of_node=1\n" : "1.0 groups=h.day\n");
	contract_end(&c);
}

static void tells_what_prevents_it(void)
{
	struct contract c;
	contract_begin(&c);
	contract_sql("CREATE TABLE head (id integer PRIMARY KEY, day integer)");
	const char *text = explained(&c, "SELECT id,\n day FROM head\n LIMIT 3");
	CHECK_CONTAINS(text, "0.0 possible=0\n");
	CHECK_CONTAINS(text, "0.0 construct=LIMIT or OFFSET\n");
	CHECK_CONTAINS(text, "0.0 line=3\n");
	CHECK_CONTAINS(text, "0.0 column=8\n");
	contract_end(&c);
}

/* The analysis takes the keys of a table from the catalogue. A key may be NULL, and in more than one row. */
static void believes_the_catalogue_only(void)
{
	struct contract c;
	contract_begin(&c);
	contract_sql("CREATE TABLE loose (id integer, a integer)");
	CHECK_CONTAINS(explained(&c, "SELECT id, a FROM loose"), "possible=0");
	contract_sql("CREATE INDEX loose_a ON loose (a)");
	CHECK_CONTAINS(explained(&c, "SELECT id, a FROM loose"), "possible=0");
	contract_sql("CREATE UNIQUE INDEX loose_id ON loose (id)");
	CHECK_CONTAINS(explained(&c, "SELECT id, a FROM loose"), "1.0 key=loose.id\n");
	contract_sql("CREATE TABLE tight (id integer NOT NULL UNIQUE, a integer)");
	CHECK_CONTAINS(explained(&c, "SELECT id, a FROM tight"), "1.0 key=tight.id\n");
	CHECK_CONTAINS(explained(&c, "SELECT id, a FROM gone"), "possible=0");
	contract_end(&c);
}

static const struct harness_test tests[] = {
	{"the nodes are told", tells_the_nodes},
	{"how groups are kept is told", tells_how_groups_are_kept},
	{"what prevents it is told", tells_what_prevents_it},
	{"only the catalogue is believed", believes_the_catalogue_only},
};
const struct harness_suite contract_explains = SUITE("explains", tests);
