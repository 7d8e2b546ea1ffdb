/* SPDX-License-Identifier: MIT
 *
 * file.h: reads small files that somebody else may have put there: never blocks, never reads what is not a regular
 * file.
 */
#ifndef VIEWD_CONF_READ_FILE_H
#define VIEWD_CONF_READ_FILE_H

#include "base/macros.h"
#include "viewd_dialect.h"

/* Demands on a file. */
struct file_rule {
	size_t min_size;
	size_t max_size;
	bool owned;    /* owner root or ourselves, writable by the owner only */
	bool private;  /* with owned: no access at all for group and others */
	bool nofollow; /* a symbolic link as the last part of the path is refused */
};

/* Opens path relative to dirfd (AT_FDCWD: the working directory), checks it against rule, reads all of it. *data_r is
 * talloc'ed on mem_ctx, NUL-terminated behind its *len_r bytes. [any] */
bool file_read(void *mem_ctx, int dirfd, const char *path, const struct file_rule *rule, char **data_r, size_t *len_r,
               struct viewd_err *err) MUST_CHECK;

#endif
