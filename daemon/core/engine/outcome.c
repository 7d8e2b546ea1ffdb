/* SPDX-License-Identifier: MIT */
#include "core/engine/outcome.h"

#include "base/err.h"
#include "base/log.h"
#include "base/span.h"
#include "base/words.h"
#include "conf/snapshot/show.h"
#include "core/engine/capture.h"
#include "core/engine/database.h"
#include "core/engine/group_align.h"
#include "core/engine/inspection.h"
#include "core/model/record.h"
#include "core/plan/change.h"
#include "core/plan/due.h"
#include "core/plan/timing.h"
#include "sched/backoff.h"

#include <string.h>
#include <talloc.h>

/* Credentials and full disks do not mend themselves in seconds. */
#define SLOW_RETRY (30 * SPAN_SECOND)
/* A view that could not be set up is tried again at this pace: what it needs may appear. */
#define SETUP_RETRY (5 * SPAN_SECOND)
#define SETUP_RETRY_MAX (5 * SPAN_MINUTE)

static void set_reason(struct view *view, const char *reason)
{
	if (view->last.reason == NULL || strcmp(view->last.reason, reason) != 0)
		view->last.reason = reason[0] != '\0' ? intern(view->eng->texts, reason) : NULL;
}

/* The engine has one writer at a time, and somebody else has been it for longer than lock_timeout: no fault of the
 * view. */
static bool waits_for_writer(const struct view *view, const struct viewd_err *err)
{
	const struct viewd_dialect *dialect = view->db->dialect;
	return err->cls == VIEWD_ERR_CONFLICT && dialect != NULL && (dialect->caps & VIEWD_CAP_SINGLE_WRITER) != 0;
}

/* An error whose text is the last one's is not worth a second line. */
static void log_failure(const struct view *view, const char *what, const struct viewd_err *err)
{
	char code[16];
	const char *c = err_code(err, code);
	if (view->failure.err != NULL && view->failure.err->cls == err->cls &&
	    strcmp(view->failure.err->msg, err->msg) == 0) {
		log_debug("view '%s', %s failed again (%s)", view->label, what, err->msg);
		return;
	}
	log_error("view '%s', %s failed (%s%s%s: %s)%s%s", view->label, what, err_class_word(err->cls),
	          c[0] != '\0' ? " " : "", c, err->msg, err->hint[0] != '\0' ? "; " : "", err->hint);
}

/* ---- success --------------------------------------------------------------------------------------------------- */

static void take_success(struct job *job, enum view_trigger trigger)
{
	struct view *view = job->view;
	view->last.trigger = trigger;
	view->last.result = VIEW_RESULT_SUCCEEDED;
	view->last.did = (int)job->out.outcome.did;
	view->last.refresh_us = view->last.success_us = job->run.started_wall + job->out.duration_us;
	view->last.data_timestamp_us =
		job->out.outcome.data_timestamp_us != 0 ? job->out.outcome.data_timestamp_us : job->run.started_wall;
	view->last.duration_us = job->out.duration_us;
	view->last.success_run = job->in.request.run_id;
	view->last.rows = job->out.outcome.rows;
	view->last.rows_written = job->out.outcome.rows_written;
	view->timing.past.data = job->in.now_mono;
	if (!job->out.outcome.from_logs)
		view->timing.past.all_rows = job->in.now_mono;
	view->timing.past.last_end = job->in.now_mono + job->out.duration_us;
	schedule_learn(&view->timing.past.runs, job->out.duration_us);
	const struct schedule schedule = timing_schedule(view);
	schedule_served(&schedule, &view->timing.past,
	                (struct schedule_clock){.mono = job->in.now_mono, .wall = job->run.started_wall});
	view->failure.consecutive = view->failure.retries = view->failure.losses = 0;
	view->failure.unknown_since_us = 0;
	view->eng->count.runs++;
	set_reason(view, job->out.outcome.reason);
	view_take_nodes(view, &job->out.explained.facts, job->out.explained.n);
	due_unset(view, DUE_RETRY);
	view_set_error(view, NULL);
	view_set_state(view, view->paused ? VIEW_STATE_PAUSED : VIEW_STATE_ACTIVE);
	const struct event_run run = {
		.trigger = trigger,
		.result = view->last.result,
		.did = view->last.did,
		.rows = view->last.rows,
		.rows_written = view->last.rows_written,
		.duration_us = view->last.duration_us,
	};
	event_run(view, &run);
	event_news(view, NULL);
	log_debug("view '%s', refreshed (%s, %lld rows, %.1f ms)", view->label, word_did(job->out.outcome.did),
	          (long long)job->out.outcome.rows, (double)job->out.duration_us / 1e3);
}

