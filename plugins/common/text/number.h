/* SPDX-License-Identifier: MIT
 *
 * number.h: whole numbers as a server's answers and viewd's own tables give them: as text, and anybody may have written
 * there. [any]
 */
#ifndef VIEWD_COMMON_TEXT_NUMBER_H
#define VIEWD_COMMON_TEXT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

/* Is text a whole number that int64_t holds, and nothing else? *n_r is set only then. */
bool number_parse(const char *text, int64_t *n_r);

/* The number that text is; NULL and everything that is none: otherwise. */
int64_t number_or(const char *text, int64_t otherwise);

/* a + b and a - b, at the end of the range when the result is beyond it. */
int64_t number_sum(int64_t a, int64_t b);
int64_t number_difference(int64_t a, int64_t b);

#endif
