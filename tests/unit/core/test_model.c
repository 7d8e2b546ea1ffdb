/* SPDX-License-Identifier: MIT
 *
 * test_model.c: random configurations are put in force one after the other while everything runs, fails, hangs and is
 * asked for. After each step every pointer leads to something that lives; in the end everything is idle and as it
 * should be.
 *
 * VIEWD_LONG: minutes, with other seeds each time. VIEWD_SEED=N runs that seed alone, VIEWD_TRACE=1 tells each step.
 */
#include "base/log.h"
#include "base/mem.h"
#include "conf/snapshot/diff.h"
#include "core/engine/capture.h"
#include "core/engine/database.h"
#include "core/model/group.h"
#include "core/offline/offline.h"
#include "core/report/observe.h"
#include "core/report/wait.h"
#include "unit/core/alive.h"
#include "unit/core/model_conf.h"
#include "unit/core/model_servers.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <talloc.h>
#include <time.h>

#define STEPS 120
#define WAITERS 6

struct model {
	struct rig *rig;
	struct model_random random;
	struct model_conf conf;
	struct engine_observer observer;
	size_t events, confs; /* snapshots that have not been freed */
	long asked;           /* requests that have not been answered */
	struct waiter *waiters[WAITERS];
	unsigned step;
};

static unsigned pick(struct model *m, unsigned below)
{
	return model_random(&m->random, below);
}

static bool one_in(struct model *m, unsigned n)
{
	return model_one_in(&m->random, n);
}

/* ---- configurations --------------------------------------------------------------------------------------------- */

struct witness {
	struct model *model;
};

static int snapshot_freed(struct witness *w)
{
	w->model->confs--;
	return 0;
}

static void put_in_force(struct model *m)
{
	void *tmp = talloc_new(NULL);
	struct conf_problems problems;
	struct conf_dialects dialects = offline_dialects(m->rig->registry);
	const char *path = harness_file("viewd.conf", model_conf_text(&m->conf, tmp));
	struct conf *conf = conf_load(tmp, path, &dialects, &problems);
	if (!harness_check(conf != NULL, __FILE__, __LINE__, "%s", problems.n > 0 ? problems.items[0].text : "?"))
		harness_abort();
	struct witness *w = mem_new(conf, struct witness);
	w->model = m;
	m->confs++;
	talloc_set_destructor(w, snapshot_freed);
	struct conf *old = engine_conf(m->rig->eng) != NULL ? engine_conf_ref(m->rig->eng) : NULL;
	struct conf_diff *diff = conf_diff_new(NULL, old, conf);
	engine_commit(m->rig->eng, conf, diff);
	talloc_free(diff);
	conf_unref(&old);
	conf_unref(&conf);
	talloc_free(tmp);
}

static void reload(struct model *m)
{
	for (unsigned n = one_in(m, 4) ? 3 : 1; n > 0; n--) {
		model_conf_change(&m->conf, &m->random);
		put_in_force(m);
	}
}

/* ---- requests --------------------------------------------------------------------------------------------------- */

/* Some of the views that there are, on mem_ctx. */
static struct view **some_views(struct model *m, void *mem_ctx, size_t *n_r)
{
	const struct engine *eng = m->rig->eng;
	struct view **views = talloc_array(mem_ctx, struct view *, eng->n_views + 1);
	*n_r = 0;
	bool all = one_in(m, 8);
	for (size_t i = 0; i < eng->n_views; i++)
		if (all || one_in(m, 4))
			views[(*n_r)++] = eng->views[i];
	return views;
}

static void answered(void *ctx, const struct engine_report *report)
{
	struct model *m = ctx;
	m->asked--;
	for (size_t i = 0; i < report->n; i++) {
		const struct engine_item *item = &report->items[i];
		m->events += strlen(item->label) + strlen(item->database) + (item->error != NULL);
		m->events += item->view != NULL ? strlen(view_label(item->view)) : 0;
	}
}

static void answered_history(void *ctx, const struct viewd_history_row *rows UNUSED, size_t n UNUSED,
                             const struct viewd_err *err UNUSED)
{
	struct model *m = ctx;
	m->asked--;
}

