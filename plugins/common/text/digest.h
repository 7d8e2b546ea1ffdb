/* SPDX-License-Identifier: MIT
 *
 * digest.h: SHA-256 as hex. The only user of libmd.
 */
#ifndef VIEWD_COMMON_TEXT_DIGEST_H
#define VIEWD_COMMON_TEXT_DIGEST_H

#include <stddef.h>

#define DIGEST_SIZE 65 /* 64 hex digits and the NUL */

/* Hex digest of len bytes of data. [any] */
void digest_hex(const void *data, size_t len, char out[static DIGEST_SIZE]);

/* Hex digest of a NUL-terminated text. [any] */
void digest_text(const char *text, char out[static DIGEST_SIZE]);

#endif
