/* SPDX-License-Identifier: MIT */
#include "core/report/observe.h"

#include "core/model/model.h"

static void tell_run(const struct engine_observer *observer, const struct event *event)
{
	const struct view *view = event->view;
	const struct engine_event told = {
		.kind = ENGINE_EVENT_RUN,
		.view = view,
		.trigger = event->run->trigger,
		.result = event->run->result,
		.did = event->run->did,
		.rows = event->run->rows,
		.rows_written = event->run->rows_written,
		.duration_us = event->run->duration_us,
		.error = event->run->error,
		.state = view->state,
		.before = view->state,
	};
	observer->fn(observer->ctx, &told);
}

static void tell_state(const struct engine_observer *observer, const struct event *event)
{
	const struct view *view = event->view;
	const struct engine_event told = {
		.kind = ENGINE_EVENT_STATE,
		.view = view,
		.trigger = view->last.trigger,
		.result = view->last.result,
		.did = -1,
		.rows = view->last.rows,
		.rows_written = -1,
		.duration_us = -1,
		.error = view->failure.err,
		.state = view->state,
		.before = event->before,
	};
	observer->fn(observer->ctx, &told);
}

static void tell_plain(const struct engine_observer *observer, enum engine_event_kind kind, const struct view *view)
{
	const struct engine_event told = {
		.kind = kind, .view = view, .did = -1, .state = view->state, .before = view->state};
	observer->fn(observer->ctx, &told);
}

static void on_event(void *ctx, const struct event *event)
{
	if (event->kind == EVENT_RUN)
		tell_run(ctx, event);
	else if (event->kind == EVENT_STATE)
		tell_state(ctx, event);
	else if (event->kind == EVENT_BEGUN)
		tell_plain(ctx, ENGINE_EVENT_BEGUN, event->view);
	else if (event->kind == EVENT_CHANGED && event->news)
		tell_plain(ctx, ENGINE_EVENT_STALE, event->view);
}

void engine_observe(struct engine *eng, struct engine_observer *observer)
{
	observer->listener = (struct event_listener){.fn = on_event, .ctx = observer};
	event_listen(eng, &observer->listener);
}

void engine_unobserve(struct engine_observer *observer)
{
	event_unlisten(&observer->listener);
}
