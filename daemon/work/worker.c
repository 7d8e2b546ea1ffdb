/* SPDX-License-Identifier: MIT */
#include "work/worker.h"

#include "base/log.h"
#include "base/span.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HOOKS 8
/* A machine that has no room for another thread now may have some later. */
#define START_AGAIN SPAN_SECOND
#define IDLE_MAX 32        /* threads kept for what comes next: more of them have served a storm */
#define NOTES_AT_ONCE 1000 /* about a millisecond; then the loop does other work */

/* A FIFO of tasks; protected by the pool's lock. */
struct task_queue {
	struct worker_task *head, **tail;
};

struct worker_pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct task_queue waiting, finished;
	struct task_queue lasting; /* waiting too; served first */
	struct worker_note *notes, **notes_tail;
	struct loop_waker *waker;
	struct loop_timer *start_timer;
	pthread_t *threads;
	size_t n_threads, max_threads;
	size_t n_room;    /* in threads */
	size_t n_working; /* threads inside a task that is not lasting */
	size_t n_lasting; /* lasting tasks, waiting or running; loop thread only */
	size_t n_idle;    /* threads inside pthread_cond_wait */
	size_t n_leaving; /* threads that have left the list and not ended */
	pthread_cond_t left;
	size_t n_waiting;      /* tasks that no thread has taken yet */
	size_t n_pending;      /* loop thread only */
	bool short_of_threads; /* and said so */
	bool stopping;
	bool orphaned; /* freed while a thread was inside a task: that thread must not touch the queues again */
};

