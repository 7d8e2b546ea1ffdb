/* SPDX-License-Identifier: MIT */
#include "core/exec/session.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/span.h"
#include "conf/snapshot/login.h"
#include "core/exec/exec.h"
#include "plugin/host.h"

#include <malloc.h>

/* An idle connection this young is trusted; an older one is asked first. So is one from before the last probe: the
 * database may be served by another server since. */
#define TRUSTED_IDLE (5 * SPAN_SECOND)
/* Sessions and watches that may stay open. With more of them, a session that nobody has used for some time is closed:
 * each one takes memory and files here, and a place on its server. */
#define SESSIONS_KEPT 100
#define IDLE_MAX (60 * SPAN_SECOND)

static void take_conf(struct session *s, const struct database *db)
{
	if (s->conf_db == db->conf)
		return;
	conf_unref(&s->conf);
	s->conf = conf_ref(db->eng->conf);
	s->conf_db = db->conf;
}

void session_adopt_conf(struct database *db)
{
	for (struct session *s = db->work.idle; s != NULL; s = s->next)
		take_conf(s, db);
}

struct session *session_take(struct database *db)
{
	struct session *s = db->work.idle;
	if (s != NULL) {
		db->work.idle = s->next;
		s->next = NULL;
		s->doubted = s->probe != db->probing.n;
	} else {
		s = mem_new(NULL, struct session);
		s->eng = db->eng;
		s->dialect = db->dialect;
		s->epoch = db->epoch;
		take_conf(s, db);
		db->eng->count.sessions++;
	}
	s->probe = db->probing.n;
	s->in_job = true;
	return s;
}

static bool session_open(struct session *s, struct viewd_err *err)
{
	struct login login;
	if (login_begin(&login, s->conf_db, NULL, err))
		s->conn = s->dialect->open(host_services(), &login.spec, err);
	login_end(&login);
	return s->conn != NULL;
}

bool session_ready(struct session *s, int64_t now_mono, struct viewd_err *err)
{
	bool trusted = !s->doubted && now_mono - s->idle_since_mono <= TRUSTED_IDLE;
	if (s->conn != NULL && !trusted && !s->dialect->alive(s->conn)) {
		s->dead = s->conn;
		s->conn = NULL;
	}
	return (s->conn != NULL || session_open(s, err)) && !session_cancelled(s, err);
}

bool session_cancelled(struct session *s, struct viewd_err *err)
{
	if (!s->cancelled)
		return false;
	err_set(err, VIEWD_ERR_CANCELLED, "cancelled on request");
	return true;
}

static void session_free(struct session *s)
{
	struct engine *eng = s->eng;
	conf_unref(&s->conf);
	talloc_free(s);
	eng->news.exec->session_closed(eng);
}

/* Closing may talk to a server: a worker does it. */
struct close_task {
	struct worker_task task;
	struct session *session;
};

static void close_run(struct worker_task *task)
{
	struct session *s = CONTAINER_OF(task, struct close_task, task)->session;
	struct viewd_conn *conn = s->conn;
	s->conn = NULL;
	s->dialect->close(&conn);
	s->dialect->close(&s->dead);
}

static void close_done(struct worker_task *task)
{
	struct close_task *ct = CONTAINER_OF(task, struct close_task, task);
	session_free(ct->session);
	talloc_free(ct);
}

static void session_close(struct session *s)
{
	if (s->conn == NULL && s->dead == NULL) {
		session_free(s);
		return;
	}
	struct close_task *ct = mem_new(NULL, struct close_task);
	ct->session = s;
	ct->task = (struct worker_task){
		.run = close_run,
		.done = close_done,
		.threads = s->dialect->threads,
	};
	worker_submit(s->eng->pool, &ct->task);
}

void session_give_back(struct session *s, struct database *db)
{
	s->in_job = false;
	if (s->n_cancels > 0)
		return; /* the last cancel closes it */
	if (s->conn == NULL || s->dead != NULL || s->broken || db->removed || db->epoch != s->epoch ||
	    s->eng->stop.stopping) {
		session_close(s);
		return;
	}
	take_conf(s, db);
	s->idle_since_mono = engine_mono(s->eng);
	s->next = db->work.idle;
	db->work.idle = s;
	session_plan_sweep(s->eng);
}

void session_plan_sweep(struct engine *eng)
{
	if (eng->open.sessions.sweep_planned || eng->count.sessions <= SESSIONS_KEPT)
		return;
	eng->open.sessions.sweep_planned = true;
	loop_timer_set(eng->open.sessions.sweep_timer, IDLE_MAX);
}

/* Closes those of one database; returns how many stay. */
static size_t close_unused(struct database *db, int64_t before)
{
	size_t kept = 0;
	for (struct session **at = &db->work.idle; *at != NULL;) {
		struct session *s = *at;
		if (s->idle_since_mono > before) {
			at = &s->next;
			kept++;
			continue;
		}
		*at = s->next;
		session_close(s);
	}
	return kept;
}

static void trim_run(struct worker_task *task UNUSED)
{
	malloc_trim(0);
}

static void trim_done(struct worker_task *task)
{
	talloc_free(task);
}

/* free() gives only the ends of heaps back. This comes after the tasks that close sessions, and takes milliseconds. */
static void trim_memory(struct engine *eng)
{
	struct worker_task *task = mem_new(NULL, struct worker_task);
	*task = (struct worker_task){.run = trim_run, .done = trim_done};
	worker_submit(eng->pool, task);
}

void session_sweep(void *ctx)
{
	struct engine *eng = ctx;
	int64_t before = engine_mono(eng) - IDLE_MAX;
	size_t kept = 0;
	eng->open.sessions.sweep_planned = false;
	for (size_t i = 0; i < eng->n_dbs && eng->count.sessions > SESSIONS_KEPT; i++)
		kept += close_unused(eng->dbs[i], before);
	if (kept > 0)
		session_plan_sweep(eng);
	trim_memory(eng);
}

struct cancel_task {
	struct worker_task task;
	struct session *session;
};

static void cancel_run(struct worker_task *task)
{
	struct session *s = CONTAINER_OF(task, struct cancel_task, task)->session;
	struct viewd_conn *conn = s->conn;
	if (conn != NULL)
		s->dialect->cancel(conn);
}

static void cancel_done(struct worker_task *task)
{
	struct cancel_task *ct = CONTAINER_OF(task, struct cancel_task, task);
	struct session *s = ct->session;
	talloc_free(ct);
	if (--s->n_cancels == 0 && !s->in_job)
		session_close(s);
}

void session_cancel(struct session *s)
{
	if (s->n_cancels > 0)
		return; /* one is on its way */
	/* A late cancel could hit the next statement: the session is not used again. */
	s->broken = true;
	s->cancelled = true;
	s->n_cancels++;
	struct cancel_task *ct = mem_new(NULL, struct cancel_task);
	ct->session = s;
	ct->task = (struct worker_task){
		.run = cancel_run,
		.done = cancel_done,
		.threads = s->dialect->threads,
		.lasting = true, /* a server that takes the request and never answers keeps the thread */
	};
	worker_submit(s->eng->pool, &ct->task);
}

void session_close_idle(struct database *db)
{
	while (db->work.idle != NULL) {
		struct session *s = db->work.idle;
		db->work.idle = s->next;
		session_close(s);
	}
}