/* ---- failure --------------------------------------------------------------------------------------------------- */

static int64_t retry_base(const struct view *view, const struct viewd_err *err)
{
	bool slow = err->cls == VIEWD_ERR_AUTH || err->cls == VIEWD_ERR_RESOURCE;
	return slow && view->conf->retry_backoff < SLOW_RETRY ? SLOW_RETRY : view->conf->retry_backoff;
}

/* A view that waits for another writer has waited long by now. It is tried again at the first pace, as often as it
 * takes. */
static void plan_retry(struct view *view, const struct viewd_err *err)
{
	bool waits = waits_for_writer(view, err);
	due_schedule(view);
	if (!due_allowed(view) || !err_class_retries(err->cls) ||
	    (!waits && view->failure.retries >= view->conf->max_retries))
		return;
	if (waits) {
		due_set(
			view, DUE_RETRY,
			backoff_delay(retry_base(view, err), view->conf->retry_max_backoff, 1, (uint64_t)view->eng->count.run_id));
		return;
	}
	view->failure.retries++;
	due_set(view, DUE_RETRY,
	        backoff_delay(retry_base(view, err), view->conf->retry_max_backoff, view->failure.retries,
	                      (uint64_t)view->eng->count.run_id));
}

static bool object_is_gone(const struct job *job)
{
	return job->out.err.cls == VIEWD_ERR_MISSING && job->out.inspected && job->out.look->found.kind == VIEWD_KIND_NONE;
}

static enum view_state state_after(const struct job *job)
{
	const struct view *view = job->view;
	if (object_is_gone(job))
		return VIEW_STATE_MISSING;
	if (job->out.err.cls == VIEWD_ERR_STANDBY)
		return VIEW_STATE_STANDBY;
	if (view->paused)
		return VIEW_STATE_PAUSED;
	if (view->failure.losses >= QUARANTINE_LOSSES)
		return VIEW_STATE_SUSPENDED;
	int64_t limit = view->conf->max_consecutive_errors;
	if (limit > 0 && view->failure.consecutive >= limit)
		return VIEW_STATE_SUSPENDED;
	bool passing = waits_for_writer(view, &job->out.err) ||
	               (err_class_retries(job->out.err.cls) && view->failure.retries < view->conf->max_retries);
	return passing && view->relation.reconciled ? view->state : VIEW_STATE_FAILED;
}

/* A statement that takes the server down with it must not do so for ever. */
static void note_loss(struct job *job)
{
	struct view *view = job->view;
	if (job->out.err.cls != VIEWD_ERR_LOST)
		return;
	if (view->failure.unknown_since_us == 0)
		view->failure.unknown_since_us = job->run.started_wall;
	if (++view->failure.losses < QUARANTINE_LOSSES)
		return;
	err_hint(&job->out.err,
	         "%d runs in a row broke the connection: quarantined until viewctl resume or a manual success",
	         view->failure.losses);
	log_error("view '%s', %s", view->label, job->out.err.hint);
}

