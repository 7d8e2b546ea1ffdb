/* SPDX-License-Identifier: MIT
 *
 * signs.h: signs that somebody writes a database's files: the daemon's hints of files, or an inotify instance of its
 * own where the host has none. [watcher thread]
 */
#ifndef VIEWD_SQLITE_WATCH_SIGNS_H
#define VIEWD_SQLITE_WATCH_SIGNS_H

#include "viewd_dialect.h"

struct signs;

/* Watches the files of the database at path, which has no links. *signs_r is allocated on mem_ctx; end it by
 * signs_close. False: the file or its directory cannot be watched. */
bool signs_open(void *mem_ctx, const struct viewd_host *host, const char *path, struct signs **signs_r,
                struct viewd_err *err);
void signs_close(struct signs **signs);

/* Readable when there is one. */
int signs_fd(const struct signs *signs);

/* Takes what has come; *any_r: there was one. False: a file that has appeared cannot be watched, so there may be no
 * sign of what is written to it. */
bool signs_take(struct signs *signs, bool *any_r, struct viewd_err *err);

#endif
