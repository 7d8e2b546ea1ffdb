/* SPDX-License-Identifier: MIT
 *
 * utf8.h: validation, because client libraries have trusted invalid encodings before (CVE-2025-1094). [any]
 */
#ifndef VIEWD_BASE_UTF8_H
#define VIEWD_BASE_UTF8_H

#include "base/macros.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length of the valid UTF-8 sequence at text (1..4), or 0 when there is none. len > 0. No surrogates, no overlong
 * forms (RFC 3629). */
size_t utf8_sequence(const char *text, size_t len);

/* All of text is valid UTF-8 without NUL. Else *at_r is the offset of the first bad byte. */
bool utf8_valid_bytes(const char *text, size_t len, size_t *at_r) MUST_CHECK;

/* Decodes one character at *p (shortest form, no surrogates, at most U+10FFFF) and moves *p behind it. Returns -1 when
 * invalid, 0 at the NUL; *p then stays. */
int32_t utf8_next(const char **p);

/* Is the character one of C0, DEL or C1 (U+0080 to U+009F), which could steer a terminal? */
bool utf8_is_control(int32_t c);

/* Is the whole text valid? */
bool utf8_valid(const char *text) MUST_CHECK;

/* Number of characters of a valid text. */
size_t utf8_length(const char *text);

#endif
