/* SPDX-License-Identifier: MIT
 *
 * examine_files.h: finds what keeps this user from a database file, and the commands that mend it. [worker]
 */
#ifndef VIEWD_SQLITE_EXAMINE_FILES_H
#define VIEWD_SQLITE_EXAMINE_FILES_H

#include "base/macros.h"
#include "viewd_dialect.h"

/* Tells each obstacle, from the way to the file down to what lies beside it. Changes nothing, and opens nothing. False:
 * none was found; opening tells of what is left. */
bool sqlite_examine_files(const char *path, struct viewd_finding_sink findings);

#endif
