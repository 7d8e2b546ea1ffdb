/* SPDX-License-Identifier: MIT */
#include "core/turn/finish_group.h"

#include "base/mem.h"
#include "core/plan/due.h"
#include "core/turn/finish_view.h"
#include "core/model/group.h"
#include "core/exec/run.h"

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

void finish_group(struct job *lead)
{
	struct view **views = mem_array(NULL, struct view *, lead->n_parts);
	size_t n = 0;
	run_share_error(lead);
	for (size_t i = 0; i < lead->n_parts; i++) {
		struct job *part = lead->parts[i];
		take_lead(lead, part);
		if (!part->view->removed)
			views[n++] = part->view;
		part->view->job = NULL;
	}
	for (size_t i = 0; i < lead->n_parts; i++)
		finish_view(lead->parts[i]);
	/* The failure may have suspended one, and that holds the others. */
	for (size_t i = 0; i < n; i++)
		if (group_held_by(views[i]) != NULL)
			due_schedule(views[i]);
	for (size_t i = 0; i < lead->n_parts; i++)
		job_free(&lead->parts[i]);
	talloc_free(views);
}
