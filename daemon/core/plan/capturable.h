/* SPDX-License-Identifier: MIT
 *
 * capturable.h: judges whether following changes is enough for a section. Pure functions. [any]
 */
#ifndef VIEWD_CORE_PLAN_CAPTURABLE_H
#define VIEWD_CORE_PLAN_CAPTURABLE_H

#include "base/macros.h"
#include "conf/conf.h"

/* True: on_change cannot be had for this section on this dialect, and err says why. */
bool capturable_refuse(const struct conf_view *conf, const struct viewd_dialect *dialect,
                       const struct viewd_resolved *resolved, struct viewd_err *err);

/* True: the section's capture mode cannot be had on this dialect, and err says why. False: it can, or nobody knows
 * before it is tried. */
bool capturable_refuse_mode(const struct conf_view *conf, const struct viewd_dialect *dialect,
                            const struct viewd_resolved *resolved, struct viewd_err *err);

#endif
