/* SPDX-License-Identifier: MIT */
#include "core/plan/disabled.h"

#include "base/err.h"

static void say_disabled(const struct view *view, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "view '%s' is disabled (enabled = no)", view->label);
	err_hint(err, "set enabled = yes in its section and reload");
}

/* Looking changes nothing, and to take its triggers away is what being left alone means. */
bool disabled_refuses(const struct view *view, enum job_kind kind, struct viewd_err *err)
{
	if (view->conf->enabled || (kind != JOB_REFRESH && kind != JOB_RECONCILE && kind != JOB_DROP))
		return false;
	say_disabled(view, err);
	return true;
}

static const struct view *find_below(struct view *view, uint64_t walk)
{
	const struct view *found = view->conf->enabled ? NULL : view;
	view->walk.visit = walk;
	for (size_t i = 0; i < view->graph.n_up && found == NULL; i++)
		if (view->graph.up[i]->walk.visit != walk)
			found = find_below(view->graph.up[i], walk);
	return found;
}

bool disabled_below(struct view *view, struct viewd_err *err)
{
	const struct view *found = find_below(view, ++view->eng->visit);
	if (found == NULL)
		return false;
	say_disabled(found, err);
	if (found != view)
		err_wrap(err, "view '%s' reads it", view->label);
	return true;
}
