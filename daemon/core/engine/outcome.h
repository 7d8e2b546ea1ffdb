/* SPDX-License-Identifier: MIT
 *
 * outcome.h: what the end of a job means for the instance: state, counters, error, the next time. Policy lives here.
 */
#ifndef VIEWD_CORE_ENGINE_OUTCOME_H
#define VIEWD_CORE_ENGINE_OUTCOME_H

#include "core/exec/job.h"
#include "core/flow/wave.h"

/* Digests a finished job (reconcile, refresh, drop). Logs a failure once. */
void outcome_of(struct job *job);

/* A member ended without being tried: as things stand it cannot be; another time is planned. */
void outcome_not_possible(struct view *view, enum view_trigger trigger, enum view_result result,
                          const struct viewd_err *err);

/* Something it reads failed: it was not tried. */
void outcome_upstream_failed(struct view *view, const struct wave *wave);
/* It waited to follow its upstreams, and they wrote nothing: what came due of itself meanwhile was put off for that. */
void outcome_not_needed(struct view *view);

/* It was to be set up, and somebody has cancelled that. */
void outcome_setup_cancelled(struct view *view, const struct viewd_err *err);

#endif
