/* SPDX-License-Identifier: MIT */
#include "core/model/queue.h"

/* The walk from the end is short: priorities are mostly equal. */
void queue_view(struct view *view)
{
	if (view->queued || view->job != NULL)
		return;
	struct view_queue *q = &view->db->work.queue;
	struct view *before = TAILQ_LAST(q, view_queue);
	while (before != NULL && before->conf->priority < view->conf->priority)
		before = TAILQ_PREV(before, view_queue, link);
	if (before != NULL)
		TAILQ_INSERT_AFTER(q, before, view, link);
	else
		TAILQ_INSERT_HEAD(q, view, link);
	view->queued = true;
	turn_soon(view->eng);
}

void queue_remove(struct view *view)
{
	if (!view->queued)
		return;
	TAILQ_REMOVE(&view->db->work.queue, view, link);
	view->queued = false;
}
