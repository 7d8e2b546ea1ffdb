/* SPDX-License-Identifier: MIT
 *
 * print_look.c: prints the answers of why, history, plan, render, list and doctor.
 */
#include "client/print/print.h"
#include "client/print/table.h"
#include "client/print/text.h"

#include <string.h>
#include <talloc.h>

void print_why(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	size_t i;
	size_t k;
	json_t *view;
	json_t *line;
	json_array_foreach(json_object_get(body, "views"), i, view) {
		table_put(screen->out, text_of(view, "view") != NULL ? text_of(view, "view") : "?", TABLE_BOLD,
		          screen->colours);
		fputc('\n', screen->out);
		json_array_foreach(json_object_get(view, "lines"), k, line) {
			fputs("  ", screen->out);
			table_put_clean(screen->out, json_string_value(line) != NULL ? json_string_value(line) : "");
			fputc('\n', screen->out);
		}
	}
}

/* Is it clear from the command whose runs these are? */
static bool is_of_one(const struct args *args)
{
	const char *const *items;
	return args_list(args, "view", &items) == 1 && strpbrk(items[0], "*?[") == NULL;
}

static void put_unread(struct screen *screen, const json_t *errors)
{
	size_t i;
	json_t *one;
	json_array_foreach(errors, i, one) {
		char *error = text_error(screen, json_object_get(one, "error"));
		table_put(screen->out,
		          talloc_asprintf(screen, "database %s cannot be read (%s)", text_of(one, "database"),
		                          error != NULL ? error : "?"),
		          TABLE_RED, screen->colours);
		fputc('\n', screen->out);
	}
}

void print_history(struct screen *screen, const struct args *args, const json_t *body)
{
	static const char *const headings[] = {"VIEW",   "STARTED",  "TRIGGER", "RESULT",
	                                       "ACTION", "DURATION", "ROWS",    "WRITTEN"};
	bool one = is_of_one(args);
	struct table *table = table_new(screen, headings + one, ARRAY_LEN(headings) - one, screen->colours);
	size_t i;
	json_t *run;
	json_array_foreach(json_object_get(body, "runs"), i, run) {
		const char *result = text_of(run, "result");
		bool good = result == NULL || strcmp(result, "SUCCEEDED") == 0;
		table_row(table);
		if (!one)
			table_cell(table, text_of(run, "view"), TABLE_PLAIN);
		table_cell(table, text_of(run, "started"), TABLE_PLAIN);
		table_cell(table, text_of(run, "trigger"), TABLE_PLAIN);
		table_cell(table, result, good ? TABLE_PLAIN : TABLE_RED);
		table_cell(table, text_of(run, "action"), TABLE_PLAIN);
		table_cell(table, text_ms(screen, run, "duration_ms"), TABLE_PLAIN);
		table_cell(table, text_count(screen, run, "rows"), TABLE_PLAIN);
		table_cell(table, text_count(screen, run, "rows_written"), TABLE_PLAIN);
		if (text_of(run, "error") != NULL)
			table_note(table, text_of(run, "error"), TABLE_RED);
	}
	table_print(table, screen->out);
	put_unread(screen, json_object_get(body, "errors"));
}

static enum table_colour change_colour(const char *change)
{
	if (change == NULL || strcmp(change, "nothing") == 0)
		return TABLE_DIM;
	return strcmp(change, "refuse") == 0 || strcmp(change, "drop") == 0 ? TABLE_RED : TABLE_YELLOW;
}

static void plan_items(struct screen *screen, const json_t *items)
{
	static const char *const headings[] = {"VIEW", "DATABASE", "CHANGE", "LAST TOOK", "WHY"};
	struct table *table = table_new(screen, headings, ARRAY_LEN(headings), screen->colours);
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item) {
		const char *change = text_of(item, "change");
		const char *locks = text_of(item, "locks");
		char *error = text_error(screen, json_object_get(item, "error"));
		table_row(table);
		table_cell(table, text_of(item, "view"), TABLE_PLAIN);
		table_cell(table, text_of(item, "database"), TABLE_PLAIN);
		table_cell(table, change, change_colour(change));
		table_cell(table, text_ms(screen, item, "duration_ms"), TABLE_PLAIN);
		table_cell(table, text_of(item, "reason"), TABLE_PLAIN);
		if (locks != NULL && locks[0] != '\0')
			table_note(table, talloc_asprintf(screen, "locks: %s", locks), TABLE_PLAIN);
		if (text_of(item, "refresh_group") != NULL)
			table_note(table, talloc_asprintf(screen, "refreshed with group %s", text_of(item, "refresh_group")),
			           TABLE_DIM);
		if (error != NULL)
			table_note(table, error, TABLE_RED);
	}
	table_print(table, screen->out);
}

void print_plan(struct screen *screen, const struct args *args, const json_t *body)
{
	if (args_flag(args, "reload"))
		print_reload(screen, args, body);
	else
		plan_items(screen, json_object_get(body, "items"));
}

void print_render(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	size_t i;
	json_t *statement;
	json_array_foreach(json_object_get(body, "statements"), i, statement) {
		const char *text = json_string_value(statement) != NULL ? json_string_value(statement) : "";
		size_t len = strlen(text);
		while (len > 0 && strchr("; \t\r\n", text[len - 1]) != NULL)
			len--;
		fprintf(screen->out, "%.*s;\n", (int)len, text);
	}
}

void print_list(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	static const char *const headings[] = {"DATABASE", "VIEW", "RELATION", "KIND", "LAST REFRESH", "TO REMOVE IT"};
	static const char *const keys[] = {"database", "view", "relation", "kind", "last_success_time", "remove"};
	struct table *table = table_new(screen, headings, ARRAY_LEN(headings), screen->colours);
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(body, "orphans"), i, one) {
		table_row(table);
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			table_cell(table, text_of(one, keys[k]), k == 1 ? TABLE_BOLD : TABLE_PLAIN);
	}
	table_print(table, screen->out);
}

static void put_comment(FILE *out, const char *head, const char *text)
{
	if (text == NULL)
		return;
	fprintf(out, "-- %s", head);
	table_put_clean(out, text);
	fputc('\n', out);
}

/* Comments and statements, so that all of it can be given to the database's own shell. */
void print_doctor(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	size_t i;
	json_t *one;
	const char *database = "";
	json_array_foreach(json_object_get(body, "findings"), i, one) {
		const char *name = text_of(one, "database"), *mend = text_of(one, "mend");
		bool missing = json_is_true(json_object_get(one, "missing"));
		if (strcmp(name, database) != 0)
			fprintf(screen->out, "%s-- database %s\n", i > 0 ? "\n" : "", name);
		database = name;
		put_comment(screen->out, missing ? "missing: " : "unwise: ", text_of(one, "what"));
		put_comment(screen->out, "", text_of(one, "advice"));
		if (mend != NULL)
			fprintf(screen->out, "%s;\n", mend);
	}
	if (i == 0)
		fputs("-- nothing is missing\n", screen->out);
}
