/* SPDX-License-Identifier: MIT
 *
 * queue.h: the queues of a database: instances with work that is ready, and jobs that need no slot. [loop]
 */
#ifndef VIEWD_CORE_MODEL_QUEUE_H
#define VIEWD_CORE_MODEL_QUEUE_H

#include "core/model/model.h"

/* The instance has members that are ready: it takes its place in its database's queue, by priority, then first come,
 * first served. */
void queue_view(struct view *view);

/* The instance waits no more (removed, cancelled, or taken). */
void queue_remove(struct view *view);

#endif
