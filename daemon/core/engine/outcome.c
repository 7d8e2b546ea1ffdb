/* SPDX-License-Identifier: MIT */
#include "core/engine/outcome.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "conf/words.h"
#include "core/engine/capture.h"
#include "core/plan/change.h"
#include "core/engine/database.h"
#include "core/plan/due.h"
#include "core/model/edges.h"
#include "core/engine/group_align.h"
#include "core/model/record.h"
#include "sched/backoff.h"

#include <string.h>

/* Credentials and full disks do not mend themselves in seconds. */
#define SLOW_RETRY (30 * SPAN_SECOND)
/* A view that could not be set up is tried again at this pace: what it needs may appear. */
#define SETUP_RETRY (5 * SPAN_SECOND)
#define SETUP_RETRY_MAX (5 * SPAN_MINUTE)
/* So many runs in a row that ended with a broken connection are no accident. */
#define QUARANTINE_LOSSES 3

static void set_reason(struct view *view, const char *reason)
{
	view->reason = reason[0] != '\0' ? intern(view->eng->texts, reason) : NULL;
}

/* An error whose text is the last one's is not worth a second line. */
static void log_failure(const struct view *view, const char *what, const struct viewd_err *err)
{
	char code[16];
	const char *c = err_code(err, code);
	if (view->err != NULL && view->err->cls == err->cls && strcmp(view->err->msg, err->msg) == 0) {
		log_debug("view '%s', %s failed again (%s)", view->label, what, err->msg);
		return;
	}
	log_error("view '%s', %s failed (%s%s%s: %s)%s%s", view->label, what, err_class_word(err->cls), c[0] != '\0' ? " " : "", c,
	          err->msg, err->hint[0] != '\0' ? "; " : "", err->hint);
}

/* ---- what inspect tells ---------------------------------------------------------------------------------------------------- */

static void set_place(struct view *view, const struct viewd_found *found)
{
	size_t schema = strlen(found->schema), name = strlen(found->name);
	if (view->place != NULL && strcmp(view->place, found->schema) == 0 && strcmp(view->place + schema + 1, found->name) == 0)
		return;
	talloc_free(view->place);
	view->place = mem_array(view, char, schema + name + 2);
	memcpy(view->place, found->schema, schema);
	memcpy(view->place + schema + 1, found->name, name);
	edges_invalidate(view->eng);
}

/* A time of an earlier life on the monotonic clock. The future counts as now: the clock was set back. */
static int64_t mono_of(const struct view *view, int64_t wall)
{
	int64_t ago = engine_wall(view->eng) - wall;
	return engine_mono(view->eng) - (ago > 0 ? ago : 0);
}

/* The data's time commits with the data, so only a restored backup makes it older than what was told of it. */
#define WENT_BACK SPAN_SECOND

static bool went_back(struct view *view, const struct viewd_found *found)
{
	if (found->data_timestamp_us == 0 || view->data_timestamp_us - found->data_timestamp_us <= WENT_BACK)
		return false;
	log_info("view '%s', its contents have gone back in time (a backup was restored?)", view->label);
	database_contents_went_back(view->db);
	view->result = VIEW_RESULT_NONE;
	return true;
}

/* Another daemon led for a while. */
static bool ran_elsewhere(const struct view *view, const struct viewd_found *found)
{
	return view->unknown_since_us == 0 && found->data_timestamp_us - view->data_timestamp_us > WENT_BACK;
}

static void take_inspection(struct job *job)
{
	struct view *view = job->view;
	const struct viewd_found *found = &job->found;
	set_place(view, found);
	/* While something is missing the definition cannot be read: what it read before is followed still, for when that comes back. */
	view->sources_unknown = found->sources_unknown;
	view->kept = found->kept;
	if (!found->sources_unknown) {
		edges_set_sources(view, job->sources, job->n_sources);
		TALLOC_FREE(view->guesses);
	}
	if (!found->ours || (view->last_success_us != 0 && !ran_elsewhere(view, found) && !went_back(view, found)))
		return;
	/* First look after a start: the state table remembers the runs of earlier lives, and of others. */
	view->last_success_us = view->last_refresh_us = found->last_success_us;
	view->data_timestamp_us = found->data_timestamp_us;
	view->duration_us = found->duration_us;
	view->rows = found->rows;
	if (found->last_success_us == 0)
		return;
	view->result = VIEW_RESULT_SUCCEEDED;
	view->past.last_due = view->past.last_end = mono_of(view, found->last_success_us);
	view->past.data = mono_of(view, found->data_timestamp_us);
	view->past.cron_served = found->last_success_us;
	schedule_learn(&view->past.runs, found->duration_us);
}