/* As viewctl verify --repair does: what differs is refreshed from inside the answer. */
static void repair(void *ctx, const struct engine_report *report)
{
	struct model *m = ctx;
	answered(ctx, report);
	for (size_t i = 0; i < report->n; i++) {
		struct view *v = report->items[i].view != NULL
		                     ? engine_view(m->rig->eng, view_name(report->items[i].view), report->items[i].database)
		                     : NULL;
		if (v == NULL || m->rig->eng->stop.stopping || !one_in(m, 2))
			continue;
		m->asked++;
		engine_refresh(m->rig->eng, &v, 1, (struct engine_refresh_flags){.full = true}, VIEW_TRIGGER_MANUAL, answered,
		               m);
	}
}

static void refresh(struct model *m)
{
	size_t n;
	struct view **views = some_views(m, harness_ctx(), &n);
	struct engine_refresh_flags flags = {.full = one_in(m, 4), .upstream = one_in(m, 3), .downstream = one_in(m, 3)};
	bool told = one_in(m, 2);
	m->asked += told;
	engine_refresh(m->rig->eng, views, n, flags, VIEW_TRIGGER_MANUAL, told ? answered : NULL, m);
}

static void look_at(struct model *m)
{
	size_t n;
	struct view **views = some_views(m, harness_ctx(), &n);
	m->asked++;
	if (one_in(m, 2))
		engine_verify(m->rig->eng, views, n, repair, m);
	else
		engine_plan(m->rig->eng, views, n, answered, m);
}

static void create_or_drop(struct model *m)
{
	size_t n;
	struct view **views = some_views(m, harness_ctx(), &n);
	m->asked++;
	if (one_in(m, 3))
		engine_drop(m->rig->eng, views, n, answered, m);
	else
		engine_create(m->rig->eng, views, n, answered, m);
}

static void history(struct model *m)
{
	size_t n;
	struct view **views = some_views(m, harness_ctx(), &n);
	for (size_t i = 0; i < n; i++) {
		m->asked++;
		engine_history(m->rig->eng, views[i], 3, answered_history, m);
	}
}

static void pause_or_resume(struct model *m)
{
	size_t n;
	struct viewd_err err;
	struct view **views = some_views(m, harness_ctx(), &n);
	if (one_in(m, 3))
		CHECK_OK(engine_pause(m->rig->eng, views, n, &err), &err);
	else
		CHECK_OK(engine_resume(m->rig->eng, views, n, &err), &err);
}

static void cancel(struct model *m)
{
	size_t n;
	struct view **views = some_views(m, harness_ctx(), &n);
	engine_cancel(m->rig->eng, views, n);
}

struct waiting {
	struct model *model;
	unsigned place;
};

static void waited(void *ctx, int64_t data_timestamp_us UNUSED, const struct viewd_err *err UNUSED)
{
	struct waiting *w = ctx;
	w->model->waiters[w->place] = NULL;
}

static void wait_for(struct model *m)
{
	size_t n;
	struct view **views = some_views(m, harness_ctx(), &n);
	for (size_t i = 0; i < n; i++) {
		unsigned place = pick(m, WAITERS);
		struct waiting *w = talloc_zero(harness_ctx(), struct waiting);
		*w = (struct waiting){.model = m, .place = place};
		engine_wait_cancel(&m->waiters[place]);
		m->waiters[place] =
			engine_wait(m->rig->eng, views[i], one_in(m, 2) ? 0 : m->rig->clock.wall_us + 1000, waited, w);
	}
}

/* ---- what happens to the servers -------------------------------------------------------------------------------- */

#define ON_SERVERS(what) \
	static void what(struct model *m) \
	{ \
		model_##what(&m->conf, &m->random); \
	}
ON_SERVERS(change_table)
ON_SERVERS(misbehave)
ON_SERVERS(behave)
ON_SERVERS(disturb)
ON_SERVERS(meddle)
ON_SERVERS(request_in_sql)

static void time_passes(struct model *m)
{
	static const int64_t spans[] = {SPAN_MS, SPAN_SECOND, 10 * SPAN_SECOND, SPAN_MINUTE, SPAN_HOUR};
	rig_advance(m->rig, spans[pick(m, ARRAY_LEN(spans))]);
}

static void captures_again(struct model *m)
{
	capture_retry(m->rig->eng);
}

