/* SPDX-License-Identifier: MIT
 *
 * reload_plan.h: what a new configuration would do to the views that it adds or changes, asked of the databases one
 * after the other, so that a plan keeps one thread at most. [loop]
 */
#ifndef VIEWD_RELOAD_PLAN_H
#define VIEWD_RELOAD_PLAN_H

#include "core/offline/plan.h"

struct conf_diff;
struct worker_pool;

/* Called once, from the loop; the items are gone when it returns. */
typedef void reload_plan_done_fn(void *ctx, const struct offline_planned *items, size_t n);

/* False: no view is added or changed, and done is not called. conf, diff, pool and registry outlive the plan. */
bool reload_plan_start(struct worker_pool *pool, struct registry *registry, const struct conf *conf,
                       const struct conf_diff *diff, reload_plan_done_fn *done, void *ctx);

#endif
