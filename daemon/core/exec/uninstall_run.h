/* SPDX-License-Identifier: MIT
 *
 * uninstall_run.h: the part of uninstalling that blocks; without the engine, so that viewctl has it too.
 */
#ifndef VIEWD_CORE_EXEC_UNINSTALL_RUN_H
#define VIEWD_CORE_EXEC_UNINSTALL_RUN_H

#include "base/macros.h"
#include "conf/conf.h"
#include "viewd_dialect.h"

/* Can the dialect do it at all? */
bool uninstall_is_possible(const struct viewd_dialect *dialect, const struct conf_database *conf,
                           struct viewd_err *err) MUST_CHECK;

/* Takes the database's lock (unless print), connects, has the dialect do it, closes. *err is filled on failure.
 * [worker] */
bool uninstall_carry_out(const struct viewd_dialect *dialect, const struct conf_database *conf, bool print,
                         struct viewd_text_sink statements, struct viewd_err *err) MUST_CHECK;

#endif
