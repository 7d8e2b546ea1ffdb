/* SPDX-License-Identifier: MIT
 *
 * main.c: batches of random statements, and after each the views of some shapes are refreshed and compared.
 */
#include "model/shapes/shapes.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

struct run {
	struct world *world;
	const struct shapes *shapes;
	struct writes *writes;
	struct steps steps;
	uint64_t seed;
	size_t batch;
	int64_t compared;
};

static long number(const char *name, const char *otherwise)
{
	return strtol(world_setting(name, otherwise), NULL, 10);
}

/* Follows from seed, batch and name alone, so that fewer shapes meet the same statements. */
static bool is_due(const struct run *run, const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) ^ run->seed ^ run->batch << 32;
	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return (hash >> 24) % 3 > 0;
}

/* Each view now and then; all of them in every fourth batch, and in the last. */
static void add_refreshes(struct run *run, bool all)
{
	for (size_t i = 0; i < run->shapes->n; i++)
		if (all || is_due(run, run->shapes->items[i].name)) {
			steps_add(&run->steps, STEP_REFRESH, 0, run->shapes->items[i].name, run->batch);
			run->compared++;
		}
}

static bool go_on(struct run *run, size_t from)
{
	size_t at;
	struct shape *shape = steps_run(run->world, &run->steps, from, &at);
	if (shape == NULL)
		return true;
	world_tell(run->world, "view %s differs from its definition (batch %zu, seed %s)\n\t%s", shape->name, run->batch,
	           world_setting("SHAPES_SEED", "1"), shape->definition);
	if (strcmp(world_setting("SHAPES_REDUCE", "yes"), "no") == 0)
		return false;
	char *name = talloc_strdup(NULL, shape->name);
	world_close(&run->world);
	for (size_t i = 0; i < run->shapes->n; i++)
		if (strcmp(run->shapes->items[i].name, name) == 0)
			reduce(run->shapes, &run->shapes->items[i], &run->steps, at + 1);
	return false;
}

static bool begin(struct run *run)
{
	writes_fill(run->writes, &run->steps);
	for (size_t i = 0; i < run->shapes->n; i++)
		steps_add(&run->steps, STEP_CREATE, 0, run->shapes->items[i].name, 0);
	add_refreshes(run, true);
	return go_on(run, 0);
}

static bool run_batch(struct run *run, bool last)
{
	size_t from = run->steps.n;
	const char *plant = world_setting("SHAPES_PLANT", "");
	run->batch++;
	writes_batch(run->writes, run->batch, last, &run->steps);
	if (!go_on(run, from))
		return false;
	from = run->steps.n;
	add_refreshes(run, last || run->batch % 4 == 0);
	if (!go_on(run, from))
		return false;
	if (plant == NULL || run->batch != 2)
		return true;
	world_write(run->world, 0, plant);
	for (size_t i = 0; i < run->world->shapes->n; i++)
		if (!compare_shape(run->world, &run->world->shapes->items[i])) {
			world_tell(run->world, "view %s differs from its definition", run->world->shapes->items[i].name);
			return false;
		}
	return true;
}

/* Is the view kept as it is asked to, and not by all rows again and again? The first refresh may take all rows: a view
 * that came later needs more of the change logs. */
static bool is_kept(const struct shape *shape)
{
	return shape->mode == VIEWD_MODE_INCREMENTAL && shape->as_asked >= shape->all_rows - 1;
}

static void summary(const struct run *run)
{
	const struct shapes *shapes = run->world->shapes;
	int64_t incremental = 0, idle = 0, other = 0;
	size_t n = 0, kept = 0;
	for (size_t i = 0; i < shapes->n; i++) {
		const struct shape *shape = &shapes->items[i];
		n += shape->incremental > 0;
		kept += is_kept(shape);
		incremental += shape->incremental;
		idle += shape->idle;
		other += shape->other;
		if (shape->refusal[0] != '\0')
			printf("# %s: %s\n", shape->name, shape->refusal);
		else if (shape->incremental == 0 && shape->mode == VIEWD_MODE_INCREMENTAL)
			printf("# %s: accepted, and no refresh was incremental\n", shape->name);
	}
	printf("# logs of sums: %s\n", world_sums(run->world));
	printf("# %zu batches, %lld comparisons; refreshes: %lld incremental, %lld without a change, %lld others; "
	       "%lld statements failed by the writers' own fault\n",
	       run->batch, (long long)run->compared, (long long)incremental, (long long)idle, (long long)other,
	       (long long)run->world->errors);
	printf("shapes %zu incremental %zu kept %zu percent %zu\n", shapes->n, n, kept, kept * 100 / shapes->n);
}

int main(void)
{
	void *mem = talloc_new(NULL);
	const char *engine = world_setting("SHAPES_ENGINE", NULL), *files = world_setting("SHAPES_FILES", NULL);
	uint64_t seed = strtoull(world_setting("SHAPES_SEED", "1"), NULL, 10);
	long batches = number("SHAPES_BATCHES", "8"), seconds = number("SHAPES_SECONDS", "3600");
	struct run run = {
		.shapes = shapes_read(mem, talloc_asprintf(mem, "%s.views", files), engine, world_setting("SHAPES_ONLY", "")),
		.writes = writes_read(mem, talloc_asprintf(mem, "%s.writes", files), engine, seed)};
	if (world_setting("SHAPES_ONLY", "") == NULL)
		run.shapes = shapes_share(mem, run.shapes, (size_t)number("SHAPES_SHARE", "1"), seed);
	int64_t end = clock_system()->mono(clock_system()) + seconds * 1000000;
	run.world = world_open(mem, run.shapes);
	bool good = begin(&run);
	for (bool last = false; good && !last;) {
		last = (long)run.batch + 1 >= batches || clock_system()->mono(clock_system()) > end;
		good = run_batch(&run, last);
	}
	good = good && !run.world->failed;
	if (run.world != NULL)
		summary(&run);
	fflush(stdout);
	talloc_free(run.steps.items);
	talloc_free(mem);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
