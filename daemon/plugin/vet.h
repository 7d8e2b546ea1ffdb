/* SPDX-License-Identifier: MIT
 *
 * vet.h: plugin files: what they are called, and whether they may be opened. [any]
 */
#ifndef VIEWD_PLUGIN_VET_H
#define VIEWD_PLUGIN_VET_H

#include "base/macros.h"
#include "viewd_dialect.h"

/* Can this be a dialect's name? */
bool vet_name(const char *name);

/* viewd_NAME.so, allocated on mem_ctx (a talloc context). */
char *vet_file(void *mem_ctx, const char *name);

/* Is there a file of that dialect in dir? Also true when dir cannot be opened: then vet_open tells why. */
bool vet_there(const char *dir, const char *name);

/* A descriptor of dir/file, or -1 with class PLUGIN, reason and remedy. Directory and file must belong to root or to
 * us. No other may write the file, nor the directory unless it is sticky: there, others add files but replace none of
 * ours. dlopen opens the path once more, since glibc knows a library by its path: folders above dir are not judged,
 * and whoever may rename them may exchange the file in between. */
int vet_open(const char *dir, const char *file, struct viewd_err *err) MUST_CHECK;

/* The names of the plugins in dir, sorted, up to a NULL; allocated on mem_ctx. Nothing is opened. Never NULL. */
char **vet_names(void *mem_ctx, const char *dir);

#endif
