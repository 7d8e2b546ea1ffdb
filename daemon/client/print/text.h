/* SPDX-License-Identifier: MIT
 *
 * text.h: values of a reply as text for people. Missing and null values give NULL, which a table shows as "-". viewctl
 * has one thread.
 */
#ifndef VIEWD_CLIENT_PRINT_TEXT_H
#define VIEWD_CLIENT_PRINT_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A string member; NULL unless it is one. Belongs to object. */
const char *text_of(const json_t *object, const char *key);

/* Numbers, allocated on mem_ctx: "17"; "3.4s" from milliseconds; "5m12s" from seconds. */
char *text_count(void *mem_ctx, const json_t *object, const char *key);
char *text_ms(void *mem_ctx, const json_t *object, const char *key);
char *text_seconds(void *mem_ctx, const json_t *object, const char *key);

/* "in 4m59s", "2s ago" (overdue), seen from now. */
char *text_until(void *mem_ctx, const json_t *object, const char *key, int64_t now_us);

/* "2026-11-22 09:44:01+01" of a time: in the local zone, or in UTC; the offset has minutes only where it needs them. */
char *text_time(void *mem_ctx, const json_t *object, const char *key, bool utc);

/* "a, b, c" of an array of strings; NULL when it is empty. */
char *text_joined(void *mem_ctx, const json_t *object, const char *key);

/* "conflict 55P03: lock timeout (hint)" of an error object; NULL for null. */
char *text_error(void *mem_ctx, const json_t *error);

#endif
