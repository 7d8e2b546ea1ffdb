/* SPDX-License-Identifier: MIT
 *
 * test_worker.c: the thread pool. Also worth running under a thread sanitizer.
 */
#include "base/span.h"
#include "support/harness.h"
#include "work/worker.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct shared {
	struct worker_pool *pool;
	atomic_size_t inside, most_inside, ran;
	size_t done; /* loop thread only */
	atomic_bool open;
	pthread_t loop_thread;
};

struct task {
	struct worker_task task;
	struct shared *sh;
	bool waits;
	size_t value; /* written by the worker, read by the loop: the pool must order that */
};

static void run(struct worker_task *wt)
{
	struct task *t = CONTAINER_OF(wt, struct task, task);
	size_t inside = atomic_fetch_add(&t->sh->inside, 1) + 1, most = atomic_load(&t->sh->most_inside);
	while (inside > most && !atomic_compare_exchange_weak(&t->sh->most_inside, &most, inside))
		continue;
	CHECK(!pthread_equal(pthread_self(), t->sh->loop_thread));
	int64_t deadline = harness_deadline(10 * SPAN_SECOND);
	while (t->waits && !atomic_load(&t->sh->open) && harness_pause(deadline))
		continue;
	t->value++;
	atomic_fetch_sub(&t->sh->inside, 1);
	atomic_fetch_add(&t->sh->ran, 1);
}

static void done(struct worker_task *wt)
{
	struct task *t = CONTAINER_OF(wt, struct task, task);
	CHECK(pthread_equal(pthread_self(), t->sh->loop_thread));
	CHECK_INT(t->value, 1);
	t->sh->done++;
	free(t);
}

static struct task *submit(struct shared *sh, bool waits, const struct viewd_thread_ops *threads)
{
	struct task *t = calloc(1, sizeof *t);
	t->sh = sh;
	t->waits = waits;
	t->task = (struct worker_task){.run = run, .done = done, .threads = threads};
	worker_submit(sh->pool, &t->task);
	return t;
}

static void submit_lasting(struct shared *sh)
{
	struct task *t = calloc(1, sizeof *t);
	t->sh = sh;
	t->waits = true;
	t->task = (struct worker_task){.run = run, .done = done, .lasting = true};
	worker_submit(sh->pool, &t->task);
}

static void turn_until(struct loop *loop, const size_t *value, size_t wanted)
{
	int64_t deadline = harness_deadline(10 * SPAN_SECOND);
	while (*value < wanted && harness_pause(deadline))
		loop_once(loop, SPAN_MS);
	CHECK_INT(*value, wanted);
}

static void many_tasks(void)
{
	struct loop *loop = loop_new();
	struct shared sh = {.pool = worker_pool_new(loop, 8), .loop_thread = pthread_self()};
	for (size_t i = 0; i < 5000; i++)
		submit(&sh, false, NULL);
	turn_until(loop, &sh.done, 5000);
	CHECK_INT(worker_pending(sh.pool), 0);
	CHECK(atomic_load(&sh.most_inside) <= 8);
	worker_pool_free(&sh.pool, true);
	loop_free(&loop);
}

static void grows_while_tasks_wait(void)
{
	struct loop *loop = loop_new();
	struct shared sh = {.pool = worker_pool_new(loop, 6), .loop_thread = pthread_self()};
	for (size_t i = 0; i < 20; i++)
		submit(&sh, true, NULL);
	WAIT_UNTIL(atomic_load(&sh.inside) == 6);
	CHECK_INT(sh.done, 0);
	atomic_store(&sh.open, true);
	turn_until(loop, &sh.done, 20);
	CHECK_INT(atomic_load(&sh.most_inside), 6);
	worker_pool_free(&sh.pool, true);
	loop_free(&loop);
}

static void lasting_tasks_take_no_thread_from_others(void)
{
	struct loop *loop = loop_new();
	struct worker_pool *pool = worker_pool_new(loop, 4);
	struct shared lasting = {.pool = pool, .loop_thread = pthread_self()},
				  others = {.pool = pool, .loop_thread = pthread_self()};
	struct shared held = {.pool = pool, .loop_thread = pthread_self()};
	for (size_t i = 0; i < 4; i++)
		submit(&held, true, NULL);
	submit(&others, false, NULL);
	WAIT_UNTIL(atomic_load(&held.inside) == 4);
	for (size_t i = 0; i < 30; i++)
		submit_lasting(&lasting);
	WAIT_UNTIL(atomic_load(&lasting.inside) == 30); /* although all threads were busy and another task waits */
	CHECK_INT(atomic_load(&others.ran), 0);
	atomic_store(&held.open, true);
	turn_until(loop, &others.done, 1);
	atomic_store(&lasting.open, true);
	turn_until(loop, &lasting.done, 30);
	turn_until(loop, &held.done, 4);
	/* The threads of the lasting tasks are left, and do no more at once than was allowed. */
	atomic_store(&held.open, false);
	for (size_t i = 0; i < 20; i++)
		submit(&held, true, NULL);
	WAIT_UNTIL(atomic_load(&held.inside) == 4);
	atomic_store(&held.open, true);
	turn_until(loop, &held.done, 24);
	CHECK_INT(atomic_load(&held.most_inside), 4);
	worker_pool_free(&pool, true);
	loop_free(&loop);
}