/* ---- success ---------------------------------------------------------------------------------------------------------------- */

static void take_success(struct job *job, enum view_trigger trigger)
{
	struct view *view = job->view;
	view->trigger = trigger;
	view->result = VIEW_RESULT_SUCCEEDED;
	view->action = (int)job->outcome.did;
	view->last_refresh_us = view->last_success_us = job->started_wall + job->duration_us;
	view->data_timestamp_us = job->outcome.data_timestamp_us != 0 ? job->outcome.data_timestamp_us : job->started_wall;
	view->duration_us = job->duration_us;
	view->success_run = job->request.run_id;
	view->rows = job->outcome.rows;
	view->rows_written = job->outcome.rows_written;
	view->past.data = job->now_mono;
	view->past.last_end = job->now_mono + job->duration_us;
	schedule_learn(&view->past.runs, job->duration_us);
	schedule_served(&view->schedule, &view->past, (struct schedule_clock){.mono = job->now_mono, .wall = job->started_wall});
	view->consecutive_errors = view->retries = view->losses = 0;
	view->unknown_since_us = 0;
	view->eng->runs++;
	set_reason(view, job->outcome.reason);
	due_unset(view, DUE_RETRY);
	view_set_error(view, NULL);
	view_set_state(view, view->paused ? VIEW_STATE_PAUSED : VIEW_STATE_ACTIVE);
	const struct event_run run = {
		.trigger = trigger,
		.result = view->result,
		.action = view->action,
		.rows = view->rows,
		.rows_written = view->rows_written,
		.duration_us = view->duration_us,
	};
	event_run(view, &run);
	event_news(view, NULL);
	log_debug("view '%s', refreshed (%s, %lld rows, %.1f ms)", view->label, word_did(job->outcome.did),
	          (long long)job->outcome.rows, (double)job->duration_us / 1e3);
}

/* ---- failure ---------------------------------------------------------------------------------------------------------------- */

static int64_t retry_base(const struct view *view, const struct viewd_err *err)
{
	bool slow = err->cls == VIEWD_ERR_AUTH || err->cls == VIEWD_ERR_RESOURCE;
	return slow && view->conf->retry_backoff < SLOW_RETRY ? SLOW_RETRY : view->conf->retry_backoff;
}

static void plan_retry(struct view *view, const struct viewd_err *err)
{
	due_schedule(view);
	if (!due_allowed(view) || !err_class_retries(err->cls) || view->retries >= view->conf->max_retries)
		return;
	view->retries++;
	due_set(view, DUE_RETRY, backoff_delay(retry_base(view, err), view->conf->retry_max_backoff, view->retries,
	                              (uint64_t)view->eng->run_id));
}

static enum view_state state_after(const struct job *job)
{
	const struct view *view = job->view;
	bool gone = job->err.cls == VIEWD_ERR_MISSING && job->inspected && job->found.kind == VIEWD_KIND_NONE;
	if (gone)
		return VIEW_STATE_MISSING;
	if (job->err.cls == VIEWD_ERR_STANDBY)
		return VIEW_STATE_STANDBY;
	if (view->paused)
		return VIEW_STATE_PAUSED;
	if (view->losses >= QUARANTINE_LOSSES)
		return VIEW_STATE_SUSPENDED;
	int64_t limit = view->conf->max_consecutive_errors;
	if (limit > 0 && view->consecutive_errors >= limit)
		return VIEW_STATE_SUSPENDED;
	bool passing = err_class_retries(job->err.cls) && view->retries < view->conf->max_retries;
	return passing && view->reconciled ? view->state : VIEW_STATE_FAILED;
}

/* A statement that takes the server down with it must not do so for ever. */
static void note_loss(struct job *job)
{
	struct view *view = job->view;
	if (job->err.cls != VIEWD_ERR_LOST)
		return;
	if (view->unknown_since_us == 0)
		view->unknown_since_us = job->started_wall;
	if (++view->losses < QUARANTINE_LOSSES)
		return;
	err_hint(&job->err, "%d runs in a row broke the connection: quarantined until viewctl resume or a manual success", view->losses);
	log_error("view '%s', %s", view->label, job->err.hint);
}

