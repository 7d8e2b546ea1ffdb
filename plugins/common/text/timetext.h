/* SPDX-License-Identifier: MIT
 *
 * timetext.h: times as the state tables hold them: UTC, microseconds, `2026-11-22T08:44:01.123456Z`.
 */
#ifndef VIEWD_COMMON_TEXT_TIMETEXT_H
#define VIEWD_COMMON_TEXT_TIMETEXT_H

#include "base/macros.h"

#include <stdbool.h>
#include <stdint.h>

#define TIMETEXT_SIZE 48

/* Formats microseconds since the epoch; with_zone adds the final Z. Returns buf. [any] */
char *timetext_format(int64_t us, bool with_zone, char buf[static TIMETEXT_SIZE]);

/* Reads `YYYY-MM-DD[T ]HH:MM:SS[.f{1,6}][Z|+00|+00:00]`; NULL, anything else and times before 1970 give 0 (unknown).
 * [any] */
int64_t timetext_parse(const char *text);

#endif
