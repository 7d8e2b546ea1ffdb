/* SPDX-License-Identifier: MIT
 *
 * examine.h: finds what viewd lacks at a file. [worker]
 */
#ifndef VIEWD_SQLITE_EXAMINE_H
#define VIEWD_SQLITE_EXAMINE_H

#include "sqlite/conn/conn.h"

/* As viewd_advice_ops says. */
bool sqlite_examine(const struct viewd_host *host, const struct viewd_database_spec *db,
                    const struct viewd_examined *views, size_t n, struct viewd_finding_sink findings,
                    struct viewd_err *err);

#endif
