/* SPDX-License-Identifier: MIT
 *
 * planned.h: the items of a plan of several views, which know nothing of each other. [loop]
 */
#ifndef VIEWD_CORE_REPORT_PLANNED_H
#define VIEWD_CORE_REPORT_PLANNED_H

#include "core/engine.h"

/* Copies the items into an array of mem_ctx. An error of one whose definition only waits for another item is gone, and
 * the reason names that one; what is left of errors has no change. Texts are still the report's, or mem_ctx's. */
const struct engine_item *planned_settle(void *mem_ctx, const struct engine_report *report);

#endif