/* err NULL: it ended without being tried itself. final: no retry will follow. */
static void tell_failure(struct view *view, int64_t duration_us, const struct viewd_err *err, bool final)
{
	const struct event_run run = {
		.trigger = view->trigger,
		.result = view->result,
		.action = -1,
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
	view->last_refresh_us = job->started_wall + job->duration_us;
	view->past.last_end = job->now_mono + job->duration_us;
	view->trigger = job->trigger;
	view->action = -1;
	if (job->err.cls == VIEWD_ERR_CANCELLED) {
		view->result = VIEW_RESULT_CANCELLED;
		due_schedule(view);
		tell_failure(view, job->duration_us, &job->err, true);
		return;
	}
	if (!job->mate_failed)
		log_failure(view, what, &job->err);
	view->result = job->mate_failed ? VIEW_RESULT_UPSTREAM_FAILED : VIEW_RESULT_FAILED;
	view->eng->runs++;
	view->eng->failures++;
	if (job->trigger != VIEW_TRIGGER_MANUAL)
		view->consecutive_errors++;
	note_loss(job);
	view_set_error(view, &job->err);
	view_set_state(view, state_after(job));
	plan_retry(view, &job->err);
	tell_failure(view, job->duration_us, &job->err, view->due_at[DUE_RETRY] == 0);
}

/* ---- by kind ------------------------------------------------------------------------------------------------------------------ */

static void reconcile_failed(struct job *job)
{
	struct view *view = job->view;
	bool gone = job->err.cls == VIEWD_ERR_MISSING && job->inspected && job->found.kind == VIEWD_KIND_NONE && !job->create_missing;
	bool stopped = job->err.cls == VIEWD_ERR_CANCELLED;
	if (stopped)
		log_info("view '%s', setting it up was cancelled", view->label);
	else
		log_failure(view, "setting it up", &job->err);
	/* Refreshes that failed before, and connections that broke, say nothing of how long to wait here. */
	view->retries = (view->reconciled ? 0 : view->retries) + !job->session_lost;
	view->reconciled = false;
	view_set_error(view, &job->err);
	view_set_state(view, gone ? VIEW_STATE_MISSING
	                             : job->err.cls == VIEWD_ERR_STANDBY ? VIEW_STATE_STANDBY : VIEW_STATE_FAILED);
	due_clear(view);
	if (!gone && !stopped && !view->removed && view->conf->enabled && !view->eng->stopping)
		due_set(view, DUE_RETRY, backoff_delay(SETUP_RETRY, SETUP_RETRY_MAX, view->retries, (uint64_t)view->eng->run_id));
	event_news(view, &job->err);
}

void outcome_setup_cancelled(struct view *view, const struct viewd_err *err)
{
	view_set_error(view, err);
	view_set_state(view, VIEW_STATE_FAILED);
}

static void reconciled(struct job *job)
{
	struct view *view = job->view;
	if (!job->ok) {
		reconcile_failed(job);
		return;
	}
	bool first = !view->reconciled;
	view->reconciled = true;
	view->compared = job->redefined;
	view->catch_up |= first;
	view->eng->n_set_up += first;
	if (first) {
		view->retries = 0;
		/* That was a retry of setting it up; a refresh that lost its connection is still to be repeated. */
		if (view->unknown_since_us == 0)
			due_unset(view, DUE_RETRY);
	}
	if (job->applied) {
		view->capture_digest = 0; /* what it reads may be new under its old name, without our triggers */
		log_info("view '%s', %s (%s)", view->label, word_change(job->last_change), job->apply_reason);
		if (job->outcome.did == VIEWD_DID_REINITIALIZE)
			take_success(job, VIEW_TRIGGER_INITIAL);
	}
	if (view->err != NULL && (first || view->state == VIEW_STATE_MISSING))
		view_set_error(view, NULL);
	if (first || view->state == VIEW_STATE_MISSING || view->state == VIEW_STATE_STANDBY)
		view_set_state(view, view->paused ? VIEW_STATE_PAUSED : VIEW_STATE_ACTIVE);
	due_schedule(view);
	view->eng->captures_dirty = true;
	event_news(view, NULL);
}

static bool wants_first_fill(const struct job *job)
{
	const struct view *view = job->view;
	return job->ok && job->inspected && !job->found.populated && view->conf->with_data && job->found.kind != VIEWD_KIND_VIEW &&
	       view->conf->enabled && !view->removed;
}

static void start_first_fill(struct view *view)
{
	const struct wave_spec spec = {.kind = JOB_REFRESH, .order = WAVE_UPSTREAM_FIRST, .trigger = VIEW_TRIGGER_INITIAL, .propagate = true};
	wave_start(view->eng, &spec, &view, 1);
}

/* What was missing is there again. */
static void find_sources(struct view *view)
{
	const struct wave_spec spec = {.kind = JOB_RECONCILE, .order = WAVE_ANY, .trigger = VIEW_TRIGGER_INITIAL};
	if (view->sources_unknown && !view->removed && !view->eng->stopping)
		wave_start(view->eng, &spec, &view, 1);
}

static void dropped(struct job *job)
{
	struct view *view = job->view;
	if (!job->ok) {
		log_failure(view, "dropping it", &job->err);
		view_set_error(view, &job->err);
		return;
	}
	log_info("view '%s', dropped", view->label);
	view->reconciled = view->captured = false;
	view->capture_digest = 0;
	due_clear(view);
	wave_end_waiting(view, WAVE_BY_ITSELF, VIEW_RESULT_SKIPPED, NULL); /* what was due must not make it anew */
	view_set_error(view, NULL);
	view_set_state(view, VIEW_STATE_MISSING);
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_MISSING, "view '%s' was dropped", view->label);
	event_news(view, &err);
}

