/* SPDX-License-Identifier: MIT
 *
 * fake_engine.h: the functions of core/engine.h and reload.h for tests of the control server: a few views that never
 * touch a database. Slow calls stay open until the test ends them.
 */
#ifndef VIEWD_TESTS_CTL_FAKE_ENGINE_H
#define VIEWD_TESTS_CTL_FAKE_ENGINE_H

#include "core/engine.h"
#include "core/report/measure.h"
#include "core/report/observe.h"
#include "core/report/past.h"
#include "core/report/wait.h"
#include "reload.h"

#define FAKE_PENDING_MAX 16

struct fake_call {
	const char *what; /* "refresh", "refresh all rows", "create", ... */
	engine_done_fn *done;
	void *ctx;
	char views[64]; /* their names, a blank between */
};

struct engine {
	struct conf *conf; /* with views alpha and beta */
	size_t n_extra;    /* so many views more, "extra" each */
	struct fake_call pending[FAKE_PENDING_MAX];
	size_t n_pending;
	size_t n_refresh; /* calls of engine_refresh, with and without done */
	struct engine_observer *observers[FAKE_PENDING_MAX];
	size_t n_observers;
	struct waiter *waiting; /* the newest wait */
	size_t n_waiters;
	const char *gone; /* a view that a reload has removed; NULL: none */
	bool fail;        /* results are failures */
	bool paused;
};

/* Tells the observers of a run of alpha. */
void fake_run(struct engine *eng);

/* Ends the newest wait, with an error when eng->fail. */
void fake_end_wait(struct engine *eng);

/* Ends the oldest pending call. False when there is none. */
bool fake_finish(struct engine *eng);

/* The report has these items. */
bool fake_answer(struct engine *eng, const struct engine_item *items, size_t n);

#endif
