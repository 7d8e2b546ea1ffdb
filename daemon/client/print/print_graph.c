/* SPDX-License-Identifier: MIT
 *
 * print_graph.c: prints the graph of views, as text, for graphviz, for Markdown.
 */
#include "base/utf8.h"
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

static bool is_source(const json_t *edge)
{
	return strcmp(or_empty(text_of(edge, "from_kind")), "source") == 0;
}

static int node_of(const json_t *object)
{
	return (int)json_integer_value(json_object_get(object, "node"));
}

static bool reads_node(const json_t *reads)
{
	return strcmp(or_empty(text_of(reads, "from_kind")), "node") == 0;
}

static char *add_words(char *text, const char *before, const json_t *list)
{
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item)
		text = talloc_asprintf_append(text, "%s%s", i > 0 ? ", " : before, or_empty(json_string_value(item)));
	return text;
}

/* The state, or the freshness of a view that is ACTIVE. */
static const char *view_word(const json_t *view)
{
	const char *state = or_empty(text_of(view, "state")), *freshness = text_of(view, "freshness");
	return strcmp(state, "ACTIVE") == 0 && freshness != NULL ? freshness : state;
}

/* "a part with the key s.id" */
static char *node_facts(void *mem_ctx, const json_t *node)
{
	char *text = talloc_asprintf(mem_ctx, "a %s", or_empty(text_of(node, "kind")));
	text = add_words(text, " with the key ", json_object_get(node, "key"));
	return add_words(text, " for each ", json_object_get(node, "groups"));
}

/* "node 1, a part with the key s.id" */
static char *node_label(void *mem_ctx, const json_t *node)
{
	return talloc_asprintf(mem_ctx, "node %d, %s", node_of(node), node_facts(mem_ctx, node));
}

/* ---- text ---- */

static void tree_row(struct table *table, size_t depth, const char *name, enum look_colour colour, const char *facts)
{
	table_row_below(table, depth);
	table_cell(table, name, colour);
	table_cell(table, facts, LOOK_PLAIN);
}

static void tree_node(struct screen *screen, struct table *table, const json_t *node)
{
	size_t i;
	json_t *reads;
	tree_row(table, 2, talloc_asprintf(screen, "node %d", node_of(node)), LOOK_PLAIN, node_facts(screen, node));
	json_array_foreach(json_object_get(node, "reads"), i, reads) {
		if (reads_node(reads))
			tree_row(table, 3, talloc_asprintf(screen, "node %d", node_of(reads)), LOOK_PLAIN, "the node above");
		else
			tree_row(table, 3, text_of(reads, "from"), LOOK_PLAIN, is_source(reads) ? "source" : "view");
	}
}

static void tree_view(struct screen *screen, struct table *table, const json_t *body, const json_t *view)
{
	const char *label = or_empty(text_of(view, "view")), *group = text_of(view, "refresh_group");
	size_t i;
	json_t *edge;
	json_t *node;
	tree_row(table, 1, label, LOOK_BOLD,
	         talloc_asprintf(screen, "%s, %s%s%s", or_empty(text_of(view, "method")), view_word(view),
	                         group != NULL ? ", group " : "", or_empty(group)));
	json_array_foreach(edges_of(body), i, edge)
		if (strcmp(or_empty(text_of(edge, "to")), label) == 0)
			tree_row(table, 2, text_of(edge, "from"), LOOK_PLAIN, is_source(edge) ? "source" : "view");
	json_array_foreach(json_object_get(view, "nodes"), i, node)
		tree_node(screen, table, node);
}

/* Below a database its views, below a view what it reads. */
static void graph_text(struct screen *screen, const json_t *body)
{
	static const struct table_column columns[] = {{"NAME", TABLE_TREE}, {"WHAT IT IS", TABLE_TEXT}};
	const json_t *views = views_of(body);
	struct table *table = table_new(screen, columns, ARRAY_LEN(columns), &screen->look);
	size_t i;
	size_t k;
	json_t *first;
	json_t *view;
	json_array_foreach(views, i, first) {
		const char *database = or_empty(text_of(first, "database"));
		if (database_seen(views, i, database))
			continue;
		tree_row(table, 0, database, LOOK_PLAIN, "database");
		json_array_foreach(views, k, view)
			if (strcmp(or_empty(text_of(view, "database")), database) == 0)
				tree_view(screen, table, body, view);
	}
	table_print(table, screen->out);
}

/* The text with its control characters spelled, such as \x0a: two names that differ in them stay two, and a picture
 * shows what is the matter with them. */
static char *spelled(void *mem_ctx, const char *text)
{
	char *out = talloc_strdup(mem_ctx, "");
	while (*text != '\0') {
		const char *from = text;
		int32_t c = utf8_next(&text);
		out = utf8_is_control(c) ? talloc_asprintf_append_buffer(out, "\\x%02x", (unsigned)c)
		                         : talloc_strndup_append_buffer(out, from, (size_t)(text - from));
		if (c < 0)
			break; /* JSON holds no such text */
	}
	return out;
}