/* The server no longer understands what it understood before: something that it reads may have been redefined since the last look. */
static void look_anew(struct job *job)
{
	bool about_definition = job->err.cls == VIEWD_ERR_QUERY || job->err.cls == VIEWD_ERR_MISSING;
	if (about_definition && job->view->reconciled && !job->mate_failed && job->view->state != VIEW_STATE_MISSING)
		capture_redefined(job->view);
}

static void refreshed(struct job *job)
{
	struct view *view = job->view;
	if (job->ok) {
		if (job->reconcile_first) {
			view->reconciled = true;
			view->compared = job->redefined;
		}
		take_success(job, job->trigger);
		due_schedule(view);
		find_sources(view);
	} else if (job->reconcile_first && !view->reconciled && !job->mate_failed && job->err.cls != VIEWD_ERR_CANCELLED) {
		reconcile_failed(job);
	} else {
		take_failure(job, "refresh");
		look_anew(job);
	}
}

void outcome_of(struct job *job)
{
	if (job->inspected && job->kind != JOB_PLAN && job->found.kind != VIEWD_KIND_NONE)
		take_inspection(job);
	switch (job->kind) {
	case JOB_RECONCILE:
		reconciled(job);
		if (wants_first_fill(job))
			start_first_fill(job->view);
		else if (job->ok)
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
	case JOB_TEND:
	case JOB_DROP_RECORDED:
		break;
	}
}

static void not_tried(struct view *view, enum view_trigger trigger, enum view_result result)
{
	view->trigger = trigger;
	view->result = result;
	view->action = -1;
	view->last_refresh_us = engine_wall(view->eng);
	view->past.last_end = engine_mono(view->eng);
	due_schedule(view);
}

void outcome_not_possible(struct view *view, enum view_trigger trigger, const struct viewd_err *err)
{
	view_set_error(view, err);
	not_tried(view, trigger, VIEW_RESULT_FAILED);
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
	change_plan(view); /* its own sources changed as well: the last good contents of the other are better than none of that */
}

/* Through plain views: they hold nothing. */
static bool reads_a_failure(const struct view *view, uint64_t mark)
{
	for (size_t i = 0; i < view->n_up; i++) {
		struct view *up = view->up[i];
		bool failed = up->result == VIEW_RESULT_FAILED || up->result == VIEW_RESULT_UPSTREAM_FAILED;
		if (up->mark == mark)
			continue;
		up->mark = mark;
		if (up->method == VIEWD_METHOD_SIMPLE ? reads_a_failure(up, mark) : failed)
			return true;
	}
	return false;
}

void outcome_not_needed(struct view *view)
{
	/* What it was not tried for is well again, and has changed nothing. */
	if (view->result == VIEW_RESULT_UPSTREAM_FAILED && view->err == NULL && !reads_a_failure(view, ++view->eng->mark))
		view->result = VIEW_RESULT_SKIPPED;
	due_schedule(view);
	change_plan(view);
}
