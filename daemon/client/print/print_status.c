/* SPDX-License-Identifier: MIT
 *
 * print_status.c: status, show, info.
 */
#include "client/print/print.h"
#include "client/print/table.h"
#include "client/print/text.h"

#include <string.h>
#include <talloc.h>

static enum table_colour state_colour(const char *state)
{
	if (state == NULL || strcmp(state, "ACTIVE") == 0)
		return TABLE_GREEN;
	return strcmp(state, "FAILED") == 0 || strcmp(state, "MISSING") == 0 ? TABLE_RED : TABLE_YELLOW;
}

static enum table_colour freshness_colour(const char *freshness)
{
	return freshness != NULL && strcmp(freshness, "FRESH") != 0 ? TABLE_YELLOW : TABLE_PLAIN;
}

static enum table_colour result_colour(const char *result)
{
	if (result == NULL || strcmp(result, "SUCCEEDED") == 0)
		return TABLE_PLAIN;
	return strcmp(result, "FAILED") == 0 ? TABLE_RED : TABLE_YELLOW;
}

/* "ACTIVE", or "ACTIVE refreshing" while something goes on. */
static char *state_text(void *mem_ctx, const json_t *view)
{
	const char *state = text_of(view, "state");
	const char *activity = text_of(view, "activity");
	bool idle = activity == NULL || strcmp(activity, "IDLE") == 0;
	const char *doing = idle ? "" : strcmp(activity, "WAITING") == 0 ? " waiting" : " refreshing";
	return talloc_asprintf(mem_ctx, "%s%s", state != NULL ? state : "?", doing);
}

static void status_line(struct screen *screen, struct table *table, const json_t *view)
{
	const char *result = text_of(view, "result"), *freshness = text_of(view, "freshness");
	char *error = text_error(screen, json_object_get(view, "error"));
	table_row(table);
	table_cell(table, text_of(view, "name"), TABLE_PLAIN);
	table_cell(table, text_of(view, "database"), TABLE_PLAIN);
	table_cell(table, state_text(screen, view), state_colour(text_of(view, "state")));
	table_cell(table, freshness, freshness_colour(freshness));
	table_cell(table, text_seconds(screen, view, "lag_seconds"), freshness_colour(freshness));
	table_cell(table, result, result_colour(result));
	table_cell(table, text_ms(screen, view, "duration_ms"), TABLE_PLAIN);
	table_cell(table, text_until(screen, view, "next_refresh_time", screen->now_us), TABLE_PLAIN);
	if (error != NULL)
		table_note(table, error, TABLE_RED);
}

static void status_table(struct screen *screen, const json_t *views)
{
	static const char *const headings[] = {"VIEW", "DATABASE", "STATE",    "FRESHNESS",
	                                       "LAG",  "RESULT",   "DURATION", "NEXT"};
	struct table *table = table_new(screen, headings, ARRAY_LEN(headings), screen->colours);
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
	table_put(screen->out, text_of(view, "name") != NULL ? text_of(view, "name") : "?", TABLE_BOLD, screen->colours);
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
	print_pair(screen, "stale since", text_of(view, "stale_since"));
	print_pair(screen, "age", text_seconds(screen, view, "age_seconds"));
	print_pair(screen, "data as of", text_of(view, "data_timestamp"));
	print_pair(screen, "last refresh", text_of(view, "last_refresh_time"));
	print_pair(screen, "last success", text_of(view, "last_success_time"));
	print_pair(screen, "next refresh", text_of(view, "next_refresh_time"));
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

void print_status(struct screen *screen, const struct args *args, const json_t *body)
{
	if (wants_fields(args))
		views_fields(screen, body);
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
	static const char *const headings[] = {"SETTING", "VALUE", "ORIGIN"};
	struct table *table = table_new(screen, headings, ARRAY_LEN(headings), screen->colours);
	size_t i;
	json_t *setting;
	views_fields(screen, json_object_get(body, "views"));
	json_array_foreach(json_object_get(body, "settings"), i, setting) {
		const char *origin = text_of(setting, "origin");
		bool dflt = origin != NULL && strcmp(origin, "default") == 0;
		table_row(table);
		table_cell(table, text_of(setting, "key"), TABLE_PLAIN);
		table_cell(table, first_line(screen, text_of(setting, "value")), dflt ? TABLE_DIM : TABLE_PLAIN);
		table_cell(table, origin, TABLE_DIM);
	}
	fputc('\n', screen->out);
	table_print(table, screen->out);
}

void print_info(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	static const char *const counters[] = {"views",         "databases", "databases_down", "running",   "waiting",
	                                       "stuck_workers", "runs",      "failures",       "generation"};
	print_pair(screen, "version", text_of(body, "version"));
	print_pair(screen, "started", text_of(body, "started"));
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		print_pair(screen, counters[i], text_count(screen, body, counters[i]));
}
