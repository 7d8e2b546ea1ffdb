/* SPDX-License-Identifier: MIT
 *
 * run.c: the worker side of a job. Everything here blocks; nothing here touches the engine.
 */
#include "core/exec/run.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "core/exec/session.h"
#include "core/plan/decide.h"
#include "plugin/host.h"

#include <string.h>

/* Adopting may be followed by replacing; more rounds mean that somebody works against us. */
#define MAX_ROUNDS 3

/* For objects whose sections are gone for longer than this process knows: the default of the key. */
#define LOCK_TIMEOUT (2 * SPAN_SECOND)

static bool ignore_text(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static bool take_source(void *ctx, const struct viewd_source *src)
{
	struct job *job = ctx;
	job->out.sources = mem_grow(job, job->out.sources, struct source, job->out.n_sources + 1);
	struct source *copy = &job->out.sources[job->out.n_sources++];
	copy->schema = mem_strdup(job, src->schema != NULL ? src->schema : "");
	copy->name = mem_strdup(job, src->name);
	copy->kind = src->kind;
	return true;
}

static struct job_look *look_of(struct job *job)
{
	if (job->out.look == NULL)
		job->out.look = mem_new(job, struct job_look);
	return job->out.look;
}

static bool inspect(struct job *job)
{
	struct viewd_source_sink sink = {.fn = take_source, .ctx = job};
	talloc_free(job->out.sources);
	job->out.sources = NULL;
	job->out.n_sources = 0;
	job->out.inspected =
		job->session->dialect->inspect(job->session->conn, &job->in.spec, &look_of(job)->found, sink, &job->out.err);
	return job->out.inspected;
}

static bool inspect_and_decide(struct job *job)
{
	const struct viewd_dialect *dialect = job->session->dialect;
	struct viewd_resolved resolved = {.method = VIEWD_METHOD_SIMPLE};
	struct viewd_text_sink no_mentions = {.fn = ignore_text};
	if (!dialect->check_view(&job->in.db_spec, &job->in.spec, &resolved, no_mentions, &job->out.err) || !inspect(job))
		return false;
	struct decide_settings settings = {
		.label = job->label,
		.method = resolved.method,
		.hash = resolved.hash,
		.index_hash = resolved.index_hash,
		.adopt = job->conf_view->adopt,
		.create_missing = job->in.create_missing,
		.replace = job->in.replace,
		.keep = job->in.keep && dialect->definition != NULL,
		.policy = job->conf_view->on_configuration_change,
	};
	decide(&settings, &job->out.look->found, dialect->caps, &job->out.look->decision);
	return true;
}

/* Something that it reads is gone: it cannot be computed any more, whatever its rows still say. */
static bool definition_is_readable(struct job *job)
{
	const struct viewd_found *found = &job->out.look->found;
	if (!found->unreadable || !found->ours)
		return true;
	err_set(&job->out.err, VIEWD_ERR_MISSING, "view '%s', its definition cannot be read any more (%s)", job->label,
	        found->detail);
	return err_hint(
		&job->out.err,
		"bring back what is missing, or the right to its schema, or change the definition; the last contents stay");
}

/* The section had another name before: what is recorded under that goes on under this one. look: only tells. */
static bool follow_name(struct job *job, bool look, bool *renamed_r)
{
	const struct viewd_dialect *dialect = job->session->dialect;
	const char *from = job->conf_view->renamed_from;
	char what[256] = "";
	*renamed_r = false;
	if (from == NULL)
		return true;
	if (dialect->rename == NULL) {
		err_set(&job->out.err, VIEWD_ERR_CONFIG, "the plugin %s cannot rename", dialect->name);
		return err_hint(&job->out.err, "remove renamed_from");
	}
	if (!dialect->rename(job->session->conn, &job->in.spec, from, look, what, &job->out.err))
		return false;
	*renamed_r = what[0] != '\0';
	if (*renamed_r && look)
		decide_rename(what, dialect->caps, &look_of(job)->decision);
	else if (*renamed_r)
		log_info("view '%s', renamed (%s)", job->label, what);
	job->in.create_missing |= *renamed_r;
	return true;
}

static bool plan(struct job *job)
{
	bool renamed;
	job->in.spec.compare_columns = VIEWD_COMPARE_NAMES;
	job->in.spec.only_look = true;
	look_of(job)->found.rows = -1;
	return follow_name(job, true, &renamed) && (renamed || inspect_and_decide(job));
}

static bool take_definition(void *ctx, const char *text)
{
	struct job *job = ctx;
	job->out.definition = mem_strdup(job, text);
	return true;
}

/* The text that belongs into the file, for who has asked. */
static bool tell_definition(struct job *job)
{
	const struct viewd_dialect *dialect = job->session->dialect;
	struct viewd_text_sink sink = {.fn = take_definition, .ctx = job};
	if (!job->in.keep || !job->out.look->found.kept || dialect->definition == NULL)
		return true;
	return dialect->definition(job->session->conn, &job->in.spec, sink, &job->out.err);
}

bool run_reconcile(struct job *job)
{
	const struct viewd_dialect *dialect = job->session->dialect;
	struct viewd_outcome outcome;
	struct job_look *look = look_of(job);
	if (!follow_name(job, false, &job->out.renamed))
		return false;
	job->in.spec.compare_columns = job->in.compare ? VIEWD_COMPARE_TYPES : VIEWD_COMPARE_NONE;
	for (int round = 0; round < MAX_ROUNDS; round++, job->in.spec.compare_columns = VIEWD_COMPARE_NONE) {
		if (!inspect_and_decide(job))
			return false;
		if (look->decision.change == VIEWD_CHANGE_REFUSE) {
			job->out.err = look->decision.err;
			return false;
		}
		if (look->decision.change == VIEWD_CHANGE_NOTHING)
			return definition_is_readable(job) && tell_definition(job);
		memset(&outcome, 0, sizeof outcome);
		outcome.rows = outcome.rows_written = -1;
		if (session_cancelled(job->session, &job->out.err) ||
		    !dialect->apply(job->session->conn, &job->in.spec, look->decision.change, &outcome, &job->out.err))
			return false;
		outcome.owner_only |= job->out.outcome.owner_only;
		/* A later round (indexes after a fill) must not hide that the view was filled. */
		if (!job->out.applied || outcome.did == VIEWD_DID_REINITIALIZE)
			job->out.outcome = outcome;
		job->out.applied = true;
		look->last_action = look->decision.change;
		memcpy(look->apply_reason, look->decision.reason, sizeof look->apply_reason);
	}
	return err_set(&job->out.err, VIEWD_ERR_CONFLICT, "view '%s' changes while it is being set up", job->label);
}

static bool connection_is_gone(const struct viewd_err *err)
{
	return err->cls == VIEWD_ERR_CONNECT || err->cls == VIEWD_ERR_LOST || err->cls == VIEWD_ERR_AUTH ||
	       err->cls == VIEWD_ERR_STANDBY;
}

/* Errors while the failure is written down are told to nobody. */
void run_record_failure(struct job *job, enum viewd_failure how)
{
	struct viewd_err ignored;
	const struct viewd_dialect *dialect = job->session->dialect;
	if (connection_is_gone(&job->out.err) || !dialect->alive(job->session->conn))
		return;
	if (!dialect->record_failure(job->session->conn, &job->in.spec, &job->in.request, how, &job->out.err, &ignored))
		return;
	/* Which object is missing, the view or something it reads? */
	if (!job->out.mate_failed && (job->out.err.cls == VIEWD_ERR_MISSING || job->out.err.cls == VIEWD_ERR_EXISTS)) {
		struct viewd_err err = job->out.err;
		if (!inspect(job))
			job->out.look->found.kind = VIEWD_KIND_OTHER;
		job->out.err = err;
	}
}

/* The state row commits with the data, so it knows whether that run ended. */
bool run_was_recorded(struct job *job)
{
	const struct viewd_found *found = &look_of(job)->found;
	if (!inspect(job) || !found->ours || found->last_success_us < job->in.unknown_since_us)
		return false;
	job->out.looked_up = true;
	job->out.outcome.did = VIEWD_DID_NO_DATA;
	job->out.outcome.rows = found->rows;
	job->out.outcome.data_timestamp_us = found->data_timestamp_us;
	snprintf(job->out.outcome.reason, sizeof job->out.outcome.reason,
	         "the run that lost its connection had been completed by the server");
	return true;
}

static bool take_explained(void *ctx, const struct viewd_explained *fact)
{
	struct job *job = ctx;
	struct explained_copy *e = &job->out.explained;
	e->facts = mem_grow(job, e->facts, struct viewd_explained, e->n + 1);
	struct viewd_explained *copy = &e->facts[e->n++];
	host_copy_row(copy, sizeof *copy, fact);
	copy->key = mem_strdup(e->facts, copy->key);
	copy->text = copy->text != NULL ? mem_strdup(e->facts, copy->text) : NULL;
	return true;
}

void run_take_nodes(struct job *job)
{
	job->in.request.nodes = (struct viewd_explained_sink){.fn = take_explained, .ctx = job};
}

static bool refresh(struct job *job)
{
	if (job->in.reconcile_first) {
		if (!run_reconcile(job))
			return false;
		if (job->out.applied && job->out.outcome.did == VIEWD_DID_REINITIALIZE)
			return true;
	}
	job->out.outcome.rows = job->out.outcome.rows_written = -1;
	if (job->in.unknown_since_us != 0 && run_was_recorded(job))
		return true;
	if (session_cancelled(job->session, &job->out.err))
		return false;
	run_take_nodes(job);
	if (job->session->dialect->refresh(job->session->conn, &job->in.spec, &job->in.request, &job->out.outcome,
	                                   &job->out.err))
		return true;
	run_record_failure(job, job->out.err.cls == VIEWD_ERR_CANCELLED ? VIEWD_FAILURE_CANCELLED : VIEWD_FAILURE_FAILED);
	return false;
}

static bool take_recorded(void *ctx, const struct viewd_recorded *row)
{
	struct job *job = ctx;
	job->out.recorded = mem_grow(job, job->out.recorded, struct recorded_copy, job->out.n_recorded + 1);
	struct recorded_copy *copy = &job->out.recorded[job->out.n_recorded++];
	struct viewd_recorded known;
	host_copy_row(&known, sizeof known, row);
	copy->name = mem_strdup(job, known.name);
	copy->relation = mem_strdup(job, known.relation);
	copy->method = known.method;
	copy->lock_timeout = LOCK_TIMEOUT;
	copy->captured = known.captured;
	copy->drop = known.on_remove == VIEWD_REMOVE_DROP;
	return true;
}

static bool prepare(struct job *job)
{
	struct viewd_recorded_sink sink = {.fn = take_recorded, .ctx = job};
	return job->session->dialect->prepare(job->session->conn, sink, &job->out.err);
}

static char *copy_text(struct job *job, const char *text)
{
	return text == NULL ? NULL : mem_strdup(job, text);
}

static bool take_history(void *ctx, const struct viewd_history_row *row)
{
	struct job *job = ctx;
	struct history_copy *h = &job->out.history;
	h->rows = mem_grow(job, h->rows, struct viewd_history_row, h->n + 1);
	struct viewd_history_row *copy = &h->rows[h->n++];
	host_copy_row(copy, sizeof *copy, row);
	copy->trigger = copy_text(job, copy->trigger);
	copy->action = copy_text(job, copy->action);
	copy->result = copy_text(job, copy->result);
	copy->error = copy_text(job, copy->error);
	return true;
}

static bool history(struct job *job)
{
	struct viewd_history_sink sink = {.fn = take_history, .ctx = job};
	return job->session->dialect->history(job->session->conn, &job->in.spec, job->in.history_limit, sink,
	                                      &job->out.err);
}

static bool run_explain(struct job *job)
{
	const struct viewd_explained_sink sink = {.fn = take_explained, .ctx = job};
	const struct viewd_dialect *dialect = job->session->dialect;
	if (dialect->explain == NULL)
		return err_set(&job->out.err, VIEWD_ERR_CONFIG, "the plugin %s cannot explain", dialect->name);
	return dialect->explain(job->session->conn, &job->in.spec, sink, &job->out.err);
}

static bool drop_one(struct job *job, const struct recorded_copy *r, struct viewd_err *err)
{
	struct viewd_outcome outcome;
	struct viewd_view_spec spec = {
		.struct_size = sizeof spec,
		.name = r->name,
		.relation = r->relation,
		.definition = "SELECT 1",
		.method = r->method,
		.materialized_as_table = true,
		.on_remove = VIEWD_REMOVE_DROP,
		.lock_timeout_us = r->lock_timeout,
	};
	return job->session->dialect->apply(job->session->conn, &spec, VIEWD_CHANGE_DROP, &outcome, err);
}

/* The object stays (on_remove = keep), but nobody follows its sources any more. */
static bool uncapture(struct job *job, const struct recorded_copy *r, struct viewd_err *err)
{
	struct viewd_captured captured;
	struct viewd_text_sink warnings = {.fn = ignore_text};
	const struct viewd_view_spec spec = {
		.struct_size = sizeof spec, .name = r->name, .relation = r->relation, .lock_timeout_us = r->lock_timeout};
	const struct viewd_capture_request none = {.struct_size = sizeof none, .mode = VIEWD_CAPTURE_NONE};
	return job->session->dialect->capture->set(job->session->conn, &spec, &none, &captured, warnings, err);
}

/* Objects may read each other: as long as a pass drops something, another pass may drop more. Those that stay keep
 * drop = true. */
static bool drop_recorded(struct job *job)
{
	struct viewd_err err = {.cls = VIEWD_ERR_OK};
	for (size_t i = 0; i < job->out.n_recorded; i++)
		if (job->out.recorded[i].uncapture && !uncapture(job, &job->out.recorded[i], &job->out.err))
			return false;
	for (bool progress = true; progress;) {
		progress = false;
		err.cls = VIEWD_ERR_OK;
		for (size_t i = 0; i < job->out.n_recorded; i++) {
			struct recorded_copy *r = &job->out.recorded[i];
			if (!r->drop)
				continue;
			if (session_cancelled(job->session, &job->out.err))
				return false;
			if (drop_one(job, r, &err) || err.cls == VIEWD_ERR_MISSING) {
				r->drop = false;
				progress = true;
				err.cls = VIEWD_ERR_OK;
			} else if (connection_is_gone(&err)) {
				job->out.err = err;
				return false;
			}
		}
	}
	if (err.cls != VIEWD_ERR_OK)
		job->out.err = err;
	return err.cls == VIEWD_ERR_OK;
}

static bool take_warning(void *ctx, const char *text)
{
	struct job *job = ctx;
	job->out.capture.warnings =
		mem_printf(job, "%s%s\n", job->out.capture.warnings != NULL ? job->out.capture.warnings : "", text);
	return true;
}

static bool take_dependency(void *ctx, const struct viewd_dependency *entry)
{
	struct job *job = ctx;
	job->out.capture.depends =
		mem_grow(job, job->out.capture.depends, struct view_dependency, job->out.capture.n_depends + 1);
	job->out.capture.depends[job->out.capture.n_depends++] = (struct view_dependency){
		.name = mem_strdup(job, entry->name),
		.kind = entry->kind < VIEWD_DEPENDS_COUNT ? entry->kind : VIEWD_DEPENDS_OTHER,
		.heard_by = entry->heard_by < VIEWD_HEARD_COUNT ? entry->heard_by : VIEWD_HEARD_NONE,
		.reason = entry->reason != NULL ? mem_strdup(job, entry->reason) : NULL,
	};
	return true;
}

static bool capture(struct job *job)
{
	struct viewd_text_sink warnings = {.fn = take_warning, .ctx = job};
	job->in.capture.dependencies = (struct viewd_dependency_sink){.fn = take_dependency, .ctx = job};
	return job->session->dialect->capture->set(job->session->conn, &job->in.spec, &job->in.capture,
	                                           &job->out.capture.as, warnings, &job->out.err);
}

static bool run_kind(struct job *job)
{
	const struct viewd_dialect *dialect = job->session->dialect;
	switch (job->kind) {
	case JOB_PREPARE:
		return prepare(job);
	case JOB_RECONCILE:
		return run_reconcile(job);
	case JOB_CAPTURE:
		return capture(job);
	case JOB_PLAN:
		return plan(job);
	case JOB_REFRESH:
		return refresh(job);
	case JOB_REFRESH_GROUP:
		return run_group(job);
	case JOB_DROP:
		return dialect->apply(job->session->conn, &job->in.spec, VIEWD_CHANGE_DROP, &job->out.outcome, &job->out.err);
	case JOB_VERIFY:
		return dialect->verify(job->session->conn, &job->in.spec, &job->out.verdict, &job->out.err);
	case JOB_HISTORY:
		return history(job);
	case JOB_EXPLAIN:
		return run_explain(job);
	case JOB_MAINTAIN:
		return dialect->maintain(job->session->conn, &job->in.spec, &job->out.err);
	case JOB_DROP_RECORDED:
		return drop_recorded(job);
	}
	return err_set(&job->out.err, VIEWD_ERR_BUG, "unknown job");
}

void job_run(struct worker_task *task)
{
	struct job *job = CONTAINER_OF(task, struct job, task);
	const struct clock *clk = clock_system();
	int64_t start = clk->mono(clk);
	job->out.connected = session_ready(job->session, job->in.now_mono, &job->out.err);
	job->out.ok = job->out.connected && run_kind(job);
	job->out.session_lost = !job->out.ok && job->out.connected &&
	                        (connection_is_gone(&job->out.err) || !job->session->dialect->alive(job->session->conn));
	if (job->out.session_lost)
		job->session->broken = true;
	job->out.duration_us = clk->mono(clk) - start;
}
