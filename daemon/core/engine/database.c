/* SPDX-License-Identifier: MIT */
#include "core/engine/database.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "core/engine/capture.h"
#include "core/engine/connect_check.h"
#include "core/engine/removal.h"
#include "core/engine/side_jobs.h"
#include "core/exec/session.h"
#include "core/exec/watch.h"
#include "core/flow/wave.h"
#include "core/plan/due.h"
#include "sched/backoff.h"

#include <string.h>

#define PROBE_BASE (1 * SPAN_SECOND)
#define PROBE_MAX (15 * SPAN_SECOND)
/* Waiting to take over, or for a promotion: a cheap question, asked often. */
#define PROBE_STANDBY (2 * SPAN_SECOND)
/* A password is not retried faster than this: servers lock accounts. */
#define PROBE_AUTH (60 * SPAN_SECOND)

void database_set_error(struct database *db, const struct viewd_err *err)
{
	if (err == NULL) {
		TALLOC_FREE(db->err);
		return;
	}
	if (db->err == NULL)
		db->err = mem_new(db, struct viewd_err);
	*db->err = *err;
}

static void probe_now(void *ctx)
{
	database_probe(ctx);
}

/* UNUSABLE when the plugin is absent or refuses the section, else DOWN: the first probe is still to come. */
static void find_dialect(struct database *db)
{
	struct viewd_err err = {.cls = VIEWD_ERR_OK};
	struct viewd_database_spec spec;
	db->dialect = registry_find(db->eng->registry, db->conf->dialect);
	conf_database_spec(db->conf, &spec);
	if (db->dialect == NULL) {
		err_set(&err, VIEWD_ERR_PLUGIN, "database '%s', the plugin for %s is not there or cannot be used",
		        db->conf->name, db->conf->dialect);
		err_hint(&err, "viewctl check tells what is wrong with it; start viewd again when it is mended");
	} else if (!db->dialect->check_database(&spec, &err))
		err_wrap(&err, "database '%s'", db->conf->name);
	db->state = err.cls == VIEWD_ERR_OK ? DB_DOWN : DB_UNUSABLE;
	database_set_error(db, err.cls == VIEWD_ERR_OK ? NULL : &err);
	if (err.cls != VIEWD_ERR_OK)
		log_error("%s", err.msg);
}

/* Drops the jobs of a probe that has come to nothing. A running one is not listened to any more, and nobody waits for
 * it. */
static void drop_prepare(struct database *db)
{
	struct job *job = TAILQ_FIRST(&db->work.side_jobs);
	if (db->probing.job != NULL)
		job_cancel(db->probing.job);
	db->probing.job = NULL;
	if (job == NULL || job->kind != JOB_PREPARE)
		return;
	TAILQ_REMOVE(&db->work.side_jobs, job, link);
	job_free(&job);
}

struct database *database_new(struct engine *eng, const struct conf_database *conf)
{
	struct database *db = mem_new(eng, struct database);
	db->eng = eng;
	db->conf = conf;
	db->warned = intern_new(db);
	db->counts = mem_new(db, struct database_counts);
	TAILQ_INIT(&db->work.queue);
	TAILQ_INIT(&db->work.side_jobs);
	TAILQ_INIT(&db->work.unopened);
	db->probing.timer = loop_timer_new(eng->loop, probe_now, db);
	db->work.connect_check_timer = loop_timer_new(eng->loop, connect_check_expired, db);
	find_dialect(db);
	return db;
}

/* Another server may hold other contents, and counts its changes anew: the next look tells. */
static void forget_contents(struct view *v)
{
	v->last.result = VIEW_RESULT_NONE;
	v->last.refresh_us = v->last.success_us = v->last.data_timestamp_us = v->last.duration_us =
		v->failure.unknown_since_us = 0;
	v->last.rows = v->last.rows_written = -1;
	v->timing.past = SCHEDULE_NO_PAST;
	v->change = (struct change){.first = 0};
}

void database_changed(struct database *db, const struct conf_database *conf)
{
	db->epoch++;
	watch_stop(db);
	session_close_idle(db);
	db->conf = conf;
	db->probing.was_up = db->uninstalled = false;
	db->probing.streak = 0;
	loop_timer_clear(db->probing.timer);
	drop_prepare(db);
	find_dialect(db);
	for (size_t i = 0; i < db->n_views; i++)
		forget_contents(db->views[i]);
	connect_check_resolve(db, false);
}

static void start_prepare(struct database *db);

