/* SPDX-License-Identifier: MIT */
#include "core/due.h"

#include "base/mem.h"
#include "base/span.h"
#include "core/outcome.h"
#include "core/wave.h"

/* Overdue views start this far apart, so that a restart is no stampede. */
#define CATCH_UP_SEPARATION (20 * SPAN_MS)
#define CATCH_UP_SLOTS 500

/* ---- heap, by due_mono, 1-based ------------------------------------------------------------------------------------- */

static void heap_put(struct engine *eng, size_t i, struct view *v)
{
	eng->heap[i] = v;
	v->heap_index = i;
}

static size_t sift_up(struct engine *eng, size_t i, struct view *v)
{
	while (i > 1 && eng->heap[i / 2]->due_mono > v->due_mono) {
		heap_put(eng, i, eng->heap[i / 2]);
		i /= 2;
	}
	return i;
}

static size_t sift_down(struct engine *eng, size_t i, struct view *v)
{
	for (size_t child; (child = 2 * i) <= eng->n_heap; i = child) {
		if (child < eng->n_heap && eng->heap[child + 1]->due_mono < eng->heap[child]->due_mono)
			child++;
		if (eng->heap[child]->due_mono >= v->due_mono)
			break;
		heap_put(eng, i, eng->heap[child]);
	}
	return i;
}

static void heap_place(struct engine *eng, size_t i, struct view *v)
{
	heap_put(eng, sift_down(eng, sift_up(eng, i, v), v), v);
}

static void heap_add(struct engine *eng, struct view *v)
{
	if (eng->n_heap + 1 >= eng->heap_room) {
		eng->heap_room = eng->heap_room == 0 ? 64 : eng->heap_room * 2;
		eng->heap = mem_grow(eng, eng->heap, struct view *, eng->heap_room);
	}
	heap_place(eng, ++eng->n_heap, v);
}

static void heap_remove(struct engine *eng, struct view *v)
{
	size_t i = v->heap_index;
	struct view *last = eng->heap[eng->n_heap--];
	v->heap_index = 0;
	if (last != v)
		heap_place(eng, i, last);
}

/* ---- times ------------------------------------------------------------------------------------------------------------ */

static void arm(struct engine *eng)
{
	if (eng->n_heap == 0)
		loop_timer_clear(eng->due_timer);
	else
		loop_timer_set(eng->due_timer, eng->heap[1]->due_mono - engine_mono(eng));
}

void due_clear(struct view *view)
{
	view->due_us = 0;
	view->due_is_retry = view->due_is_catch_up = false;
	if (view->heap_index == 0)
		return;
	bool first = view->heap_index == 1;
	heap_remove(view->eng, view);
	if (first)
		arm(view->eng);
}

void due_set(struct view *view, int64_t delay_us)
{
	struct engine *eng = view->eng;
	if (delay_us < 0)
		delay_us = 0;
	view->due_us = engine_wall(eng) + delay_us;
	view->due_mono = engine_mono(eng) + delay_us;
	if (view->heap_index > 0)
		heap_place(eng, view->heap_index, view);
	else
		heap_add(eng, view);
	if (view->heap_index == 1)
		arm(eng);
}

static bool keeps_schedule(const struct view *v)
{
	bool stateful = v->state == VIEW_STATE_SUSPENDED || v->paused || v->removed || v->refused;
	return !stateful && v->conf->enabled && v->method != VIEWD_METHOD_SIMPLE && !v->eng->stopping;
}

void due_schedule(struct view *view)
{
	struct engine *eng = view->eng;
	view->due_is_retry = view->due_is_catch_up = false;
	int64_t now = engine_wall(eng), next = 0;
	if (keeps_schedule(view))
		next = schedule_next(&view->schedule, view->last_due_us, view->last_end_us, now,
		                     (uint64_t)(uintptr_t)view ^ (uint64_t)view->last_end_us);
	if (next == 0) {
		due_clear(view);
		return;
	}
	if (next <= now) {
		/* Missed while nobody watched, or never run. */
		view->due_is_catch_up = view->last_end_us > 0;
		next = now + (int64_t)(view->node % CATCH_UP_SLOTS) * CATCH_UP_SEPARATION * (view->due_is_catch_up ? 1 : 0);
	}
	due_set(view, next - now);
}

void due_retry(struct view *view, int64_t delay_us)
{
	int64_t at = engine_wall(view->eng) + delay_us;
	if (view->due_us != 0 && view->due_us <= at)
		return;
	due_set(view, delay_us);
	view->due_is_retry = true;
}

/* ---- firing ------------------------------------------------------------------------------------------------------------ */

/* Already running or waiting: overlap = skip drops this one, queue makes one more. Waiting ones coalesce in any case. */
static bool overlaps(const struct view *v)
{
	bool running = v->job != NULL && v->conf->overlap == CONF_OVERLAP_SKIP;
	return running || v->members != NULL;
}

static void fire_kind(struct engine *eng, struct view **views, size_t n, enum view_trigger trigger)
{
	const struct wave_spec spec = {.kind = JOB_REFRESH, .order = WAVE_UPSTREAM_FIRST, .trigger = trigger};
	if (n > 0)
		wave_start(eng, &spec, views, n);
}

struct due_lists {
	struct view **scheduled, **catch_up, **retry;
	size_t n_scheduled, n_catch_up, n_retry;
};

static void take(struct due_lists *lists, struct view *v)
{
	bool retry = v->due_is_retry, catch_up = v->due_is_catch_up;
	int64_t due = v->due_us;
	due_clear(v);
	if (!retry)
		v->last_due_us = due;
	if (overlaps(v)) {
		outcome_skipped(v); /* the end of what runs schedules the next time */
		return;
	}
	if (retry)
		lists->retry[lists->n_retry++] = v;
	else if (catch_up)
		lists->catch_up[lists->n_catch_up++] = v;
	else
		lists->scheduled[lists->n_scheduled++] = v;
}

void due_fire(void *engine)
{
	struct engine *eng = engine;
	void *tmp = talloc_new(NULL);
	size_t room = eng->n_heap;
	struct due_lists lists = {
		.scheduled = mem_array(tmp, struct view *, room),
		.catch_up = mem_array(tmp, struct view *, room),
		.retry = mem_array(tmp, struct view *, room),
	};
	int64_t now = engine_mono(eng);
	for (size_t i = 0; i < room && eng->n_heap > 0 && eng->heap[1]->due_mono <= now; i++)
		take(&lists, eng->heap[1]);
	fire_kind(eng, lists.scheduled, lists.n_scheduled, VIEW_TRIGGER_SCHEDULED);
	fire_kind(eng, lists.catch_up, lists.n_catch_up, VIEW_TRIGGER_CATCH_UP);
	fire_kind(eng, lists.retry, lists.n_retry, VIEW_TRIGGER_RETRY);
	talloc_free(tmp);
	arm(eng);
}
