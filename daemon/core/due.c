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

/* The earliest of its reasons becomes its place in the heap. */
static void place(struct view *v)
{
	struct engine *eng = v->eng;
	bool was_first = v->heap_index == 1;
	v->due_mono = 0;
	for (int r = 0; r < DUE_REASONS; r++)
		if (v->due_at[r] != 0 && (v->due_mono == 0 || v->due_at[r] <= v->due_mono)) {
			v->due_mono = v->due_at[r];
			v->due_reason = (enum due_reason)r;
		}
	v->due_us = v->due_mono == 0 ? 0 : engine_wall(eng) + v->due_mono - engine_mono(eng);
	if (v->due_mono == 0 && v->heap_index > 0)
		heap_remove(eng, v);
	else if (v->due_mono != 0 && v->heap_index > 0)
		heap_place(eng, v->heap_index, v);
	else if (v->due_mono != 0)
		heap_add(eng, v);
	if (was_first || v->heap_index == 1)
		arm(eng);
}

void due_set(struct view *view, enum due_reason reason, int64_t delay_us)
{
	view->due_at[reason] = engine_mono(view->eng) + (delay_us < 1 ? 1 : delay_us);
	place(view);
}

void due_unset(struct view *view, enum due_reason reason)
{
	if (view->due_at[reason] == 0)
		return;
	view->due_at[reason] = 0;
	place(view);
}

void due_clear(struct view *view)
{
	if (view->heap_index == 0)
		return;
	for (int r = 0; r < DUE_REASONS; r++)
		view->due_at[r] = 0;
	place(view);
}

bool due_allowed(const struct view *v)
{
	bool held = v->state == VIEW_STATE_SUSPENDED || v->paused || v->removed || v->refused;
	return !held && v->conf->enabled && v->method != VIEWD_METHOD_SIMPLE && !v->eng->stopping;
}

static void schedule_staleness(struct view *v, int64_t now)
{
	if (v->conf->max_staleness == 0) {
		due_unset(v, DUE_STALENESS);
		return;
	}
	/* A failed attempt does not make the data younger: the next is a whole period after it. */
	int64_t from = v->result == VIEW_RESULT_SUCCEEDED ? v->data_timestamp_us : v->last_end_us;
	due_set(v, DUE_STALENESS, from + v->conf->max_staleness - now);
}

void due_served(struct view *view, int64_t began_us)
{
	int64_t every = view->schedule.every;
	if (every > 0 && view->last_due_us > 0 && began_us > view->last_due_us)
		view->last_due_us += (began_us - view->last_due_us) / every * every;
}

void due_schedule(struct view *view)
{
	struct engine *eng = view->eng;
	due_unset(view, DUE_SCHEDULE);
	due_unset(view, DUE_CATCH_UP);
	if (!due_allowed(view)) {
		due_clear(view);
		return;
	}
	int64_t now = engine_wall(eng);
	schedule_staleness(view, now);
	int64_t next = schedule_next(&view->schedule, view->last_due_us, view->last_end_us, now);
	if (next == 0)
		return;
	view->nominal_us = next;
	next += schedule_jitter(&view->schedule, (uint64_t)(uintptr_t)view ^ (uint64_t)view->last_end_us);
	if (next > now)
		due_set(view, DUE_SCHEDULE, next - now);
	else if (view->last_end_us == 0)
		due_set(view, DUE_SCHEDULE, 0); /* never ran */
	else
		due_set(view, DUE_CATCH_UP, (int64_t)(view->node % CATCH_UP_SLOTS) * CATCH_UP_SEPARATION);
}

/* ---- firing ------------------------------------------------------------------------------------------------------------ */

static enum view_trigger trigger_of(enum due_reason reason)
{
	switch (reason) {
	case DUE_SCHEDULE:
	case DUE_STALENESS:
	case DUE_REASONS:
		break;
	case DUE_CATCH_UP:
		return VIEW_TRIGGER_CATCH_UP;
	case DUE_RETRY:
		return VIEW_TRIGGER_RETRY;
	case DUE_CHANGE:
		return VIEW_TRIGGER_CHANGE;
	}
	return VIEW_TRIGGER_SCHEDULED;
}

/* Already running or waiting: overlap = skip drops this one, queue makes one more. Waiting ones coalesce in any case; a change is never
 * dropped. */
static bool overlaps(const struct view *v, enum due_reason reason)
{
	bool running = v->job != NULL && v->conf->overlap == CONF_OVERLAP_SKIP && reason != DUE_CHANGE;
	return running || wave_waits_for_refresh(v);
}

/* The instances that are due now, by reason. */
struct due_lists {
	struct view **views[DUE_REASONS];
	size_t n[DUE_REASONS];
};

static void take(struct due_lists *lists, struct view *v)
{
	enum due_reason reason = v->due_reason;
	if (reason == DUE_SCHEDULE || reason == DUE_CATCH_UP)
		v->last_due_us = v->nominal_us;
	due_served(v, engine_wall(v->eng)); /* the clock may have jumped, the process may have been stopped */
	due_unset(v, reason);
	if (overlaps(v, reason)) {
		outcome_skipped(v); /* the end of what runs schedules the next time */
		return;
	}
	lists->views[reason][lists->n[reason]++] = v;
}

static void start_wave(struct engine *eng, struct view **views, size_t n, enum due_reason reason)
{
	const struct wave_spec spec = {
		.kind = JOB_REFRESH,
		.order = WAVE_UPSTREAM_FIRST,
		.trigger = trigger_of(reason),
		.propagate = true,
	};
	if (n > 0)
		wave_start(eng, &spec, views, n);
}

void due_fire(void *engine)
{
	struct engine *eng = engine;
	void *tmp = talloc_new(NULL);
	size_t room = eng->n_heap;
	struct due_lists lists = {.n = {0}};
	for (int r = 0; r < DUE_REASONS; r++)
		lists.views[r] = mem_array(tmp, struct view *, room);
	int64_t now = engine_mono(eng);
	for (size_t i = 0; i < room && eng->n_heap > 0 && eng->heap[1]->due_mono <= now; i++)
		take(&lists, eng->heap[1]);
	for (int r = 0; r < DUE_REASONS; r++)
		start_wave(eng, lists.views[r], lists.n[r], (enum due_reason)r);
	talloc_free(tmp);
	arm(eng);
}
