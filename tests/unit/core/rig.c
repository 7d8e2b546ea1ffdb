/* SPDX-License-Identifier: MIT */
#include "unit/core/rig.h"

#include "base/err.h"
#include "conf/snapshot/diff.h"
#include "core/engine/on_due.h"
#include "core/offline/offline.h"
#include "core/plan/due.h"
#include "core/report/wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <talloc.h>

static void now_idle(void *ctx)
{
	struct rig *rig = ctx;
	rig->idle = true;
}

static void make_engine(struct rig *rig)
{
	const char *state_dir = harness_path("state");
	mkdir(state_dir, 0700);
	const struct engine_parts parts = {
		.loop = rig->loop,
		.pool = rig->pool,
		.registry = rig->registry,
		.clock = &rig->clock.clock,
		.state_dir = state_dir,
		.on_idle = now_idle,
		.on_idle_ctx = rig,
	};
	rig->idle = false;
	rig->eng = engine_new(&parts);
}

struct rig *rig_new(void)
{
	struct viewd_err err;
	struct rig *rig = calloc(1, sizeof *rig);
	fake_reset();
	rig->loop = loop_new();
	rig->pool = worker_pool_new(rig->loop, 64);
	rig->registry = registry_new(NULL);
	REQUIRE_OK(registry_add(rig->registry, &viewd_dialect_fake, &err), &err);
	struct viewd_dialect one = viewd_dialect_fake;
	one.name = "fakeone";
	one.caps |= VIEWD_CAP_SINGLE_WRITER;
	one.refresh_group = NULL;
	REQUIRE_OK(registry_add(rig->registry, &one, &err), &err);
	clock_fake_init(&rig->clock, INT64_C(1800000000) * SPAN_SECOND);
	rig->clock.mono_us = SPAN_DAY; /* 0 means never */
	fake_set_now(rig->clock.wall_us);
	make_engine(rig);
	return rig;
}

void rig_commit(struct rig *rig, const char *text)
{
	struct conf_problems problems;
	struct conf_dialects dialects = offline_dialects(rig->registry);
	struct conf *conf = conf_load(harness_ctx(), harness_file("viewd.conf", text), &dialects, &problems);
	for (size_t i = 0; i < problems.n; i++)
		CHECK_STR(problems.items[i].text, NULL);
	REQUIRE(conf != NULL);
	struct conf *old = engine_conf(rig->eng) != NULL ? engine_conf_ref(rig->eng) : NULL;
	struct conf_diff *diff = conf_diff_new(NULL, old, conf);
	engine_commit(rig->eng, conf, diff);
	talloc_free(diff);
	conf_unref(&old);
	conf_unref(&conf);
}

struct rig *rig_start(const char *text)
{
	struct rig *rig = rig_new();
	rig_commit(rig, text);
	rig_settle(rig);
	return rig;
}

static void end_engine(struct rig *rig)
{
	engine_stop(rig->eng);
	if (!engine_idle(rig->eng))
		RUN_UNTIL(rig, rig->idle);
	RUN_UNTIL(rig, worker_pending(rig->pool) == 0);
	engine_free(&rig->eng);
}

void rig_free(struct rig **rig_ptr)
{
	struct rig *rig = *rig_ptr;
	*rig_ptr = NULL;
	end_engine(rig);
	worker_pool_free(&rig->pool, true);
	loop_free(&rig->loop);
	talloc_free(rig->registry);
	free(rig);
	CHECK_INT(fake_violations(), 0);
}

void rig_restart(struct rig *rig, const char *text)
{
	end_engine(rig);
	make_engine(rig);
	rig_commit(rig, text);
	rig_settle(rig);
}

bool rig_turn(struct rig *rig, int64_t deadline)
{
	loop_once(rig->loop, 2 * SPAN_MS);
	return clock_system()->mono(clock_system()) < deadline;
}

size_t rig_working(const struct rig *rig)
{
	size_t watching = 0;
	for (size_t i = 0; i < rig->eng->n_dbs; i++)
		watching += rig->eng->dbs[i]->watch.watcher != NULL;
	return worker_pending(rig->pool) - watching;
}

bool rig_is_settled(const struct rig *rig)
{
	const struct engine *eng = rig->eng;
	bool quiet = eng->count.running == 0 && eng->open.finished == NULL && TAILQ_EMPTY(&eng->open.ended) &&
	             wait_is_quiet(eng) && rig_working(rig) == 0;
	for (size_t i = 0; i < eng->n_views && quiet; i++)
		quiet = eng->views[i]->job == NULL && eng->views[i]->members == NULL;
	for (size_t i = 0; i < eng->n_dbs && quiet; i++)
		quiet = eng->dbs[i]->state != DB_PROBING && eng->dbs[i]->work.side_job == NULL &&
		        TAILQ_EMPTY(&eng->dbs[i]->work.side_jobs);
	return quiet;
}

void rig_settle(struct rig *rig)
{
	RUN_UNTIL(rig, rig_is_settled(rig));
}