/* A text inside double quotes, by the rules of dot. */
static void put_quoted(FILE *out, const char *prefix, const char *text)
{
	char *all = spelled(NULL, text);
	fprintf(out, "\"%s", prefix);
	for (const char *p = all; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			fputc('\\', out);
		fputc(*p, out);
	}
	fputc('"', out);
	talloc_free(all);
}

/* A text inside a label of marked-up text. */
static void put_html(FILE *out, const char *text)
{
	char *all = spelled(NULL, text);
	for (const char *p = all; *p != '\0'; p++) {
		if (*p == '&' || *p == '<' || *p == '>' || *p == '\\')
			fprintf(out, "&#%d;", *p);
		else
			fputc(*p, out);
	}
	talloc_free(all);
}

/* Views are unique by label; a source is unique within its database. */
static char *from_name(void *mem_ctx, const json_t *from, const char *database)
{
	if (!is_source(from))
		return talloc_strdup(mem_ctx, or_empty(text_of(from, "from")));
	return talloc_asprintf(mem_ctx, "%s/%s", database, or_empty(text_of(from, "from")));
}

/* ---- arrows ---- */

/* From and to: names that are unique in the drawing. */
struct arrow {
	const char *from, *label; /* what from is called */
	const char *to;
	bool round; /* from is a source */
};

typedef void arrow_fn(FILE *out, const struct arrow *arrow);

static char *node_name(void *mem_ctx, const json_t *view, int node)
{
	return talloc_asprintf(mem_ctx, "%s node %d", or_empty(text_of(view, "view")), node);
}

/* Does a node of the view read what the edge comes from? Then the arrow goes there. */
static bool node_has(const json_t *view, const json_t *edge)
{
	size_t i;
	size_t k;
	json_t *node;
	json_t *reads;
	json_array_foreach(json_object_get(view, "nodes"), i, node)
		json_array_foreach(json_object_get(node, "reads"), k, reads)
			if (!reads_node(reads) && strcmp(or_empty(text_of(reads, "from")), or_empty(text_of(edge, "from"))) == 0)
				return true;
	return false;
}

static const json_t *view_of_label(const json_t *body, const char *label)
{
	size_t i;
	json_t *view;
	json_array_foreach(views_of(body), i, view)
		if (strcmp(or_empty(text_of(view, "view")), label) == 0)
			return view;
	return NULL;
}

static void arrows_to_views(struct screen *screen, const json_t *body, arrow_fn *fn)
{
	size_t i;
	json_t *edge;
	json_array_foreach(edges_of(body), i, edge) {
		const char *to = or_empty(text_of(edge, "to")), *label = or_empty(text_of(edge, "from"));
		char *from = from_name(screen, edge, or_empty(text_of(edge, "database")));
		if (!node_has(view_of_label(body, to), edge))
			fn(screen->out, &(struct arrow){from, label, to, is_source(edge)});
	}
}

static void arrows_to_node(struct screen *screen, const json_t *view, const json_t *node, arrow_fn *fn)
{
	size_t i;
	json_t *reads;
	const char *to = node_name(screen, view, node_of(node));
	json_array_foreach(json_object_get(node, "reads"), i, reads) {
		char *from = reads_node(reads) ? node_name(screen, view, node_of(reads))
		                               : from_name(screen, reads, or_empty(text_of(view, "database")));
		const char *label = reads_node(reads) ? from : or_empty(text_of(reads, "from"));
		fn(screen->out, &(struct arrow){from, label, to, is_source(reads)});
	}
}

/* Arrows to views, and those by way of their nodes. */
static void each_arrow(struct screen *screen, const json_t *body, arrow_fn *fn)
{
	size_t i;
	size_t k;
	json_t *view;
	json_t *node;
	arrows_to_views(screen, body, fn);
	json_array_foreach(views_of(body), i, view) {
		const json_t *nodes = json_object_get(view, "nodes");
		const char *last = node_name(screen, view, (int)json_array_size(nodes));
		json_array_foreach(nodes, k, node)
			arrows_to_node(screen, view, node, fn);
		if (json_array_size(nodes) > 0)
			fn(screen->out, &(struct arrow){last, last, or_empty(text_of(view, "view")), false});
	}
}

/* ---- dot ---- */

/* The colour of a state, or of the freshness of a view that is ACTIVE. */
static const char *dot_colour(const char *word)
{
	static const struct {
		const char *word, *colour;
	} rows[] = {{"FRESH", "#d4edda"},
	            {"STALE", "#fff3cd"},
	            {"FAILED", "#f8d7da"},
	            {"MISSING", "#f8d7da"},
	            {"SUSPENDED", "#f8d7da"}};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strcmp(rows[i].word, word) == 0)
			return rows[i].colour;
	return "#e2e3e5";
}

