/* SPDX-License-Identifier: MIT
 *
 * run.c: does steps, and reduces those after which a view differs to the few that it takes.
 */
#include "model/shapes/shapes.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define REDUCING_US INT64_C(120000000) /* as long as that at most */

static struct shape *find_shape(struct world *world, const char *name)
{
	for (size_t i = 0; i < world->shapes->n; i++)
		if (strcmp(world->shapes->items[i].name, name) == 0)
			return &world->shapes->items[i];
	return NULL;
}

static bool refresh_and_compare(struct world *world, struct shape *shape)
{
	switch (world_refresh(world, shape)) {
	case REFRESHED:
		return compare_shape(world, shape);
	case REFRESH_LATER:
		return true;
	case REFRESH_FAILED:
		break;
	}
	return false;
}

/* False: the shape differs, or its refresh has failed. */
static bool run_step(struct world *world, const struct step *step, struct shape *shape)
{
	switch (step->kind) {
	case STEP_SQL:
		world_write(world, step->client, step->text);
		return true;
	case STEP_CREATE:
		if (shape != NULL)
			world_create(world, shape);
		return true;
	case STEP_REFRESH:
		return shape == NULL || refresh_and_compare(world, shape);
	}
	return true;
}

struct shape *steps_run(struct world *world, const struct steps *steps, size_t from, size_t *at_r)
{
	for (size_t i = from; i < steps->n; i++) {
		const struct step *step = &steps->items[i];
		struct shape *shape = step->kind == STEP_SQL ? NULL : find_shape(world, step->text);
		if (step->left_out || run_step(world, step, shape))
			continue;
		if (at_r != NULL)
			*at_r = i;
		return shape;
	}
	return NULL;
}

/* ---- reducing ---- */

struct reducing {
	const struct shapes *shapes; /* those that it takes */
	const char *name;
	const struct steps *steps;
	int64_t deadline_us;
};

static int64_t now_us(void)
{
	return clock_system()->mono(clock_system());
}

/* Does the shape still differ without what is left out? */
static bool differs(const struct reducing *r)
{
	struct world *world = world_open(NULL, r->shapes);
	world->quiet = true;
	const struct shape *shape = steps_run(world, r->steps, 0, NULL);
	bool yes = shape != NULL && strcmp(shape->name, r->name) == 0;
	world_close(&world);
	return yes;
}

/* The steps that could still be left out. */
static size_t candidates(const struct reducing *r, struct step **out)
{
	size_t n = 0;
	for (size_t i = 0; i < r->steps->n; i++)
		if (!r->steps->items[i].left_out && r->steps->items[i].kind != STEP_CREATE)
			out[n++] = &r->steps->items[i];
	return n;
}

static void leave_out(struct step **steps, size_t n, bool yes)
{
	for (size_t i = 0; i < n; i++)
		steps[i]->left_out = yes;
}

/* Tries each run of `size` steps. */
static bool without_some(const struct reducing *r, struct step **list, size_t size)
{
	size_t n = candidates(r, list);
	bool fewer = false;
	for (size_t i = 0; i < n && now_us() < r->deadline_us; i += size) {
		size_t some = n - i < size ? n - i : size;
		leave_out(list + i, some, true);
		if (differs(r))
			fewer = true;
		else
			leave_out(list + i, some, false);
	}
	return fewer;
}

/* Steps of other shapes do nothing here. */
static void drop_others(const struct reducing *r)
{
	for (size_t i = 0; i < r->steps->n; i++) {
		struct step *step = &r->steps->items[i];
		bool known = step->kind == STEP_SQL;
		for (size_t k = 0; !known && k < r->shapes->n; k++)
			known = strcmp(r->shapes->items[k].name, step->text) == 0;
		step->left_out |= !known;
	}
}

static void print_steps(const struct reducing *r)
{
	for (size_t i = 0; i < r->shapes->n; i++)
		printf("#\tview %s: %s\n", r->shapes->items[i].name, r->shapes->items[i].definition);
	for (size_t i = 0; i < r->steps->n; i++) {
		const struct step *step = &r->steps->items[i];
		if (!step->left_out && step->kind == STEP_SQL)
			printf("#\tclient %d: %s\n", step->client, step->text);
		else if (!step->left_out)
			printf("#\t%s %s\n", step->kind == STEP_CREATE ? "create" : "refresh", step->text);
	}
}

void reduce(const struct shapes *all, const struct shape *shape, struct steps *steps, size_t n)
{
	steps->n = n;
	struct reducing r = {.shapes = shapes_of(NULL, all, shape),
	                     .name = shape->name,
	                     .steps = steps,
	                     .deadline_us = now_us() + REDUCING_US};
	struct step **list = talloc_zero_array(NULL, struct step *, (unsigned)n + 1);
	drop_others(&r);
	if (!differs(&r)) {
		printf("# it does not differ when nothing else is refreshed:\n");
	} else {
		for (size_t size = candidates(&r, list) / 2 + 1; size > 0;)
			if (!without_some(&r, list, size) || size > 1)
				size /= 2;
		printf("# reduced to:\n");
	}
	print_steps(&r);
	struct world *world = world_open(NULL, r.shapes);
	steps_run(world, r.steps, 0, NULL);
	world_close(&world);
	talloc_free(list);
}
