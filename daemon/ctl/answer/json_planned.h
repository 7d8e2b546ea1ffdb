/* SPDX-License-Identifier: MIT
 *
 * json_planned.h: what a plan says of one view, the same from the daemon and without one. [any]
 */
#ifndef VIEWD_CTL_ANSWER_JSON_PLANNED_H
#define VIEWD_CTL_ANSWER_JSON_PLANNED_H

#include "core/offline/plan.h"

#include <jansson.h>

/* {view, database, change, reason, locks, refresh_group, duration_ms, error}. A new reference, never NULL. */
json_t *json_planned(const struct offline_planned *planned);

#endif
