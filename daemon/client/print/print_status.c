/* SPDX-License-Identifier: MIT
 *
 * print_status.c: status, show, info.
 */
#include "client/print/print.h"
#include "client/print/table.h"
#include "client/print/text.h"

#include <string.h>
#include <talloc.h>

static enum look_colour state_colour(const char *state)
{
	if (state == NULL || strcmp(state, "ACTIVE") == 0)
		return LOOK_GREEN;
	return strcmp(state, "FAILED") == 0 || strcmp(state, "MISSING") == 0 ? LOOK_RED : LOOK_YELLOW;
}

static enum look_colour freshness_colour(const char *freshness)
{
	return freshness != NULL && strcmp(freshness, "FRESH") != 0 ? LOOK_YELLOW : LOOK_PLAIN;
}

static enum look_colour result_colour(const char *result)
{
	if (result == NULL || strcmp(result, "SUCCEEDED") == 0)
		return LOOK_PLAIN;
	return strcmp(result, "FAILED") == 0 ? LOOK_RED : LOOK_YELLOW;
}

/* NULL: nothing. */
static const char *doing_now(const json_t *view)
{
	const char *activity = text_of(view, "activity");
	if (activity == NULL || strcmp(activity, "IDLE") == 0)
		return NULL;
	return strcmp(activity, "WAITING") == 0 ? "waiting" : "refreshing";
}

/* "ACTIVE", or "ACTIVE refreshing" while something goes on. */
static char *state_text(void *mem_ctx, const json_t *view)
{
	const char *state = text_of(view, "state"), *doing = doing_now(view);
	return talloc_asprintf(mem_ctx, "%s%s%s", state != NULL ? state : "?", doing != NULL ? " " : "",
	                       doing != NULL ? doing : "");
}

static void status_line(struct screen *screen, struct table *table, const json_t *view)
{
	const char *result = text_of(view, "result"), *freshness = text_of(view, "freshness"), *doing = doing_now(view);
	char *error = text_error(screen, json_object_get(view, "error"));
	table_row(table);
	table_cell(table, text_of(view, "name"), LOOK_PLAIN);
	table_cell(table, text_of(view, "database"), LOOK_PLAIN);
	table_cell(table, text_of(view, "state"), state_colour(text_of(view, "state")));
	if (error != NULL)
		table_note(table, error, LOOK_RED);
	table_cell(table, freshness, freshness_colour(freshness));
	table_cell(table, text_seconds(screen, view, "lag_seconds"), freshness_colour(freshness));
	table_cell(table, result, result_colour(result));
	table_cell(table, text_ms(screen, view, "duration_ms"), LOOK_PLAIN);
	table_cell(table, doing != NULL ? doing : text_until(screen, view, "next_refresh_time", screen->now_us),
	           LOOK_PLAIN);
}

static void status_table(struct screen *screen, const json_t *views)
{
	static const struct table_column columns[] = {
		{"VIEW", TABLE_NAME},  {"DATABASE", TABLE_NAME}, {"STATE", TABLE_WORD},      {"FRESHNESS", TABLE_WORD},
		{"LAG", TABLE_NUMBER}, {"RESULT", TABLE_WORD},   {"DURATION", TABLE_NUMBER}, {"NEXT", TABLE_WORD}};
	struct table *table = table_new(screen, columns, ARRAY_LEN(columns), &screen->look);
	size_t i;
	json_t *view;
	json_array_foreach(views, i, view)
		status_line(screen, table, view);
	table_print(table, screen->out);
}

static void print_sources(struct screen *screen, const json_t *view)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(view, "sources"), i, row) {
		const char *heard = text_of(row, "heard_by"), *reason = text_of(row, "reason");
		print_pair(screen, i == 0 ? "sources" : "",
		           talloc_asprintf(screen, "%s %s, heard by %s%s%s", text_of(row, "kind"), text_of(row, "name"),
		                           heard != NULL ? heard : "nothing", reason != NULL ? ": " : "",
		                           reason != NULL ? reason : ""));
	}
}

