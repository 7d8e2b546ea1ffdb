/* SPDX-License-Identifier: MIT
 *
 * group_job.c: the one job that refreshes a group. Its parts are ordinary refresh jobs that are never started by themselves: they carry
 * what goes in and what comes out for each member, so that the end of a part is the end of any refresh.
 */
#include "core/group.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/change.h"
#include "core/dispatch.h"
#include "core/due.h"
#include "core/job.h"
#include "core/outcome.h"
#include "core/wave.h"

#include <string.h>

bool group_is_free(const struct view *view)
{
	const struct group *g = group_of(view);
	for (size_t i = 0; g != NULL && i < g->n; i++)
		if (g->views[i]->job != NULL || wave_waits_for_setup(g->views[i]))
			return false;
	return true;
}

/* ---- failing together ----------------------------------------------------------------------------------------------------- */

static void mate_error(const struct job *lead, const struct viewd_err *cause, const char *culprit, struct viewd_err *out)
{
	*out = (struct viewd_err){.cls = cause->cls};
	err_set(out, cause->cls, "refresh_group '%s' was left as it is: view '%s' failed (%.400s)", lead->group_name, culprit, cause->msg);
}

void group_share_error(struct job *lead)
{
	for (size_t i = 0; i < lead->n_parts && !lead->ok; i++) {
		struct job *part = lead->parts[i];
		bool somebody = lead->failed_part < lead->n_parts && lead->err.cls != VIEWD_ERR_CANCELLED;
		part->mate_failed = somebody && i != lead->failed_part;
		if (part->mate_failed)
			mate_error(lead, &lead->err, lead->parts[lead->failed_part]->label, &part->err);
		else
			part->err = lead->err;
	}
}

/* Nothing can be done for the group: the member that is the cause tells why, the others name it. */
static void fail_all(const struct group *g, const struct view *culprit, const struct viewd_err *err)
{
	struct job lead = {.group_name = g->name};
	struct viewd_err other;
	mate_error(&lead, err, culprit->label, &other);
	for (size_t i = 0; i < g->n; i++) {
		struct view *v = g->views[i];
		bool own = v == culprit;
		enum job_kind kind;
		const struct engine_item item = {.result = own ? VIEW_RESULT_FAILED : VIEW_RESULT_UPSTREAM_FAILED,
		                                 .action = -1, .rows = -1, .rows_written = -1, .error = own ? err : &other};
		struct member *members = wave_take(v, JOB_REFRESH);
		dispatch_unqueue(v);
		if (members != NULL && v->reconciled && v->db->state != DB_UNUSABLE)
			outcome_not_possible(v, members->trigger, item.error);
		if (members != NULL && !own)
			v->result = item.result;
		dispatch_end_taken(members, &item);
		if (wave_ready_kind(v, &kind))
			dispatch_queue(v);
	}
}

/* ---- starting ------------------------------------------------------------------------------------------------------------- */

static int by_order(const void *a, const void *b)
{
	const struct view *x = *(struct view *const *)a, *y = *(struct view *const *)b;
	return x->rank != y->rank ? (x->rank < y->rank ? -1 : 1) : strcmp(x->conf->name, y->conf->name);
}

static void add_part(struct job *lead, struct view *v)
{
	struct job *part = job_new(v->db, v, JOB_REFRESH);
	lead->parts[lead->n_parts++] = part;
	part->members = wave_take(v, JOB_REFRESH);
	dispatch_describe(part, part->members);
	lead->request.force_full |= part->request.force_full;
	lead->create_missing |= part->create_missing;
	if (part->trigger == VIEW_TRIGGER_MANUAL || lead->trigger == VIEW_TRIGGER_NONE)
		lead->trigger = part->trigger;
	bool endless = lead->n_parts > 1 && lead->spec.timeout_us == 0;
	if (part->spec.timeout_us == 0 || endless)
		lead->spec.timeout_us = 0;
	else if (part->spec.timeout_us > lead->spec.timeout_us)
		lead->spec.timeout_us = part->spec.timeout_us;
}

/* One run: what was asked of one member is asked of all. */
static void start_part(struct job *lead, struct job *part)
{
	part->trigger = lead->trigger;
	part->request.trigger = view_trigger_word(lead->trigger);
	part->request.force_full = lead->request.force_full;
	part->request.run_id = lead->request.run_id;
	/* What is known to be gone was perhaps dropped on purpose: another member's trigger does not bring it back. */
	part->create_missing = (part->create_missing || lead->create_missing) && part->view->state != VIEW_STATE_MISSING;
	if (lead->request.force_full)
		part->unknown_since_us = 0;
	dispatch_unqueue(part->view);
	part->view->job = lead;
	change_started(part->view);
}

static void start(struct group *g)
{
	struct db *db = g->views[0]->db;
	struct job *lead = job_new(db, NULL, JOB_REFRESH_GROUP);
	struct view **order = mem_array(lead, struct view *, g->n);
	memcpy(order, g->views, g->n * sizeof *order);
	qsort(order, g->n, sizeof *order, by_order);
	lead->group_name = mem_strdup(lead, g->name);
	lead->label = mem_strdup(lead, order[0]->label);
	lead->request.run_id = ++db->eng->run_id;
	lead->parts = mem_array(lead, struct job *, g->n);
	lead->failed_part = g->n;
	for (size_t i = 0; i < g->n; i++)
		add_part(lead, order[i]);
	for (size_t i = 0; i < g->n; i++)
		start_part(lead, lead->parts[i]);
	dispatch_start_counted(lead);
}

void group_serve(struct view *view)
{
	struct group *g = group_of(view);
	struct viewd_err err;
	for (size_t i = 0; i < g->n; i++)
		if (dispatch_hopeless(g->views[i], JOB_REFRESH, &err)) {
			fail_all(g, g->views[i], &err);
			return;
		}
	start(g);
}

/* ---- ending --------------------------------------------------------------------------------------------------------------- */

static void take_lead(const struct job *lead, struct job *part)
{
	part->ok = lead->ok;
	part->connected = lead->connected;
	part->alone = lead->alone;
	part->probe = lead->probe;
	part->epoch = lead->epoch;
	part->cancelled = lead->cancelled;
	part->timed_out = lead->timed_out;
	part->looked_up = lead->looked_up;
	part->session_lost = lead->session_lost;
	part->started_wall = lead->started_wall;
	part->now_mono = lead->now_mono;
	part->duration_us = lead->duration_us;
}

void group_finish(struct job *lead)
{
	struct view **views = mem_array(NULL, struct view *, lead->n_parts);
	size_t n = 0;
	group_share_error(lead);
	for (size_t i = 0; i < lead->n_parts; i++) {
		struct job *part = lead->parts[i];
		take_lead(lead, part);
		if (!part->view->removed)
			views[n++] = part->view;
		part->view->job = NULL;
	}
	for (size_t i = 0; i < lead->n_parts; i++)
		dispatch_finish_view(lead->parts[i]);
	/* The failure may have suspended one, and that holds the others. */
	for (size_t i = 0; i < n; i++)
		if (group_held_by(views[i]) != NULL)
			due_schedule(views[i]);
	for (size_t i = 0; i < lead->n_parts; i++)
		job_free(&lead->parts[i]);
	talloc_free(views);
}
