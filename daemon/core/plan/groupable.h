/* SPDX-License-Identifier: MIT
 *
 * groupable.h: judges whether a dialect can refresh a section together with others. A pure function. [any]
 */
#ifndef VIEWD_CORE_PLAN_GROUPABLE_H
#define VIEWD_CORE_PLAN_GROUPABLE_H

#include "base/macros.h"
#include "conf/conf.h"

/* True: the dialect cannot refresh the section in a group, and err says why. */
bool groupable_refuse(const struct conf_view *conf, const struct viewd_dialect *dialect,
                      const struct viewd_resolved *resolved, struct viewd_err *err);

#endif
