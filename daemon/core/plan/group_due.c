/* SPDX-License-Identifier: MIT */
#include "core/plan/group_due.h"

#include "core/model/group.h"
#include "core/plan/change.h"
#include "core/plan/due.h"
#include "core/plan/timing.h"

void group_due_served(struct view *view, bool periodic)
{
	const struct group *g = group_of(view);
	for (size_t i = 0; g != NULL && i < g->n; i++) {
		struct view *mate = g->views[i];
		if (mate == view || !mate->relation.reconciled)
			continue;
		if (periodic && mate->timing.past.last_due < view->timing.past.last_due)
			mate->timing.past.last_due = view->timing.past.last_due;
		const struct schedule schedule = timing_schedule(mate);
		schedule_served(&schedule, &mate->timing.past, engine_clock(mate->eng));
		due_schedule(mate);
	}
}

void group_replan(struct view *view)
{
	const struct group *g = group_of(view);
	for (size_t i = 0; g != NULL && i < g->n; i++) {
		if (g->views[i] == view || !g->views[i]->relation.reconciled)
			continue;
		due_schedule(g->views[i]);
		change_plan(g->views[i]);
	}
}