/* Every field of status under a heading. */
static void view_fields(struct screen *screen, const json_t *view)
{
	look_put(screen->out, text_of(view, "name") != NULL ? text_of(view, "name") : "?", LOOK_BOLD, &screen->look);
	fputc('\n', screen->out);
	print_pair(screen, "database", text_of(view, "database"));
	print_pair(screen, "relation", text_of(view, "relation"));
	print_pair(screen, "method", text_of(view, "method"));
	print_pair(screen, "refresh mode", text_of(view, "refresh_mode"));
	print_pair(screen, "schedule", text_of(view, "schedule"));
	print_pair(screen, "state", state_text(screen, view));
	print_pair(screen, "waits for", text_of(view, "waits_for"));
	print_pair(screen, "lag", text_seconds(screen, view, "lag_seconds"));
	print_pair(screen, "freshness", text_of(view, "freshness"));
	print_pair_time(screen, "stale since", view, "stale_since");
	print_pair(screen, "age", text_seconds(screen, view, "age_seconds"));
	print_pair_time(screen, "data as of", view, "data_timestamp");
	print_pair_time(screen, "last refresh", view, "last_refresh_time");
	print_pair_time(screen, "last success", view, "last_success_time");
	print_pair_time(screen, "next refresh", view, "next_refresh_time");
	print_pair(screen, "trigger", text_of(view, "trigger"));
	print_pair(screen, "result", text_of(view, "result"));
	print_pair(screen, "action", text_of(view, "action"));
	print_pair(screen, "reason", text_of(view, "reason"));
	print_pair(screen, "duration", text_ms(screen, view, "duration_ms"));
	print_pair(screen, "rows", text_count(screen, view, "rows"));
	print_pair(screen, "rows written", text_count(screen, view, "rows_written"));
	print_pair(screen, "consecutive errors", text_count(screen, view, "consecutive_errors"));
	print_pair(screen, "error", text_error(screen, json_object_get(view, "error")));
	print_sources(screen, view);
	print_pair(screen, "upstream", text_joined(screen, view, "upstream"));
	print_pair(screen, "downstream", text_joined(screen, view, "downstream"));
	print_pair(screen, "refresh group", text_of(view, "refresh_group"));
	print_pair(screen, "owner", text_of(view, "owner"));
	print_pair(screen, "description", text_of(view, "description"));
}

static void views_fields(struct screen *screen, const json_t *views)
{
	size_t i;
	json_t *view;
	json_array_foreach(views, i, view) {
		if (i > 0)
			fputc('\n', screen->out);
		view_fields(screen, view);
	}
}

/* Views that are named are shown with all fields; views that are selected are listed. */
static bool wants_fields(const struct args *args)
{
	const char *const *names;
	size_t n = args_list(args, "view", &names);
	bool selects = args_flag(args, "failed") || args_flag(args, "stale") || args_text(args, "tag") != NULL;
	for (size_t i = 0; i < n; i++)
		selects |= strpbrk(names[i], "*?[") != NULL;
	return n > 0 && !selects;
}

const char *print_query(const struct args *args)
{
	if (args_command(args)->id != COMMAND_STATUS || wants_fields(args))
		return "";
	return "fields=name,database,state,activity,freshness,lag_seconds,result,duration_ms,next_refresh_time,error";
}

/* A fresh installation has no view; a selection that is empty is another thing. */
static bool has_none(const struct args *args, const json_t *views)
{
	const char *const *names;
	return json_array_size(views) == 0 && args_list(args, "view", &names) == 0 && !args_flag(args, "failed") &&
	       !args_flag(args, "stale") && args_text(args, "tag") == NULL && args_text(args, "database") == NULL;
}

void print_status(struct screen *screen, const struct args *args, const json_t *body)
{
	if (wants_fields(args))
		views_fields(screen, body);
	else if (has_none(args, body))
		fputs("no views: the configuration has no [view NAME] section\n", screen->out);
	else
		status_table(screen, body);
}

/* A value with several lines (a definition) is cut to its first here; --json has it whole. */
static char *first_line(void *mem_ctx, const char *value)
{
	if (value == NULL)
		return NULL;
	size_t len = strcspn(value, "\n");
	return talloc_asprintf(mem_ctx, "%.*s%s", (int)len, value, value[len] != '\0' ? " ..." : "");
}

void print_show(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	static const struct table_column columns[] = {
		{"SETTING", TABLE_WORD}, {"ORIGIN", TABLE_NAME}, {"VALUE", TABLE_TEXT}};
	struct table *table = table_new(screen, columns, ARRAY_LEN(columns), &screen->look);
	size_t i;
	json_t *setting;
	views_fields(screen, json_object_get(body, "views"));
	json_array_foreach(json_object_get(body, "settings"), i, setting) {
		const char *origin = text_of(setting, "origin");
		bool dflt = origin != NULL && strcmp(origin, "default") == 0;
		table_row(table);
		table_cell(table, text_of(setting, "key"), LOOK_PLAIN);
		table_cell(table, origin, LOOK_DIM);
		table_cell(table, first_line(screen, text_of(setting, "value")), dflt ? LOOK_DIM : LOOK_PLAIN);
	}
	fputc('\n', screen->out);
	table_print(table, screen->out);
}

void print_info(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	static const char *const counters[] = {"views",         "databases", "databases_down", "running",   "waiting",
	                                       "stuck_workers", "runs",      "failures",       "generation"};
	print_pair(screen, "version", text_of(body, "version"));
	print_pair_time(screen, "started", body, "started");
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		print_pair(screen, counters[i], text_count(screen, body, counters[i]));
}
