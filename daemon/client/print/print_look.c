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
		look_put(screen->out, text_of(view, "view") != NULL ? text_of(view, "view") : "?", LOOK_BOLD, &screen->look);
		fputc('\n', screen->out);
		json_array_foreach(json_object_get(view, "lines"), k, line) {
			const char *text = json_string_value(line);
			print_text(screen, talloc_asprintf(screen, "  %s", text != NULL ? text : ""));
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
		const char *error = text_error(screen, json_object_get(one, "error"));
		char *text = talloc_asprintf(screen, "database %s cannot be read (%s)", text_of(one, "database"),
		                             error != NULL ? error : "?");
		look_put(screen->out, look_wrap(screen, text, 0, 2, screen->look.width), LOOK_RED, &screen->look);
		fputc('\n', screen->out);
	}
}

void print_history(struct screen *screen, const struct args *args, const json_t *body)
{
	static const struct table_column columns[] = {
		{"VIEW", TABLE_NAME},   {"STARTED", TABLE_WORD}, {"TRIGGER", TABLE_WORD}, {"RESULT", TABLE_WORD},
		{"ACTION", TABLE_WORD}, {"TOOK", TABLE_NUMBER},  {"ROWS", TABLE_NUMBER},  {"WRITTEN", TABLE_NUMBER}};
	bool one = is_of_one(args);
	struct table *table = table_new(screen, columns + one, ARRAY_LEN(columns) - one, &screen->look);
	size_t i;
	json_t *run;
	json_array_foreach(json_object_get(body, "runs"), i, run) {
		const char *result = text_of(run, "result");
		bool good = result == NULL || strcmp(result, "SUCCEEDED") == 0;
		table_row(table);
		if (!one)
			table_cell(table, text_of(run, "view"), LOOK_PLAIN);
		table_cell(table, text_time(screen, run, "started", screen->look.utc), LOOK_PLAIN);
		table_cell(table, text_of(run, "trigger"), LOOK_PLAIN);
		table_cell(table, result, good ? LOOK_PLAIN : LOOK_RED);
		if (text_of(run, "error") != NULL)
			table_note(table, text_of(run, "error"), LOOK_RED);
		table_cell(table, text_of(run, "action"), LOOK_PLAIN);
		table_cell(table, text_ms(screen, run, "duration_ms"), LOOK_PLAIN);
		table_cell(table, text_count(screen, run, "rows"), LOOK_PLAIN);
		table_cell(table, text_count(screen, run, "rows_written"), LOOK_PLAIN);
	}
	table_print(table, screen->out);
	put_unread(screen, json_object_get(body, "errors"));
}

static enum look_colour change_colour(const char *change)
{
	if (change == NULL || strcmp(change, "nothing") == 0)
		return LOOK_DIM;
	bool bad = strcmp(change, "refuse") == 0 || strcmp(change, "drop") == 0 || strcmp(change, "FAILED") == 0;
	return bad ? LOOK_RED : LOOK_YELLOW;
}

static char *add_line(char *text, const char *head, const char *line)
{
	if (line == NULL || line[0] == '\0')
		return text;
	return talloc_asprintf_append_buffer(text, "%s%s%s", text[0] != '\0' ? "\n" : "", head, line);
}

/* A line each: why, what is locked, with which group. */
static char *plan_reason(void *mem_ctx, const json_t *item)
{
	char *text = add_line(talloc_strdup(mem_ctx, ""), "", text_of(item, "reason"));
	text = add_line(text, "locks: ", text_of(item, "locks"));
	return add_line(text, "refreshed with group ", text_of(item, "refresh_group"));
}

static void plan_items(struct screen *screen, const json_t *items)
{
	static const struct table_column columns[] = {{"VIEW", TABLE_NAME},
	                                              {"DATABASE", TABLE_NAME},
	                                              {"CHANGE", TABLE_WORD},
	                                              {"LAST TOOK", TABLE_NUMBER},
	                                              {"WHY", TABLE_TEXT}};
	struct table *table = table_new(screen, columns, ARRAY_LEN(columns), &screen->look);
	size_t i;
	json_t *item;
	json_array_foreach(items, i, item) {
		const char *change = text_of(item, "change");
		char *error = text_error(screen, json_object_get(item, "error"));
		if (change == NULL && error != NULL)
			change = "FAILED";
		table_row(table);
		table_cell(table, text_of(item, "view"), LOOK_PLAIN);
		table_cell(table, text_of(item, "database"), LOOK_PLAIN);
		table_cell(table, change, change_colour(change));
		if (error != NULL)
			table_note(table, error, LOOK_RED);
		table_cell(table, text_ms(screen, item, "duration_ms"), LOOK_PLAIN);
		table_cell(table, plan_reason(screen, item), LOOK_PLAIN);
	}
	table_print(table, screen->out);
}

void print_plan(struct screen *screen, const struct args *args, const json_t *body)
{
	const json_t *items = json_object_get(body, "items");
	if (args_flag(args, "reload"))
		print_reload(screen, args, body);
	if (items != NULL)
		plan_items(screen, items);
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
		look_put_data(screen->out, talloc_strndup(screen, text, len), &screen->look);
		fputs(";\n", screen->out);
	}
}

void print_list(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	static const struct table_column columns[] = {{"DATABASE", TABLE_NAME},     {"VIEW", TABLE_NAME},
	                                              {"RELATION", TABLE_NAME},     {"KIND", TABLE_WORD},
	                                              {"LAST REFRESH", TABLE_WORD}, {"TO REMOVE IT", TABLE_TEXT}};
	static const char *const keys[] = {"database", "view", "relation", "kind", "last_success_time", "remove"};
	struct table *table = table_new(screen, columns, ARRAY_LEN(columns), &screen->look);
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(body, "orphans"), i, one) {
		table_row(table);
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			table_cell(table, k == 4 ? text_time(screen, one, keys[k], screen->look.utc) : text_of(one, keys[k]),
			           k == 1 ? LOOK_BOLD : LOOK_PLAIN);
	}
	table_print(table, screen->out);
}

/* Each line: a newline in a name must not begin a statement. */
static void put_comment(FILE *out, const char *head, const char *text)
{
	for (size_t len; text != NULL && *text != '\0'; text += len + (text[len] == '\n'), head = "") {
		len = strcspn(text, "\n");
		char *line = talloc_strndup(NULL, text, len);
		fprintf(out, "-- %s", head);
		look_put_clean(out, line);
		fputc('\n', out);
		talloc_free(line);
	}
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
		put_comment(screen->out, "as root: ", text_of(one, "command"));
		put_comment(screen->out, "", text_of(one, "advice"));
		if (mend == NULL)
			continue;
		look_put_data(screen->out, mend, &screen->look);
		fputs(";\n", screen->out);
	}
	if (i == 0)
		fputs("-- nothing is missing\n", screen->out);
}
