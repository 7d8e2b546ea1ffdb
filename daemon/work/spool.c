/* SPDX-License-Identifier: MIT */
#include "work/spool.h"

#include "base/span.h"
#include "work/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BEGIN_WAIT (5 * SPAN_SECOND) /* for a thread to begin; a busy machine takes its time */

struct line {
	struct line *next;
	enum viewd_log_level level;
	uint64_t dropped; /* right before this one */
	size_t size;
	char text[];
};

struct spool {
	struct worker_task task;  /* first */
	struct worker_pool *pool; /* its only thread is the writer */
	pthread_mutex_t lock;
	pthread_cond_t came, written;
	struct line *head, **tail;
	size_t used, room;
	uint64_t dropped;          /* since the last line of the queue */
	uint64_t n_put, n_written; /* lines and counts of dropped ones */
	bool began;                /* the writer runs */
	bool ending;
	spool_write_fn *write;
	void *ctx;
};

static void tell_dropped(struct spool *spool, uint64_t n)
{
	char text[100];
	if (n == 0)
		return;
	snprintf(text, sizeof text, "log, dropped %llu lines (nobody read them in time)", (unsigned long long)n);
	spool->write(spool->ctx, VIEWD_LOG_WARNING, text);
}

/* With the lock held, which is let go while something is written. */
static void write_first(struct spool *spool)
{
	struct line *line = spool->head;
	uint64_t dropped = line != NULL ? line->dropped : spool->dropped;
	if (line != NULL) {
		spool->head = line->next;
		if (spool->head == NULL)
			spool->tail = &spool->head;
	} else
		spool->dropped = 0;
	pthread_mutex_unlock(&spool->lock);
	tell_dropped(spool, dropped);
	if (line != NULL)
		spool->write(spool->ctx, line->level, line->text);
	pthread_mutex_lock(&spool->lock);
	if (line != NULL)
		spool->used -= line->size;
	spool->n_written += (line != NULL) + (dropped > 0);
	free(line);
	pthread_cond_broadcast(&spool->written);
}

static bool has_work(const struct spool *spool)
{
	return spool->head != NULL || spool->dropped > 0;
}

static void write_lines(struct worker_task *task)
{
	struct spool *spool = (struct spool *)task;
	pthread_mutex_lock(&spool->lock);
	spool->began = true;
	pthread_cond_broadcast(&spool->written);
	while (has_work(spool) || !spool->ending)
		if (has_work(spool))
			write_first(spool);
		else
			pthread_cond_wait(&spool->came, &spool->lock);
	pthread_mutex_unlock(&spool->lock);
}

static void done(struct worker_task *task UNUSED)
{
}

static void init_conditions(struct spool *spool)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&spool->lock, NULL);
	pthread_cond_init(&spool->came, NULL);
	pthread_cond_init(&spool->written, &attr);
	pthread_condattr_destroy(&attr);
}

static struct timespec after(int64_t us)
{
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += us / SPAN_SECOND;
	until.tv_nsec += us % SPAN_SECOND * 1000;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	return until;
}

/* False: the system has no room for a thread now. */
static bool writer_begins(struct spool *spool)
{
	struct timespec until = after(BEGIN_WAIT);
	pthread_mutex_lock(&spool->lock);
	while (!spool->began && pthread_cond_timedwait(&spool->written, &spool->lock, &until) == 0)
		;
	bool began = spool->began;
	pthread_mutex_unlock(&spool->lock);
	return began;
}

struct spool *spool_new(struct loop *loop, size_t room, spool_write_fn *write, void *ctx)
{
	struct spool *spool = calloc(1, sizeof *spool);
	if (spool == NULL)
		return NULL;
	*spool = (struct spool){
		.task = {.run = write_lines, .done = done, .lasting = true}, .room = room, .write = write, .ctx = ctx};
	spool->tail = &spool->head;
	init_conditions(spool);
	spool->pool = worker_pool_new(loop, 0);
	worker_submit(spool->pool, &spool->task);
	if (writer_begins(spool))
		return spool;
	worker_pool_free(&spool->pool, false);
	return NULL; /* the spool stays: a thread that comes late still uses it */
}

/* A quarter of the room is for what matters. */
static bool fits(const struct spool *spool, enum viewd_log_level level, size_t size)
{
	size_t room = level <= VIEWD_LOG_WARNING ? spool->room : spool->room / 4 * 3;
	return !spool->ending && spool->used + size <= room;
}

static struct line *line_new(enum viewd_log_level level, const char *text)
{
	size_t len = strlen(text), size = sizeof(struct line) + len + 1;
	struct line *line = malloc(size);
	if (line == NULL)
		return NULL;
	*line = (struct line){.level = level, .size = size};
	memcpy(line->text, text, len + 1);
	return line;
}

void spool_put(struct spool *spool, enum viewd_log_level level, const char *text)
{
	struct line *line = line_new(level, text);
	pthread_mutex_lock(&spool->lock);
	if (line != NULL && fits(spool, level, line->size)) {
		line->dropped = spool->dropped;
		spool->dropped = 0;
		spool->used += line->size;
		spool->n_put++;
		*spool->tail = line;
		spool->tail = &line->next;
		line = NULL;
	} else if (spool->dropped++ == 0)
		spool->n_put++; /* their count */
	pthread_cond_signal(&spool->came);
	pthread_mutex_unlock(&spool->lock);
	free(line);
}

bool spool_flush(struct spool *spool, int64_t timeout_us)
{
	struct timespec until = after(timeout_us);
	pthread_mutex_lock(&spool->lock);
	uint64_t wanted = spool->n_put;
	while (spool->n_written < wanted && pthread_cond_timedwait(&spool->written, &spool->lock, &until) == 0)
		;
	bool written = spool->n_written >= wanted;
	pthread_mutex_unlock(&spool->lock);
	return written;
}

bool spool_free(struct spool **spool_ptr, int64_t timeout_us)
{
	struct spool *spool = *spool_ptr;
	if (spool == NULL)
		return true;
	bool written = spool_flush(spool, timeout_us);
	pthread_mutex_lock(&spool->lock);
	spool->ending = true;
	pthread_cond_signal(&spool->came);
	pthread_mutex_unlock(&spool->lock);
	*spool_ptr = NULL;
	worker_pool_free(&spool->pool, written);
	if (!written)
		return false;
	pthread_mutex_destroy(&spool->lock);
	pthread_cond_destroy(&spool->came);
	pthread_cond_destroy(&spool->written);
	free(spool);
	return true;
}