static void queue_init(struct task_queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

static void queue_push(struct task_queue *q, struct worker_task *task)
{
	task->next = NULL;
	*q->tail = task;
	q->tail = &task->next;
}

static struct worker_task *queue_pop(struct task_queue *q)
{
	struct worker_task *task = q->head;
	if (task == NULL)
		return NULL;
	q->head = task->next;
	if (q->head == NULL)
		q->tail = &q->head;
	return task;
}

/* Hooks that one thread has begun, so that it can end them. */
struct hooks {
	const struct viewd_thread_ops *begun[MAX_HOOKS];
	size_t n;
};

static void hooks_enter(struct hooks *hooks, const struct worker_task *task)
{
	if (task->threads == NULL)
		return;
	for (size_t i = 0; i < hooks->n; i++)
		if (hooks->begun[i] == task->threads)
			return;
	if (hooks->n == MAX_HOOKS)
		return;
	hooks->begun[hooks->n++] = task->threads;
	task->threads->begin();
}

static void hooks_leave(struct hooks *hooks)
{
	while (hooks->n > 0)
		if (hooks->begun[--hooks->n]->end != NULL)
			hooks->begun[hooks->n]->end();
}

/* Nobody waits for a thread that is not in the list any more but join_threads, by number. */
static void leave_list(struct worker_pool *pool)
{
	size_t i = 0;
	while (!pthread_equal(pool->threads[i], pthread_self()))
		i++;
	pool->threads[i] = pool->threads[--pool->n_threads];
	pool->n_leaving++;
	pthread_detach(pthread_self());
}

/* The next task, or NULL when the thread should end; *left_r: it has left the list. */
static struct worker_task *next_task(struct worker_pool *pool, bool *left_r)
{
	while (!pool->stopping && pool->lasting.head == NULL &&
	       (pool->waiting.head == NULL || pool->n_working >= pool->max_threads)) {
		if (pool->n_idle >= IDLE_MAX) {
			leave_list(pool);
			*left_r = true;
			return NULL;
		}
		pool->n_idle++;
		pthread_cond_wait(&pool->work, &pool->lock);
		pool->n_idle--;
	}
	if (pool->stopping)
		return NULL;
	pool->n_waiting--;
	struct worker_task *task = queue_pop(&pool->lasting);
	if (task != NULL)
		return task;
	pool->n_working++;
	return queue_pop(&pool->waiting);
}

static void *worker_main(void *arg)
{
	struct worker_pool *pool = arg;
	struct hooks hooks = {.n = 0};
	struct worker_task *task;
	bool left = false;
	pthread_mutex_lock(&pool->lock);
	while ((task = next_task(pool, &left)) != NULL) {
		bool lasting = task->lasting;
		pthread_mutex_unlock(&pool->lock);
		hooks_enter(&hooks, task);
		task->run(task);
		pthread_mutex_lock(&pool->lock);
		if (pool->orphaned)
			break;
		pool->n_working -= !lasting;
		queue_push(&pool->finished, task);
		loop_wake(pool->waker);
	}
	pthread_mutex_unlock(&pool->lock);
	hooks_leave(&hooks);
	if (!left)
		return NULL;
	pthread_mutex_lock(&pool->lock);
	if (--pool->n_leaving == 0)
		pthread_cond_signal(&pool->left);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

/* The first notes, cut off the list. With the lock held. */
static struct worker_note *take_notes(struct worker_pool *pool)
{
	struct worker_note *first = pool->notes, **end = &pool->notes;
	for (int i = 0; i < NOTES_AT_ONCE && *end != NULL; i++)
		end = &(*end)->next;
	pool->notes = *end;
	*end = NULL;
	if (pool->notes == NULL)
		pool->notes_tail = &pool->notes;
	return first;
}

/* Notes of a task come before its end, so tasks wait while there are more notes than one turn takes. */
static void give_back(void *ctx)
{
	struct worker_pool *pool = ctx;
	struct worker_task *task = NULL;
	pthread_mutex_lock(&pool->lock);
	struct worker_note *note = take_notes(pool);
	if (pool->notes != NULL)
		loop_wake(pool->waker);
	else {
		task = pool->finished.head;
		queue_init(&pool->finished);
	}
	pthread_mutex_unlock(&pool->lock);
	while (note != NULL) {
		struct worker_note *next = note->next;
		note->fn(note);
		note = next;
	}
	while (task != NULL) {
		struct worker_task *next = task->next;
		pool->n_pending--;
		pool->n_lasting -= task->lasting;
		task->done(task);
		task = next;
	}
}

static void start_again(void *ctx);

struct worker_pool *worker_pool_new(struct loop *loop, size_t max_threads)
{
	struct worker_pool *pool = calloc(1, sizeof *pool);
	if (pool == NULL)
		abort();
	pool->max_threads = max_threads;
	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	pthread_cond_init(&pool->left, NULL);
	queue_init(&pool->waiting);
	queue_init(&pool->lasting);
	queue_init(&pool->finished);
	pool->notes_tail = &pool->notes;
	pool->waker = loop_waker_new(loop, give_back, pool);
	pool->start_timer = loop_timer_new(loop, start_again, pool);
	return pool;
}

static void make_room(struct worker_pool *pool)
{
	if (pool->n_threads < pool->n_room)
		return;
	pool->n_room = pool->n_room == 0 ? 16 : 2 * pool->n_room;
	pool->threads = reallocarray(pool->threads, pool->n_room, sizeof *pool->threads);
	if (pool->threads == NULL)
		abort();
}

/* Signals belong to the loop thread. */
static bool start_thread(struct worker_pool *pool)
{
	make_room(pool);
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int rc = pthread_create(&pool->threads[pool->n_threads], NULL, worker_main, pool);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (rc != 0) {
		if (!pool->short_of_threads)
			log_warning("worker thread, cannot be started, %zu serve (%s)", pool->n_threads, strerrordesc_np(rc));
		pool->short_of_threads = true;
		return false;
	}
	pool->short_of_threads = false;
	pool->n_threads++;
	return true;
}

static bool needs_thread(const struct worker_pool *pool)
{
	return pool->n_waiting > pool->n_idle && pool->n_threads < pool->max_threads + pool->n_lasting;
}

/* Threads that serve may be busy for ever (a watch), so what waits cannot wait for them. */
static void start_again(void *ctx)
{
	struct worker_pool *pool = ctx;
	pthread_mutex_lock(&pool->lock);
	while (needs_thread(pool) && start_thread(pool) && pool->n_threads < pool->n_pending)
		;
	bool short_of_threads = pool->short_of_threads;
	pthread_mutex_unlock(&pool->lock);
	if (short_of_threads)
		loop_timer_set(pool->start_timer, START_AGAIN);
}

void worker_submit(struct worker_pool *pool, struct worker_task *task)
{
	pthread_mutex_lock(&pool->lock);
	pool->n_pending++;
	pool->n_lasting += task->lasting;
	queue_push(task->lasting ? &pool->lasting : &pool->waiting, task);
	pool->n_waiting++;
	if (needs_thread(pool) && !start_thread(pool))
		loop_timer_set(pool->start_timer, START_AGAIN);
	pthread_cond_signal(&pool->work);
	pthread_mutex_unlock(&pool->lock);
}

void worker_send(struct worker_pool *pool, struct worker_note *note)
{
	pthread_mutex_lock(&pool->lock);
	if (!pool->orphaned) {                /* else nobody listens any more */
		bool first = pool->notes == NULL; /* else it is awake, and stays so until it has taken all */
		note->next = NULL;
		*pool->notes_tail = note;
		pool->notes_tail = &note->next;
		if (first)
			loop_wake(pool->waker);
	}
	pthread_mutex_unlock(&pool->lock);
}

size_t worker_pending(const struct worker_pool *pool)
{
	return pool->n_pending;
}

static void join_threads(struct worker_pool *pool)
{
	for (size_t i = 0; i < pool->n_threads; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_mutex_lock(&pool->lock);
	while (pool->n_leaving > 0)
		pthread_cond_wait(&pool->left, &pool->lock);
	pthread_mutex_unlock(&pool->lock);
	loop_waker_free(&pool->waker);
	pthread_mutex_destroy(&pool->lock);
	pthread_cond_destroy(&pool->work);
	pthread_cond_destroy(&pool->left);
	free(pool->threads);
	free(pool);
}

void worker_pool_free(struct worker_pool **pool_ptr, bool wait)
{
	struct worker_pool *pool = *pool_ptr;
	if (pool == NULL)
		return;
	*pool_ptr = NULL;
	loop_timer_free(&pool->start_timer);
	pthread_mutex_lock(&pool->lock);
	pool->stopping = true;
	pool->orphaned = !wait && pool->n_pending > 0;
	bool left_alone = pool->orphaned;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	if (!left_alone) {
		join_threads(pool);
		return;
	}
	/* A thread still uses the pool: it goes with the process. */
	for (size_t i = 0; i < pool->n_threads; i++)
		pthread_detach(pool->threads[i]);
}