/* err NULL: it ended without being tried itself. final: no retry will follow. */
static void tell_failure(struct view *view, int64_t duration_us, const struct viewd_err *err, bool final)
{
	const struct event_run run = {
		.trigger = view->last.trigger,
		.result = view->last.result,
		.did = -1,
		.rows = -1,
		.rows_written = -1,
		.duration_us = duration_us,
		.error = err,
	};
	event_run(view, &run);
	event_news(view, final ? err : NULL);
}

static void take_failure(struct job *job, const char *what)
{
	struct view *view = job->view;
	view->last.refresh_us = job->run.started_wall + job->out.duration_us;
	view->timing.past.last_end = job->in.now_mono + job->out.duration_us;
	view->last.trigger = job->in.trigger;
	view->last.did = -1;
	if (job->out.err.cls == VIEWD_ERR_CANCELLED) {
		view->last.result = VIEW_RESULT_CANCELLED;
		due_schedule(view);
		tell_failure(view, job->out.duration_us, &job->out.err, true);
		return;
	}
	if (!job->out.mate_failed)
		log_failure(view, what, &job->out.err);
	view->last.result = job->out.mate_failed ? VIEW_RESULT_UPSTREAM_FAILED : VIEW_RESULT_FAILED;
	view->eng->count.runs++;
	view->eng->count.failures++;
	if (job->in.trigger != VIEW_TRIGGER_MANUAL && !waits_for_writer(view, &job->out.err))
		view->failure.consecutive++;
	note_loss(job);
	view_set_error(view, &job->out.err);
	view_set_state(view, state_after(job));
	plan_retry(view, &job->out.err);
	tell_failure(view, job->out.duration_us, &job->out.err, view->timing.due_at[DUE_RETRY] == 0);
}

/* ---- by kind --------------------------------------------------------------------------------------------------- */

/* The server tells what it does not understand, and not where that is written. */
static void point_at_section(struct job *job)
{
	const struct view *view = job->view;
	struct viewd_err *err = &job->out.err;
	const struct conf_definition *definition = conf_definition_for(job->conf_view, view->db->conf->dialect);
	if (err->hint[0] != '\0' || view->removed || (err->cls != VIEWD_ERR_QUERY && err->cls != VIEWD_ERR_MISSING))
		return;
	char *place = conf_view_place(job, view->eng->conf, view->conf, "");
	bool elsewhere = definition != NULL && definition->file != NULL;
	err_hint(err, "see [view %s] at %s%s%s", view->conf->name, place, elsewhere ? ", its definition is in " : "",
	         elsewhere ? definition->file : "");
	talloc_free(place);
}

static void reconcile_failed(struct job *job)
{
	struct view *view = job->view;
	point_at_section(job);
	bool gone = object_is_gone(job) && !job->in.create_missing;
	bool stopped = job->out.err.cls == VIEWD_ERR_CANCELLED;
	if (stopped)
		log_info("view '%s', setting it up was cancelled", view->label);
	else
		log_failure(view, "setting it up", &job->out.err);
	/* Refreshes that failed before, and connections that broke, say nothing of how long to wait here. */
	view->failure.retries = (view->relation.reconciled ? 0 : view->failure.retries) + !job->out.session_lost;
	view->relation.reconciled = false;
	view_set_error(view, &job->out.err);
	view_set_state(view, gone                                    ? VIEW_STATE_MISSING
	                     : job->out.err.cls == VIEWD_ERR_STANDBY ? VIEW_STATE_STANDBY
	                                                             : VIEW_STATE_FAILED);
	due_clear(view);
	if (!gone && !stopped && !view->removed && view->conf->enabled && !view->eng->stop.stopping)
		due_set(view, DUE_RETRY,
		        backoff_delay(SETUP_RETRY, SETUP_RETRY_MAX, view->failure.retries, (uint64_t)view->eng->count.run_id));
	event_news(view, &job->out.err);
}

void outcome_setup_cancelled(struct view *view, const struct viewd_err *err)
{
	view_set_error(view, err);
	view_set_state(view, VIEW_STATE_FAILED);
}

