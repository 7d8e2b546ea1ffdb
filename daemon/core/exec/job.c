/* SPDX-License-Identifier: MIT */
#include "core/exec/job.h"

#include "base/mem.h"
#include "base/span.h"
#include "core/exec/exec.h"
#include "core/exec/session.h"

/* The server's own limit comes first; this is for when it does not. */
#define DEADLINE_GRACE (2 * SPAN_SECOND)
/* Long enough to write down that it was cancelled, which must not be cancelled too. */
#define CANCEL_AGAIN SPAN_SECOND

struct job *job_new(struct database *db, struct view *view, enum job_kind kind)
{
	struct job *job = mem_new(NULL, struct job);
	job->kind = kind;
	job->eng = db->eng;
	job->db = db;
	db->work.n_jobs++;
	job->view = view;
	job->conf = conf_ref(db->eng->conf);
	conf_database_spec(db->conf, &job->in.db_spec);
	if (view != NULL) {
		job->conf_view = view->conf;
		job->label = mem_strdup(job, view->label);
		if (db->dialect != NULL)
			conf_view_spec(view->conf, db->dialect->name, &job->in.spec);
	}
	return job;
}

static void deadline_passed(void *ctx)
{
	struct job *job = ctx;
	job->eng->news.exec->job_overdue(job);
}

static void arm_deadline(struct job *job)
{
	bool limited = job->kind == JOB_REFRESH || job->kind == JOB_REFRESH_GROUP || job->kind == JOB_RECONCILE;
	int64_t limit = limited ? job->in.spec.timeout_us : 0;
	if (limit <= 0)
		return;
	job->run.deadline = loop_timer_new(job->eng->loop, deadline_passed, job);
	loop_timer_set(job->run.deadline, limit + job->in.db_spec.connect_timeout_us + DEADLINE_GRACE);
}

static void come_back(struct worker_task *task)
{
	struct job *job = CONTAINER_OF(task, struct job, task);
	job->eng->news.exec->job_returned(job);
}

void job_start(struct job *job)
{
	job->session = session_take(job->db);
	job->in.epoch = job->db->epoch;
	if (job->kind != JOB_PREPARE)
		job->in.probe = job->db->probing.n;
	job->in.now_mono = engine_mono(job->eng);
	job->run.started_wall = engine_wall(job->eng);
	job->task = (struct worker_task){
		.run = job_run,
		.done = come_back,
		.threads = job->db->dialect->threads,
	};
	arm_deadline(job);
	job->run.begun = true;
	LIST_INSERT_HEAD(&job->eng->open.begun, job, begun_link);
	worker_submit(job->eng->pool, &job->task);
}

static void cancel(void *ctx)
{
	struct job *job = ctx;
	session_cancel(job->session);
	loop_timer_set(job->run.cancel_timer, job->run.cancel_wait);
	job->run.cancel_wait *= 2;
}

void job_cancel(struct job *job)
{
	if (job->run.cancelled)
		return;
	job->run.cancelled = true;
	if (job->session == NULL)
		return;
	job->run.cancel_timer = loop_timer_new(job->eng->loop, cancel, job);
	job->run.cancel_wait = CANCEL_AGAIN;
	cancel(job);
}

void job_disarm(struct job *job)
{
	loop_timer_free(&job->run.deadline);
	loop_timer_free(&job->run.cancel_timer);
	job->session = NULL;
}

void job_free(struct job **job_ptr)
{
	struct job *job = *job_ptr;
	if (job == NULL)
		return;
	*job_ptr = NULL;
	struct database *db = job->db;
	job_disarm(job);
	if (job->run.begun)
		LIST_REMOVE(job, begun_link);
	conf_unref(&job->conf);
	talloc_free(job);
	if (--db->work.n_jobs == 0 && db->removed)
		db->eng->news.exec->database_unused(db);
}
