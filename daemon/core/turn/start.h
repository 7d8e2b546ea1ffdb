/* SPDX-License-Identifier: MIT
 *
 * start.h: starts the next jobs of a database, under its limits and those of the daemon. [loop]
 */
#ifndef VIEWD_CORE_TURN_START_H
#define VIEWD_CORE_TURN_START_H

#include "core/model/model.h"

/* Starts what may start now: instances with ready members, best first, and the first job of those without a slot. On a
 * database that cannot be used, ends them instead. */
void start_ready(struct database *db);

#endif
