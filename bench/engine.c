/* SPDX-License-Identifier: MIT
 *
 * engine.c: how many refreshes a second pass through the engine when the database costs nothing. Usage: engine CONF
 * SECONDS
 */
#include "base/log.h"
#include "base/span.h"
#include "conf/snapshot/diff.h"
#include "core/offline/offline.h"
#include "core/runtime.h"
#include "plugins/fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <talloc.h>

struct bench {
	struct loop *loop;
	struct worker_pool *pool;
	struct engine *eng;
	struct view **views;
	size_t n;
	bool done, idle;
};

static void now_idle(void *ctx)
{
	((struct bench *)ctx)->idle = true;
}

static void wave_done(void *ctx, const struct engine_report *report)
{
	struct bench *b = ctx;
	for (size_t i = 0; i < report->n; i++)
		if (report->items[i].result != VIEW_RESULT_SUCCEEDED) {
			fprintf(stderr, "engine: view '%s' failed\n", report->items[i].label);
			exit(1);
		}
	b->done = true;
}

static bool keep(void *ctx, struct view *view)
{
	struct bench *b = ctx;
	b->views = realloc(b->views, (b->n + 1) * sizeof *b->views);
	b->views[b->n++] = view;
	return true;
}

static void all(struct bench *b)
{
	b->done = false;
	engine_refresh(b->eng, b->views, b->n, (struct engine_refresh_flags){.full = false}, VIEW_TRIGGER_MANUAL, wave_done,
	               b);
	while (!b->done)
		loop_once(b->loop, SPAN_SECOND);
}

int main(int argc, char **argv)
{
	struct viewd_err err;
	struct conf_problems problems;
	struct bench b = {.loop = loop_new()};
	struct registry *registry = registry_new(NULL);
	if (argc != 3 || !registry_add(registry, &viewd_dialect_fake, &err))
		return 2;
	log_set_level(VIEWD_LOG_WARNING);
	b.pool = worker_pool_new(b.loop, 64);
	struct conf_dialects dialects = offline_dialects(registry);
	struct conf *conf = conf_load(NULL, argv[1], &dialects, &problems);
	for (size_t i = 0; i < problems.n; i++)
		fprintf(stderr, "%s\n", problems.items[i].text);
	if (conf == NULL)
		return 1;
	const struct engine_parts parts = {.loop = b.loop,
	                                   .pool = b.pool,
	                                   .registry = registry,
	                                   .clock = clock_system(),
	                                   .on_idle = now_idle,
	                                   .on_idle_ctx = &b};
	b.eng = engine_new(&parts);
	struct conf_diff *diff = conf_diff_new(NULL, NULL, conf);
	engine_commit(b.eng, conf, diff);
	engine_each_view(b.eng, keep, &b);
	all(&b); /* created and warm */
	int64_t start = clock_system()->mono(clock_system()), took = 0;
	size_t rounds = 0;
	while ((took = clock_system()->mono(clock_system()) - start) < strtol(argv[2], NULL, 10) * SPAN_SECOND) {
		all(&b);
		rounds++;
	}
	printf("engine: %zu views, %zu refreshes in %.2f s: %.0f a second (at least 1000)\n", b.n, rounds * b.n,
	       (double)took / 1e6, (double)(rounds * b.n) / ((double)took / 1e6));
	engine_stop(b.eng);
	while (!b.idle && !engine_idle(b.eng))
		loop_once(b.loop, SPAN_SECOND);
	engine_free(&b.eng);
	worker_pool_free(&b.pool, true);
	loop_free(&b.loop);
	talloc_free(diff);
	conf_unref(&conf);
	talloc_free(registry);
	free(b.views);
	return 0;
}
