/* SPDX-License-Identifier: MIT
 *
 * events.h: news of the records, told to whoever listens: what is below never calls what is above. [loop]
 *
 * A listener is called from the middle of the work that makes the news. A listener notes things down; what it wants
 * done, it plans for the next turn (turn_soon).
 */
#ifndef VIEWD_CORE_MODEL_EVENTS_H
#define VIEWD_CORE_MODEL_EVENTS_H

#include "core/engine.h"

#include <sys/queue.h>

struct database;

enum event_kind {
	EVENT_RUN,   /* view, run: a run has ended */
	EVENT_STATE, /* view, before: its state has changed */
	EVENT_BEGUN, /* view: a refresh has begun */
	/* View: a source has changed; news: no change was missing before */
	EVENT_CHANGED,
	/* View, err: waiters are to look again; err (may be NULL): why nothing newer will come */
	EVENT_NEWS,
	EVENT_GONE,          /* view, err: the instance is about to go */
	EVENT_DISABLED,      /* views have been disabled by a reload */
	EVENT_LOOKED,        /* db, answered: its watch has looked since that question was put */
	EVENT_DATABASE_GONE, /* db: about to be freed */
	EVENT_TURN           /* the end of a turn */
};

/* The result of one run. */
struct event_run {
	enum view_trigger trigger;
	enum view_result result;
	int did;                       /* enum viewd_did, -1 none */
	int64_t rows, rows_written;    /* -1 unknown */
	int64_t duration_us;           /* -1 unknown */
	const struct viewd_err *error; /* NULL when none */
};

struct event {
	enum event_kind kind;
	struct view *view;
	struct database *db;
	const struct event_run *run;
	enum view_state before;
	const struct viewd_err *err;
	uint64_t answered;
	bool news;
};

/* The listener's own memory, from event_listen to event_unlisten. */
struct event_listener {
	void (*fn)(void *ctx, const struct event *event);
	void *ctx;
	LIST_ENTRY(event_listener) link;
};

/* Calls listener->fn for each event from now on. Neither function is called from inside a listener. */
void event_listen(struct engine *eng, struct event_listener *listener);
void event_unlisten(struct event_listener *listener);

/* Calls all listeners. Everything in the event is the caller's. */
void event_tell(struct engine *eng, const struct event *event);

/* EVENT_BEGUN of a view. */
void event_begun(struct view *view);

/* EVENT_RUN and EVENT_NEWS of a view. run is the caller's; err may be NULL. */
void event_run(struct view *view, const struct event_run *run);
void event_news(struct view *view, const struct viewd_err *err);

#endif
