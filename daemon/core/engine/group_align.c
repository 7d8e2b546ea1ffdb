/* SPDX-License-Identifier: MIT */
#include "core/engine/group_align.h"

#include "core/flow/ready.h"
#include "core/model/edges.h"
#include "core/model/group.h"

static bool is_set_up(const struct view *v)
{
	bool held = v->removed || v->paused || v->state == VIEW_STATE_SUSPENDED;
	return v->relation.reconciled && !held && v->last.data_timestamp_us != 0 && !wave_waits_for_setup(v);
}

void group_align(struct view *view)
{
	const struct wave_spec spec = {
		.kind = JOB_REFRESH, .order = WAVE_UPSTREAM_FIRST, .trigger = VIEW_TRIGGER_INITIAL, .propagate = true};
	if (!group_is_wanted(view))
		return; /* thousands are set up in a row, and each may have changed the edges */
	edges_update(view->eng);
	const struct group *g = group_of(view);
	bool differ = false;
	for (size_t i = 0; g != NULL && i < g->n; i++) {
		if (!is_set_up(g->views[i]) || wave_waits_for_refresh(g->views[i]))
			return;
		differ |= g->views[i]->last.data_timestamp_us != g->views[0]->last.data_timestamp_us;
	}
	if (differ && !view->eng->stop.stopping)
		wave_start(view->eng, &spec, &view, 1);
}

void group_align_all(struct engine *eng)
{
	for (size_t i = 0; i < eng->n_views && eng->edges.grouped; i++)
		if (eng->views[i]->graph.group != NULL && eng->views[i]->graph.group->views[0] == eng->views[i])
			group_align(eng->views[i]);
}
