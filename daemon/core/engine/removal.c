/* SPDX-License-Identifier: MIT */
#include "core/engine/removal.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/engine/side_jobs.h"
#include "core/flow/wave.h"
#include "core/model/edges.h"
#include "core/model/pause.h"
#include "core/model/queue.h"
#include "core/model/views.h"
#include "core/plan/due.h"

#include <string.h>

/* Copies the texts of one. An object that is not dropped has its capture taken away (uncapture). */
static void add_recorded(struct job *job, const struct recorded_copy *one, bool drop)
{
	job->out.recorded = mem_grow(job, job->out.recorded, struct recorded_copy, job->out.n_recorded + 1);
	struct recorded_copy *copy = &job->out.recorded[job->out.n_recorded++];
	*copy = *one;
	copy->name = mem_strdup(job, one->name);
	copy->relation = mem_strdup(job, one->relation);
	copy->drop = drop;
	copy->uncapture = !drop;
}

/* One job a database collects all drops that come up together, so that they are tried in every order that works. */
static struct job *collecting_job(struct database *db)
{
	struct job *job;
	TAILQ_FOREACH(job, &db->work.side_jobs, link)
		if (job->kind == JOB_DROP_RECORDED)
			return job;
	job = job_new(db, NULL, JOB_DROP_RECORDED);
	job->label = mem_strdup(job, db->conf->name);
	side_jobs_add(db, job);
	return job;
}

/* The view whose section went and came back while something of the old one was still under way, or NULL: the object is
 * the new one's. */
static struct view *returned(const struct database *db, const char *name)
{
	return db->removed || db->section_going ? NULL : views_find(db->eng, name, db->conf->name);
}

static void hand_over(const struct view *old, struct view *now)
{
	now->capture.set_up |= old->capture.set_up;
	now->eng->captures.dirty = true;
}

/* Why nothing in the database can be dropped or released for the instance, or NULL. */
static char *hindrance(const struct view *view)
{
	if (view->db->section_going)
		return mem_printf(view, "database '%s' is no longer configured either", view->db->conf->name);
	if (view->db->state == DB_UNUSABLE)
		return mem_printf(view, "database '%s' cannot be used", view->db->conf->name);
	return view->relation.refused ? mem_strdup(view, "its section was refused") : NULL;
}

static void tell_stays(const struct view *view, const char *hindrance)
{
	if (view->conf->on_remove == CONF_REMOVE_DROP)
		log_warning("view '%s', no longer configured; the object stays although on_remove = drop (%s)", view->label,
		            hindrance);
	else
		log_info("view '%s', no longer configured; the object stays (on_remove = keep)", view->label);
}

void removal_finish(struct view *view)
{
	const char *hinders = hindrance(view);
	bool can_drop = hinders == NULL && view->relation.name != NULL;
	const struct recorded_copy own = {.name = view->conf->name,
	                                  .relation = view->relation.text,
	                                  .method = view->relation.method,
	                                  .lock_timeout = view->conf->lock_timeout};
	struct view *now = returned(view->db, view->conf->name);
	if (now != NULL)
		hand_over(view, now);
	else if (view->relation.followed)
		log_info("view '%s', goes on under another name (renamed_from)", view->label);
	else if (view->conf->on_remove == CONF_REMOVE_DROP && can_drop)
		add_recorded(collecting_job(view->db), &own, true);
	else if (can_drop && view->capture.set_up)
		add_recorded(collecting_job(view->db), &own, false);
	else if (view->relation.name != NULL)
		tell_stays(view, hinders);
	conf_unref(&view->last_conf);
	wave_forget(view);
	talloc_free(view);
}

void removal_view(struct view *view)
{
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_CANCELLED, "view '%s' was removed from the configuration", view->label);
	view->last_conf = conf_ref(view->eng->conf);
	pause_leave(view->eng, view);
	queue_remove(view);
	due_clear(view);
	wave_end_waiting(view, WAVE_ALL, VIEW_RESULT_CANCELLED, &err);
	event_tell(view->eng, &(struct event){.kind = EVENT_GONE, .view = view, .db = view->db, .err = &err});
	edges_invalidate(view->eng);
	if (view->job == NULL)
		removal_finish(view);
}

void removal_orphans(struct database *db, const struct job *prepared)
{
	for (size_t i = 0; i < prepared->out.n_recorded; i++) {
		const struct recorded_copy *r = &prepared->out.recorded[i];
		if (views_find(db->eng, r->name, db->conf->name) != NULL ||
		    conf_find_follower(db->eng->conf, r->name, db->conf->name) != NULL)
			continue;
		if (r->drop)
			add_recorded(collecting_job(db), r, true);
		else if (r->captured && db->dialect->capture != NULL)
			add_recorded(collecting_job(db), r, false);
		else
			log_info("view '%s', made by an earlier configuration of database '%s', stays (on_remove = keep)", r->name,
			         db->conf->name);
	}
}

void removal_spare_returned(struct job *job)
{
	size_t kept = 0;
	for (size_t i = 0; i < job->out.n_recorded; i++)
		if (returned(job->db, job->out.recorded[i].name) == NULL)
			job->out.recorded[kept++] = job->out.recorded[i];
	job->out.n_recorded = kept;
}

/* Came back while the job ran: what it has just lost is made again. */
static void make_returned(const struct job *job)
{
	const struct wave_spec spec = {
		.kind = JOB_RECONCILE, .order = WAVE_GUESSED, .trigger = VIEW_TRIGGER_INITIAL, .create_missing = true};
	for (size_t i = 0; i < job->out.n_recorded; i++) {
		struct view *view = returned(job->db, job->out.recorded[i].name);
		if (view == NULL || view->relation.refused || !view->conf->enabled)
			continue;
		view->capture.set_up = false;
		view->capture.digest = 0;
		wave_start(job->eng, &spec, &view, 1);
	}
}

void removal_dropped(const struct job *job)
{
	for (size_t i = 0; i < job->out.n_recorded; i++)
		if (job->out.recorded[i].uncapture)
			log_info("view '%s', no longer configured; the object stays (on_remove = keep)", job->out.recorded[i].name);
		else if (!job->out.recorded[i].drop)
			log_info("view '%s', no longer configured: dropped (on_remove = drop)", job->out.recorded[i].name);
		else
			log_error("view '%s', no longer configured, cannot be dropped (%s)", job->out.recorded[i].name,
			          job->out.err.msg);
	make_returned(job);
}
