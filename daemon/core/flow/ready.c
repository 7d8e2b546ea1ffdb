/* SPDX-License-Identifier: MIT */
#include "core/flow/ready.h"

#include "base/macros.h"
#include "core/model/group.h"

/* Kinds in the order they are served: first those that change the object, then those that fill it, last those that only
 * look. */
static const enum job_kind kind_order[] = {JOB_DROP, JOB_RECONCILE, JOB_CAPTURE, JOB_REFRESH, JOB_PLAN, JOB_VERIFY};

static bool has_ready(const struct view *view, enum job_kind kind)
{
	for (struct member *m = view->members; m != NULL; m = m->next)
		if (m->wave->kind == kind && wave_is_ready(m))
			return true;
	return false;
}

bool wave_waits_for_setup(const struct view *view)
{
	for (const struct member *m = view->members; m != NULL; m = m->next)
		if (m->wave->kind == JOB_RECONCILE && !m->ended)
			return true;
	return false;
}

bool ready_kind(const struct view *view, enum job_kind *kind_r)
{
	/* Until its turn to be set up has come there is nothing to refresh; that a refresh would set it up itself is for
	 * later. */
	if (wave_waits_for_setup(view)) {
		*kind_r = JOB_RECONCILE;
		return has_ready(view, JOB_RECONCILE);
	}
	for (size_t k = 0; k < ARRAY_LEN(kind_order); k++)
		if (has_ready(view, kind_order[k])) {
			*kind_r = kind_order[k];
			return true;
		}
	return false;
}

bool wave_waits_for_refresh(const struct view *view)
{
	const struct member *m = view->members;
	while (m != NULL && m->wave->kind != JOB_REFRESH)
		m = m->next;
	return m != NULL;
}

bool wave_waits_as_asked(const struct view *view)
{
	const struct member *m = view->members;
	while (m != NULL && (m->wave->kind != JOB_REFRESH || m->conditional || m->wave->trigger != VIEW_TRIGGER_MANUAL))
		m = m->next;
	return m != NULL;
}

bool wave_group_is_free(const struct view *view)
{
	const struct group *g = group_of(view);
	for (size_t i = 0; g != NULL && i < g->n; i++)
		if (g->views[i]->job != NULL || wave_waits_for_setup(g->views[i]))
			return false;
	return true;
}
