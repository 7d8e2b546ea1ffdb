/* SPDX-License-Identifier: MIT */
#include "core/engine/capture.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "core/exec/watch.h"
#include "core/flow/ready.h"
#include "core/model/edges.h"
#include "core/model/record.h"
#include "core/model/views.h"
#include "core/plan/change.h"
#include "core/plan/due.h"
#include "core/plan/freshness.h"

#include <string.h>

#define TRY_AGAIN (30 * SPAN_SECOND)
#define TRY_SOON SPAN_SECOND
#define PATIENCE (2 * SPAN_SECOND)

/* ---- what should be noticed ------------------------------------------------------------------------------------- */

static bool wants(const struct view *v)
{
	return v->conf->on_change && v->conf->capture != VIEWD_CAPTURE_NONE && v->conf->enabled && v->relation.reconciled &&
	       v->relation.method != VIEWD_METHOD_SIMPLE;
}

/* Is it an instance of ours, whose refreshes leave marks themselves? Plain views change with what they read, which is
 * listed too. */
static bool is_upstream(const struct view *v, const struct source *src)
{
	for (size_t i = 0; i < v->graph.n_up; i++) {
		const struct view *up = v->graph.up[i];
		if (up->db == v->db && up->relation.method != VIEWD_METHOD_SIMPLE && view_stands_at(up, src->schema, src->name))
			return true;
	}
	return false;
}

/* FNV-1a (Fowler, Noll, Vo), 64 bits: only ever compared with another of the same run. */
static uint64_t digest_text(uint64_t h, const char *text)
{
	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

static uint64_t digest(const struct view *v)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) + (uint64_t)v->conf->capture;
	for (size_t i = 0; i < v->conf->sources.n; i++)
		h = digest_text(h, v->conf->sources.items[i]);
	for (size_t i = 0; i < v->reads.n_sources; i++) {
		h = digest_text(digest_text(h, v->reads.sources[i].schema), v->reads.sources[i].name);
		h += is_upstream(v, &v->reads.sources[i]);
	}
	return h;
}

static bool needs_job(struct view *v)
{
	if (v->db->state != DB_UP || v->db->dialect->capture == NULL || v->relation.refused)
		return false;
	return wants(v) ? digest(v) != v->capture.digest
	                : v->capture.set_up && (v->relation.reconciled || !v->conf->enabled);
}

/* One review when all is set up is cheaper than one after each, but what is ready does not wait for a fill that takes
 * hours, nor for a database that has gone away. */
static bool waits_for_setting_up(struct engine *eng)
{
	if (eng->open.n_reconciling == 0 || eng->captures.pressing)
		return false;
	if (!eng->captures.wait)
		loop_timer_set(eng->captures.timer, PATIENCE);
	eng->captures.wait = true;
	return true;
}

void capture_review(struct engine *eng)
{
	if (!eng->captures.dirty || eng->stop.stopping || waits_for_setting_up(eng))
		return;
	eng->captures.pressing = eng->captures.wait = false;
	eng->captures.dirty = false;
	edges_update(eng);
	eng->captures.dirty = false; /* rebuilding edges is no news */
	struct view **todo = mem_array(NULL, struct view *, eng->n_views);
	size_t n = 0;
	for (size_t i = 0; i < eng->n_views; i++) {
		if (eng->views[i]->relation.reconciled)
			change_catch_up(eng->views[i]);
		if (needs_job(eng->views[i]))
			todo[n++] = eng->views[i];
	}
	const struct wave_spec spec = {.kind = JOB_CAPTURE, .order = WAVE_ANY};
	if (n > 0)
		wave_start(eng, &spec, todo, n);
	talloc_free(todo);
}

/* ---- the job ---------------------------------------------------------------------------------------------------- */

static void add_source(struct job *job, struct viewd_source **list, size_t *n, const struct source *src)
{
	*list = mem_grow(job, *list, struct viewd_source, *n + 1);
	(*list)[(*n)++] = (struct viewd_source){
		.schema = mem_strdup(job, src->schema), .name = mem_strdup(job, src->name), .kind = src->kind};
}

