/* SPDX-License-Identifier: MIT
 *
 * observe.h: runs that begin and end, states that change, views that become stale, for those outside the core who want
 * to hear of them. [loop]
 */
#ifndef VIEWD_CORE_REPORT_OBSERVE_H
#define VIEWD_CORE_REPORT_OBSERVE_H

#include "core/model/events.h"

enum engine_event_kind {
	ENGINE_EVENT_RUN,
	ENGINE_EVENT_STATE,
	ENGINE_EVENT_BEGUN, /* a refresh has begun */
	ENGINE_EVENT_STALE  /* a source has changed, and no change was missing before */
};

/* A run that ended, or a state that changed (state, before), or one of the others. Everything is gone when the observer
 * returns. */
struct engine_event {
	enum engine_event_kind kind;
	const struct view *view;
	enum view_trigger trigger;
	enum view_result result;
	int did;                       /* enum viewd_did, -1 none */
	int64_t rows, rows_written;    /* -1 unknown */
	int64_t duration_us;           /* -1 unknown */
	const struct viewd_err *error; /* NULL when none */
	enum view_state state, before;
};

/* The caller's memory, from engine_observe to engine_unobserve. fn is called from the middle of the engine's work: it
 * may look at the event and note things down, and calls nothing of the engine. */
struct engine_observer {
	void (*fn)(void *ctx, const struct engine_event *event);
	void *ctx;
	struct event_listener listener; /* engine_observe fills it in */
};

/* Calls observer->fn for each event from now on, until engine_unobserve. Several may observe one engine. Neither
 * function is called from inside fn. Cannot fail. */
void engine_observe(struct engine *eng, struct engine_observer *observer);
void engine_unobserve(struct engine_observer *observer);

#endif
