/* SPDX-License-Identifier: MIT
 *
 * utf8.h: validation, because client libraries have trusted invalid encodings before (CVE-2025-1094).
 */
#ifndef VIEWD_COMMON_UTF8_H
#define VIEWD_COMMON_UTF8_H

#include "base/check.h"

#include <stdbool.h>
#include <stdint.h>

/* Decodes one character at *p (shortest form, no surrogates, at most U+10FFFF) and moves *p behind it. Returns -1 when invalid,
 * 0 at the NUL; *p then stays. [any] */
int32_t utf8_next(const char **p);

/* Is the whole text valid? [any] */
bool utf8_valid(const char *text) MUST_CHECK;

/* Number of characters of a valid text. */
size_t utf8_length(const char *text);

#endif