/* Once for a database: many may be made together. */
static void tell_owner_only(const struct job *job)
{
	static const char hint[] = "only its owner can read it; grants = SELECT TO ROLE, in the section or in "
							   "[view-defaults], lets others";
	if (!job->out.outcome.owner_only || intern_has(job->db->warned, hint))
		return;
	intern(job->db->warned, hint);
	log_info("view '%s', %s", job->label, hint);
}

/* The object is as it should be, by a job of its own or as the first step of a refresh. Its capture is reviewed. */
static void note_set_up(struct job *job)
{
	struct view *view = job->view;
	bool first = !view->relation.reconciled;
	view->relation.reconciled = true;
	view->capture.compared = job->in.redefined;
	view->capture.catch_up |= first;
	view->eng->captures.n_set_up += first;
	view->eng->captures.dirty = true;
	if (job->out.renamed)
		view->capture.digest = 0;
	if (job->out.applied) {
		view->capture.digest = 0; /* what it reads may be new under its old name, without our triggers */
		log_info("view '%s', %s (%s)", view->label, word_change(job->out.look->last_action),
		         job->out.look->apply_reason);
		tell_owner_only(job);
	}
}

static void reconciled(struct job *job)
{
	struct view *view = job->view;
	if (!job->out.ok) {
		reconcile_failed(job);
		return;
	}
	bool first = !view->relation.reconciled;
	note_set_up(job);
	if (first) {
		view->failure.retries = 0;
		/* The retry of setting it up is over; a refresh that lost its connection is still to be repeated. */
		if (view->failure.unknown_since_us == 0)
			due_unset(view, DUE_RETRY);
	}
	if (job->out.applied && job->out.outcome.did == VIEWD_DID_REINITIALIZE)
		take_success(job, VIEW_TRIGGER_INITIAL);
	if (view->failure.err != NULL && (first || view->state == VIEW_STATE_MISSING))
		view_set_error(view, NULL);
	if (first || view->state == VIEW_STATE_MISSING || view->state == VIEW_STATE_STANDBY)
		view_set_state(view, view->paused ? VIEW_STATE_PAUSED : VIEW_STATE_ACTIVE);
	due_schedule(view);
	event_news(view, NULL);
}

static bool wants_first_fill(const struct job *job)
{
	const struct view *view = job->view;
	return job->out.ok && job->out.inspected && !job->out.look->found.populated && view->conf->with_data &&
	       job->out.look->found.kind != VIEWD_KIND_VIEW && view->conf->enabled && !view->removed;
}

static void start_first_fill(struct view *view)
{
	const struct wave_spec spec = {
		.kind = JOB_REFRESH, .order = WAVE_UPSTREAM_FIRST, .trigger = VIEW_TRIGGER_INITIAL, .propagate = true};
	wave_start(view->eng, &spec, &view, 1);
}

/* The object that was missing is there again. */
static void find_sources(struct view *view)
{
	const struct wave_spec spec = {.kind = JOB_RECONCILE, .order = WAVE_ANY, .trigger = VIEW_TRIGGER_INITIAL};
	if (view->reads.sources_unknown && !view->removed && !view->eng->stop.stopping)
		wave_start(view->eng, &spec, &view, 1);
}

static void dropped(struct job *job)
{
	struct view *view = job->view;
	if (!job->out.ok) { /* who asked is told; the view is as well as before */
		log_failure(view, "dropping it", &job->out.err);
		return;
	}
	log_info("view '%s', dropped", view->label);
	view->relation.reconciled = view->capture.set_up = false;
	view->capture.digest = 0;
	due_clear(view);
	wave_end_waiting(view, WAVE_BY_ITSELF, VIEW_RESULT_SKIPPED, NULL); /* what was due must not make it anew */
	view_set_error(view, NULL);
	view_set_state(view, VIEW_STATE_MISSING);
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_MISSING, "view '%s' was dropped", view->label);
	event_news(view, &err);
}

/* The server no longer understands what it understood before: something that it reads may have been redefined since the
 * last look. */