void database_watch_closed(struct engine *eng)
{
	for (size_t i = 0; i < eng->n_dbs; i++)
		if (eng->dbs[i]->watch.waits && !watch_lingers(eng->dbs[i]))
			database_probe(eng->dbs[i]);
	turn_soon(eng); /* viewd may be about to leave it */
}

void database_probe(struct database *db)
{
	if (db->state != DB_DOWN || db->eng->stop.stopping)
		return;
	if (!db->watch.waits && db->dialect->capture != NULL && db->watch.watcher == NULL && watch_lingers(db)) {
		db->watch.waits = true; /* it holds the lock; should it not end, its server decides */
		loop_timer_set(db->probing.timer, PROBE_STANDBY);
		return;
	}
	db->watch.waits = false;
	loop_timer_clear(db->probing.timer);
	db->state = DB_PROBING;
	db->probing.n++;
	if (db->dialect->capture != NULL && db->watch.watcher == NULL)
		watch_start(db); /* first the lock, then anything that writes */
	else
		start_prepare(db);
}

void database_watch_opened(struct database *db)
{
	if (db->state == DB_PROBING)
		start_prepare(db);
}

static void start_prepare(struct database *db)
{
	struct job *job = job_new(db, NULL, JOB_PREPARE);
	job->label = mem_strdup(job, db->conf->name);
	job->in.probe = db->probing.n;
	TAILQ_INSERT_HEAD(&db->work.side_jobs, job, link);
	turn_soon(db->eng);
}

static void log_down(struct database *db, const struct viewd_err *err)
{
	bool news = db->err == NULL || db->err->cls != err->cls || strcmp(db->err->msg, err->msg) != 0;
	if (!news)
		return;
	log_event(err->cls == VIEWD_ERR_STANDBY ? VIEWD_LOG_WARNING : VIEWD_LOG_ERROR, "database '%s', %s (%s)%s%s",
	          db->conf->name, err->cls == VIEWD_ERR_STANDBY ? "stands by" : "cannot be used", err->msg,
	          err->hint[0] != '\0' ? "; " : "", err->hint);
}

/* Somebody waits at the other end of a request by hand: tell them rather than wait with them. */
static void fail_requests_by_hand(struct database *db)
{
	for (size_t i = 0; i < db->n_views; i++)
		wave_end_waiting(db->views[i], WAVE_BY_HAND, VIEW_RESULT_FAILED, db->err);
	side_jobs_refuse_asked(db, db->err);
}

static int64_t probe_delay(const struct database *db)
{
	if (db->err->cls == VIEWD_ERR_AUTH)
		return PROBE_AUTH;
	if (db->err->cls == VIEWD_ERR_STANDBY)
		return PROBE_STANDBY;
	return backoff_delay(PROBE_BASE, PROBE_MAX, db->probing.streak, (uint64_t)(uintptr_t)db);
}

static void schedule_probe(struct database *db)
{
	db->state = DB_DOWN;
	drop_prepare(db);
	db->probing.streak++;
	int64_t delay = probe_delay(db);
	db->probing.next_mono = engine_mono(db->eng) + delay;
	loop_timer_set(db->probing.timer, delay);
	for (size_t i = 0; i < db->n_views; i++)
		wave_release(db->views[i]);
}

void database_lost(struct database *db, const struct viewd_err *err)
{
	if (db->state != DB_UP || db->removed)
		return;
	log_down(db, err);
	database_set_error(db, err);
	watch_stop(db);
	session_close_idle(db);
	schedule_probe(db);
	connect_check_resolve(db, false);
}

static void probe_failed(struct database *db, const struct viewd_err *err)
{
	log_down(db, err);
	database_set_error(db, err);
	schedule_probe(db);
	fail_requests_by_hand(db);
}

void database_watch_lost(struct database *db, const struct viewd_err *err)
{
	if (db->state == DB_PROBING)
		probe_failed(db, err);
	else
		database_lost(db, err);
}

void database_watch_looked(struct database *db, uint64_t answered)
{
	db->watch.looked = true;
	db->watch.answered = answered;
	connect_check_resolve(db, true);
	event_tell(db->eng, &(struct event){.kind = EVENT_LOOKED, .db = db, .answered = answered});
	turn_soon(db->eng);
}

void database_watch_behind(struct database *db)
{
	db->watch.looked = false;
	connect_check_resolve(db, true);
}

