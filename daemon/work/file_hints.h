/* SPDX-License-Identifier: MIT
 *
 * file_hints.h: tells that files are written, through one inotify instance of the process. The system allows a user 128
 * of them by default, and viewd may have a thousand files to look after.
 */
#ifndef VIEWD_WORK_FILE_HINTS_H
#define VIEWD_WORK_FILE_HINTS_H

#include "loop/loop.h"
#include "viewd_dialect.h"

struct file_hints;

/* The functions that plugins call; their ctx is a struct file_hints. Static. */
extern const struct viewd_hint_ops file_hints_ops;

/* Never NULL. [loop] */
struct file_hints *file_hints_new(struct loop *loop);
/* Asks the system for an instance, unless there is one. Where it has none left each open fails. [loop] */
void file_hints_begin(struct file_hints *hints);
/* All that was opened has been closed. [loop] */
void file_hints_free(struct file_hints **hints);

#endif