static void look_anew(struct job *job)
{
	bool about_definition = job->out.err.cls == VIEWD_ERR_QUERY || job->out.err.cls == VIEWD_ERR_MISSING;
	if (about_definition && job->view->relation.reconciled && !job->out.mate_failed &&
	    job->view->state != VIEW_STATE_MISSING)
		capture_redefined(job->view);
}

static void refreshed(struct job *job)
{
	struct view *view = job->view;
	if (job->out.ok) {
		if (job->in.reconcile_first)
			note_set_up(job);
		take_success(job, job->in.trigger);
		due_schedule(view);
		find_sources(view);
	} else if (job->in.reconcile_first && !view->relation.reconciled && !job->out.mate_failed &&
	           job->out.err.cls != VIEWD_ERR_CANCELLED) {
		reconcile_failed(job);
	} else {
		take_failure(job, "refresh");
		look_anew(job);
	}
}

void outcome_of(struct job *job)
{
	if (job->out.inspected && job->kind != JOB_PLAN && job->out.look->found.kind != VIEWD_KIND_NONE)
		inspection_take(job);
	switch (job->kind) {
	case JOB_RECONCILE:
		reconciled(job);
		if (wants_first_fill(job))
			start_first_fill(job->view);
		else if (job->out.ok)
			group_align(job->view);
		break;
	case JOB_REFRESH:
		refreshed(job);
		break;
	case JOB_DROP:
		dropped(job);
		break;
	case JOB_CAPTURE:
		capture_done(job);
		break;
	case JOB_PLAN:
	case JOB_VERIFY:
	case JOB_REFRESH_GROUP:
	case JOB_PREPARE:
	case JOB_HISTORY:
	case JOB_EXPLAIN:
	case JOB_MAINTAIN:
	case JOB_DROP_RECORDED:
		break;
	}
}

static void not_tried(struct view *view, enum view_trigger trigger, enum view_result result)
{
	view->last.trigger = trigger;
	view->last.result = result;
	view->last.did = -1;
	view->last.refresh_us = engine_wall(view->eng);
	view->timing.past.last_end = engine_mono(view->eng);
	due_schedule(view);
}

void outcome_not_possible(struct view *view, enum view_trigger trigger, enum view_result result,
                          const struct viewd_err *err)
{
	view_set_error(view, err);
	not_tried(view, trigger, result);
	tell_failure(view, -1, err, true);
	change_put_off(view);
}

void outcome_upstream_failed(struct view *view, const struct wave *wave)
{
	if (wave->kind != JOB_REFRESH)
		return;
	not_tried(view, wave->trigger, VIEW_RESULT_UPSTREAM_FAILED);
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_CANCELLED, "view '%s' was not tried (a view it reads failed)", view->label);
	tell_failure(view, -1, &err, true);
	/* The view's own sources changed as well: the last good contents of the other are better than none of that */
	change_plan(view);
}

/* Through plain views: they hold nothing. */
static bool reads_a_failure(const struct view *view, uint64_t visit)
{
	for (size_t i = 0; i < view->graph.n_up; i++) {
		struct view *up = view->graph.up[i];
		bool failed = up->last.result == VIEW_RESULT_FAILED || up->last.result == VIEW_RESULT_UPSTREAM_FAILED;
		if (up->walk.visit == visit)
			continue;
		up->walk.visit = visit;
		if (up->relation.method == VIEWD_METHOD_SIMPLE ? reads_a_failure(up, visit) : failed)
			return true;
	}
	return false;
}

void outcome_not_needed(struct view *view)
{
	/* The cause for which it was not tried is well again, and has changed nothing. */
	if (view->last.result == VIEW_RESULT_UPSTREAM_FAILED && view->failure.err == NULL &&
	    !reads_a_failure(view, ++view->eng->visit))
		view->last.result = VIEW_RESULT_SKIPPED;
	due_schedule(view);
	change_plan(view);
}
