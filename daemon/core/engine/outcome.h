/* SPDX-License-Identifier: MIT
 *
 * outcome.h: takes the end of a job into the instance: state, counters, error, the next time. Policy lives here.
 * [loop]
 */
#ifndef VIEWD_CORE_ENGINE_OUTCOME_H
#define VIEWD_CORE_ENGINE_OUTCOME_H

#include "core/exec/job.h"
#include "core/flow/wave.h"

/* Digests a finished job (reconcile, refresh, drop). Logs a failure once. */
void outcome_of(struct job *job);

/* Records that a member's refresh cannot be tried as things stand, and plans another time. err is copied. */
void outcome_not_possible(struct view *view, enum view_trigger trigger, enum view_result result,
                          const struct viewd_err *err);

/* Records that a member's refresh was not tried because something that the view reads failed. Members of waves of
 * another kind leave no trace. */
void outcome_upstream_failed(struct view *view, const struct wave *wave);

/* Plans the view anew: it was to follow its upstreams, they wrote nothing, and what came due meanwhile had been put off
 * for that. */
void outcome_not_needed(struct view *view);

/* Makes the instance FAILED with err: somebody has cancelled its setting up. */
void outcome_setup_cancelled(struct view *view, const struct viewd_err *err);

#endif