/* Everything is looked at once; what vanished while the connection was away is not made again by itself. */
static void reconcile_all(struct database *db)
{
	const struct wave_spec spec = {
		.kind = JOB_RECONCILE,
		.order = WAVE_GUESSED,
		.trigger = VIEW_TRIGGER_INITIAL,
		.create_missing = !db->probing.was_up,
	};
	struct view **todo = mem_array(NULL, struct view *, db->n_views);
	size_t n = 0;
	for (size_t i = 0; i < db->n_views; i++)
		if (!db->views[i]->relation.refused && db->views[i]->conf->enabled)
			todo[n++] = db->views[i];
	if (n > 0)
		wave_start(db->eng, &spec, todo, n);
	talloc_free(todo);
}

static void say_rewound(struct database *db)
{
	log_warning("database '%s', it has gone back in time (a backup was restored?): everything is looked at anew",
	            db->conf->name);
	db->probing.rewound = db->probing.n;
}

void database_contents_rewound(struct database *db)
{
	if (db->probing.rewound != db->probing.n)
		say_rewound(db);
}

void database_rewound(struct database *db)
{
	say_rewound(db);
	capture_distrust(db);
	if (db->state == DB_UP) /* else that is about to happen */
		reconcile_all(db);
}

void database_prepared(struct job *job)
{
	struct database *db = job->db;
	/* The watch was lost, or the section changed, while it ran: another probe decides. */
	if (db->eng->stop.stopping || db->state != DB_PROBING || job->in.probe != db->probing.n)
		return;
	if (!job->out.ok) {
		probe_failed(db, &job->out.err);
		return;
	}
	if (db->err != NULL || !db->probing.was_up)
		log_info("database '%s', ready", db->conf->name);
	db->state = DB_UP;
	db->probing.streak = 0;
	database_set_error(db, NULL);
	for (size_t i = 0; i < db->n_views; i++)
		/* Another one may have led meanwhile, and no mark tells other databases of that */
		db->views[i]->capture.catch_up = true;
	capture_remember(db, job);
	removal_orphans(db, job);
	reconcile_all(db);
	db->probing.was_up = true;
}

void database_begin_uninstall(struct database *db, const struct viewd_err *err)
{
	db->epoch++; /* sessions that are at work do not come back */
	db->uninstalled = true;
	db->probing.was_up = false;
	watch_stop(db);
	session_close_idle(db);
	loop_timer_clear(db->probing.timer);
	drop_prepare(db);
	side_jobs_drop_waiting(db, err);
	db->state = DB_UNUSABLE;
	database_set_error(db, err);
	connect_check_resolve(db, false);
	if (db->work.side_job != NULL)
		job_cancel(db->work.side_job);
	for (size_t i = 0; i < db->n_views; i++) {
		struct view *v = db->views[i];
		if (v->job != NULL)
			job_cancel(v->job);
		v->relation.reconciled = v->capture.set_up = false;
		due_clear(v);
		wave_end_waiting(v, WAVE_ALL, VIEW_RESULT_FAILED, err);
		event_news(v, err);
	}
	turn_soon(db->eng);
}

struct database *database_find(struct engine *eng, const char *name)
{
	for (size_t i = 0; i < eng->n_dbs; i++)
		if (strcmp(eng->dbs[i]->conf->name, name) == 0)
			return eng->dbs[i];
	return NULL;
}

void database_undo_uninstall(struct database *db)
{
	db->uninstalled = false;
	find_dialect(db);
	database_probe(db);
}

void database_remove(struct database *db)
{
	struct viewd_err gone;
	err_set(&gone, VIEWD_ERR_CANCELLED, "database '%s' was removed from the configuration", db->conf->name);
	if (db->probing.was_up)
		log_info("database '%s', is no longer configured, and what viewd has put into it stays; with a file that has "
		         "its section, viewctl uninstall %s -c FILE takes that out",
		         db->conf->name, db->conf->name);
	loop_timer_clear(db->probing.timer);
	watch_stop(db);
	db->work.n_jobs++; /* so that the last waiting job does not free it under us */
	side_jobs_drop_waiting(db, &gone);
	db->removed = true;
	db->last_conf = conf_ref(db->eng->conf);
	session_close_idle(db);
	connect_check_resolve(db, false);
	if (--db->work.n_jobs == 0)
		database_free(&db);
}

void database_free(struct database **db_ptr)
{
	struct database *db = *db_ptr;
	event_tell(db->eng, &(struct event){.kind = EVENT_DATABASE_GONE, .db = db});
	*db_ptr = NULL;
	loop_timer_free(&db->probing.timer);
	loop_timer_free(&db->work.connect_check_timer);
	session_close_idle(db);
	conf_unref(&db->last_conf);
	talloc_free(db);
}
