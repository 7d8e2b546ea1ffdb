/* SPDX-License-Identifier: MIT
 *
 * disabled.h: views whose sections say enabled = no. Nothing is done for them, not by hand either, until a reload says
 * otherwise. [loop]
 */
#ifndef VIEWD_CORE_PLAN_DISABLED_H
#define VIEWD_CORE_PLAN_DISABLED_H

#include "core/model/job_record.h"

/* Is that work left undone, because the instance is disabled? Fills err, class CONFIG, then. */
bool disabled_refuses(const struct view *view, enum job_kind kind, struct viewd_err *err);

/* Is the instance disabled, or anything that it reads? Then nobody knows whether it is fresh: err says which one is
 * disabled. The edges have to be up to date. */
bool disabled_below(struct view *view, struct viewd_err *err);

#endif
