/* SPDX-License-Identifier: MIT
 *
 * changes.c: refreshes by a dialect's library beside what a client would do for the same rows, after changes of a given
 * size. Usage: changes ENGINE PLUGIN URL TARGET <SCRIPT
 *
 * A line of the script is a command and its arguments, separated by '|':
 *
 *	view NAME|METHOD|MODE|KEY|DEFINITION	makes a view (auto, diff, incremental, ..; KEY: columns, blanks between)
 *	mode NAME|MODE	refreshes it so from now on
 *	rival NAME|STATEMENT;STATEMENT..	what a client would do
 *	run STATEMENT
 *	measure LABEL|ROUNDS|VIEW..|RIVAL..|STATEMENT;..	names with blanks between
 *	same VIEW|RELATION
 *
 * measure repeats: one transaction of the statements ({n}: a number that is another one each time), then all views and
 * rivals, one after the other, the order turning. Its first round warms up; with "7+8" eight rounds do. It prints for
 * each view and each rival LABEL, name, median in ms, how many refreshes were incremental, and the last one's reason,
 * '|' between. same prints "same", the view, and how many rows differ byte by byte.
 */
#include "bench/views.h"

#include "base/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define VIEWS_MAX 32
#define ROUNDS_MAX 200
#define RUNNERS_MAX 16

struct rival {
	char *name, *statements;
};

struct runner {
	struct bench_view *view; /* or */
	const struct rival *rival;
	int64_t times[ROUNDS_MAX];
	size_t incremental;
};

struct bench {
	struct views views;
	struct bench_view made[VIEWS_MAX];
	struct rival rivals[VIEWS_MAX];
	size_t n_made, n_rivals;
	long number; /* of the round, never the same */
};

static char *next(char **rest)
{
	char *word = strsep(rest, "|");
	if (word == NULL)
		views_die("script", "an argument is missing");
	return word;
}

static enum viewd_refresh_mode mode_of(const char *word)
{
	for (int mode = 0; mode < VIEWD_MODE_COUNT; mode++)
		if (strcmp(word_mode((enum viewd_refresh_mode)mode), word) == 0)
			return (enum viewd_refresh_mode)mode;
	views_die(word, "no such mode");
}

static void make_view(struct bench *b, char *rest)
{
	struct viewd_err err = {0};
	struct bench_view *view = &b->made[b->n_made++];
	if (b->n_made == VIEWS_MAX)
		views_die("view", "too many");
	*view = (struct bench_view){.name = next(&rest), .key = talloc_zero_array(NULL, const char *, 8)};
	view->method = strcmp(next(&rest), "materialized") == 0 ? VIEWD_METHOD_MATERIALIZED : VIEWD_METHOD_TABLE;
	view->mode = mode_of(next(&rest));
	char *key = next(&rest);
	for (char *word; view->n_key < 8 && (word = strsep(&key, " ")) != NULL;)
		if (word[0] != '\0')
			view->key[view->n_key++] = word;
	view->definition = rest;
	if (!views_create(&b->views, view, &err))
		views_die(view->name, err.msg);
}

static struct bench_view *find_view(struct bench *b, const char *name)
{
	for (size_t i = 0; i < b->n_made; i++)
		if (strcmp(b->made[i].name, name) == 0)
			return &b->made[i];
	return NULL;
}

static void change_mode(struct bench *b, char *rest)
{
	const char *name = next(&rest);
	struct bench_view *view = find_view(b, name);
	if (view == NULL)
		views_die(name, "no such view");
	view->mode = mode_of(rest);
}

/* Replaces "{n}". */
static void run_numbered(struct bench *b, const char *sql)
{
	char *text = talloc_strdup(NULL, "");
	for (const char *at; (at = strstr(sql, "{n}")) != NULL; sql = at + 3)
		text = talloc_asprintf_append_buffer(text, "%.*s%ld", (int)(at - sql), sql, b->number);
	text = talloc_asprintf_append_buffer(text, "%s", sql);
	views_run(&b->views, text);
	talloc_free(text);
}

