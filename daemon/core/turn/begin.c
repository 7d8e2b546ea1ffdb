/* SPDX-License-Identifier: MIT */
#include "core/turn/begin.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/model/edges.h"
#include "core/model/group.h"
#include "core/plan/disabled.h"
#include "core/plan/due.h"

bool begin_hopeless(struct view *view, enum job_kind kind, struct viewd_err *err)
{
	if (disabled_refuses(view, kind, err))
		return true;
	if (view->db->state == DB_UNUSABLE)
		*err = *view->db->err;
	else if (view->relation.refused)
		*err = *view->failure.err;
	else if (kind == JOB_REFRESH && view->graph.rank == GRAPH_CYCLIC) {
		char *cycle = edges_cycle_text(view, NULL);
		err_set(err, VIEWD_ERR_CONFIG, "view '%s', depends on itself (%s)", view->label, cycle);
		err_hint(err, "remove one edge of the cycle: a depends_on, or a relation in a definition");
		talloc_free(cycle);
	} else if (kind == JOB_REFRESH && view->graph.group != NULL && view->graph.group->broken != NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "view '%s' cannot be refreshed with its group (%s)", view->label,
		        view->graph.group->broken);
		err_hint(err, "put that into the group, or take a member out");
	} else
		return false;
	return true;
}

void begin_describe(struct job *job, const struct member *members)
{
	struct engine *eng = job->eng;
	enum view_trigger trigger = members != NULL ? members->trigger : VIEW_TRIGGER_NONE;
	job->in.request = (struct viewd_refresh_request){
		.struct_size = sizeof job->in.request,
		.run_id = ++eng->count.run_id,
		.started_us = engine_wall(eng),
	};
	for (const struct member *m = members; m != NULL; m = m->next) {
		job->in.request.force_full |= m->wave->full;
		job->in.create_missing |= m->wave->create_missing;
		job->in.replace |= m->wave->replace;
		job->in.spec.cascade |= m->wave->cascade;
		job->in.keep |= m->wave->keep;
		if (m->trigger == VIEW_TRIGGER_MANUAL)
			trigger = VIEW_TRIGGER_MANUAL;
	}
	job->in.request.all_rows = due_all_rows(job->view);
	job->in.request.trigger = view_trigger_word(trigger);
	job->in.trigger = trigger;
	job->in.redefined = job->view->capture.redefined;
	job->in.compare = job->view->conf->on_change && job->view->capture.compared != job->in.redefined;
	/* Never set up successfully: a refresh by hand is a reason to try that again first. */
	job->in.reconcile_first = job->kind == JOB_REFRESH && !job->view->relation.reconciled;
	job->in.create_missing |= job->in.reconcile_first;
	/* An object that never was has not vanished. */
	job->in.create_missing |=
		job->kind == JOB_RECONCILE && !job->view->relation.reconciled && job->view->state != VIEW_STATE_MISSING;
	job->in.unknown_since_us = job->in.request.force_full ? 0 : job->view->failure.unknown_since_us;
}

void begin_in_slot(struct job *job)
{
	job->run.holds_slot = true;
	job->db->work.n_busy++;
	job->eng->count.running++;
	job_start(job);
}
