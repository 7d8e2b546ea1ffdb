/* SPDX-License-Identifier: MIT
 *
 * disabled.h: views whose sections say enabled = no. Nothing is done for them, not by hand either, until a reload says
 * otherwise.
 */
#ifndef VIEWD_CORE_PLAN_DISABLED_H
#define VIEWD_CORE_PLAN_DISABLED_H

#include "core/model/job_record.h"

/* Is that work left undone, because the instance is disabled? Fills err, class CONFIG, then. */
bool disabled_refuses(const struct view *view, enum job_kind kind, struct viewd_err *err);

/* Is it disabled, or anything that it reads? Then it is never known to be fresh: err says which one. The edges have to
 * be up to date. */
bool disabled_below(struct view *view, struct viewd_err *err);

/* The section in force says something else than the one before, or is the first. */
void disabled_changed(struct view *view);

#endif