static void run_all(struct bench *b, const char *statements)
{
	char *copy = talloc_strdup(NULL, statements), *rest = copy, *one;
	while ((one = strsep(&rest, ";")) != NULL)
		if (one[strspn(one, " ")] != '\0')
			run_numbered(b, one);
	talloc_free(copy);
}

static void run_once(struct bench *b, struct runner *r, size_t round, bool counts)
{
	struct viewd_err err;
	int64_t from = views_now_us();
	if (r->view == NULL)
		run_all(b, r->rival->statements);
	else if (!views_refresh(&b->views, r->view, &err))
		views_die(r->view->name, err.msg);
	r->times[round] = views_now_us() - from;
	if (r->view != NULL && counts)
		r->incremental += views_was_incremental(r->view);
}

static size_t find_runners(struct bench *b, char *names, struct runner *runners, size_t n, bool views)
{
	for (char *name; (name = strsep(&names, " ")) != NULL;) {
		if (name[0] == '\0')
			continue;
		if (n == RUNNERS_MAX)
			views_die(name, "too many at once");
		runners[n] = (struct runner){0};
		runners[n].view = views ? find_view(b, name) : NULL;
		for (size_t i = 0; !views && i < b->n_rivals; i++)
			if (strcmp(b->rivals[i].name, name) == 0)
				runners[n].rival = &b->rivals[i];
		if (runners[n].view == NULL && runners[n].rival == NULL)
			views_die(name, "nothing is called so");
		n++;
	}
	return n;
}

static void measure(struct bench *b, char *rest)
{
	static struct runner runners[RUNNERS_MAX];
	const char *label = next(&rest);
	char *more;
	size_t rounds = strtoul(next(&rest), &more, 10), warm = *more == '+' ? strtoul(more + 1, NULL, 10) : 1;
	if (rounds < 1 || warm < 1 || rounds + warm > ROUNDS_MAX)
		views_die("measure", "no such number of rounds");
	size_t n = find_runners(b, next(&rest), runners, 0, true);
	n = find_runners(b, next(&rest), runners, n, false);
	for (size_t round = 0; round < rounds + warm; round++) {
		b->number++;
		views_run(&b->views, "BEGIN");
		run_all(b, rest);
		views_run(&b->views, "COMMIT");
		views_mark(&b->views);
		for (size_t i = 0; i < n; i++)
			run_once(b, &runners[(i + round) % n], round, round >= warm);
	}
	for (size_t i = 0; i < n; i++)
		printf("%s|%s|%.3f|%zu/%zu|%s\n", label,
		       runners[i].view != NULL ? runners[i].view->name : runners[i].rival->name,
		       views_median_ms(runners[i].times + warm, rounds), runners[i].incremental, rounds,
		       runners[i].view != NULL ? runners[i].view->out.reason : "");
}

static void same(struct bench *b, char *rest)
{
	const char *name = next(&rest);
	const struct bench_view *view = find_view(b, name);
	if (view == NULL)
		views_die(name, "no such view");
	printf("same|%s|%lld\n", name, (long long)views_differences(&b->views, view, rest));
}

static void obey(struct bench *b, char *line)
{
	char *command = strsep(&line, " ");
	if (line == NULL)
		return;
	if (strcmp(command, "view") == 0)
		make_view(b, line);
	else if (strcmp(command, "mode") == 0)
		change_mode(b, line);
	else if (strcmp(command, "rival") == 0 && b->n_rivals < VIEWS_MAX)
		b->rivals[b->n_rivals++] = (struct rival){next(&line), line};
	else if (strcmp(command, "run") == 0)
		views_run(&b->views, line);
	else if (strcmp(command, "measure") == 0)
		measure(b, line);
	else if (strcmp(command, "same") == 0)
		same(b, line);
	else
		views_die(command, "no such command");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static struct bench b;
	char line[16384];
	if (argc != 5) {
		fprintf(stderr, "usage: %s ENGINE PLUGIN URL TARGET <SCRIPT\n", argv[0]);
		return 2;
	}
	views_open(&b.views, argv[1], argv[2], argv[3], argv[4]);
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		obey(&b, talloc_strdup(NULL, line));
	}
	views_close(&b.views);
	return EXIT_SUCCESS;
}
