/* SPDX-License-Identifier: MIT */
#include "common/text/digest.h"

#include <sha2.h>
#include <string.h>

_Static_assert(DIGEST_SIZE == SHA256_DIGEST_STRING_LENGTH, "a SHA-256 in hex");

void digest_hex(const void *data, size_t len, char out[static DIGEST_SIZE])
{
	SHA256Data(data, len, out);
}

void digest_text(const char *text, char out[static DIGEST_SIZE])
{
	digest_hex(text, strlen(text), out);
}