void rig_advance(struct rig *rig, int64_t us)
{
	clock_fake_advance(&rig->clock, us);
	fake_set_now(rig->clock.wall_us);
	on_due(rig->eng);
}

/* A watch that was opened may not have been given the processor yet. */
static bool waits_for_a_look(const struct view *v)
{
	const struct database *db = v->db;
	return v->conf->on_change && db->watch.watcher != NULL &&
	       (!db->watch.looked || v->capture.look > db->watch.answered);
}

bool rig_is_fresh(struct rig *rig, const char *server)
{
	if (!rig_is_settled(rig) || fake_stale(server) > 0)
		return false;
	for (size_t i = 0; i < rig->eng->n_views; i++)
		if (rig->eng->views[i]->timing.due_at[DUE_CHANGE] != 0 || waits_for_a_look(rig->eng->views[i]))
			return false;
	return true;
}

struct rig *rig_start_fresh(const char *text)
{
	struct rig *rig = rig_start(text);
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND), rig_is_fresh(rig, "d") && rig_is_fresh(rig, "e")));
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	return rig;
}

void rig_change(struct rig *rig, const char *server, const char *table, const char *view)
{
	int64_t seen = rig_view(rig, view)->change.seen_seq;
	fake_do(server, "change %s", table);
	RUN_UNTIL(rig, rig_view(rig, view)->change.seen_seq > seen);
}

struct view **rig_views(struct rig *rig, const char *names, size_t *n_r)
{
	struct view **views = talloc_array(harness_ctx(), struct view *, 0);
	struct viewd_err err;
	char *copy = talloc_strdup(harness_ctx(), names), *save = NULL;
	*n_r = 0;
	for (char *w = strtok_r(copy, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		REQUIRE_OK(engine_find(rig->eng, harness_ctx(), w, &views, n_r, &err), &err);
	return views;
}

struct view *rig_view(struct rig *rig, const char *name)
{
	size_t n;
	struct view **views = rig_views(rig, name, &n);
	REQUIRE(n == 1);
	return views[0];
}

struct view_status rig_status(struct rig *rig, const char *name)
{
	struct view_status st;
	engine_status(rig->eng, rig_view(rig, name), &st);
	return st;
}

const char *rig_words(struct rig *rig, const char *name)
{
	struct view_status st = rig_status(rig, name);
	return talloc_asprintf(harness_ctx(), "%s %s %s", view_state_word(st.state), view_activity_word(st.activity),
	                       view_result_word(st.result));
}

struct database *rig_db(struct rig *rig, const char *name)
{
	for (size_t i = 0; i < rig->eng->n_dbs; i++)
		if (strcmp(rig->eng->dbs[i]->conf->name, name) == 0)
			return rig->eng->dbs[i];
	harness_abort();
}

void rig_done(void *ctx, const struct engine_report *r)
{
	struct rig_report *out = ctx;
	CHECK(!out->done);
	out->done = true;
	out->n = r->n;
	for (size_t i = 0; i < r->n && i < ARRAY_LEN(out->items); i++) {
		const struct engine_item *item = &r->items[i];
		snprintf(out->items[i].label, sizeof out->items[i].label, "%s", item->label);
		out->items[i].result = item->result;
		out->items[i].did = item->did;
		out->items[i].rows = item->rows;
		out->items[i].rows_written = item->rows_written;
		out->items[i].change = item->change;
		out->items[i].cls = item->error != NULL ? item->error->cls : VIEWD_ERR_OK;
		snprintf(out->items[i].msg, sizeof out->items[i].msg, "%.299s", item->error != NULL ? item->error->msg : "");
		snprintf(out->items[i].reason, sizeof out->items[i].reason, "%.299s", item->reason != NULL ? item->reason : "");
		out->items[i].has_verdict = item->verdict != NULL;
		if (item->verdict != NULL)
			out->items[i].verdict = *item->verdict;
	}
}

void rig_refresh(struct rig *rig, const char *names, struct rig_report *report)
{
	size_t n;
	struct view **views = rig_views(rig, names, &n);
	memset(report, 0, sizeof *report);
	engine_refresh(rig->eng, views, n, (struct engine_refresh_flags){.full = false}, VIEW_TRIGGER_MANUAL, rig_done,
	               report);
	CHECK(!report->done);
}

struct rig_report rig_refresh_now(struct rig *rig, const char *names)
{
	struct rig_report report;
	rig_refresh(rig, names, &report);
	RUN_UNTIL(rig, report.done);
	return report;
}

struct rig_report rig_create_now(struct rig *rig, const char *names)
{
	struct rig_report report = {.done = false};
	size_t n;
	struct view **views = rig_views(rig, names, &n);
	engine_create(rig->eng, views, n, rig_done, &report);
	RUN_UNTIL(rig, report.done);
	return report;
}

struct rig_report rig_drop_now(struct rig *rig, const char *names)
{
	struct rig_report report = {.done = false};
	size_t n;
	struct view **views = rig_views(rig, names, &n);
	engine_drop(rig->eng, views, n, rig_done, &report);
	RUN_UNTIL(rig, report.done);
	return report;
}