void capture_describe(struct job *job)
{
	const struct view *v = job->view;
	struct viewd_source *base = NULL, *upstream = NULL;
	size_t n_base = 0, n_upstream = 0;
	bool wanted = wants(v);
	/* Edges that are merely old are put right by the next review; bringing them up to date for each of thousands takes
	 * minutes. */
	if (v->eng->edges.gone)
		edges_update(v->eng);
	for (size_t i = 0; i < v->reads.n_sources && wanted; i++)
		if (is_upstream(v, &v->reads.sources[i]))
			add_source(job, &upstream, &n_upstream, &v->reads.sources[i]);
		else if (v->reads.sources[i].kind != VIEWD_KIND_VIEW)
			add_source(job, &base, &n_base, &v->reads.sources[i]);
	job->in.capture = (struct viewd_capture_request){
		.struct_size = sizeof job->in.capture,
		.mode = wanted ? (enum viewd_capture)v->conf->capture : VIEWD_CAPTURE_NONE,
		.sources = base,
		.n_sources = n_base,
		.kept = upstream,
		.n_kept = n_upstream,
		.names = v->conf->sources.items,
		.n_names = v->conf->sources.n,
	};
	job->in.capture_digest = wanted ? digest(v) : 0;
}

/* The first view that a cause concerns is named; why tells the others. */
static void tell_warning(struct view *v, const char *line)
{
	if (intern_has(v->db->warned, line))
		return;
	intern(v->db->warned, line);
	log_warning("view '%s', %s", v->label, line);
}

/* A database that comes back is set up again, and nothing else is wrong with it than before. */
static void tell_warnings(struct view *v, const char *warnings)
{
	for (const char *line = warnings; line != NULL && *line != '\0'; line += strcspn(line, "\n") + 1) {
		char *one = mem_need(talloc_strndup(NULL, line, strcspn(line, "\n")));
		tell_warning(v, one);
		talloc_free(one);
	}
}

/* A dialect that tells no list is believed to hear what it was asked to notice (viewd_capture_request). */
static void believe(struct job *job)
{
	bool deaf = job->out.capture.as.mode == VIEWD_CAPTURE_NONE;
	enum viewd_heard heard = deaf                                               ? VIEWD_HEARD_NONE
	                         : job->out.capture.as.mode == VIEWD_CAPTURE_BINLOG ? VIEWD_HEARD_BINLOG
	                         : job->out.capture.as.mode == VIEWD_CAPTURE_POLL   ? VIEWD_HEARD_POLL
	                                                                            : VIEWD_HEARD_TRIGGER;
	const struct viewd_capture_request *req = &job->in.capture;
	job->out.capture.depends = mem_array(job, struct view_dependency, req->n_sources + req->n_kept);
	for (size_t i = 0; i < req->n_sources; i++)
		job->out.capture.depends[job->out.capture.n_depends++] =
			(struct view_dependency){req->sources[i].name, VIEWD_DEPENDS_TABLE, heard, NULL};
	for (size_t i = 0; i < req->n_kept; i++)
		job->out.capture.depends[job->out.capture.n_depends++] =
			(struct view_dependency){req->kept[i].name, VIEWD_DEPENDS_TABLE, VIEWD_HEARD_KEPT, NULL};
}

static void take_dependencies(struct job *job)
{
	struct view *v = job->view;
	struct intern *texts = v->eng->texts;
	if (job->out.capture.depends == NULL)
		believe(job);
	TALLOC_FREE(v->reads.depends);
	v->reads.n_depends = (uint32_t)job->out.capture.n_depends;
	v->reads.depends = mem_array(v, struct view_dependency, job->out.capture.n_depends);
	for (size_t i = 0; i < job->out.capture.n_depends; i++) {
		const struct view_dependency *d = &job->out.capture.depends[i];
		v->reads.depends[i] = (struct view_dependency){intern(texts, d->name), d->kind, d->heard_by,
		                                               d->reason != NULL ? intern(texts, d->reason) : NULL};
	}
}

