/* SPDX-License-Identifier: MIT
 *
 * print_graph.c: who reads whom, as text, for graphviz, for Markdown.
 */
#include "client/print/print.h"
#include "client/print/table.h"
#include "client/print/text.h"

#include <string.h>
#include <talloc.h>

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

static const json_t *views_of(const json_t *body)
{
	return json_object_get(body, "views");
}

static const json_t *edges_of(const json_t *body)
{
	return json_object_get(body, "edges");
}

/* Does an earlier view stand in the same database? */
static bool database_seen(const json_t *views, size_t before, const char *database)
{
	for (size_t i = 0; i < before; i++)
		if (strcmp(or_empty(text_of(json_array_get(views, i), "database")), database) == 0)
			return true;
	return false;
}

static void text_view(struct screen *screen, const json_t *body, const json_t *view)
{
	const char *label = or_empty(text_of(view, "view"));
	size_t i;
	json_t *edge;
	fprintf(screen->out, "  ");
	table_put(screen->out, label, TABLE_BOLD, screen->colours);
	fprintf(screen->out, " (%s, %s", or_empty(text_of(view, "method")), or_empty(text_of(view, "state")));
	if (text_of(view, "refresh_group") != NULL)
		fprintf(screen->out, ", group %s", text_of(view, "refresh_group"));
	fputs(")\n", screen->out);
	json_array_foreach(edges_of(body), i, edge) {
		if (strcmp(or_empty(text_of(edge, "to")), label) != 0)
			continue;
		bool source = strcmp(or_empty(text_of(edge, "from_kind")), "source") == 0;
		fprintf(screen->out, "    <- %s%s\n", or_empty(text_of(edge, "from")), source ? "" : " (view)");
	}
}

static void graph_text(struct screen *screen, const json_t *body)
{
	const json_t *views = views_of(body);
	size_t i;
	size_t k;
	json_t *first;
	json_t *view;
	json_array_foreach(views, i, first) {
		const char *database = or_empty(text_of(first, "database"));
		if (database_seen(views, i, database))
			continue;
		fprintf(screen->out, "%s\n", database);
		json_array_foreach(views, k, view)
			if (strcmp(or_empty(text_of(view, "database")), database) == 0)
				text_view(screen, body, view);
	}
}

/* A text inside double quotes, by the rules of dot. */
static void put_quoted(FILE *out, const char *prefix, const char *text)
{
	fprintf(out, "\"%s", prefix);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
	}
	fputc('"', out);
}

/* Views are unique by label; a source is unique within its database. */
static char *edge_from(void *mem_ctx, const json_t *edge)
{
	if (strcmp(or_empty(text_of(edge, "from_kind")), "source") != 0)
		return talloc_strdup(mem_ctx, or_empty(text_of(edge, "from")));
	return talloc_asprintf(mem_ctx, "%s/%s", or_empty(text_of(edge, "database")), or_empty(text_of(edge, "from")));
}

/* Boxes of one group are drawn as peers. */
static const char *dot_shape(const json_t *view)
{
	return text_of(view, "refresh_group") != NULL ? " [shape=box, peripheries=2, group=" : " [shape=box];\n";
}

static void dot_cluster(FILE *out, const json_t *body, const char *database, size_t number)
{
	size_t i;
	json_t *view;
	fprintf(out, "  subgraph cluster_%zu {\n    label=", number);
	put_quoted(out, "", database);
	fputs(";\n", out);
	json_array_foreach(views_of(body), i, view) {
		if (strcmp(or_empty(text_of(view, "database")), database) != 0)
			continue;
		fputs("    ", out);
		put_quoted(out, "", or_empty(text_of(view, "view")));
		fputs(dot_shape(view), out);
		if (text_of(view, "refresh_group") == NULL)
			continue;
		put_quoted(out, "", text_of(view, "refresh_group"));
		fputs("];\n", out);
	}
	fputs("  }\n", out);
}

static void graph_dot(struct screen *screen, const json_t *body)
{
	const json_t *views = views_of(body);
	FILE *out = screen->out;
	size_t i;
	json_t *item;
	fputs("digraph viewd {\n  rankdir=LR;\n", out);
	json_array_foreach(views, i, item) {
		const char *database = or_empty(text_of(item, "database"));
		if (!database_seen(views, i, database))
			dot_cluster(out, body, database, i);
	}
	json_array_foreach(edges_of(body), i, item) {
		fputs("  ", out);
		put_quoted(out, "", edge_from(screen, item));
		fputs(" -> ", out);
		put_quoted(out, "", or_empty(text_of(item, "to")));
		fputs(";\n", out);
	}
	fputs("}\n", out);
}

/* Mermaid's node names are plain words, so that the text stands in brackets behind a number: FNV-1a of the text. */
static unsigned node_number(const char *text)
{
	unsigned h = 2166136261u;
	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h;
}

static void put_mermaid_text(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '"')
			fputs("#quot;", out);
		else
			fputc((unsigned char)*text < 0x20 ? ' ' : *text, out);
	}
}

static void put_mermaid_node(FILE *out, const char *id, const char *label, bool view)
{
	fprintf(out, "n%08x%s\"", node_number(id), view ? "[" : "([");
	put_mermaid_text(out, label);
	fprintf(out, "\"%s", view ? "]" : "])");
}

static void graph_mermaid(struct screen *screen, const json_t *body)
{
	FILE *out = screen->out;
	size_t i;
	json_t *item;
	fputs("graph LR\n", out);
	json_array_foreach(views_of(body), i, item) {
		fputs("  ", out);
		put_mermaid_node(out, or_empty(text_of(item, "view")), or_empty(text_of(item, "view")), true);
		fputc('\n', out);
	}
	json_array_foreach(edges_of(body), i, item) {
		bool view = strcmp(or_empty(text_of(item, "from_kind")), "view") == 0;
		fputs("  ", out);
		put_mermaid_node(out, edge_from(screen, item), or_empty(text_of(item, "from")), view);
		fprintf(out, " --> n%08x\n", node_number(or_empty(text_of(item, "to"))));
	}
}

void print_graph(struct screen *screen, const struct args *args, const json_t *body)
{
	const char *format = args_text(args, "format");
	if (format != NULL && strcmp(format, "dot") == 0)
		graph_dot(screen, body);
	else if (format != NULL && strcmp(format, "mermaid") == 0)
		graph_mermaid(screen, body);
	else
		graph_text(screen, body);
}
