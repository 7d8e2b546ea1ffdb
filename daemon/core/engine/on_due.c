/* SPDX-License-Identifier: MIT */
#include "core/engine/on_due.h"

#include "base/log.h"
#include "base/mem.h"
#include "core/flow/ready.h"
#include "core/plan/due.h"
#include "core/plan/group_due.h"
#include "core/plan/timing.h"

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
	case DUE_REQUEST:
		return VIEW_TRIGGER_MANUAL;
	}
	return VIEW_TRIGGER_SCHEDULED;
}

/* Only the end of a refresh plans the next one: what is due while something else runs waits for it. */
static bool is_refreshing(const struct view *v)
{
	return v->job != NULL && (v->job->kind == JOB_REFRESH || v->job->kind == JOB_REFRESH_GROUP);
}

/* Already running or waiting: overlap = skip drops this one, queue makes one more. Waiting ones coalesce in any case; a
 * change and a request are never dropped. */
static bool overlaps(const struct view *v, enum due_reason reason)
{
	bool running =
		is_refreshing(v) && v->conf->overlap == CONF_OVERLAP_SKIP && reason != DUE_CHANGE && reason != DUE_REQUEST;
	return running || wave_waits_for_refresh(v);
}

/* The instances that are due now, by reason. */
struct due_lists {
	struct view **views[DUE_REASONS];
	size_t n[DUE_REASONS];
};

static void add(struct due_lists *lists, enum due_reason reason, struct view *v)
{
	size_t n = lists->n[reason]++;
	/* Room grows by powers of two: all may be due, and mostly one is. */
	if ((n & (n - 1)) == 0)
		lists->views[reason] = mem_grow(NULL, lists->views[reason], struct view *, n == 0 ? 1 : n * 2);
	lists->views[reason][n] = v;
}

/* The two clocks do not run alike: by the wall clock a time of cron may still be to come. */
static bool too_early(const struct view *v)
{
	return v->timing.due_reason == DUE_SCHEDULE && v->timing.nominal.kind == SCHEDULE_CRON &&
	       engine_wall(v->eng) < v->timing.nominal.wall;
}

static void take_due(struct due_lists *lists, struct view *v)
{
	enum due_reason reason = v->timing.due_reason;
	/* By the wall clock it may still be to come, and a group that rests may have been joined since it was planned. */
	if (too_early(v) || (v->relation.reconciled && !due_allowed(v) && reason != DUE_REQUEST)) {
		due_schedule(v);
		return;
	}
	if ((reason == DUE_SCHEDULE || reason == DUE_CATCH_UP) && v->timing.nominal.kind == SCHEDULE_EVERY)
		v->timing.past.last_due = v->timing.nominal.mono;
	/* The process may have been stopped meanwhile */
	const struct schedule schedule = timing_schedule(v);
	schedule_served(&schedule, &v->timing.past, engine_clock(v->eng));
	due_unset(v, reason);
	if (overlaps(v, reason)) {
		/* The end of what runs schedules the next time */
		log_debug("view '%s', due while it is still running or waiting: skipped", v->label);
		if (reason == DUE_RETRY && !is_refreshing(v))
			due_set(v, DUE_RETRY, v->conf->retry_backoff); /* what waits may be found not to be needed */
		return;
	}
	add(lists, reason, v);
	if (reason == DUE_SCHEDULE || reason == DUE_CATCH_UP)
		group_due_served(v, v->timing.nominal.kind == SCHEDULE_EVERY);
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

/* A retry of a view that has not been set up yet is one of setting it up: nothing more, for it may be paused. */
static void start_setup(struct engine *eng, struct due_lists *lists)
{
	const struct wave_spec spec = {
		.kind = JOB_RECONCILE, .order = WAVE_GUESSED, .trigger = VIEW_TRIGGER_RETRY, .create_missing = true};
	size_t n = 0, kept = 0, *n_retry = &lists->n[DUE_RETRY];
	struct view **retry = lists->views[DUE_RETRY], **setup = mem_array(NULL, struct view *, *n_retry);
	for (size_t i = 0; i < *n_retry; i++)
		if (retry[i]->relation.reconciled)
			retry[kept++] = retry[i];
		else
			setup[n++] = retry[i];
	*n_retry = kept;
	if (n > 0)
		wave_start(eng, &spec, setup, n);
	talloc_free(setup);
}

void on_due(void *engine)
{
	struct engine *eng = engine;
	size_t most = eng->due.n;
	struct due_lists lists = {.n = {0}};
	int64_t now = engine_mono(eng);
	for (size_t i = 0; i < most && eng->due.n > 0 && due_mono(eng->due.heap[1]) <= now; i++)
		take_due(&lists, eng->due.heap[1]);
	start_setup(eng, &lists);
	for (int r = 0; r < DUE_REASONS; r++) {
		start_wave(eng, lists.views[r], lists.n[r], (enum due_reason)r);
		talloc_free(lists.views[r]);
	}
	due_arm(eng);
}
