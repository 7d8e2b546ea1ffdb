/* SPDX-License-Identifier: MIT */
#include "loop/loop.h"

#include "base/log.h"
#include "base/macros.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct loop {
	struct event_base *base;
};

/* Timers, signals and wakers are the same thing: an event and whom to call. fd is the waker's eventfd, the clock's
 * timerfd. */
struct loop_source {
	struct event *ev;
	loop_fn *fn;
	void *ctx;
	int fd;
};
struct loop_timer {
	struct loop_source src;
};
struct loop_signal {
	struct loop_source src;
};
struct loop_waker {
	struct loop_source src;
};
struct loop_clock {
	struct loop_source src;
};
struct loop_reader {
	struct loop_source src;
};

static void *xzalloc(size_t size)
{
	void *p = calloc(1, size);
	if (p == NULL)
		abort();
	return p;
}

static void libevent_log(int severity, const char *msg)
{
	log_event(severity >= EVENT_LOG_WARN ? VIEWD_LOG_WARNING : VIEWD_LOG_DEBUG, "libevent, %s", msg);
}

struct loop *loop_new(void)
{
	event_set_log_callback(libevent_log);
	struct event_base *base = event_base_new();
	if (base == NULL)
		return NULL;
	struct loop *loop = xzalloc(sizeof *loop);
	loop->base = base;
	return loop;
}

void loop_free(struct loop **loop)
{
	if (*loop == NULL)
		return;
	event_base_free((*loop)->base);
	free(*loop);
	*loop = NULL;
}

void loop_run(struct loop *loop)
{
	event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_stop(struct loop *loop)
{
	event_base_loopbreak(loop->base);
}

static struct timeval span_timeval(int64_t us)
{
	return (struct timeval){.tv_sec = us / 1000000, .tv_usec = us % 1000000};
}

static void ignore_event(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx UNUSED)
{
}

void loop_once(struct loop *loop, int64_t timeout_us)
{
	struct timeval tv = span_timeval(timeout_us);
	struct event *limit = event_new(loop->base, -1, 0, ignore_event, NULL);
	if (limit == NULL)
		abort();
	event_add(limit, &tv);
	event_base_loop(loop->base, EVLOOP_ONCE);
	event_free(limit);
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

static void source_fired(evutil_socket_t fd UNUSED, short what UNUSED, void *ctx)
{
	struct loop_source *src = ctx;
	src->fn(src->ctx);
}

static void source_init(struct loop_source *src, struct event *ev, loop_fn *fn, void *ctx)
{
	if (ev == NULL)
		abort();
	src->ev = ev;
	src->fn = fn;
	src->ctx = ctx;
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *ctx)
{
	struct loop_timer *timer = xzalloc(sizeof *timer);
	source_init(&timer->src, event_new(loop->base, -1, 0, source_fired, &timer->src), fn, ctx);
	return timer;
}

void loop_timer_set(struct loop_timer *timer, int64_t delay_us)
{
	struct timeval tv = span_timeval(delay_us < 0 ? 0 : delay_us);
	event_add(timer->src.ev, &tv);
}

void loop_timer_clear(struct loop_timer *timer)
{
	event_del(timer->src.ev);
}

void loop_timer_free(struct loop_timer **timer)
{
	if (*timer == NULL)
		return;
	event_free((*timer)->src.ev);
	free(*timer);
	*timer = NULL;
}

struct loop_signal *loop_signal_new(struct loop *loop, int signo, loop_fn *fn, void *ctx)
{
	struct loop_signal *sig = xzalloc(sizeof *sig);
	source_init(&sig->src, evsignal_new(loop->base, signo, source_fired, &sig->src), fn, ctx);
	if (event_add(sig->src.ev, NULL) != 0)
		abort();
	return sig;
}

void loop_signal_free(struct loop_signal **sig)
{
	if (*sig == NULL)
		return;
	event_free((*sig)->src.ev);
	free(*sig);
	*sig = NULL;
}

static void waker_fired(evutil_socket_t fd, short what UNUSED, void *ctx)
{
	struct loop_source *src = ctx;
	uint64_t count;
	if (read(fd, &count, sizeof count) == (ssize_t)sizeof count)
		src->fn(src->ctx);
}

struct loop_waker *loop_waker_new(struct loop *loop, loop_fn *fn, void *ctx)
{
	struct loop_waker *waker = xzalloc(sizeof *waker);
	waker->src.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (waker->src.fd < 0)
		abort();
	source_init(&waker->src, event_new(loop->base, waker->src.fd, EV_READ | EV_PERSIST, waker_fired, &waker->src), fn,
	            ctx);
	if (event_add(waker->src.ev, NULL) != 0)
		abort();
	return waker;
}

void loop_wake(struct loop_waker *waker)
{
	uint64_t one = 1;
	/* EAGAIN means that the counter is full: the loop is already being woken. */
	if (write(waker->src.fd, &one, sizeof one) < 0)
		return;
}

void loop_waker_free(struct loop_waker **waker)
{
	if (*waker == NULL)
		return;
	event_free((*waker)->src.ev);
	close((*waker)->src.fd);
	free(*waker);
	*waker = NULL;
}

/* A timer that never expires, but is cancelled whenever the wall clock is set or the machine wakes up
 * (timerfd_create(2)). */
static void await_step(int fd)
{
	const struct itimerspec never = {.it_value = {.tv_sec = INT64_MAX}};
	if (timerfd_settime(fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) != 0)
		abort();
}

static void clock_fired(evutil_socket_t fd, short what UNUSED, void *ctx)
{
	struct loop_source *src = ctx;
	uint64_t count;
	if (read(fd, &count, sizeof count) >= 0 || errno != ECANCELED)
		return;
	await_step(fd);
	src->fn(src->ctx);
}

struct loop_clock *loop_clock_new(struct loop *loop, loop_fn *fn, void *ctx)
{
	struct loop_clock *clock = xzalloc(sizeof *clock);
	clock->src.fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (clock->src.fd < 0)
		abort();
	await_step(clock->src.fd);
	source_init(&clock->src, event_new(loop->base, clock->src.fd, EV_READ | EV_PERSIST, clock_fired, &clock->src), fn,
	            ctx);
	if (event_add(clock->src.ev, NULL) != 0)
		abort();
	return clock;
}

void loop_clock_free(struct loop_clock **clock)
{
	if (*clock == NULL)
		return;
	event_free((*clock)->src.ev);
	close((*clock)->src.fd);
	free(*clock);
	*clock = NULL;
}

struct loop_reader *loop_reader_new(struct loop *loop, int fd, loop_fn *fn, void *ctx)
{
	struct loop_reader *reader = xzalloc(sizeof *reader);
	source_init(&reader->src, event_new(loop->base, fd, EV_READ | EV_PERSIST, source_fired, &reader->src), fn, ctx);
	if (event_add(reader->src.ev, NULL) != 0)
		abort();
	return reader;
}

void loop_reader_pause(struct loop_reader *reader)
{
	event_del(reader->src.ev);
}

void loop_reader_resume(struct loop_reader *reader)
{
	if (event_add(reader->src.ev, NULL) != 0)
		abort();
}

void loop_reader_free(struct loop_reader **reader)
{
	if (*reader == NULL)
		return;
	event_free((*reader)->src.ev);
	free(*reader);
	*reader = NULL;
}