static void turn(struct model *m)
{
	for (unsigned n = pick(m, 6); n > 0; n--)
		loop_once(m->rig->loop, SPAN_MS);
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

static const struct act {
	const char *name;
	unsigned weight;
	void (*fn)(struct model *m);
} acts[] = {
	{"reload", 18, reload},
	{"turn", 20, turn},
	{"refresh", 12, refresh},
	{"verify or plan", 4, look_at},
	{"create or drop", 4, create_or_drop},
	{"history", 2, history},
	{"pause or resume", 5, pause_or_resume},
	{"cancel", 4, cancel},
	{"wait", 4, wait_for},
	{"change", 12, change_table},
	{"request", 2, request_in_sql},
	{"misbehave", 9, misbehave},
	{"behave", 6, behave},
	{"disturb", 4, disturb},
	{"meddle", 3, meddle},
	{"time", 10, time_passes},
	{"captures", 2, captures_again},
};

static const struct act *some_act(struct model *m)
{
	unsigned all = 0;
	for (size_t i = 0; i < ARRAY_LEN(acts); i++)
		all += acts[i].weight;
	unsigned n = pick(m, all);
	size_t i = 0;
	for (; n >= acts[i].weight; i++)
		n -= acts[i].weight;
	return &acts[i];
}

static void hear(void *ctx, const char *line)
{
	*(size_t *)ctx += strlen(line);
}

/* Whatever happens, each view can be asked. */
static void ask_all(struct model *m)
{
	struct engine *eng = m->rig->eng;
	for (size_t i = 0; i < eng->n_views; i++) {
		struct view_status st;
		const char *const *names;
		engine_status(eng, eng->views[i], &st);
		m->events +=
			strlen(st.name) + strlen(st.relation) + strlen(st.waits_for) + strlen(st.reason) + strlen(st.schedule);
		m->events += view_sources(eng->views[i], &names);
		engine_why(eng, eng->views[i], hear, &m->events);
	}
}

static void step(struct model *m)
{
	char where[64];
	const struct act *act = some_act(m);
	if (getenv("VIEWD_TRACE") != NULL)
		printf("# %u %s\n", m->step, act->name);
	act->fn(m);
	snprintf(where, sizeof where, "step %u (%s)", m->step++, act->name);
	alive_check(m->rig, where);
	ask_all(m);
	alive_check(m->rig, where); /* asking brings edges and groups up to date */
}

/* ---- the end ---------------------------------------------------------------------------------------------------- */

struct answers {
	bool done;
	size_t failed;
	char text[400]; /* of the last that failed */
};

static void answered_all(void *ctx, const struct engine_report *report)
{
	struct answers *all = ctx;
	all->done = true;
	for (size_t i = 0; i < report->n; i++) {
		const struct engine_item *item = &report->items[i];
		if (item->result == VIEW_RESULT_SUCCEEDED)
			continue;
		all->failed++;
		snprintf(all->text, sizeof all->text, "%s %s (%.300s)", item->label, view_result_word(item->result),
		         item->error != NULL ? item->error->msg : "");
	}
}

typedef void ask_fn(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx);

static void refresh_all(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	engine_refresh(eng, views, n, (struct engine_refresh_flags){.full = true}, VIEW_TRIGGER_MANUAL, done, ctx);
}

/* Databases come back one after the other, and what waited for them may still be told that they were away. */
static void until_all_succeed(struct model *m, ask_fn *ask)
{
	struct engine *eng = m->rig->eng;
	struct answers all;
	int64_t deadline = harness_deadline(30 * SPAN_SECOND);
	do {
		all = (struct answers){.done = false};
		ask(eng, eng->views, eng->n_views, answered_all, &all);
		RUN_UNTIL(m->rig, all.done);
	} while (all.failed > 0 && rig_turn(m->rig, deadline));
	if (!harness_check(all.failed == 0, __FILE__, __LINE__, "%zu failed: %s", all.failed, all.text))
		harness_abort();
}

/* Marks may be left of a view that nobody keeps any more: taking them out is tried once for each connection. */
static bool all_fresh(struct model *m)
{
	const struct engine *eng = m->rig->eng;
	rig_advance(m->rig, SPAN_SECOND);
	bool fresh = rig_is_settled(m->rig) && !eng->captures.dirty;
	for (size_t i = 0; i < eng->n_views; i++) {
		const struct view *v = eng->views[i];
		bool blind = v->conf->on_change && v->relation.method != VIEWD_METHOD_SIMPLE && !v->capture.set_up;
		/* A look that ends late may tell of a mark of one that nobody follows any more. */
		bool told = v->conf->on_change && v->change.seen_seq > v->change.settled_seq;
		fresh &= !blind && v->timing.due_at[DUE_CHANGE] == 0 && v->change.first == 0 && !told;
	}
	return fresh;
}

/* A view is said to hold what stands in the server. */
static void check_end(struct model *m)
{
	struct engine *eng = m->rig->eng;
	for (size_t i = 0; i < eng->n_views; i++) {
		const struct view *v = eng->views[i];
		struct view_status st;
		engine_status(eng, v, &st);
		harness_check(st.state == VIEW_STATE_ACTIVE && v->relation.reconciled && st.error == NULL, __FILE__, __LINE__,
		              "%s is %s (%s)", v->label, view_state_word(st.state), st.error != NULL ? st.error->msg : "");
		CHECK_INT(st.activity, VIEW_ACTIVITY_IDLE);
		if (v->relation.method != VIEWD_METHOD_SIMPLE)
			CHECK_INT(st.result, VIEW_RESULT_SUCCEEDED);
	}
	CHECK_INT(m->asked, 0);
	CHECK_INT(eng->count.running, 0);
	CHECK(LIST_EMPTY(&eng->open.waves));
}

/* The next look at a database that was away may be minutes ahead. */
static void probe_all(struct engine *eng)
{
	for (size_t i = 0; i < eng->n_dbs; i++)
		database_probe(eng->dbs[i]);
}

static void calm_down(struct model *m)
{
	struct engine *eng = m->rig->eng;
	struct viewd_err err;
	model_calm_servers();
	model_conf_calm(&m->conf);
	put_in_force(m);
	CHECK_OK(engine_resume(eng, eng->views, eng->n_views, &err), &err);
	RUN_UNTIL(m->rig, (probe_all(eng), rig_is_settled(m->rig) && alive_removed(m->rig) == 0));
	if (eng->n_views > 0) {
		until_all_succeed(m, engine_replace);
		until_all_succeed(m, refresh_all);
	}
	capture_retry(eng);
	RUN_UNTIL(m->rig, all_fresh(m));
	alive_check(m->rig, "calm");
	check_end(m);
	CHECK_INT(m->confs, 1);
}

static void note_event(void *ctx, const struct engine_event *event)
{
	struct model *m = ctx;
	m->events += strlen(view_label(event->view)) + (event->error != NULL);
}

static void ignore_log(void *ctx UNUSED, enum viewd_log_level level UNUSED, const char *text UNUSED)
{
}

static void play(uint64_t seed)
{
	struct model m = {.random = {.state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15)}};
	printf("# seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	m.rig = rig_new();
	m.observer = (struct engine_observer){.fn = note_event, .ctx = &m};
	engine_observe(m.rig->eng, &m.observer);
	model_conf_make(&m.conf, &m.random);
	put_in_force(&m);
	while (m.step < STEPS)
		step(&m);
	bool calm = !one_in(&m, 3); /* or it is stopped in the middle of everything */
	if (calm)
		calm_down(&m);
	else
		model_calm_servers();
	for (unsigned i = 0; i < WAITERS; i++)
		engine_wait_cancel(&m.waiters[i]);
	engine_stop(m.rig->eng);
	alive_check(m.rig, "stopping");
	RUN_UNTIL(m.rig, engine_idle(m.rig->eng) && m.asked == 0 && alive_removed(m.rig) == 0);
	alive_check(m.rig, "stopped");
	engine_unobserve(&m.observer);
	rig_free(&m.rig);
	CHECK_INT(m.asked, 0);
	CHECK_INT(m.confs, 0);
}

static void reloads_at_random(void)
{
	bool is_long = getenv("VIEWD_LONG") != NULL;
	const char *wanted = getenv("VIEWD_SEED");
	log_set_sink(ignore_log, NULL); /* most of what is logged is an error, as it should be */
	mallopt(M_PERTURB, 0xa5);       /* what is freed does not look alive */
	if (wanted != NULL) {
		play(strtoull(wanted, NULL, 10));
		return;
	}
	int64_t deadline = harness_deadline((is_long ? 240 : 4) * SPAN_SECOND);
	uint64_t seed = is_long ? (uint64_t)time(NULL) * 1000 : 1;
	do {
		play(seed++);
	} while (CU_get_number_of_failures() == 0 && harness_pause(deadline));
}

static const struct harness_test tests[] = {
	{"reloads at random", reloads_at_random},
};
HARNESS_MAIN(SUITE("model", tests))
