/* SPDX-License-Identifier: MIT */
#include "core/plan/due.h"

#include "base/mem.h"
#include "base/span.h"
#include "core/model/group.h"
#include "core/plan/freshness.h"
#include "core/plan/timing.h"

/* Overdue views start this far apart, so that a restart is no stampede. */
#define CATCH_UP_SEPARATION (20 * SPAN_MS)
#define CATCH_UP_SLOTS 500

/* ---- heap, by due_mono(), 1-based ------------------------------------------------------------------------------- */

static void heap_put(struct engine *eng, size_t i, struct view *v)
{
	eng->due.heap[i] = v;
	v->timing.heap_index = (uint32_t)i;
}

static size_t sift_up(struct engine *eng, size_t i, struct view *v)
{
	while (i > 1 && due_mono(eng->due.heap[i / 2]) > due_mono(v)) {
		heap_put(eng, i, eng->due.heap[i / 2]);
		i /= 2;
	}
	return i;
}

static size_t sift_down(struct engine *eng, size_t i, struct view *v)
{
	for (size_t child; (child = 2 * i) <= eng->due.n; i = child) {
		if (child < eng->due.n && due_mono(eng->due.heap[child + 1]) < due_mono(eng->due.heap[child]))
			child++;
		if (due_mono(eng->due.heap[child]) >= due_mono(v))
			break;
		heap_put(eng, i, eng->due.heap[child]);
	}
	return i;
}

static void heap_place(struct engine *eng, size_t i, struct view *v)
{
	heap_put(eng, sift_down(eng, sift_up(eng, i, v), v), v);
}

static void heap_add(struct engine *eng, struct view *v)
{
	if (eng->due.n + 1 >= eng->due.room) {
		eng->due.room = eng->due.room == 0 ? 64 : eng->due.room * 2;
		eng->due.heap = mem_grow(eng, eng->due.heap, struct view *, eng->due.room);
	}
	heap_place(eng, ++eng->due.n, v);
}

static void heap_remove(struct engine *eng, struct view *v)
{
	size_t i = v->timing.heap_index;
	struct view *last = eng->due.heap[eng->due.n--];
	v->timing.heap_index = 0;
	if (last != v)
		heap_place(eng, i, last);
}

/* ---- times ------------------------------------------------------------------------------------------------------ */

void due_arm(struct engine *eng)
{
	if (eng->due.n == 0)
		loop_timer_clear(eng->due.timer);
	else
		loop_timer_set(eng->due.timer, due_mono(eng->due.heap[1]) - engine_mono(eng));
}

/* The earliest of its reasons becomes its place in the heap. */
static void place(struct view *v)
{
	struct engine *eng = v->eng;
	bool was_first = v->timing.heap_index == 1;
	for (int r = 0; r < DUE_REASONS; r++)
		if (v->timing.due_at[r] != 0 && (due_mono(v) == 0 || v->timing.due_at[r] <= due_mono(v)))
			v->timing.due_reason = (enum due_reason)r;
	if (due_mono(v) == 0 && v->timing.heap_index > 0)
		heap_remove(eng, v);
	else if (due_mono(v) != 0 && v->timing.heap_index > 0)
		heap_place(eng, v->timing.heap_index, v);
	else if (due_mono(v) != 0)
		heap_add(eng, v);
	if (was_first || v->timing.heap_index == 1)
		due_arm(eng);
}

void due_set(struct view *view, enum due_reason reason, int64_t delay_us)
{
	view->timing.due_at[reason] = engine_mono(view->eng) + (delay_us < 1 ? 1 : delay_us);
	place(view);
}

void due_unset(struct view *view, enum due_reason reason)
{
	if (view->timing.due_at[reason] == 0)
		return;
	view->timing.due_at[reason] = 0;
	place(view);
}

void due_clear(struct view *view)
{
	if (view->timing.heap_index == 0)
		return;
	for (int r = 0; r < DUE_REASONS; r++)
		view->timing.due_at[r] = 0;
	place(view);
}

