/* SPDX-License-Identifier: MIT
 *
 * json_text.h: strings that JSON can carry, and times as such. New references, never NULL. [any]
 */
#ifndef VIEWD_CTL_TEXT_JSON_TEXT_H
#define VIEWD_CTL_TEXT_JSON_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Is text valid UTF-8? */
bool json_text_valid(const char *text);

/* A string; NULL gives null; bytes that are not UTF-8 become '?', because server messages come in any encoding. */
json_t *json_text(const char *text);

/* RFC 3339 UTC; 0 gives null. */
json_t *json_time(int64_t wall_us);

#endif
