/* SPDX-License-Identifier: MIT
 *
 * loop.h: the event loop. libevent stays behind this header (and the control server).
 *
 * Callbacks are called by the loop, never from inside the function that registered them. All functions but loop_wake:
 * [loop]
 */
#ifndef VIEWD_LOOP_LOOP_H
#define VIEWD_LOOP_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct loop;
struct loop_timer;
struct loop_signal;
struct loop_waker;
struct loop_clock;
struct loop_reader;
struct event_base;

typedef void loop_fn(void *ctx);

/* NULL when the system has no usable event mechanism. Redirects libevent's own log into ours. */
struct loop *loop_new(void);
void loop_free(struct loop **loop);

/* Runs until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Runs one round: waits at most timeout_us for something to happen and handles it. For tests. */
void loop_once(struct loop *loop, int64_t timeout_us);

/* A one-shot timer, unarmed. fn runs once after loop_timer_set's delay. */
struct loop_timer *loop_timer_new(struct loop *loop, loop_fn *fn, void *ctx);
/* Arms or re-arms; delay_us < 0 counts as 0. */
void loop_timer_set(struct loop_timer *timer, int64_t delay_us);
void loop_timer_clear(struct loop_timer *timer);
void loop_timer_free(struct loop_timer **timer);

/* fn runs after signo was received, from the loop: it may do anything. */
struct loop_signal *loop_signal_new(struct loop *loop, int signo, loop_fn *fn, void *ctx);
void loop_signal_free(struct loop_signal **sig);

/* A way into the loop from other threads. */
struct loop_waker *loop_waker_new(struct loop *loop, loop_fn *fn, void *ctx);
/* Has the waker's fn run soon, from the loop, once for several wakes. [any] */
void loop_wake(struct loop_waker *waker);
void loop_waker_free(struct loop_waker **waker);

/* fn runs after the wall clock was set, or the machine has slept. Slow corrections (NTP) are not told. */
struct loop_clock *loop_clock_new(struct loop *loop, loop_fn *fn, void *ctx);
void loop_clock_free(struct loop_clock **clock);

/* fn runs while there is something to read from fd, which stays the caller's. */
struct loop_reader *loop_reader_new(struct loop *loop, int fd, loop_fn *fn, void *ctx);
void loop_reader_free(struct loop_reader **reader);
/* While paused, fn does not run; what there is to read waits. */
void loop_reader_pause(struct loop_reader *reader);
void loop_reader_resume(struct loop_reader *reader);

/* For the control server (ctl/serve/server*.c) only: its HTTP server lives on the same base. */
struct event_base *loop_base(struct loop *loop);

#endif