/* Tells, once a list, what nothing hears, and which key would help. */
static void tell_unheard(struct view *v, struct job *job)
{
	const char *help = freshness_help(v), *before = job->out.capture.warnings;
	char *names = mem_strdup(job, "");
	size_t n = 0;
	for (size_t i = 0; i < v->reads.n_depends; i++)
		if (v->reads.depends[i].heard_by == VIEWD_HEARD_NONE && n++ < 5)
			names = mem_printf(job, "%s%s%s", names, names[0] != '\0' ? ", " : "", v->reads.depends[i].name);
	if (n == 0)
		return;
	job->out.capture.warnings =
		mem_printf(job, "%snothing tells of changes of %s%s: its freshness is UNKNOWN%s%s\n",
	               before != NULL ? before : "", names, n > 5 ? " and others" : "", help[0] != '\0' ? "; " : "", help);
}

void capture_done(struct job *job)
{
	struct view *v = job->view;
	talloc_free(v->capture.reason);
	if (job->out.ok) {
		v->capture.warnings =
			job->out.capture.warnings != NULL ? intern(v->eng->texts, job->out.capture.warnings) : NULL;
		take_dependencies(job);
		tell_unheard(v, job);
	}
	tell_warnings(v, job->out.capture.warnings);
	if (!job->out.ok) {
		v->capture.reason = mem_printf(v, "changes cannot be noticed (%s)", job->out.err.msg);
		log_error("view '%s', %s%s%s", v->label, v->capture.reason, job->out.err.hint[0] != '\0' ? "; " : "",
		          job->out.err.hint);
		view_set_error(v, &job->out.err);
		v->failure.of_capture = true;
		loop_timer_set(v->eng->captures.timer, err_class_retries(job->out.err.cls) ? TRY_SOON : TRY_AGAIN);
		v->capture.failed = true;
		if (v->conf->target_lag > 0 && v->relation.reconciled)
			due_schedule(v);
		return;
	}
	v->capture.failed = false;
	if (v->failure.of_capture)
		view_set_error(v, NULL);
	change_forget_marks(v);
	/* A capture that was overtaken by a redefinition may have read the older one: another one follows. */
	v->capture.digest = job->in.redefined == v->capture.redefined ? job->in.capture_digest : 0;
	v->capture.set_up = job->in.capture_digest != 0;
	v->capture.mode = job->out.capture.as.mode;
	v->capture.reason = job->out.capture.as.reason[0] != '\0' ? mem_strdup(v, job->out.capture.as.reason) : NULL;
	if (v->conf->target_lag > 0 && v->relation.reconciled)
		due_schedule(v);
	v->capture.look = watch_ask_lasting(v->db);
}

void capture_retry(void *engine)
{
	struct engine *eng = engine;
	eng->captures.dirty = eng->captures.pressing = true;
	turn_soon(eng);
}

/* The sources are looked up first, so that the capture knows which of them viewd keeps; the review that follows starts
 * the capture. */
void capture_redefined(struct view *view)
{
	const struct wave_spec spec = {.kind = JOB_RECONCILE, .order = WAVE_ANY, .trigger = VIEW_TRIGGER_CHANGE};
	view->capture.digest = 0;
	view->capture.redefined++;
	if (!view->removed && view->conf->enabled && !view->eng->stop.stopping && !wave_waits_for_setup(view))
		wave_start(view->eng, &spec, &view, 1);
}

void capture_remember(struct database *db, const struct job *prepared)
{
	for (size_t i = 0; i < prepared->out.n_recorded; i++) {
		struct view *v = views_find(db->eng, prepared->out.recorded[i].name, db->conf->name);
		if (v != NULL)
			v->capture.set_up = prepared->out.recorded[i].captured;
	}
	capture_distrust(db);
}

void capture_distrust(struct database *db)
{
	for (size_t i = 0; i < db->n_views; i++) {
		db->views[i]->capture.digest = 0;
		db->views[i]->capture.redefined++;
		change_forget_marks(db->views[i]);
	}
	db->eng->captures.dirty = true;
}
