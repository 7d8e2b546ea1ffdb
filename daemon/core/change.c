/* SPDX-License-Identifier: MIT */
#include "core/change.h"

#include "core/due.h"
#include "sched/coalesce.h"

static void note(struct view *view)
{
	int64_t now = engine_mono(view->eng);
	if (view->change.first == 0)
		view->change.first = now;
	view->change.last = now;
}

static int64_t start_time(const struct view *view)
{
	const struct coalesce c = {
		.debounce = view->conf->debounce,
		.max_delay = view->conf->max_delay,
		.at_most_every = view->conf->at_most_every,
	};
	bool old = view->change.old && view->change.first != 0 && view->past.data != SCHEDULE_NEVER && view->past.data != 0;
	int64_t first = old ? view->past.data : view->change.first;
	int64_t start = coalesce_start(&c, first, view->change.last, view->change.last_start);
	if (view->conf->target_lag == 0 || view->change.first == 0)
		return start;
	int64_t latest = schedule_lag_start(&view->schedule, &view->past, first);
	bool settled = c.debounce > 0 && start < latest; /* it has come to rest earlier than it must be shown */
	int64_t spaced = c.at_most_every > 0 && view->change.last_start > 0 ? view->change.last_start + c.at_most_every : latest;
	return settled ? start : spaced > latest ? spaced : latest;
}

void change_plan(struct view *view)
{
	if (view->change.first == 0 || view->job != NULL || !view->reconciled || !view->conf->on_change || !due_allowed(view))
		return;
	due_set(view, DUE_CHANGE, start_time(view) - engine_mono(view->eng));
}

void change_resume(struct view *view)
{
	/* A run that failed meanwhile has taken the change with it, and was not tried again. */
	if (view->change.first == 0 && view->change.seen_seq > view->change.settled_seq)
		note(view);
	change_plan(view);
}

void change_put_off(struct view *view)
{
	if (view->change.first != 0 && view->reconciled && due_allowed(view) && view->due_at[DUE_CHANGE] == 0)
		due_set(view, DUE_RETRY, view->conf->retry_max_backoff);
}

void change_signal(struct view *view, int64_t seq, bool old)
{
	if (!view->conf->on_change || seq <= view->change.settled_seq || seq <= view->change.seen_seq)
		return;
	view->change.seen_seq = seq;
	note(view);
	view->change.old |= old;
	change_plan(view);
}

bool change_from_upstream(struct view *view)
{
	note(view);
	if (!due_allowed(view))
		return false;
	if (start_time(view) <= engine_mono(view->eng))
		return true;
	change_plan(view);
	return false;
}

void change_started(struct view *view)
{
	view->change.first = view->change.last = 0;
	view->change.old = false;
	view->change.last_start = engine_mono(view->eng);
	due_unset(view, DUE_CHANGE);
	due_unset(view, DUE_RETRY);
}

void change_ended(struct view *view, bool ok, int64_t settled_seq)
{
	struct change *c = &view->change;
	if (settled_seq > c->settled_seq)
		c->settled_seq = settled_seq;
	bool dirty = c->seen_seq > c->settled_seq;
	if (ok && settled_seq > 0 && !dirty)
		c->first = c->last = 0; /* told while it ran, and covered by it all the same */
	if (!ok && dirty && due_allowed(view) && view->due_at[DUE_RETRY] == 0)
		due_set(view, DUE_RETRY, view->conf->retry_max_backoff); /* stale, and no retry left: go on slowly */
	change_plan(view);
}
