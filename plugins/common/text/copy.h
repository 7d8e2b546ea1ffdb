/* SPDX-License-Identifier: MIT
 *
 * copy.h: a value of a row, which may be NULL, copied into room of a fixed size. [any]
 */
#ifndef VIEWD_COMMON_TEXT_COPY_H
#define VIEWD_COMMON_TEXT_COPY_H

#include <stdio.h>

/* Copies as much of text as there is room for; NULL becomes "". */
static inline void copy_text(char *out, size_t size, const char *text)
{
	snprintf(out, size, "%s", text != NULL ? text : "");
}

#endif
