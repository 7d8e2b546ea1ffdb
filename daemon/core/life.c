/* SPDX-License-Identifier: MIT
 *
 * life.c: an engine from its beginning to its end, and where the layers below tell their news.
 */
#include "core/runtime.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/engine/capture.h"
#include "core/engine/clock_step.h"
#include "core/engine/connect_check.h"
#include "core/engine/database.h"
#include "core/engine/on_due.h"
#include "core/engine/on_signal.h"
#include "core/engine/outcome.h"
#include "core/engine/side_jobs.h"
#include "core/engine/uninstall.h"
#include "core/exec/exec.h"
#include "core/exec/session.h"
#include "core/exec/watch.h"
#include "core/flow/flow_events.h"
#include "core/model/events.h"
#include "core/model/intern.h"
#include "core/model/pause.h"
#include "core/model/queue.h"
#include "core/plan/group_due.h"
#include "core/report/tally.h"
#include "core/turn/finish.h"
#include "core/turn/turn.h"
#include "plugin/host.h"

static void session_closed(struct engine *eng)
{
	if (--eng->count.sessions == 0 && eng->stop.stopping)
		turn_soon(eng); /* which tells it, after everybody who still waits for an end */
}

static void database_unused(struct database *db)
{
	database_free(&db);
}

static const struct exec_events exec_events = {
	.job_returned = finish_returned,
	.job_overdue = finish_overdue,
	.database_unused = database_unused,
	.session_closed = session_closed,
	.watch_opened = database_watch_opened,
	.watch_lost = database_watch_lost,
	.watch_looked = database_watch_looked,
	.watch_behind = database_watch_behind,
	.watch_signal = on_signal,
	.watch_closed = database_watch_closed,
};

static const struct flow_events flow_events = {
	.upstream_failed = outcome_upstream_failed,
	.not_needed = outcome_not_needed,
};

/* A suspended member holds its group. */
static void on_event(void *ctx UNUSED, const struct event *event)
{
	if (event->kind == EVENT_STATE && event->before == VIEW_STATE_SUSPENDED)
		group_replan(event->view);
}

struct engine *engine_new(const struct engine_parts *parts)
{
	struct engine *eng = mem_new(NULL, struct engine);
	eng->loop = parts->loop;
	eng->pool = parts->pool;
	eng->registry = parts->registry;
	eng->clock = parts->clock;
	eng->open.sessions.hints = file_hints_new(eng->loop);
	eng->open.sessions.watch_host = *host_services();
	eng->open.sessions.watch_host.ctx = eng->open.sessions.hints;
	eng->open.sessions.watch_host.hints = &file_hints_ops;
	eng->stop.fn = parts->on_idle;
	eng->stop.ctx = parts->on_idle_ctx;
	eng->state_dir = parts->state_dir != NULL ? mem_strdup(eng, parts->state_dir) : NULL;
	eng->count.started_us = engine_wall(eng);
	eng->texts = intern_new(eng);
	eng->news.exec = &exec_events;
	eng->news.flow = &flow_events;
	TAILQ_INIT(&eng->open.ended);
	eng->news.own.fn = on_event;
	event_listen(eng, &eng->news.own);
	tally_begin(eng);
	eng->due.timer = loop_timer_new(eng->loop, on_due, eng);
	eng->turn.timer = loop_timer_new(eng->loop, turn_run, eng);
	eng->captures.timer = loop_timer_new(eng->loop, capture_retry, eng);
	eng->open.sessions.sweep_timer = loop_timer_new(eng->loop, session_sweep, eng);
	clock_step_start(eng);
	pause_load(eng);
	return eng;
}

void engine_stop(struct engine *eng)
{
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_CANCELLED, "viewd is stopping");
	eng->stop.stopping = true;
	clock_step_stop(eng);
	loop_timer_clear(eng->due.timer);
	loop_timer_clear(eng->captures.timer);
	loop_timer_clear(eng->open.sessions.sweep_timer);
	for (size_t i = 0; i < eng->n_dbs; i++) {
		loop_timer_clear(eng->dbs[i]->probing.timer);
		watch_stop(eng->dbs[i]);
		session_close_idle(eng->dbs[i]);
		side_jobs_refuse_asked(eng->dbs[i], &err);
	}
	for (size_t i = 0; i < eng->n_views; i++) {
		wave_end_waiting(eng->views[i], WAVE_ALL, VIEW_RESULT_CANCELLED, &err);
		queue_remove(eng->views[i]);
	}
	struct job *job;
	LIST_FOREACH(job, &eng->open.begun, begun_link)
		job_cancel(job);
	for (size_t i = 0; i < eng->n_dbs; i++)
		connect_check_resolve(eng->dbs[i], false);
	finish_ended(eng);
	uninstall_stop(eng);
}

bool engine_stopping(const struct engine *eng)
{
	return eng->stop.stopping;
}

bool engine_idle(const struct engine *eng)
{
	return eng->count.sessions == 0 && eng->open.finished == NULL;
}

static void free_waiting_side_jobs(struct database *db)
{
	struct job *job;
	while ((job = TAILQ_FIRST(&db->work.side_jobs)) != NULL) {
		TAILQ_REMOVE(&db->work.side_jobs, job, link);
		job_free(&job);
	}
}

void engine_free(struct engine **eng_ptr)
{
	struct engine *eng = *eng_ptr;
	if (eng == NULL)
		return;
	*eng_ptr = NULL;
	clock_step_stop(eng);
	loop_timer_free(&eng->due.timer);
	loop_timer_free(&eng->captures.timer);
	loop_timer_free(&eng->open.sessions.sweep_timer);
	loop_timer_free(&eng->turn.timer);
	for (size_t i = 0; i < eng->n_dbs; i++) {
		free_waiting_side_jobs(eng->dbs[i]);
		loop_timer_free(&eng->dbs[i]->probing.timer);
		loop_timer_free(&eng->dbs[i]->work.connect_check_timer);
	}
	while (eng->open.finished != NULL) {
		struct wave *wave = eng->open.finished;
		eng->open.finished = wave->next;
		talloc_free(wave);
	}
	file_hints_free(&eng->open.sessions.hints);
	conf_unref(&eng->conf);
	talloc_free(eng);
}
