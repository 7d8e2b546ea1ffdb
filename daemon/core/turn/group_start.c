/* SPDX-License-Identifier: MIT
 *
 * group_start.c: the one job that refreshes a group. Its parts are ordinary refresh jobs that are never started by
 * themselves: they carry what goes in and what comes out for each member, so that the end of a part is the end of any
 * refresh.
 */
#include "core/turn/group_start.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/engine/outcome.h"
#include "core/exec/run.h"
#include "core/flow/ready.h"
#include "core/model/events.h"
#include "core/model/group.h"
#include "core/model/queue.h"
#include "core/plan/change.h"
#include "core/turn/begin.h"

#include <string.h>

/* Nothing can be done for the group: the member that is the cause tells why, the others name it. */
static void fail_all(const struct group *g, const struct view *culprit, const struct viewd_err *err)
{
	struct job lead = {.group.name = g->name};
	struct viewd_err other;
	run_mate_error(&lead, err, culprit->label, &other);
	for (size_t i = 0; i < g->n; i++) {
		struct view *v = g->views[i];
		bool own = v == culprit;
		enum job_kind kind;
		const struct engine_item item =
			item_not_run(own ? VIEW_RESULT_FAILED : VIEW_RESULT_UPSTREAM_FAILED, own ? err : &other);
		struct member *members = wave_take(v, JOB_REFRESH);
		queue_remove(v);
		if (members != NULL && v->relation.reconciled && v->db->state != DB_UNUSABLE)
			outcome_not_possible(v, members->trigger, item.result, item.error);
		wave_end_taken(members, &item);
		if (ready_kind(v, &kind))
			queue_view(v);
	}
}

/* ---- starting --------------------------------------------------------------------------------------------------- */

static int by_order(const void *a, const void *b)
{
	const struct view *x = *(struct view *const *)a, *y = *(struct view *const *)b;
	return x->graph.rank != y->graph.rank ? (x->graph.rank < y->graph.rank ? -1 : 1)
	                                      : strcmp(x->conf->name, y->conf->name);
}

static void add_part(struct job *lead, struct view *v)
{
	struct job *part = job_new(v->db, v, JOB_REFRESH);
	lead->group.parts[lead->group.n++] = part;
	part->members = wave_take(v, JOB_REFRESH);
	begin_describe(part, part->members);
	lead->in.request.force_full |= part->in.request.force_full;
	lead->in.create_missing |= part->in.create_missing;
	if (part->in.trigger == VIEW_TRIGGER_MANUAL || lead->in.trigger == VIEW_TRIGGER_NONE)
		lead->in.trigger = part->in.trigger;
	bool endless = lead->group.n > 1 && lead->in.spec.timeout_us == 0;
	if (part->in.spec.timeout_us == 0 || endless)
		lead->in.spec.timeout_us = 0;
	else if (part->in.spec.timeout_us > lead->in.spec.timeout_us)
		lead->in.spec.timeout_us = part->in.spec.timeout_us;
}

/* One run: what was asked of one member is asked of all. */
static void start_part(struct job *lead, struct job *part)
{
	part->in.trigger = lead->in.trigger;
	part->in.request.trigger = view_trigger_word(lead->in.trigger);
	part->in.request.force_full = lead->in.request.force_full;
	part->in.request.run_id = lead->in.request.run_id;
	/* An object that is known to be gone was perhaps dropped on purpose: another member's trigger does not bring it
	 * back. */
	part->in.create_missing =
		(part->in.create_missing || lead->in.create_missing) && part->view->state != VIEW_STATE_MISSING;
	if (lead->in.request.force_full)
		part->in.unknown_since_us = 0;
	queue_remove(part->view);
	part->view->job = lead;
	change_started(part->view);
	event_begun(part->view);
}

static void start_group(struct group *g)
{
	struct database *db = g->views[0]->db;
	struct job *lead = job_new(db, NULL, JOB_REFRESH_GROUP);
	struct view **order = mem_array(lead, struct view *, g->n);
	memcpy(order, g->views, g->n * sizeof *order);
	qsort(order, g->n, sizeof *order, by_order);
	lead->group.name = mem_strdup(lead, g->name);
	lead->label = mem_strdup(lead, order[0]->label);
	lead->in.request.run_id = ++db->eng->count.run_id;
	lead->group.parts = mem_array(lead, struct job *, g->n);
	lead->group.failed = g->n;
	for (size_t i = 0; i < g->n; i++)
		add_part(lead, order[i]);
	for (size_t i = 0; i < g->n; i++)
		start_part(lead, lead->group.parts[i]);
	begin_in_slot(lead);
}

void group_start(struct view *view)
{
	struct group *g = group_of(view);
	struct viewd_err err;
	for (size_t i = 0; i < g->n; i++)
		if (begin_hopeless(g->views[i], JOB_REFRESH, &err)) {
			fail_all(g, g->views[i], &err);
			return;
		}
	start_group(g);
}
