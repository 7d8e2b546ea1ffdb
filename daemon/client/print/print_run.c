/* SPDX-License-Identifier: MIT
 *
 * print_run.c: prints the results of refresh, drop and the like.
 */
#include "client/print/print.h"
#include "client/print/text.h"

#include <string.h>
#include <talloc.h>

static void put_line(struct screen *screen, const char *head, const char *tail, enum look_colour colour)
{
	look_put_clean(screen->out, head);
	fputs(": ", screen->out);
	char *safe = look_wrap(screen, look_clean(screen, tail, false), strlen(head) + 2, 2, screen->look.width);
	look_put(screen->out, safe, colour, &screen->look);
	fputc('\n', screen->out);
}

static const char *item_name(const json_t *item)
{
	const char *label = text_of(item, "view");
	return label != NULL ? label : "?";
}

/* ", KEY value" when there is one. */
static char *append_fact(char *text, const char *value, const char *unit)
{
	return value != NULL ? talloc_asprintf_append_buffer(text, ", %s%s", value, unit) : text;
}

static void refresh_item(struct screen *screen, const json_t *item)
{
	const char *result = text_of(item, "result");
	bool good = result != NULL && strcmp(result, "SUCCEEDED") == 0;
	char *text = talloc_strdup(screen, result != NULL ? result : "no result");
	text = append_fact(text, text_of(item, "action"), "");
	text = append_fact(text, text_count(screen, item, "rows"), " rows");
	text = append_fact(text, text_count(screen, item, "rows_written"), " written");
	text = append_fact(text, text_ms(screen, item, "duration_ms"), "");
	char *error = text_error(screen, json_object_get(item, "error"));
	if (error != NULL)
		text = talloc_asprintf_append_buffer(text, " (%s)", error);
	put_line(screen, item_name(item), text, good ? LOOK_PLAIN : LOOK_RED);
}

void print_accepted(struct screen *screen, const struct args *args, const json_t *body)
{
	char *names = text_joined(screen, body, "accepted");
	print_text(screen,
	           talloc_asprintf(screen, "%s: %s", args_command(args)->name, names != NULL ? names : "nothing to do"));
}

void print_refresh(struct screen *screen, const struct args *args, const json_t *body)
{
	size_t i;
	json_t *item;
	if (!args_flag(args, "wait"))
		print_accepted(screen, args, body);
	json_array_foreach(json_object_get(body, "items"), i, item)
		refresh_item(screen, item);
}

void print_changes(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(body, "items"), i, item) {
		const char *change = text_of(item, "change");
		const char *reason = text_of(item, "reason");
		char *error = text_error(screen, json_object_get(item, "error"));
		char *text = talloc_strdup(screen, error != NULL ? "FAILED" : change != NULL ? change : "?");
		text = append_fact(text, text_ms(screen, item, "duration_ms"), "");
		if (error != NULL || (reason != NULL && reason[0] != '\0'))
			text = talloc_asprintf_append_buffer(text, " (%s)", error != NULL ? error : reason);
		put_line(screen, item_name(item), text, error != NULL ? LOOK_RED : LOOK_PLAIN);
		if (text_of(item, "definition") != NULL)
			put_line(screen, "definition", text_of(item, "definition"), LOOK_PLAIN);
	}
}

static void verify_item(struct screen *screen, const json_t *item)
{
	char *error = text_error(screen, json_object_get(item, "error"));
	char *rows = text_count(screen, item, "rows");
	char *missing = text_count(screen, item, "missing");
	char *unexpected = text_count(screen, item, "unexpected");
	if (error != NULL || rows == NULL || missing == NULL || unexpected == NULL)
		put_line(screen, item_name(item), error != NULL ? error : "not compared", LOOK_RED);
	else if (json_is_true(json_object_get(item, "differs")))
		put_line(screen, item_name(item),
		         talloc_asprintf(screen, "differs, %s missing, %s unexpected (definition yields %s rows)", missing,
		                         unexpected, rows),
		         LOOK_RED);
	else
		put_line(
			screen, item_name(item),
			talloc_asprintf(screen, "equal, %s rows%s", rows,
		                    json_is_true(json_object_get(item, "repaired")) ? ", after all were computed again" : ""),
			LOOK_PLAIN);
}

void print_verify(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	size_t i;
	json_t *item;
	json_array_foreach(json_object_get(body, "items"), i, item)
		verify_item(screen, item);
}

void print_cancel(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	char *n = text_count(screen, body, "cancelled");
	fprintf(screen->out, "cancelled: %s\n", n != NULL ? n : "?");
}

void print_problems(struct screen *screen, const json_t *problems)
{
	size_t i;
	json_t *item;
	json_array_foreach(problems, i, item) {
		bool warning = json_is_true(json_object_get(item, "warning"));
		look_put(screen->out, warning ? "warning: " : "", LOOK_YELLOW, &screen->look);
		look_put_clean(screen->out, text_of(item, "text") != NULL ? text_of(item, "text") : "?");
		fputc('\n', screen->out);
	}
}

void print_reload(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	size_t i;
	json_t *item;
	print_problems(screen, json_object_get(body, "problems"));
	json_array_foreach(json_object_get(body, "changes"), i, item) {
		const char *what = text_of(item, "what");
		const char *name = text_of(item, "name");
		const char *change = text_of(item, "change");
		const char *detail = text_of(item, "detail");
		bool named = name != NULL && name[0] != '\0'; /* there is one [viewd] */
		char *head = talloc_asprintf(screen, "%s%s%s", what != NULL ? what : "?", named ? " " : "", named ? name : "");
		bool more = detail != NULL && detail[0] != '\0';
		put_line(screen, head,
		         talloc_asprintf(screen, "%s%s%s%s", change, more ? " (" : "", more ? detail : "", more ? ")" : ""),
		         LOOK_PLAIN);
	}
	char *restart = text_joined(screen, body, "restart_needed");
	if (restart != NULL)
		put_line(screen, "restart needed for", restart, LOOK_YELLOW);
	const char *outcome = text_of(body, "outcome");
	fprintf(screen->out, "%s, generation %s\n", outcome != NULL ? outcome : "?",
	        text_count(screen, body, "generation"));
}

void print_wait(struct screen *screen, const struct args *args UNUSED, const json_t *body)
{
	const char *as_of = text_time(screen, body, "data_timestamp", screen->look.utc);
	print_text(screen,
	           talloc_asprintf(screen, "%s: data as of %s", text_of(body, "view"), as_of != NULL ? as_of : "now"));
}

void print_uninstall(struct screen *screen, const struct args *args, const json_t *body)
{
	if (args_flag(args, "print")) {
		print_render(screen, args, body);
		return;
	}
	print_text(screen,
	           talloc_asprintf(screen, "%s: viewd has left it, %zu statements; its views stay as they are",
	                           args_text(args, "database"), json_array_size(json_object_get(body, "statements"))));
	print_text(screen,
	           "take the sections of the database out of the files: a restart of viewd would set everything up again");
}
