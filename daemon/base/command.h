/* SPDX-License-Identifier: MIT
 *
 * command.h: the words of a program's command line, as systemd takes them: no shell, nothing is expanded; and where a
 * program is. [any]
 */
#ifndef VIEWD_BASE_COMMAND_H
#define VIEWD_BASE_COMMAND_H

#include "base/macros.h"
#include "viewd_dialect.h"

/* Splits text at blanks; quotes and backslashes work as in a shell. The first word has to be an absolute path.
 * Returns the words up to a NULL, allocated on mem_ctx (a talloc context); NULL on failure, with a class CONFIG. */
char **command_words(void *mem_ctx, const char *text, struct viewd_err *err) MUST_CHECK;

/* The absolute path of a program in $PATH, allocated on mem_ctx (a talloc context). NULL: there is none. */
char *command_path(void *mem_ctx, const char *name) MUST_CHECK;

#endif
