/* SPDX-License-Identifier: MIT */
#include "core/turn/finish_group.h"

#include "base/mem.h"
#include "core/exec/run.h"
#include "core/model/group.h"
#include "core/plan/due.h"
#include "core/turn/finish_view.h"

static void take_lead(const struct job *lead, struct job *part)
{
	part->out.ok = lead->out.ok;
	part->out.connected = lead->out.connected;
	part->out.alone = lead->out.alone;
	part->in.probe = lead->in.probe;
	part->in.epoch = lead->in.epoch;
	part->run.cancelled = lead->run.cancelled;
	part->run.timed_out = lead->run.timed_out;
	part->out.looked_up = lead->out.looked_up;
	part->out.session_lost = lead->out.session_lost;
	part->run.started_wall = lead->run.started_wall;
	part->in.now_mono = lead->in.now_mono;
	part->out.duration_us = lead->out.duration_us;
}

void finish_group(struct job *lead)
{
	struct view **views = mem_array(NULL, struct view *, lead->group.n);
	size_t n = 0;
	run_share_error(lead);
	for (size_t i = 0; i < lead->group.n; i++) {
		struct job *part = lead->group.parts[i];
		take_lead(lead, part);
		if (!part->view->removed)
			views[n++] = part->view;
		part->view->job = NULL;
	}
	for (size_t i = 0; i < lead->group.n; i++)
		finish_view(lead->group.parts[i]);
	/* The failure may have suspended one, and that holds the others. */
	for (size_t i = 0; i < n; i++)
		if (group_held_by(views[i]) != NULL)
			due_schedule(views[i]);
	for (size_t i = 0; i < lead->group.n; i++)
		job_free(&lead->group.parts[i]);
	talloc_free(views);
}
