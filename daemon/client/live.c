/* SPDX-License-Identifier: MIT
 *
 * live.c: what changes in place on a terminal: the frames of --watch, the bar of --wait.
 */
#include "client/live.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/macros.h"
#include "base/span.h"
#include "client/http.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <talloc.h>
#include <unistd.h>

/* ---- frames ------------------------------------------------------------------------------------------------------ */

#define CLEAR_SCREEN "\033[H\033[2J"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"
#define ROWS_DEFAULT 24

struct frame {
	FILE *out;
	bool terminal;
	FILE *next;
	char *text, *shown; /* malloc'ed; shown NULL: nothing yet */
	size_t len;
};

static int on_free(struct frame *frame)
{
	if (frame->next != NULL)
		fclose(frame->next);
	free(frame->text);
	free(frame->shown);
	return 0;
}

struct frame *frame_new(void *mem_ctx, FILE *out)
{
	struct frame *frame = talloc_zero(mem_ctx, struct frame);
	assert(frame != NULL);
	frame->out = out;
	frame->terminal = isatty(fileno(out)) != 0;
	talloc_set_destructor(frame, on_free);
	return frame;
}

FILE *frame_begin(struct frame *frame)
{
	frame->next = open_memstream(&frame->text, &frame->len);
	assert(frame->next != NULL);
	return frame->next;
}

static size_t rows_of(FILE *out)
{
	struct winsize size = {.ws_row = 0};
	bool known = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_row > 2;
	return known ? size.ws_row : ROWS_DEFAULT;
}

static size_t lines_in(const char *text)
{
	size_t n = 0;
	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;
	return n;
}

/* Each line wipes what is left of the old one behind it. The last row stays free for the cursor. */
static void put_lines(FILE *out, const struct frame *frame)
{
	const char *text = frame->text;
	size_t room = rows_of(frame->out) - 1, lines = lines_in(text);
	size_t shown = lines > room ? room - 1 : lines;
	fputs(frame->shown == NULL ? CLEAR_SCREEN : HOME, out);
	for (size_t i = 0; i < shown; i++, text = strchr(text, '\n') + 1)
		fprintf(out, "%.*s" CLEAR_LINE "\n", (int)strcspn(text, "\n"), text);
	if (shown < lines)
		fprintf(out, "... and %zu lines more" CLEAR_LINE "\n", lines - shown);
	fputs(CLEAR_BELOW, out);
}

static void put_at_once(const struct frame *frame)
{
	char *all = NULL;
	size_t len = 0;
	FILE *mem = open_memstream(&all, &len);
	assert(mem != NULL);
	put_lines(mem, frame);
	fclose(mem);
	fwrite(all, 1, len, frame->out);
	free(all);
}

void frame_show(struct frame *frame)
{
	fclose(frame->next);
	frame->next = NULL;
	if (!frame->terminal)
		fputs(frame->text, frame->out);
	else if (frame->shown == NULL || strcmp(frame->text, frame->shown) != 0)
		put_at_once(frame);
	free(frame->shown);
	frame->shown = frame->text;
	frame->text = NULL;
}

/* ---- the bar ----------------------------------------------------------------------------------------------------- */

#define LOOK_EVERY_US (250 * SPAN_MS)
#define BAR_CELLS 20

struct bar {
	const struct client *client;
	char *query;
	size_t width;
	int64_t start_wall, last_look, took;
	bool drawn;
};

/* The views that are waited for, as far as they are there. */
struct progress {
	size_t n, n_done;
	double done;         /* of n, with parts */
	const char *running; /* one of them */
	int64_t elapsed_us, expected_us;
};

struct bar *bar_new(void *mem_ctx, const struct client *client, const struct args *args)
{
	enum command_id id = args_command(args)->id;
	size_t width = look_of(client->err).width;
	if (width == 0 || client->json || (id != COMMAND_CREATE && (id != COMMAND_REFRESH || !args_flag(args, "wait"))))
		return NULL;
	struct bar *bar = talloc_zero(mem_ctx, struct bar);
	assert(bar != NULL);
	struct args *looks = args_new(bar, command_by_name("status"));
	struct viewd_err ignored; /* the call itself will tell */
	const char *const *names;
	size_t n = args_list(args, "view", &names);
	if (!args_from_argv(looks, (int)n, (char *const *)(uintptr_t)names, &ignored))
		return NULL;
	bar->client = client;
	bar->query = args_to_query(bar, looks);
	bar->width = width;
	bar->start_wall = clock_system()->wall(clock_system());
	bar->last_look = clock_system()->mono(clock_system());
	return bar;
}

