/* SPDX-License-Identifier: MIT
 *
 * worker.h: threads for blocking work. The only file that starts them.
 *
 * A task is owned by exactly one side at a time: the submitter -> a worker -> the submitter. run() is called by a
 * worker, done() later by the loop.
 */
#ifndef VIEWD_WORK_WORKER_H
#define VIEWD_WORK_WORKER_H

#include "loop/loop.h"
#include "viewd_dialect.h"

#include <stddef.h>

struct worker_pool;

struct worker_task {
	void (*run)(struct worker_task *task);  /* [worker] */
	void (*done)(struct worker_task *task); /* [loop] */
	/* Optional: called once on each thread that runs a task with these hooks, before its first run and at the thread's
	 * end. */
	const struct viewd_thread_ops *threads;
	bool lasting; /* runs until its owner ends it: gets a thread beside max_threads, and keeps no other task from one */
	struct worker_task *next; /* the pool's */
};

/* Threads are started when work waits, up to max_threads and one for each lasting task. A few are kept when nothing
 * waits. At most max_threads tasks that are not lasting run at once. Never NULL: the process ends when there is no
 * memory. [loop] */
struct worker_pool *worker_pool_new(struct loop *loop, size_t max_threads);

/* Hands task over. [loop] */
void worker_submit(struct worker_pool *pool, struct worker_task *task);

/* A message from a task that goes on running: fn is called on the loop thread, in the order of sending. The note
 * belongs to the pool until then. */
struct worker_note {
	void (*fn)(struct worker_note *note);
	struct worker_note *next; /* the pool's */
};
/* [any] */
void worker_send(struct worker_pool *pool, struct worker_note *note);

/* Tasks handed over and not yet given back. [loop] */
size_t worker_pending(const struct worker_pool *pool);

/* Ends the threads. With wait, running tasks are waited for; otherwise threads inside a task are left alone (the
 * process is about to end). done() of unfinished tasks is never called. [loop] */
void worker_pool_free(struct worker_pool **pool, bool wait);

#endif
