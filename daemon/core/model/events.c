/* SPDX-License-Identifier: MIT */
#include "core/model/events.h"

#include "core/model/model.h"

void event_listen(struct engine *eng, struct event_listener *listener)
{
	LIST_INSERT_HEAD(&eng->news.listeners, listener, link);
}

void event_unlisten(struct event_listener *listener)
{
	LIST_REMOVE(listener, link);
}

void event_tell(struct engine *eng, const struct event *event)
{
	struct event_listener *listener;
	LIST_FOREACH(listener, &eng->news.listeners, link)
		listener->fn(listener->ctx, event);
}

void event_run(struct view *view, const struct event_run *run)
{
	event_tell(view->eng, &(struct event){.kind = EVENT_RUN, .view = view, .db = view->db, .run = run});
}

void event_news(struct view *view, const struct viewd_err *err)
{
	event_tell(view->eng, &(struct event){.kind = EVENT_NEWS, .view = view, .db = view->db, .err = err});
}

void event_begun(struct view *view)
{
	event_tell(view->eng, &(struct event){.kind = EVENT_BEGUN, .view = view, .db = view->db});
}
