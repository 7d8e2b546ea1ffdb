/* SPDX-License-Identifier: MIT
 *
 * print_explain.c: explain.
 */
#include "client/print/print.h"
#include "client/print/text.h"

#include <stdlib.h>
#include <string.h>

static void put_text(struct screen *screen, const char *text)
{
	look_put_clean(screen->out, text != NULL ? text : "?");
}

static void put_list(struct screen *screen, int indent, const char *label, const json_t *list, const char *between)
{
	size_t i;
	json_t *item;
	if (json_array_size(list) == 0)
		return;
	fprintf(screen->out, "%*s%s ", indent, "", label);
	json_array_foreach(list, i, item) {
		fputs(i > 0 ? between : "", screen->out);
		put_text(screen, json_string_value(item));
	}
	fputc('\n', screen->out);
}

static bool flag(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* Prints a source and how it is used. */
static const char *role_of(const json_t *source)
{
	if (flag(source, "whole"))
		return "read as a whole";
	if (flag(source, "images"))
		return "its old and new rows are added up";
	return flag(source, "tied") ? "has the key" : "leads to the key";
}

static void print_source(struct screen *screen, const json_t *source)
{
	const char *name = text_of(source, "name"), *alias = text_of(source, "alias");
	json_t *node = json_object_get(source, "of_node");
	fputs("      of ", screen->out);
	if (node != NULL)
		fprintf(screen->out, "node %d", (int)json_integer_value(node));
	else
		put_text(screen, name);
	if (alias != NULL && name != NULL && strcmp(alias, name) != 0) {
		fputs(" as ", screen->out);
		put_text(screen, alias);
	}
	fprintf(screen->out, ": %s", role_of(source));
	if (text_of(source, "way") != NULL && !flag(source, "tied")) {
		fputs(" by ", screen->out);
		put_text(screen, text_of(source, "way"));
	}
	fputc('\n', screen->out);
	put_list(screen, 8, "only where", json_object_get(source, "conditions"), " and ");
	put_list(screen, 8, "the log holds", json_object_get(source, "log_columns"), ", ");
	put_list(screen, 8, "what is read of it:", json_object_get(source, "columns"), ", ");
	put_list(screen, 8, "an index is missing on", json_object_get(source, "missing_indexes"), " and on ");
}

static double ms_of(const json_t *body, const char *key)
{
	return (double)json_integer_value(json_object_get(body, key)) / 1000;
}

/* Prints the costs of a view that is kept incrementally. */
static void print_costs(struct screen *screen, const json_t *body)
{
	static const char *const forms[][2] = {{"form_1_keys", "form_1_us"}, {"form_2_keys", "form_2_us"}};
	json_t *form = json_object_get(body, "form");
	if (form == NULL)
		return;
	fprintf(screen->out, "  the %s form is in use", json_integer_value(form) > 1 ? "second" : "first");
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (json_object_get(body, forms[i][0]) != NULL)
			fprintf(screen->out, "; the %s form: %.1f ms for %d keys", i > 0 ? "second" : "first",
			        ms_of(body, forms[i][1]), (int)json_integer_value(json_object_get(body, forms[i][0])));
	if (json_object_get(body, "all_rows_us") != NULL)
		fprintf(screen->out, "; all rows: %.1f ms", ms_of(body, "all_rows_us"));
	fputc('\n', screen->out);
}

static void print_node(struct screen *screen, const json_t *node)
{
	size_t i;
	json_t *source;
	fprintf(screen->out, "    node %d, a ", (int)json_integer_value(json_object_get(node, "node")));
	put_text(screen, text_of(node, "kind"));
	fputc('\n', screen->out);
	put_list(screen, 6, "key", json_object_get(node, "key"), ", ");
	put_list(screen, 6, "for each", json_object_get(node, "groups"), ", ");
	put_list(screen, 6, "computes", json_object_get(node, "aggregates"), ", ");
	put_list(screen, 6, "note:", json_object_get(node, "notes"), "; ");
	json_array_foreach(json_object_get(node, "sources"), i, source)
		print_source(screen, source);
}

static void print_refusal(struct screen *screen, const json_t *body)
{
	json_t *line = json_object_get(body, "line");
	fputs("  it cannot be kept incrementally: ", screen->out);
	put_text(screen, text_of(body, "construct"));
	if (line != NULL)
		fprintf(screen->out, " (line %d, column %d of the definition)", (int)json_integer_value(line),
		        (int)json_integer_value(json_object_get(body, "column")));
	fputs("\n    why: ", screen->out);
	put_text(screen, text_of(body, "why"));
	if (text_of(body, "help") != NULL) {
		fputs("\n    what would help: ", screen->out);
		put_text(screen, text_of(body, "help"));
	}
	fputc('\n', screen->out);
}

static void put_explanation(struct screen *screen, const json_t *explanation)
{
	json_t *nodes = json_object_get(explanation, "nodes"), *node;
	size_t i;
	fputs("  ", screen->out);
	put_text(screen, text_of(explanation, "today"));
	fputc('\n', screen->out);
	if (!flag(explanation, "possible")) {
		print_refusal(screen, explanation);
		return;
	}
	fprintf(screen->out, "  it can be kept incrementally, by %zu node%s:\n", json_array_size(nodes),
	        json_array_size(nodes) == 1 ? "" : "s");
	json_array_foreach(nodes, i, node)
		print_node(screen, node);
	print_costs(screen, explanation);
}

/* Lines are put together from many pieces, so they are broken when all are there. */
void print_explain(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	struct screen aside = *screen;
	char *text = NULL;
	size_t len = 0;
	aside.out = open_memstream(&text, &len);
	assert(aside.out != NULL);
	put_explanation(&aside, json_object_get(body, "explanation"));
	fclose(aside.out);
	look_put(screen->out, text_of(body, "view") != NULL ? text_of(body, "view") : "?", LOOK_BOLD, &screen->look);
	fputc('\n', screen->out);
	print_text(screen, text);
	free(text);
}