static int64_t time_in(const json_t *view, const char *key)
{
	int64_t us = 0;
	const char *text = json_string_value(json_object_get(view, key));
	return text != NULL && clock_parse(text, &us) ? us : 0;
}

/* The time of the last run, else what past ones have hardly exceeded; 0 unknown. */
static int64_t expected_of(const json_t *view)
{
	const json_t *expected = json_object_get(view, "duration_ms");
	if (!json_is_number(expected))
		expected = json_object_get(view, "expected_ms");
	return json_is_number(expected) ? (int64_t)(json_number_value(expected) * SPAN_MS) : 0;
}

static void add_running(struct progress *p, const json_t *view, int64_t now)
{
	int64_t elapsed = now - time_in(view, "running_since"), expected = expected_of(view);
	if (expected > 0 && elapsed > 0) /* a clock may have been put back */
		p->done += elapsed < expected ? (double)elapsed / (double)expected : 1;
	if (p->running != NULL)
		return;
	p->running = json_string_value(json_object_get(view, "name"));
	p->elapsed_us = elapsed > 0 ? elapsed - elapsed % (100 * SPAN_MS) : 0;
	p->expected_us = expected;
}

static struct progress progress_of(const struct bar *bar, const json_t *views)
{
	struct progress p = {.n = json_array_size(views)};
	int64_t now = clock_system()->wall(clock_system());
	size_t i;
	json_t *view;
	json_array_foreach(views, i, view) {
		bool done = time_in(view, "last_refresh_time") >= bar->start_wall;
		p.n_done += done;
		p.done += done;
		if (!done && time_in(view, "running_since") > 0)
			add_running(&p, view, now);
	}
	return p;
}

/* "[#####---------------] 1 of 4, top 3.2s of about 10s" */
static void draw(struct bar *bar, const struct progress *p)
{
	char elapsed[64], expected[64];
	size_t cells = p->n > 0 ? (size_t)(p->done * BAR_CELLS / (double)p->n) : 0;
	char *text = talloc_asprintf(bar, "[%.*s%.*s] %zu of %zu", (int)cells, "####################",
	                             (int)(BAR_CELLS - cells), "--------------------", p->n_done, p->n);
	if (p->running != NULL)
		text = talloc_asprintf_append_buffer(text, ", %s %s", p->running, span_human(p->elapsed_us, elapsed, 64));
	if (p->running != NULL && p->expected_us > 0)
		text = talloc_asprintf_append_buffer(text, " of about %s", span_human(p->expected_us, expected, 64));
	assert(text != NULL);
	fputc('\r', bar->client->err);
	text[strcspn(look_wrap(text, text, 0, 0, bar->width - 1), "\n")] = '\0';
	look_put_clean(bar->client->err, text);
	fputs(CLEAR_LINE, bar->client->err);
	fflush(bar->client->err);
	bar->drawn = true;
	talloc_free(text);
}

/* A failure is no concern of the bar: the call that it is drawn for will tell. */
void bar_tick(void *ptr)
{
	struct bar *bar = ptr;
	int64_t start = clock_system()->mono(clock_system());
	if (start - bar->last_look < (bar->took * 4 > LOOK_EVERY_US ? bar->took * 4 : LOOK_EVERY_US))
		return;
	const struct http_call call = {
		.socket = bar->client->socket, .path = command_by_name("status")->path, .query = bar->query};
	struct http_reply reply;
	enum http_end end = http_do(bar, &call, &reply);
	json_t *views = end == HTTP_REPLIED ? json_loadb(reply.body, reply.len, 0, NULL) : NULL;
	if (json_is_array(views)) {
		struct progress p = progress_of(bar, views);
		draw(bar, &p);
	}
	json_decref(views);
	talloc_free(reply.body);
	bar->last_look = clock_system()->mono(clock_system());
	bar->took = bar->last_look - start;
}

void bar_end(struct bar *bar)
{
	if (bar == NULL)
		return;
	if (bar->drawn)
		fputs("\r" CLEAR_LINE, bar->client->err);
	talloc_free(bar);
}
