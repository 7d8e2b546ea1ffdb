/* SPDX-License-Identifier: MIT
 *
 * text_out.h: JSON written straight into growing text, for replies too big to be built as a tree first. The caller sees
 * to commas between values and to matching brackets. [any, one at a time]
 */
#ifndef VIEWD_CTL_TEXT_TEXT_OUT_H
#define VIEWD_CTL_TEXT_TEXT_OUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zeroed to begin with. The text is not terminated. */
struct text_out {
	char *data; /* malloc'ed */
	size_t len, room;
};

void text_out_free(struct text_out *out);

/* Text as it is: brackets, commas, keys. */
void text_out_raw(struct text_out *out, const char *text);

/* A string value, escaped; NULL gives null; bytes that are not UTF-8 become '?'. */
void text_out_string(struct text_out *out, const char *text);

/* Text as it is (a key), then a string value. */
void text_out_pair(struct text_out *out, const char *before, const char *text);

/* text, or NULL when there is nothing in it. */
const char *text_out_known(const char *text);

void text_out_int(struct text_out *out, int64_t n);
void text_out_bool(struct text_out *out, bool value);

/* null when negative. */
void text_out_count(struct text_out *out, int64_t n);

/* Whole milliseconds; null when negative. */
void text_out_ms(struct text_out *out, int64_t us);

/* Seconds with six decimals; null when negative. */
void text_out_seconds(struct text_out *out, int64_t us);

/* RFC 3339 UTC; 0 gives null. */
void text_out_time(struct text_out *out, int64_t wall_us);

/* The value as a tree: a new reference, never NULL. Frees the text. */
json_t *text_out_parse(struct text_out *out);

#endif
