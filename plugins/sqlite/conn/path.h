/* SPDX-License-Identifier: MIT
 *
 * path.h: finds the file of a database URL, if it may be opened.
 */
#ifndef VIEWD_SQLITE_CONN_PATH_H
#define VIEWD_SQLITE_CONN_PATH_H

#include "base/macros.h"
#include "viewd_dialect.h"

struct sqlite_path {
	char *path;  /* absolute, talloc'ed */
	bool create; /* mode=rwc: an absent file is made */
};

/* Reads the URL: sqlite:///relative (against base_dir), sqlite:////absolute; ?mode=rw (default) or rwc. Refuses
 * databases in memory, a host, a user and other parameters, with the reason. [any] */
bool sqlite_path_parse(void *mem_ctx, const struct viewd_database_spec *db, struct sqlite_path *out,
                       struct viewd_err *err) MUST_CHECK;

/* Refuses an absent file (unless create), something that is no regular file, and network file systems, on which
 * SQLite's locks cannot be trusted (https://sqlite.org/useovernet.html). Never opens the file: closing it again would
 * drop the process's locks on it (https://sqlite.org/howtocorrupt.html, 2.2). [worker] */
bool sqlite_path_check(const struct sqlite_path *path, bool allow_network, struct viewd_err *err) MUST_CHECK;

#endif