static void one_task_at_a_time_needs_one_thread(void)
{
	struct loop *loop = loop_new();
	struct shared sh = {.pool = worker_pool_new(loop, 6), .loop_thread = pthread_self()};
	for (size_t i = 1; i <= 50; i++) {
		submit(&sh, false, NULL);
		turn_until(loop, &sh.done, i);
	}
	CHECK_INT(atomic_load(&sh.most_inside), 1);
	worker_pool_free(&sh.pool, true);
	loop_free(&loop);
}

static atomic_size_t n_begun, n_ended, n_other_begun;
static _Thread_local bool begun;

static void begin(void)
{
	CHECK(!begun);
	begun = true;
	atomic_fetch_add(&n_begun, 1);
}

static void end(void)
{
	CHECK(begun);
	atomic_fetch_add(&n_ended, 1);
}

static void other_begin(void)
{
	atomic_fetch_add(&n_other_begun, 1);
}

static const struct viewd_thread_ops both = {.struct_size = sizeof both, .begin = begin, .end = end};
static const struct viewd_thread_ops other = {.struct_size = sizeof other, .begin = other_begin};

static void hooks_once_a_thread(void)
{
	struct loop *loop = loop_new();
	struct shared sh = {.pool = worker_pool_new(loop, 4), .loop_thread = pthread_self()};
	atomic_store(&n_begun, 0);
	atomic_store(&n_ended, 0);
	atomic_store(&n_other_begun, 0);
	for (size_t i = 0; i < 4; i++)
		submit(&sh, true, &both);
	WAIT_UNTIL(atomic_load(&sh.inside) == 4);
	atomic_store(&sh.open, true);
	for (size_t i = 0; i < 200; i++)
		submit(&sh, false, i % 2 == 0 ? &both : &other);
	turn_until(loop, &sh.done, 204);
	worker_pool_free(&sh.pool, true);
	CHECK_INT(atomic_load(&n_begun), 4);
	CHECK_INT(atomic_load(&n_ended), 4);
	CHECK(atomic_load(&n_other_begun) >= 1 && atomic_load(&n_other_begun) <= 4);
	loop_free(&loop);
}

static size_t n_threads_here(void)
{
	size_t n = 0;
	DIR *dir = opendir("/proc/self/task");
	REQUIRE(dir != NULL);
	for (const struct dirent *d; (d = readdir(dir)) != NULL;)
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void threads_of_a_storm_end(void)
{
	struct loop *loop = loop_new();
	struct shared sh = {.pool = worker_pool_new(loop, 200), .loop_thread = pthread_self()};
	atomic_store(&n_begun, 0);
	atomic_store(&n_ended, 0);
	for (size_t i = 0; i < 100; i++)
		submit(&sh, true, &both);
	for (size_t i = 0; i < 100; i++)
		submit_lasting(&sh);
	WAIT_UNTIL(atomic_load(&sh.inside) == 200);
	CHECK(n_threads_here() > 200);
	atomic_store(&sh.open, true);
	turn_until(loop, &sh.done, 200);
	WAIT_UNTIL(n_threads_here() < 50);
	sh.done = 0;
	for (size_t i = 0; i < 100; i++)
		submit(&sh, false, &both);
	turn_until(loop, &sh.done, 100);
	worker_pool_free(&sh.pool, true);
	CHECK_INT(atomic_load(&n_ended), atomic_load(&n_begun));
	loop_free(&loop);
}

/* The pool goes although a task does not end; the others were served meanwhile. */
static void free_with_a_stuck_task(void)
{
	static struct shared sh; /* outlives the test, with pool and task: the stuck thread still looks at them */
	static struct worker_pool *pool;
	static struct task *stuck;
	struct loop *loop = loop_new();
	sh = (struct shared){.pool = worker_pool_new(loop, 2), .loop_thread = pthread_self()};
	pool = sh.pool;
	stuck = submit(&sh, true, NULL);
	WAIT_UNTIL(atomic_load(&sh.inside) == 1);
	for (size_t i = 0; i < 10; i++)
		submit(&sh, false, NULL);
	turn_until(loop, &sh.done, 10);
	CHECK_INT(worker_pending(sh.pool), 1);
	worker_pool_free(&sh.pool, false);
	CHECK(sh.pool == NULL);
	loop_free(&loop);
	CHECK_INT(atomic_load(&sh.ran), 10);
	atomic_store(&sh.open, true); /* and comes back to a pool that nobody listens to */
	WAIT_UNTIL(atomic_load(&sh.ran) == 11);
	CHECK(pool != NULL);
	CHECK_INT(stuck->value, 1);
	CHECK_INT(sh.done, 10);
}

static void free_waits_for_running_tasks(void)
{
	struct loop *loop = loop_new();
	struct shared sh = {.pool = worker_pool_new(loop, 2), .loop_thread = pthread_self()};
	submit(&sh, false, NULL);
	turn_until(loop, &sh.done, 1);
	worker_pool_free(&sh.pool, true);
	worker_pool_free(&sh.pool, true); /* NULL is accepted */
	loop_free(&loop);
}

static const struct harness_test tests[] = {
	{"many tasks, each given back once on the loop", many_tasks},
	{"threads are started while tasks wait, up to the limit", grows_while_tasks_wait},
	{"one task at a time needs one thread", one_task_at_a_time_needs_one_thread},
	{"lasting tasks take no thread from others", lasting_tasks_take_no_thread_from_others},
	{"hooks run once a thread", hooks_once_a_thread},
	{"threads of a storm end", threads_of_a_storm_end},
	{"free with a stuck task", free_with_a_stuck_task},
	{"free after everything has ended", free_waits_for_running_tasks},
};
HARNESS_MAIN(SUITE("worker", tests))