/* A second line says what the colour does. Boxes of one group are drawn as peers. */
static void dot_view(struct screen *screen, const json_t *view)
{
	FILE *out = screen->out;
	const char *label = or_empty(text_of(view, "view")), *word = view_word(view);
	fputs("    ", out);
	put_quoted(out, "", label);
	fprintf(out, " [shape=box, style=filled, fillcolor=\"%s\", label=<", dot_colour(word));
	put_html(out, label);
	fputs("<br/>", out);
	put_html(out, word);
	fputs(">", out);
	if (text_of(view, "refresh_group") != NULL) {
		fputs(", peripheries=2, group=", out);
		put_quoted(out, "", text_of(view, "refresh_group"));
	}
	fputs("];\n", out);
}

/* The nodes of a view beside it. */
static void dot_nodes(struct screen *screen, const json_t *view)
{
	size_t i;
	json_t *node;
	json_array_foreach(json_object_get(view, "nodes"), i, node) {
		fputs("    ", screen->out);
		put_quoted(screen->out, "", node_name(screen, view, node_of(node)));
		fputs(" [shape=note, label=", screen->out);
		put_quoted(screen->out, "", node_label(screen, node));
		fputs("];\n", screen->out);
	}
}

/* A table beside the views that read it, once. */
static void dot_source(struct screen *screen, const json_t *from, const char *database, json_t *drawn)
{
	char *name = from_name(screen, from, database);
	if (!is_source(from) || json_object_get(drawn, name) != NULL)
		return;
	json_object_set_new(drawn, name, json_true());
	fputs("    ", screen->out);
	put_quoted(screen->out, "", name);
	fputs(" [label=", screen->out);
	put_quoted(screen->out, "", or_empty(text_of(from, "from")));
	fputs("];\n", screen->out);
}

static void dot_sources(struct screen *screen, const json_t *body, const char *database)
{
	size_t i;
	json_t *edge;
	json_t *drawn = json_object();
	json_array_foreach(edges_of(body), i, edge)
		if (strcmp(or_empty(text_of(edge, "database")), database) == 0)
			dot_source(screen, edge, database, drawn);
	json_decref(drawn);
}

static void dot_cluster(struct screen *screen, const json_t *body, const char *database, size_t number)
{
	FILE *out = screen->out;
	size_t i;
	json_t *view;
	fprintf(out, "  subgraph cluster_%zu {\n    label=", number);
	put_quoted(out, "", database);
	fputs(";\n", out);
	dot_sources(screen, body, database);
	json_array_foreach(views_of(body), i, view) {
		if (strcmp(or_empty(text_of(view, "database")), database) != 0)
			continue;
		dot_view(screen, view);
		dot_nodes(screen, view);
	}
	fputs("  }\n", out);
}

static void dot_arrow(FILE *out, const struct arrow *arrow)
{
	fputs("  ", out);
	put_quoted(out, "", arrow->from);
	fputs(" -> ", out);
	put_quoted(out, "", arrow->to);
	fputs(";\n", out);
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
			dot_cluster(screen, body, database, i);
	}
	each_arrow(screen, body, dot_arrow);
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
	char *all = spelled(NULL, text);
	for (const char *p = all; *p != '\0'; p++) {
		if (*p == '"')
			fputs("#quot;", out);
		else
			fputc(*p, out);
	}
	talloc_free(all);
}

static void put_mermaid_node(FILE *out, const char *id, const char *label, bool view)
{
	fprintf(out, "n%08x%s\"", node_number(id), view ? "[" : "([");
	put_mermaid_text(out, label);
	fprintf(out, "\"%s", view ? "]" : "])");
}

static void mermaid_arrow(FILE *out, const struct arrow *arrow)
{
	fputs("  ", out);
	put_mermaid_node(out, arrow->from, arrow->label, !arrow->round);
	fprintf(out, " --> n%08x\n", node_number(arrow->to));
}

static void mermaid_nodes(struct screen *screen, const json_t *view)
{
	size_t i;
	json_t *node;
	json_array_foreach(json_object_get(view, "nodes"), i, node) {
		fprintf(screen->out, "  n%08x{{\"", node_number(node_name(screen, view, node_of(node))));
		put_mermaid_text(screen->out, node_label(screen, node));
		fputs("\"}}\n", screen->out);
	}
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
		mermaid_nodes(screen, item);
	}
	each_arrow(screen, body, mermaid_arrow);
}

void print_graph(struct screen *screen, const struct args *args, const json_t *body)
{
	const char *format = args_text(args, "format");
	if (format != NULL && (strcmp(format, "dot") == 0 || strcmp(format, "svg") == 0)) /* dot draws the picture */
		graph_dot(screen, body);
	else if (format != NULL && strcmp(format, "mermaid") == 0)
		graph_mermaid(screen, body);
	else
		graph_text(screen, body);
}