bool due_allowed(const struct view *v)
{
	bool held =
		v->state == VIEW_STATE_SUSPENDED || v->paused || v->removed || v->relation.refused || group_held_by(v) != NULL;
	return !held && v->conf->enabled && v->relation.method != VIEWD_METHOD_SIMPLE && !v->eng->stop.stopping;
}

/* A failed attempt does not make the data younger: the next is a whole period after it. */
static int64_t or_failed(const struct view *v, int64_t time)
{
	return v->last.result == VIEW_RESULT_SUCCEEDED || v->last.result == VIEW_RESULT_SKIPPED ? time
	                                                                                        : v->timing.past.last_end;
}

/* Change logs lack what nothing heard, so only a refresh of all rows begins the period anew. */
bool due_all_rows(const struct view *view)
{
	int64_t limit = view->conf->max_staleness, last = view->timing.past.all_rows;
	return limit > 0 && (last == SCHEDULE_NEVER || engine_mono(view->eng) - last >= limit);
}

static void schedule_staleness(struct view *v)
{
	if (v->conf->max_staleness == 0) {
		due_unset(v, DUE_STALENESS);
		return;
	}
	int64_t from = or_failed(v, v->timing.past.all_rows);
	due_set(v, DUE_STALENESS, from == SCHEDULE_NEVER ? 0 : from + v->conf->max_staleness - engine_mono(v->eng));
}

static struct schedule_due next_scheduled(const struct view *v)
{
	struct schedule sch = timing_schedule(v);
	struct schedule_past past = v->timing.past;
	past.data = or_failed(v, v->timing.past.data);
	if (freshness_is_followed(v))
		sch.target_lag = 0; /* the data ages from the first change on: change.c */
	return schedule_next(&sch, &past, engine_clock(v->eng));
}

static bool is_looked_after(const struct view *v)
{
	return v->conf->enabled && !v->removed && !v->relation.refused && !v->eng->stop.stopping;
}

/* To be set up is not a matter of refreshing: a view that is paused, or needs no refresh, has to exist all the same. A
 * request is served on a paused view, too. */
static void keep_setup_only(struct view *v)
{
	bool served = is_looked_after(v);
	int64_t setup = served && !v->relation.reconciled ? v->timing.due_at[DUE_RETRY] : 0;
	int64_t asked = served ? v->timing.due_at[DUE_REQUEST] : 0;
	due_clear(v);
	v->timing.due_at[DUE_RETRY] = setup;
	v->timing.due_at[DUE_REQUEST] = asked;
	if (setup != 0 || asked != 0)
		place(v);
}

void due_schedule(struct view *view)
{
	due_unset(view, DUE_SCHEDULE);
	due_unset(view, DUE_CATCH_UP);
	if (!due_allowed(view)) {
		keep_setup_only(view);
		return;
	}
	schedule_staleness(view);
	view->timing.nominal = next_scheduled(view);
	if (view->timing.nominal.kind == SCHEDULE_NONE)
		return;
	int64_t delay = view->timing.nominal.mono - engine_mono(view->eng);
	const struct schedule schedule = timing_schedule(view);
	if (view->timing.nominal.kind != SCHEDULE_LAG)
		delay += schedule_jitter(&schedule, (uint64_t)(uintptr_t)view ^ (uint64_t)view->timing.past.last_end);
	if (delay > 0 || view->timing.nominal.kind == SCHEDULE_LAG || view->timing.past.last_end == SCHEDULE_NEVER)
		due_set(view, DUE_SCHEDULE, delay);
	else
		due_set(view, DUE_CATCH_UP, (int64_t)(view->graph.node % CATCH_UP_SLOTS) * CATCH_UP_SEPARATION);
}

int64_t due_wall(const struct view *view)
{
	return due_mono(view) == 0 ? 0 : engine_wall(view->eng) + due_mono(view) - engine_mono(view->eng);
}
