/* SPDX-License-Identifier: MIT
 *
 * alive.h: looks at every pointer between the structures of an engine. One that leads to something freed, or a count
 * that is not what it counts, ends the test.
 */
#ifndef VIEWD_TESTS_UNIT_CORE_ALIVE_H
#define VIEWD_TESTS_UNIT_CORE_ALIVE_H

#include "unit/core/rig.h"

/* where: told with what is wrong. */
void alive_check(const struct rig *rig, const char *where);

/* Instances and databases that have been removed and not been freed. */
size_t alive_removed(const struct rig *rig);

#endif
