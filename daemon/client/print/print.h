/* SPDX-License-Identifier: MIT
 *
 * print.h: an answer, mostly of the daemon, as text for people, one printer a command. viewctl has one thread.
 */
#ifndef VIEWD_CLIENT_PRINT_PRINT_H
#define VIEWD_CLIENT_PRINT_PRINT_H

#include "client/print/look.h"
#include "ctl/command/args.h"

#include <jansson.h>
#include <stdio.h>

/* Where the text goes; also a talloc context for what is put together meanwhile. */
struct screen {
	FILE *out;
	struct look look;
	int64_t now_us; /* wall clock, for "in 5m" */
};

struct screen *screen_new(void *mem_ctx, FILE *out, const struct look *look);

typedef void print_fn(struct screen *screen, const struct args *args, const json_t *body);

/* A query beside the arguments, so that no more is sent than the printer prints; "" for all. */
const char *print_query(const struct args *args);

/* The printer of a command; NULL for those that print by themselves: check, import, help, events. */
print_fn *print_for(enum command_id id);

/* print_status.c */
print_fn print_status, print_show, print_info;
/* print_look.c */
print_fn print_why, print_history, print_plan, print_render, print_list, print_doctor;
/* print_explain.c */
print_fn print_explain;
/* print_graph.c */
print_fn print_graph;
/* print_run.c */
print_fn print_refresh, print_changes, print_verify, print_accepted, print_cancel, print_reload, print_wait,
	print_uninstall;

/* print_json.c: JSON on lines of its own; print_json_text writes one that is text already. A control character is
 * spelled as an escape of JSON. */
void print_json(FILE *out, const json_t *body);
void print_json_text(FILE *out, const char *text);

/* An array of {text, warning}, one a line: "file:line: ...". */
void print_problems(struct screen *screen, const json_t *problems);

/* text line by line; on a terminal a long line goes on below, two columns further in. */
void print_text(struct screen *screen, const char *text);

/* "KEY: value" lines with aligned values; a NULL value prints nothing. */
void print_pair(struct screen *screen, const char *key, const char *value);

/* The same for a member that is a time. */
void print_pair_time(struct screen *screen, const char *key, const json_t *object, const char *member);

#endif
